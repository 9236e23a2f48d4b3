"""What an architecture brings to the hypervisor: the protocol between the floors that all share and a wing of one.

A wing is a package beside the shared files, as Bao's ``src/arch`` is beside ``src/core``; ``baonet.hyp.wings`` has them
all, and nothing else here knows one by name.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar, final

from baonet.hyp.answers import FixedAnswer, Notification
from baonet.hyp.condition import Doing, VcpuCondition
from baonet.hyp.ipc import Ipc
from baonet.hyp.messages import MessageFact
from baonet.hyp.names import ArchNames
from baonet.hyp.report import Report
from baonet.hyp.vcpu import Vcpu
from baonet.machine import ArchPlatform, ArchVm
from baonet.machine.dataclass import dataclass
from baonet.machine.saved import Saved

Handler = Callable[[int, Any], None]
"""Takes a message: ``(source, message)``."""
_Record_co = TypeVar("_Record_co", covariant=True)
LineChanged = Callable[[int, int, int], None]
"""A device's line has changed, as seen here: ``(interrupt, level, sequence)``."""


@final
@dataclass(frozen=True, slots=True)
class InterruptStatistics:
    """Interrupts that found no place in the CPU's interface, those taken back because the guest changed them, and those
    of the VM that are with this vcpu.
    """

    spills: int
    recalls: int
    held: int


class Wing(Protocol):
    """The architecture's part of one vcpu, on its pcpu."""

    exits: Sequence[Callable[[], None]]
    """What each reason to leave the guest leads to, by its number. New in each life of the VM, as ``messages``."""
    answers: tuple[FixedAnswer, ...]
    """Calls that whoever has the guest run may answer in place of those exits."""
    notifications: tuple[Notification, ...]
    """Calls that whoever has the guest run may perform in place of those exits, as they tell others and do no more."""
    messages: Mapping[type, Handler]
    """What each message of the architecture leads to."""
    windows: tuple[tuple[int, int], ...]
    """(base, size) of what is emulated, as guest-physical addresses."""
    read_emulated: Callable[[int, int], int | None]
    """A load of the guest in a window: ``(address, size)``. None: not possible here; nothing has happened."""
    write_emulated: Callable[[int, int, int], bool]
    """A store: ``(address, size, value)``. False: not possible here; nothing has happened."""

    def begin(self, ipc: Ipc) -> None:
        """A life of the VM begins: ``exits`` and ``messages`` are made anew; the others are the same in each."""

    def enter(self, entry: int, context: int) -> None:
        """Bring the CPU into the entry state; pending interrupts stay, as after CPU_OFF and CPU_ON."""

    def waits(self) -> bool:
        """Whether an interrupt is there for the guest, so that a wait for one is over at once."""

    def inject(self, interrupt: int) -> None:
        """An interrupt in software, on the VM's master pcpu: a notification from another VM.

        The trace is told which interrupt it raises for the guest.
        """

    def expects(self, interrupt: int) -> tuple[int, int, int] | None:
        """What ``inject`` would put where, if that is all that it would do and the guest's end of it would undo all.

        The number of what the trace would be told that it raises, the place, and what would be there.

        None: more may come of it. It holds until something else is called here.
        """

    def listed(self, interrupt: int) -> None:
        """That has been done, in place of ``inject``; the guest may have gone on, and not ended it."""

    def line(self, interrupt: int, level: bool, sequence: int) -> None:
        """A line of a device of this VM has changed; on its master pcpu."""

    def reset(self) -> None:
        """The VM starts anew. What devices drive on their lines stays."""

    def registers(self) -> dict[str, int]:
        """General registers, the PC, and those of the guest's privileged level, by their names in lower case."""

    def statistics(self) -> InterruptStatistics:
        """Counts since the start."""

    def examine(self, doing: Doing) -> VcpuCondition:
        """How the vcpu is, of which it is known what it does."""

    def storm(self, taken: int, instructions: int, *, interrupts: bool) -> str:
        """What is told of a guest that does little but take exceptions, or ``interrupts``: ``taken`` of them, with so
        few ``instructions`` between.
        """

    def save(self) -> Saved:
        """Its state as plain data, beside what the CPU has."""

    def load(self, data: object) -> None:
        """Be as one was that has been saved; the CPU is not touched. Raises StateError for what is not its state."""


@final
@dataclass(frozen=True, slots=True)
class RecordFact(Generic[_Record_co]):
    """A record that goes to whoever watches the machine, and the ``number`` of the message with it, for ever."""

    number: int
    kind: type[_Record_co]


class Architecture(Protocol):
    """``call_registers``: where a hypercall has its result, the ipc's index and the event (Bao: HYPCALL_*_ARG_REG).

    ``private``: interrupts that are a vcpu's own; the others come by a device's line. ``sent``: those of them that one
    vcpu sends others. ``ended``: those of which it is seen that the guest is done with them. ``report`` and
    ``condition``: what its wing parks a vcpu with, and how it examines it. ``platform_part`` and ``vm_part``: what a
    platform and a VM have as their ``arch``. ``names``: its words, for people.
    """

    name: str
    exits: type[IntEnum]
    """Why its core leaves the guest; the first three are those of ``Stay``."""
    messages: tuple[MessageFact, ...]
    call_registers: tuple[int, int, int]
    private: Container[int]
    sent: Container[int]
    ended: Container[int]
    report: RecordFact[Report]
    condition: RecordFact[VcpuCondition]
    platform_part: type[ArchPlatform]
    vm_part: type[ArchVm]
    names: ArchNames

    def wing(self, vcpu: Vcpu, line: LineChanged) -> Wing:
        """Its part of a vcpu, on the CPU that the vcpu has."""
