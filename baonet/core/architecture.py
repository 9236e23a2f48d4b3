"""What an architecture brings to the core: the protocol between what all share and a wing of one.

A wing is a package beside the shared files that has the native engine of its architecture, as ``core/native`` has its
directory; ``baonet.core.wings`` has them all, and nothing else here knows one by name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypedDict

from baonet.hyp.cpu import Cpu
from baonet.machine import Machine, Vm


class Core(Cpu, Protocol):
    """The emulated CPU of one pcpu. A cycle is one of virtual time since the start of the machine.

    The architecture's ``_engine.pyi`` says what each call raises.
    """

    @property
    def time(self) -> int:
        """Cycles, or under the host's clock nanoseconds, since the start of the machine."""

    @property
    def yielded(self) -> bool:
        """Whether the last stay ended because the guest waits for another CPU (``run_until``)."""

    @property
    def blocked(self) -> tuple[int, int, bool] | tuple[()] | None:
        """What the instruction at ``pc`` needs and could not have in the last stay, which has ended for that.

        Page (segment, its number in that, whether to write to it); nothing, (): the hypervisor's emulation.
        """

    @property
    def visible(self) -> int:
        """The time that the guest sees: ``time``, or what others had seen when they let go of a page that it took."""

    @property
    def has_records(self) -> bool:
        """Whether a full chunk of records waits to be taken."""

    @property
    def has_output(self) -> bool:
        """Whether something that the guest has sent waits to be taken."""

    def map_ram(
        self,
        ipa: int,
        size: int,
        buffer: object,
        offset: int,
        foreign: bool = False,
    ) -> None:
        """Map bytes of a buffer from ``offset`` on at ``ipa``; ``foreign``: other VMs write to them too."""

    def map_uart(  # noqa: PLR0917 - as the native one is
        self,
        kind: str,
        ipa: int,
        buffer: object,
        offset: int,
        interrupt: int,
        console: bool = False,
    ) -> int:
        """Map a UART of a kind of ``baonet.machine.UARTS``, whose state is in a buffer. Returns its number, from 0."""

    def own(self, owners: object, segment: int) -> None:
        """Of what was mapped last: who owns its pages, in a buffer, as those of the segment with this number.

        See ``baonet.memory.ownership``.
        """

    def map_unassigned(self, ipa: int, size: int) -> None:
        """Have accesses there end in an exception of the guest's, but where something is mapped."""

    def emulate(
        self,
        windows: tuple[tuple[int, int], ...],
        read: Callable[[int, int], int | None],
        write: Callable[[int, int, int], bool],
        outbox: list[Any],
    ) -> None:
        """Where a plain load or store calls ``read(ipa, size)`` or ``write(ipa, size, value)``.

        None or False ends the stay with the access, for the hypervisor to see; what the call leaves in ``outbox`` ends
        it with ``Stay.KICKED``.
        """

    def run(self, budget: int) -> int:
        """Enter the guest for at most ``budget`` instructions; returns why it left, by the architecture's ``exits``."""

    def run_until(self, cycle: int, polite: bool = False, frozen: bool = False, silent: bool = False) -> int:
        """The same in virtual time: until ``time`` is ``cycle``, or, if ``polite``, the guest yields."""

    def stand(self) -> None:
        """Have the time of this core stand still until ``fall_behind``; nothing in virtual time."""

    def fall_behind(self, nanoseconds: int) -> None:
        """Have the machine's time go on, so much more behind the host's; nothing in virtual time."""

    def tell_time(self) -> None:
        """The guest is told something: when it goes on it knows that it is as late as it sees then."""

    def skip_to(self, cycle: int) -> None:
        """Let virtual time pass until ``cycle``."""

    def alarm(self) -> int:
        """The cycle at which the next timer interrupt is due, -1 when none is armed."""

    def deadline(self) -> int:
        """Nanoseconds until the next timer interrupt, -1 when none is armed."""

    def take_records(self, everything: bool) -> list[tuple[bytes, int, int]]:
        """``(records, host begin, host end)`` of each chunk since the last call, of the full ones or of all."""

    def answer_doorbell(self) -> None:
        """Call it before taking messages: those that come later end the next stay with ``Stay.KICKED``."""

    def wakes(self) -> bool:
        """Whether a virtual interrupt waits that ends a wait for one, whatever the guest masks."""

    def take_output(self) -> list[tuple[int, int, bytes]]:
        """``(uart, position, bytes)`` of what the guest has sent since the last call."""

    def put_input(self, uart: int, data: bytes) -> int:
        """Characters for a UART. Returns how many it took."""

    def put_break(self, uart: int) -> bool:
        """The same with a break; whether the UART took it."""

    def put_output(self, data: bytes) -> None:
        """Have the first UART of the VM send characters, if it has one, as if the guest had."""

    def take_input(self, most: int) -> bytes:
        """Characters that wait at the first UART of the VM, but breaks; they are read then."""

    def read_memory(self, ipa: int, size: int) -> bytes | None:
        """RAM of the VM; None if there is something else, or nothing, in it."""

    def write_memory(self, ipa: int, data: bytes) -> None:
        """RAM of the VM, which all of it is."""

    def take_event(self) -> int:
        """What ``run`` would tell of without the guest, and asks for no answer; -1 when there is nothing.

        Such as what ``put_input`` did to the UART's line, for the hypervisor to hear while its guest does not run.
        """

    def translate(self, va: int, fetch: bool = False) -> int | None:
        """The guest-physical address of a virtual one at the guest's level, None where its tables have none."""

    def code(self, va: int) -> bytes:
        """Up to 16 bytes of RAM at a virtual address, as a fetch sees them, within its page; none if that faults."""

    def storm(self) -> tuple[int, int, bool] | None:
        """(Taken, instructions between, interrupts and not exceptions) of a storm, once in a life of the guest."""

    def statistics(self) -> dict[str, int | list[int]]:
        """Counters since the core was made."""

    def save(self) -> dict[str, Any]:
        """All that the guest has brought the core to, beside memory that it shares: plain data."""

    def load(self, data: dict[str, Any]) -> None:
        """Go on from where a core has been saved that was made and mapped in the same way, with its memory."""


