"""What an architecture brings to the core: the protocol between what all share and a wing of one.

A wing is a package beside the shared files that has the native engine of its architecture, as ``core/native`` has its
directory; ``baonet.core.wings`` has them all, and nothing else here knows one by name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, TypedDict

from baonet.hyp.answers import FixedAnswer, Notification
from baonet.hyp.cpu import Cpu
from baonet.machine import Machine, Vm

ERRAND_TARGETS: Final = 8
"""Pcpus that a call may notify as an errand."""
Carried = tuple[int, int, int, int, int]
"""When it is due, the pcpu that sent it, its number there, the shared memory object, and the event."""
Errands = tuple[bool, bool, int, int, int, list[tuple[int, int]], list[tuple[int, int]], Carried | None]
"""Whether the guest waits; whether a message has interrupted it since it was left; messages sent so far; notifications
sent, and those received whose interrupts have ended; how often it was left, by exits; when what was sent to a pcpu last
is due; the notification whose interrupt the guest has not ended, which is not counted yet.
"""


class Core(Cpu, Protocol):
    """The emulated CPU of one pcpu, with the VM's memory, devices and interrupts that are mapped into it.

    Addresses, sizes and register values are unsigned numbers of 64 bits, sizes in bytes. TypeError is raised for
    another type; a number that does not fit is cut off, or raises OverflowError where the call takes no other argument.
    A buffer is an object whose memory can be written to; the core keeps it exported as long as it lives. A cycle is one
    of virtual time since the start of the machine. What is called on a core is called from one thread, and not from the
    callbacks of ``emulate``.
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
        """Map ``size`` bytes of a buffer from ``offset`` on at ``ipa``; ``foreign``: other VMs write to them too.

        All vCPUs of a VM map the same in the same order. Raises ValueError if it is not of whole pages, if the buffer
        is read-only or too small or the code map is; RuntimeError if something else is there; MemoryError.
        """

    def map_uart(  # noqa: PLR0917 - as the native one is
        self,
        kind: str,
        ipa: int,
        buffer: object,
        offset: int,
        interrupt: int,
        console: bool = False,
    ) -> int:
        """Map a UART, whose state is at ``offset`` in a buffer, at ``ipa``. Returns its number, from 0.

        ``kind``: of ``baonet.machine.UARTS``. ``interrupt``: of its line, 0 when no VM has it. ``console``: it is as
        it has been set up before guests start. Raises ValueError if ``ipa`` is not of a page or taken, the buffer is
        read-only or too small, or there is no such kind; MemoryError.
        """

    def own(self, owners: object, segment: int) -> None:
        """Of what was mapped last: who owns its pages, in a buffer, as those of the segment with this number.

        See ``baonet.memory.ownership``.
        """

    def join(self, buffer: object, shape: bytes, party: int) -> None:
        """Have memory take time: the core is the pcpu ``party`` of the cluster that is in a buffer.

        ``shape``: ``baonet.core.shapes``. Raises ValueError under the host's clock, for a second cluster, for what is
        no shape and for a buffer that is read-only or too small, IndexError for a pcpu that the cluster has not.
        """

    def model_memory(self, cycles: int, instructions: int, parameters: dict[str, int] = ...) -> None:
        """Have memory take time from now on; so many instructions that miss nothing take so many cycles.

        With what the core has of the cluster that it has joined, or with ``parameters`` (by the names of parameters.h,
        for others those of a Cortex-A53) alone, where nobody else has anything to do with it. Raises ValueError for a
        parameter that cannot be, RuntimeError for a core that has run, or follows the host's clock, and the second
        time.
        """

    def map_physical(self, pages: bytes, tables: bytes) -> None:
        """Where the VM's memory is, in native 64 bits each.

        ``pages``: of RAM in the order in which it is mapped, the address and log2 of its block. ``tables``: of stage 2,
        pairs in rising order: from where on one translates, and its level (1 to 3); its address. Raises ValueError for
        what is not of whole items, RuntimeError where memory takes no time.
        """

    def touches(  # noqa: PLR0917 - as the native one is
        self, kind: int, instructions: int, loads: bytes, stores: bytes, text: bytes, cycles: int = ...
    ) -> None:
        """What the hypervisor does for an exit: instructions, cycles beside them, and physical addresses of lines.

        ``kind``: its number; behind the last of them that of an emulated access. Raises as ``map_physical``.
        """

    def begin_window(self, window: int) -> None:
        """A window of this number begins, where no cluster tells of it: what siblings have asked is done.

        Raises RuntimeError where memory takes no time.
        """

    def pay(self, kind: int) -> None:
        """The hypervisor does what it does for an exit, though there was none. Time goes on by what that takes."""

    def memory_counts(self) -> dict[str, int]:
        """What memory has taken since the core was made; nothing where it takes no time.

        Of the guest, and with ``hypervisor_`` before its name of the hypervisor below it: counts of ``counters.h``, and
        cycles of ``stall_`` and why.
        """

    def map_unassigned(self, ipa: int, size: int) -> None:
        """Have accesses there end in an exception of the guest's, but where something is mapped.

        Raises as ``map_ram``.
        """

    def emulate(
        self,
        windows: tuple[tuple[int, int], ...],
        read: Callable[[int, int], int | None],
        write: Callable[[int, int, int], bool],
        outbox: list[Any],
    ) -> None:
        """In the windows, (IPA, bytes) of each, call ``read(ipa, size)`` and ``write(ipa, size, value)`` for accesses.

        They are called for the plain loads and stores that the hypervisor decodes, while the guest runs, with ``size``
        1, 2, 4 or 8. None or False ends the stay with the access, for the hypervisor to see; a stay in which ``outbox``
        is not empty after a call ends with ``Stay.KICKED``. What they raise is raised by ``run``. Raises MemoryError.
        """

    def answer(self, answers: tuple[FixedAnswer, ...]) -> None:
        """Answer these calls of the guest in the midst of a stay, where nothing would come before it goes on.

        Exits, records and time are those that there would be if it were left for them. Raises ValueError for what are
        none.
        """

    def run_errands(  # noqa: PLR0917 - as the native one is
        self,
        notifications: tuple[Notification, ...],
        number: int,
        latency: int,
        cost: int,
        expects: Callable[[int, int], tuple[int, int, int] | None],
        take_back: Callable[[], None],
    ) -> None:
        """Have ``Rounds`` do in the hypervisor's place what concerns notifications, while it is lent to the core.

        ``number``: of the message. ``latency``: cycles that it takes. ``cost``: the exit that it is to its receiver.
        ``expects(shmem, event)``: the interrupt, where it would be and what would be there (``Wing.expects``).
        ``take_back`` is called before an emulated access. Raises ValueError under the host's clock, the second time,
        and for what are no notifications.
        """

    def run_errands_promptly(  # noqa: PLR0917 - as the native one is
        self,
        notifications: tuple[Notification, ...],
        expects: Callable[[int, int], tuple[int, int, int] | None],
        take_back: Callable[[], None],
        ringside: object,
        hears: Callable[[int, bytes], tuple[int, int] | None],
        frames: Callable[[int, int], bytes],
    ) -> None:
        """Have ``run_lent`` do the same under the host's clock, by the rings of a pcpu (``_node.Rings.ringside``).

        ``hears(pcpu, bytes)``: the object and the event of the notification that these bytes of its ring are; None:
        they are not one, or not to be taken so. ``frames(shmem, event)``: the bytes of one. Raises ValueError in
        virtual time, where records are made, with pcpus on other nodes, the second time, and for what are no
        notifications.
        """

    def run_lent(self, budget: int) -> int:
        """As ``run``, while the hypervisor's state is lent; goes on behind errands, and sleeps while the guest waits.

        It comes back when there is something else: in a socket or a ring, or of the guest's; now and then with
        nothing. Raises RuntimeError when nothing is lent.
        """

    def lend(self, waiting: bool, interrupted: bool, sent: int, channels: dict[int, int]) -> None:
        """The hypervisor has nothing to do; its guest runs, or waits.

        ``interrupted``: a message has interrupted it since it was left. ``sent``: messages, so far. ``channels``: when
        what was sent to each pcpu last is due.
        """

    def take_back(self) -> tuple[list[Carried], Errands | None] | None:
        """What has come and was not taken, and if it is lent, what was done; it is not any more. None: nothing.

        What is noted until ``caught_up`` was recorded when it was done.
        """

    def caught_up(self) -> None:
        """What was taken back is the hypervisor's own by now: what is noted from here on is recorded."""

    def run(self, budget: int) -> int:
        """Enter the guest for at most ``budget`` instructions, or one block; returns why it left, as an exit's number.

        It may come back with ``Stay.BUDGET`` before, when much has happened that costs the host. Raises what a callback
        of ``emulate`` raises.
        """

    def run_until(self, cycle: int, polite: bool = False, frozen: bool = False, silent: bool = False) -> int:
        """As ``run``, until ``time`` is at least ``cycle``, or, if ``polite``, the guest yields (then ``yielded``).

        ``frozen``: it ends, too, before an instruction for which a page of shared memory would have to change hands;
        ``silent``: before one for which the hypervisor would be asked in mid-stay (then ``blocked``). Nothing of that
        instruction has happened, but stores to a page that the core had, which are not done again; the next stay goes
        on with it, and with the rest of its block, whatever the limit.

        Raises RuntimeError if the core follows the host's clock.
        """

    def stand(self) -> None:
        """Have the time of this core stand still until ``fall_behind``; nothing in virtual time."""

    def fall_behind(self, nanoseconds: int) -> None:
        """Have the machine's time go on, so much more behind the host's; nothing in virtual time."""

    def tell_time(self) -> None:
        """The guest is told something: when it goes on it knows that it is as late as it sees then."""

    def skip_to(self, cycle: int) -> None:
        """Let virtual time pass until ``cycle``; nothing under the host's clock, or if it is later already."""

    def alarm(self) -> int:
        """The cycle at which the next timer interrupt is due, -1 when none is armed."""

    def deadline(self) -> int:
        """Nanoseconds until the next timer interrupt, 0 when it is due, -1 when none is armed."""

    def take_records(self, everything: bool) -> list[tuple[bytes, int, int]]:
        """(Records, nanoseconds since ``epoch`` at the first and at the last) of each chunk since the last call.

        Only chunks that are full, unless ``everything``.
        """

    def answer_doorbell(self) -> None:
        """Call it before taking messages: those that come later end the next stay with ``Stay.KICKED``."""

    def wakes(self) -> bool:
        """Whether a virtual interrupt waits that ends a wait for one, whatever the guest masks."""

    def take_output(self) -> list[tuple[int, int, bytes]]:
        """(Number of the UART, position in what that has sent, bytes) of each piece that this core has sent since."""

    def put_input(self, uart: int, data: bytes) -> int:
        """Receive characters. Returns how many there was room for. Raises IndexError when there is no such UART."""

    def put_break(self, uart: int) -> bool:
        """Receive a break; whether there was room. Raises IndexError when there is no such UART."""

    def put_output(self, data: bytes) -> None:
        """Have the first UART of the VM send characters, if it has one, as if the guest had."""

    def take_input(self, most: int) -> bytes:
        """Characters that wait at the first UART of the VM, but breaks; they are read then."""

    def read_memory(self, ipa: int, size: int) -> bytes | None:
        """RAM of the VM; None if there is something else, or nothing, in it."""

    def write_memory(self, ipa: int, data: bytes) -> None:
        """RAM of the VM. Raises ValueError where ``read_memory`` has None."""

    def take_event(self) -> int:
        """What ``run`` would tell of without the guest, and asks for no answer; -1 when there is nothing.

        Such as what ``put_input`` did to the UART's line, for the hypervisor to hear while its guest does not run.
        """

    def translate(self, va: int, fetch: bool = False) -> int | None:
        """The IPA of a virtual address for loads, or fetches, at the guest's level of privilege; None: it faults."""

    def code(self, va: int) -> bytes:
        """Up to 16 bytes of RAM at a virtual address, as a fetch sees them, within its page; none if that faults."""

    def storm(self) -> tuple[int, int, bool] | None:
        """(Taken, instructions between, interrupts and not exceptions) of a storm, once in a life of the guest."""

    def statistics(self) -> dict[str, int | list[int]]:
        """Counts since the core was made: ``instructions``, ``exits`` by their numbers, ``native_exceptions``,
        ``emulated_accesses``, ``broadcasts``, ``blocks_translated``, ``lines_invalidated``; and
        ``instructions_foreseen``, those of a loop that waits for the counter, which were not run as it was known what
        they do.
        """

    def save(self) -> dict[str, Any]:
        """All that the guest has brought the core to, as plain data (``baonet.machine.saved``) with a ``version``.

        Beside what is in memory that it shares: RAM and the registers of UARTs. The core goes on as if it had not been
        asked. Raises RuntimeError during a stay.
        """

    def load(self, data: dict[str, Any]) -> None:
        """Go on from where a core has been saved that was made and mapped in the same way, with its memory as it was.

        Nothing is left of what this core has translated. In virtual time the guest cannot tell: counts of translations
        (``blocks_translated``, ``lines_invalidated``, ``broadcasts``), ``instructions_foreseen`` and those of kicks
        differ, and nothing else. Under the host's clock ``epoch`` decides what time it is. Raises ValueError for the
        state of another version or core, or what is none; the core is of no more use then. Raises RuntimeError during a
        stay.
        """


