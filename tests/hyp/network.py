"""A machine of ``Pcpu``s on fake cores of one architecture, joined by a fake network: h11's ConnectionPair for N.

Channels are FIFO per pair of pcpus; which of them moves next is the test's choice, so that any interleaving can be
tried.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from baonet.hyp.architecture import Architecture
from baonet.hyp.cpu import Cpu
from baonet.hyp.effects import Effect, Send
from baonet.hyp.messages import HypMessage
from baonet.hyp.pcpu import Pcpu
from baonet.hyp.vmm import Plan
from baonet.wire.codec import decode, encode

Channel = tuple[int, int]
Chooser = Callable[[Sequence[Channel]], Channel]


class SavedCpu(Cpu, Protocol):
    """A fake's state is plain data too."""

    def save(self) -> dict[str, Any]: ...
    def load(self, data: dict[str, Any]) -> None: ...


_Cpu = TypeVar("_Cpu", bound=SavedCpu)


def undump(data: Any) -> HypMessage:
    """A message of a pcpu's that was saved as the wire has it."""
    message = decode(data)
    assert isinstance(message, HypMessage)
    return message


def first(channels: Sequence[Channel]) -> Channel:
    return channels[0]


class Network(Generic[_Cpu]):
    """All pcpus of a plan that a VM wants, on their fake CPUs, started."""

    def __init__(self, plan: Plan, cpus: Mapping[int, _Cpu], architecture: Architecture, *, start: bool = True) -> None:
        self.plan = plan
        self.cpus = cpus
        self.pcpus = {n: Pcpu(plan, n, cpu, architecture) for n, cpu in cpus.items()}
        self.channels: dict[Channel, deque[HypMessage]] = {}
        self.others: list[tuple[int, Effect]] = []
        if start:
            for pcpu in self.pcpus.values():
                pcpu.start()
                self.collect(pcpu)

    def collect(self, pcpu: Pcpu) -> None:
        """Put what a pcpu wants sent into the network; keep all else in ``others``."""
        for effect in pcpu.effects:
            if isinstance(effect, Send):
                self.channels.setdefault((pcpu.id, effect.pcpu), deque()).append(effect.message)
            else:
                self.others.append((pcpu.id, effect))
        pcpu.effects.clear()

    def waiting(self) -> list[Channel]:
        """Channels with a message in them."""
        return [channel for channel, queue in sorted(self.channels.items()) if queue]

    def deliver(self, channel: Channel) -> HypMessage:
        """Move one message to its end."""
        source, target = channel
        message = self.channels[channel].popleft()
        self.pcpus[target].message(source, message)
        self.collect(self.pcpus[target])
        return message

    def settle(self, choose: Chooser = first, limit: int = 10_000) -> int:
        """Deliver until nothing is under way; how many messages that took."""
        for count in range(limit):
            waiting = self.waiting()
            if not waiting:
                return count
            self.deliver(choose(waiting))
        raise AssertionError("the network does not come to rest")

    def save(self) -> dict[str, Any]:
        """Everything as plain data, what is under way included; but not what has become of it (``others``)."""
        return {
            "pcpus": [[n, pcpu.save(encode), self.cpus[n].save()] for n, pcpu in self.pcpus.items()],
            "channels": [[*channel, [encode(each) for each in queue]] for channel, queue in self.channels.items()],
        }

    def load(self, data: dict[str, Any]) -> None:
        """What another of the same machine has saved."""
        for n, pcpu, cpu in data["pcpus"]:
            self.pcpus[n].load(pcpu, undump)
            self.cpus[n].load(cpu)
        self.channels = {
            (source, target): deque(undump(each) for each in queue) for source, target, queue in data["channels"]
        }