class Rounds(Protocol):
    """What decides who runs, and has them run. A member is a pcpu by its place among those of the island."""

    def go(self, until: int) -> int:
        """The member whose hypervisor is to be asked; DONE: nobody has anything to do before ``until``, the end of a
        window; RECESS: the host has spent some time on it, and nothing is different for that.
        """

    def take(self, member: int) -> tuple[int, int]:
        """Why its guest was left since this was last asked, -1: it has not been; when it has to do something."""

    def ready(self, member: int, clock: int, attention: int) -> None:
        """Its guest goes on; its hypervisor is to be asked again at ``attention``."""

    def asleep(self, member: int, clock: int, until: int) -> None: ...
    def gone(self, member: int) -> None: ...

    def call(self, member: int) -> None:
        """Its hypervisor is to be asked at once, and its guest does not go on before."""

    def tell(self, member: int, due: int) -> None:
        """There is something for it, at ``due``."""

    def clock(self, member: int) -> int: ...

    @property
    def next(self) -> int:
        """The earliest moment at which somebody has something to do, NEVER if nobody has."""

    @property
    def latest(self) -> int:
        """The clock that has come farthest."""

    @property
    def standing(self) -> bool:
        """Whether no guest runs, in any process."""

    def save(self) -> list[Any]: ...

    def load(self, saved: list[Any]) -> None:
        """Raises ValueError and TypeError for what is not the state of such rounds."""


Member = Core | tuple[int, int]
"""A core that is here, or (pcpu, the first pcpu in its process)."""


class Wiring(TypedDict):
    """What the cores of all architectures are made with.

    ``frequency``: of the counter that guests read, in Hz. ``epoch``: the host's monotonic time, in nanoseconds, at
    which it was 0. ``slots``, ``index``, ``siblings``: all slots, the own, those of the VM's other vCPUs.
    ``code_map``: the VM's, or with a ledger its own. ``ledger``: the island's, if others are in it. ``hz``: cycles a
    second of virtual time, 0 under the host's clock.
    """

    frequency: int
    epoch: int
    slots: object
    index: int
    siblings: tuple[int, ...]
    code_map: object
    hz: int
    records: bool
    ledger: object


class Trial(Protocol):
    """What two processes try of an engine at start-up (``baonet.core.selftest``).

    ``files``: what says, besides the library, how it ends. ``shared``: what both processes are to have, mapped before
    they are forked; its ``reached`` counts how far each has come.
    """

    files: tuple[Path, ...]

    def shared(self) -> TrialMemory: ...

    def run(self, shared: TrialMemory, number: int) -> bool:
        """One side of it. Raises LitmusError.

        Returns False if the two CPUs were not seen to run at the same time, though the host has the CPUs for it.
        """

    def part_of(self, reached: int) -> str:
        """What a side was at when its count was ``reached``."""


class TrialMemory(Protocol):
    reached: memoryview[int]


class CoreWing(Protocol):
    """The architecture's part of making cores. It loads its engine when it makes the first."""

    trial: Trial

    def core(self, machine: Machine, vm: Vm, vcpu: int, wiring: Wiring) -> Core:
        """A core for ``vcpu`` of ``vm``, into which nothing is mapped yet."""

    def rounds(self, cores: tuple[Member, ...], window: int, slice_: int, threads: int, ledger: object) -> Rounds:
        """In the order of their pcpus; lengths in cycles. ``ledger``: the island's, None if it has but one pcpu."""

    def attend(self, ledger: object, cores: tuple[Core, ...], failed: Callable[[Exception], None]) -> None:
        """From now on a thread of this process does what whoever conducts the island asks of these cores.

        It calls ``failed`` with what the hypervisor has raised in mid-stay.
        """

    def map(self, core: Core, vm: Vm) -> None:
        """Map what the architecture has at addresses of its own, behind the VM's memory and devices."""
