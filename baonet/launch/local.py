"""One node on this host: its pcpus in processes of their own.

Processes are forked from one that has everything loaded and mapped: that costs milliseconds, not the start of an
interpreter, and they inherit the segments and their sockets and nothing that has a name.
"""

from __future__ import annotations

import _socket  # socket makes enumerations of it, which takes as long as ten modules
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, final

from baonet.actors.node import Died
from baonet.actors.refusals import refused
from baonet.core import _node
from baonet.core.child import held
from baonet.core.cpu import RING_SIZE, call, kick, make_ahead
from baonet.core.engine import load
from baonet.core.selftest import ensure
from baonet.hyp.vmm import Plan
from baonet.launch.confinement import missing, told
from baonet.launch.crews import Crew, Placement, crews
from baonet.launch.pin import AUTO, Pin
from baonet.launch.pinning import Pinning
from baonet.launch.process import LastWords, live
from baonet.machine import ClockMode
from baonet.memory.host import killings
from baonet.memory.node import NodeMemory
from baonet.wire.codec import prepare
from baonet.wire.control import (
    ConsoleOutput,
    Delivered,
    Digest,
    Hello,
    Horizon,
    Reached,
    Running,
    Start,
    Statistics,
    Stop,
    Stopped,
)
from baonet.wire.messages import AGENT, accepted, speak
from baonet.wire.port import Channel, SocketPort
from baonet.wire.roles import Role

if TYPE_CHECKING:
    from baonet.launch.share import Share
    from baonet.memory.rings import RingMemory

_SAID: Final = (Hello, Start, Running, ConsoleOutput, Stop, Statistics, Stopped)
_SAID_IN_VIRTUAL_TIME: Final = (Horizon, Reached, Digest, Delivered)
"""Between the agent and every crew that it speaks with."""


def reload(plan: Plan, memory: NodeMemory, vm: int) -> str | None:
    """Give a VM its memory as at the start; why not, if that cannot be."""
    config = plan.vms[vm].config
    memory.clear(config)
    try:
        memory.load(config)
    except OSError as error:
        return refused(error)
    return None


def ready(plan: Plan) -> None:
    """Have the engine, and the messages, of the machine's architecture. Raises as ``ensure``."""
    ensure(plan.machine.platform.architecture)
    speak(plan.machine.platform.architecture)


