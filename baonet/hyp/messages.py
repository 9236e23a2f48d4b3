"""What one pcpu tells another, whatever the architecture is; an architecture has messages of its own besides.

The names are Bao's where Bao has the message (``ipc.c``); where Bao reads or writes shared state under a lock, here the
state has one home and a message asks the home. Channels between two pcpus are FIFO; nothing is known about the order of
messages from different senders. A pcpu that asks is paused until the answer comes, so it has at most one question under
way and answers need no number.
"""

from __future__ import annotations

from typing import Any, Final, final

from baonet.machine import MessageKind
from baonet.machine.dataclass import dataclass


class HypMessage:
    """Everything that one pcpu tells another."""

    __slots__ = ()


@final
@dataclass(frozen=True, slots=True)
class IpcNotify(HypMessage):
    """Event ``event`` of shared memory ``shmem``, to the master pcpu of a VM attached to it (Bao: IPC_NOTIFY)."""

    shmem: int
    event: int


@final
@dataclass(frozen=True, slots=True)
class VmBarrier(HypMessage):
    """While a VM is reset: all that the sender said in the VM's previous life has been said."""

    life: int


@final
@dataclass(frozen=True, slots=True)
class SpiLine(HypMessage):
    """A device's interrupt line, to the master of the VM that owns the device.

    ``sequence`` counts the changes of this line, wherever they were seen: what is older than the newest is ignored.
    """

    interrupt: int
    level: bool
    sequence: int


@final
@dataclass(frozen=True)
class MessageFact:
    """What there is to know of a message: its ``number`` on the wire, for ever, and how it travels in virtual time.

    ``latency`` is which of the clock's it has, and ``of_hardware`` which it has where it says that it is of a hardware
    interrupt. ``interrupts``: Bao sends it with an IPI, so that it interrupts its receiver; the others are looks into
    shared memory there. ``own``: that IPI is the hypervisor's even where the guest's interrupts go past it, for it
    stands for no interrupt that the hardware could give the guest. ``quiet``: it does not end a suspend of its receiver
    either, if it brings no interrupt that the guest has enabled.
    """

    number: int
    kind: type[HypMessage]
    latency: MessageKind = MessageKind.IPI
    of_hardware: MessageKind | None = None
    interrupts: bool = False
    own: bool = False
    quiet: bool = False

    def latency_of(self, message: Any) -> MessageKind:
        return self.latency if self.of_hardware is None or not message.hardware else self.of_hardware


SHARED: Final = (
    MessageFact(37, IpcNotify, latency=MessageKind.IPC, interrupts=True, own=True),
    MessageFact(38, VmBarrier),
    MessageFact(56, SpiLine, latency=MessageKind.SPI),
)
"""Those of every architecture."""