ClusterCounts = tuple[list[dict[str, int]], list[list[int]], dict[str, int], list[tuple[int, int]]]
"""What memory has taken, of a cluster: counts by owner, its VMs and last the hypervisor; by whom who has missed a line
had lost it, in columns of the same owners and last of nobody; counts of the channel; pages, by their physical
addresses, and how often lines of them were missed, those with most first.
"""


class Rounds(Protocol):
    """What decides who runs, and has them run. A member is a pcpu by its place among those of the island.

    Raises IndexError for a member that is not there, what a callback of ``Core.emulate`` raises, and ConnectionError
    where other nodes are to be told of a window's end, and the courier of this one has ended.
    """

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

    def bring(  # noqa: PLR0917 - as the native one is
        self, member: int, due: int, source: int, sequence: int, shmem: int, event: int
    ) -> bool:
        """Have its core take a notification that pcpu ``source`` has sent. False: it runs no errands, or has no room,
        and nothing has been done.
        """

    def clock(self, member: int) -> int: ...

    def take_delivered(self) -> tuple[int, int, int]:
        """Messages that errands brought since it was last asked: when due, late, and the latest of these."""

    def take_printed(self) -> list[int]:
        """Whose guests have printed since they were last here, or their hypervisors were asked."""

    @property
    def next(self) -> int:
        """The earliest moment at which somebody has something to do, NEVER if nobody has."""

    @property
    def latest(self) -> int:
        """The clock that has come farthest."""

    @property
    def standing(self) -> bool:
        """Whether no guest runs, in any process."""

    def memory_counts(self) -> list[ClusterCounts]:
        """Of each cluster whose memory takes time, since it has been there."""

    def save(self) -> list[Any]: ...

    def load(self, saved: list[Any]) -> None:
        """Raises ValueError and TypeError for what is not the state of such rounds."""