@final
class ProcessNode:
    """Forks one process a crew when it is created.

    ``threads``: in virtual time, how many run guests in one process at most. ``weakness`` tells what does not confine
    the guests on this host, None when all does. Raises EngineError when the engine does not hold on this host,
    ValueError when the machine's clock does not have the placement, or ``pin`` a core that cannot be used. ``tell``
    gets what is chosen on the way. ``share``: other nodes have the rest; None: all of the machine is on this one.
    ``states``: as of ``crews``. ``preload``: this process has the engine before it forks, which spares each crew
    milliseconds, and can run machines of no other architecture afterwards.
    """

    def __init__(
        self,
        plan: Plan,
        memory: NodeMemory,
        placement: Placement,
        *,
        tracing: bool = False,
        threads: int = 1,
        pin: Pin = AUTO,
        tell: Callable[[str], None] = lambda text: None,
        share: Share | None = None,
        states: Mapping[int, bytes] | None = None,
        preload: bool = True,
    ) -> None:
        ready(plan)
        if preload:
            load(plan.machine.platform.architecture)
            make_ahead(plan.machine)
        prepare(_SAID)
        if plan.machine.clock.mode is ClockMode.VIRTUAL:
            prepare(_SAID_IN_VIRTUAL_TIME)
        self._plan, self._memory, self._share = plan, memory, share
        nodes = None if share is None else share.nodes
        epoch = time.monotonic_ns() if share is None else share.epoch
        everybody = {
            crew.address: crew
            for crew in crews(
                plan, memory, placement, epoch, tracing=tracing, threads=threads, nodes=nodes, states=states
            )
        }
        members = {address: crew for address, crew in everybody.items() if share is None or share.has(address)}
        self.carries = {address: crew.carries for address, crew in members.items() if crew.carries}
        self._addresses = tuple(members)
        self._pinning = Pinning(pin, members, tell)
        roles = {AGENT: Role.AGENT} | {address: crew.role for address, crew in everybody.items()}
        channels: dict[int, dict[int, Channel]] = {address: {} for address in roles}
        for address, crew in members.items():
            far = frozenset[int]() if crew.role is Role.PCPU else crew.peers
            for peer in sorted(far - members.keys()):
                assert share is not None
                here, there = _socket.socketpair()
                channels[address][peer] = Channel(here, accepted(roles[peer], roles[address]))
                share.relay(address, peer, there)
            for peer in (*(peer for peer in sorted(far) if peer > address and peer in members), AGENT):
                here, there = _socket.socketpair()
                channels[address][peer] = Channel(here, accepted(roles[peer], roles[address]))
                channels[peer][address] = Channel(there, accepted(roles[address], roles[peer]))
        self._rings = self._joined(plan, members, everybody)
        gc.collect()
        gc.freeze()
        sys.stdout.flush()
        sys.stderr.flush()
        self._killed: set[int] = set()
        self._killings = killings()
        self._words = {address: LastWords() for address in members}
        reason = missing()
        self.weakness = (
            None if reason is None else f"no seccomp filters ({reason}): guests are confined less, see docs/security.md"
        )
        agent = os.getpid()

        with held():
            forked = _node.fork(len(members))
            if isinstance(forked, int):
                address = self._addresses[forked]
                live(
                    members[address],
                    channels[address],
                    agent,
                    memory,
                    self._words[address],
                    rings=self._rings,
                    confined=reason is None,
                    share=share,
                )
        self._pids = dict(zip(members, forked, strict=True))
        for words in self._words.values():
            words.begin()
        gc.unfreeze()
        if share is not None and self._rings is not None:
            share.carry(self._rings)
        self._pinning.begin(self._pids)
        for address in members:
            for channel in channels[address].values():
                channel.socket.close()
        self.port = SocketPort(channels[AGENT], self._call)

    @property
    def processes(self) -> int:
        """Those that there are, or have been."""
        return len(self._addresses)

    @staticmethod
    def _joined(plan: Plan, members: Mapping[int, Crew], everybody: Mapping[int, Crew]) -> RingMemory | None:
        """Where pcpus have something to say to each other by themselves."""
        peers = {address: crew.peers for address, crew in members.items() if crew.role is Role.PCPU}
        if not peers:
            return None
        import baonet.actors.pcpu  # noqa: PLC0415 - with the host's clock only, for those that are forked
        import baonet.wire.ring_port  # noqa: F401, PLC0415 - as above
        from baonet.memory.rings import RingMemory  # noqa: PLC0415 - as above

        touched = set(peers).union(*peers.values())
        groups = [vm.pcpus for vm in plan.vms if touched.intersection(vm.pcpus)]
        far = {pcpu for pcpus in groups for pcpu in pcpus} - peers.keys()
        return RingMemory(groups, peers | {pcpu: everybody[pcpu].peers & peers.keys() for pcpu in far}, RING_SIZE, far)

    def _call(self, pcpu: int) -> None:
        """Something is in its socket, which who has rings does not look at while it sleeps."""
        if self._rings is not None:
            call(self._memory.slots.view, pcpu)

    async def supervise(self, died: Died) -> None:
        import trio  # noqa: PLC0415 - as in ``_watch``

        async with trio.open_nursery() as nursery:
            for address in self._addresses:
                nursery.start_soon(self._watch, address, died)
            if self._rings is not None:
                nursery.start_soon(self._pinning.serve, self._memory.slots.view, self._pids)

    async def _watch(self, pcpu: int, died: Died) -> None:
        import trio  # noqa: PLC0415 - a run's first words come before there is a loop

        descriptor = os.pidfd_open(self._pids[pcpu])
        try:
            await trio.lowlevel.wait_readable(descriptor)
        except trio.Cancelled:  # the run is over without its end
            died(pcpu, None, self._words[pcpu].take())
            raise
        finally:
            os.close(descriptor)
        if self._rings is not None:
            self._rings.lose(pcpu)
            if self._share is not None:
                self._share.ended(pcpu)
        _, status = os.waitpid(self._pids.pop(pcpu), os.WNOHANG)  # noqa: ASYNC222 - it has ended, its descriptor said so
        code = os.waitstatus_to_exitcode(status)
        call, words = told(self._words[pcpu].take())
        if code == 0 and pcpu not in self.carries:
            died(pcpu, None, words)  # it has ended well because the one that gave it its turns has ended
            return
        why = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        if code == -signal.SIGKILL and pcpu not in self._killed and killings() > self._killings:
            why += ": the host had no more memory"
        if code == -signal.SIGBUS:
            why += ": the host had no page for what is in the machine's memory"
        if code == -signal.SIGSYS and call is not None:
            why = f"was ended by its seccomp filter, for the system call {call}: see docs/security.md"
        died(pcpu, why, words)

    def kick(self, pcpu: int) -> None:
        kick(self._memory.slots.view, pcpu)

    def kill(self, pcpu: int) -> None:
        if pcpu in self._pids:
            self._killed.add(pcpu)
            os.kill(self._pids[pcpu], signal.SIGKILL)

    def reload(self, vm: int, loaded: Callable[[str | None], None]) -> None:
        loaded(reload(self._plan, self._memory, vm))

    def close(self) -> None:
        """Kill what is left."""
        self._kill_all()
        for words in self._words.values():
            words.close()
        if self._rings is not None:
            self._rings.close()
        self.port.close()

    def _kill_all(self) -> None:
        """Leave no zombie."""
        for pcpu in list(self._pids):
            self.kill(pcpu)
            os.waitpid(self._pids.pop(pcpu), 0)