Member = Core | tuple[int, int]
"""A core that is here, or (pcpu, the first pcpu in its process)."""


Woven = tuple[object, bytes, int, tuple[int, ...]]
"""A cluster whose memory takes time: its memory, its shape (``baonet.core.shapes``), its first pcpu, and the VM of each
as the cluster counts them.
"""


class Wiring(TypedDict):
    """What the cores of all architectures are made with.

    ``frequency``: of the counter that guests read, in Hz. ``epoch``: the host's monotonic time, in nanoseconds, at
    which it was 0. ``slots``: the buffer of all slots, ``index`` the own, ``siblings`` those of the VM's other vCPUs.
    ``code_map``: a buffer that these share, or with a ledger its own, 8 bytes for 16 pages of their RAM. ``hz``: cycles
    a second of virtual time, 0 under the host's clock. ``records``: whether to record what happens. ``ledger``: the
    island's, if others are in it. ``translations``: a buffer that these share, where they find the code that another
    has made already; None: each makes its own.
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
    translations: object


class Trial(Protocol):
    """What two processes try of an engine at start-up (``baonet.core.selftest``).

    ``shared``: what both processes are to have, mapped before they are forked; its ``reached`` counts how far each has
    come.
    """

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
    """The architecture's part of making cores. It loads its engine when it makes the first.

    ``trial_files``: what says, besides the library, how its trial ends.
    """

    trial_files: tuple[Path, ...]

    def trial(self) -> Trial: ...

    def make_ahead(self, machine: Machine) -> None:
        """Make what the first core takes in each process that is forked from this one later. Raises as ``core``."""

    def core(self, machine: Machine, vm: Vm, vcpu: int, wiring: Wiring) -> Core:
        """A core for ``vcpu`` of ``vm``, into which nothing is mapped yet."""

    def kinds(self, vm: Vm) -> tuple[str | None, ...]:
        """What each exit is, by its number, then an emulated access, and an interrupt that is the hypervisor's own: a
        name of ``baonet.machine.Costs``, None for what costs nothing.
        """

    def rounds(
        self,
        cores: tuple[Member, ...],
        window: int,
        slice_: int,
        threads: int,
        ledger: object,
        *,
        clusters: tuple[Woven, ...],
    ) -> Rounds:
        """In the order of their pcpus; lengths in cycles. ``ledger``: the island's, None if it has but one pcpu.

        Raises ValueError, TypeError for cores that follow the host's clock, MemoryError.
        """

    def attend(self, ledger: object, cores: tuple[Core, ...], failed: Callable[[Exception], None]) -> None:
        """From now on, and for ever, a thread of this process does what whoever conducts asks of these cores.

        In the order of their pcpus. That thread calls ``failed`` with what a callback of ``Core.emulate`` raises, and
        then the core does not come back to who conducts. Raises OSError when the host gives no thread, and otherwise as
        ``rounds``.
        """

    def map(self, core: Core, vm: Vm) -> None:
        """Map what the architecture has at addresses of its own, behind the VM's memory and devices."""
