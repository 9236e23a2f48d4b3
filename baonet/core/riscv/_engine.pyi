"""The native engine of RISC-V (RV64GC, supervisor mode). ``baonet.core.engine`` loads it.

``baonet.core.architecture`` says what a core is for.

Everywhere: addresses, sizes and register values are unsigned numbers of 64 bits, sizes in bytes. TypeError is raised
for another type; a number that does not fit is cut off, or raises OverflowError where the call takes no other
argument. A buffer is an object whose memory can be written to; the core keeps it exported as long as it lives. A
cycle is one of virtual time since the start of the machine. What is called on a core is called from one thread, and
not from the callbacks of ``emulate``.
"""

from collections.abc import Callable, MutableSequence, Sequence
from typing import Any, final

def load(path: str) -> None:
    """Load libunicorn.so.2 from this file, once in a process. Raises ImportError if it is another library."""

class Core:
    """One emulated CPU, with the VM's memory, devices and interrupts that are mapped into it.

    ``hart``: its number in the VM. ``sstc``: it has stimecmp; else ``set_timer`` is a timer of the hypervisor's.
    ``aia``: it has a guest interrupt file, with identities 1 to ``identities`` (63, 127 ... 2047). ``frequency``: of
    ``time``, in Hz. ``epoch``: the host's monotonic time, in nanoseconds, at which that was 0. ``slots``: the buffer of
    all slots, ``index`` the own, ``siblings`` those of the other vCPUs of the VM.
    ``code_map``: a buffer that these share, 8 bytes for 16 pages of their RAM. ``hz``: cycles a second of virtual
    time, 0 under the host's clock. ``costs``: cycles that the hypervisor takes for each ``RiscvExit``, by their
    numbers, then for an emulated access. ``records``: whether to record what happens.

    Raises ValueError for a number out of these bounds, a buffer that is read-only or too small, too many siblings;
    RuntimeError when it is initialised again or the library refuses; MemoryError; ImportError when the library is
    laid out in another way.
    """

    def __init__(
        self,
        *,
        hart: int,
        sstc: bool,
        aia: bool,
        identities: int = 255,
        frequency: int,
        epoch: int,
        slots: object,
        index: int,
        siblings: tuple[int, ...],
        code_map: object,
        hz: int = 0,
        costs: tuple[int, ...] = ...,
        records: bool = False,
        ledger: object = None,
    ) -> None: ...

    pc: int
    """The address of the next instruction."""

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

    @property
    def x(self) -> MutableSequence[int]:
        """x0 to x31, a view of 32 numbers; x0 is 0 again when the guest is entered."""

    @property
    def exit(self) -> Sequence[int]:
        """Details of what was told last, by ``baonet.hyp.riscv.cpu.EXIT_*``, a view of 7 numbers."""

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

    def map_uart(
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

    def map_imsic(self, base: int, harts: int) -> None:
        """Where the pages of the guest interrupt files are, one for each hart of the VM (AIA 3.5).

        A 32-bit store at the start of the own page makes that identity pending; of another's it calls the ``write`` of
        ``emulate``, at no cost. Raises ValueError if ``base`` is not of a page, or the core has no file.
        """

    def own(self, owners: object, segment: int) -> None:
        """Of what was mapped last: who owns its pages, in a buffer, as those of the segment with this number.

        See ``baonet.memory.ownership``.
        """

    def map_unassigned(self, ipa: int, size: int) -> None:
        """Have accesses there end in an access fault, but where something is mapped. Raises as ``map_ram``."""

    def emulate(
        self,
        windows: tuple[tuple[int, int], ...],
        read: Callable[[int, int], int | None],
        write: Callable[[int, int, int], bool],
        outbox: list[Any],
    ) -> None:
        """In the windows, (IPA, bytes) of each, call ``read(ipa, size)`` and ``write(ipa, size, value)`` for accesses.

        They are called for LB to LD, SB to SD, C.LW and C.SW, while the guest runs, with ``size`` 1, 2, 4 or 8.
        None or False: the stay ends with ``RiscvExit.TRAP``. What ``read`` returns is in the register as it is. A stay
        in which ``outbox`` is not empty after a call ends with ``RiscvExit.KICKED``. What they raise is raised by
        ``run``. Raises MemoryError.
        """

    def reset(self, entry: int, context: int) -> None:
        """The entry state of a vCPU at ``entry``, with the hart's number in a0 and ``context`` in a1.

        The count of instructions and time go on. What the hypervisor has not heard is forgotten, but for lines of
        devices. Raises RuntimeError if the library refuses.
        """

    def restart(self, entry: int, context: int) -> None:
        """The same of a CPU that was on before and keeps what Bao does not reset."""

    def run(self, budget: int) -> int:
        """Enter the guest for at most ``budget`` instructions, or one block.

        Returns ``baonet.hyp.riscv.cpu.RiscvExit``. It may come back with ``RiscvExit.BUDGET`` before, when much has
        happened that costs the host. Raises what a callback of ``emulate`` raises.
        """

    def run_until(self, cycle: int, polite: bool = False, frozen: bool = False, silent: bool = False) -> int:
        """As ``run``, until ``time`` is at least ``cycle``, or, if ``polite``, the guest yields (then ``yielded``).

        ``frozen``: it ends, too, before an instruction for which a page of shared memory would have to change hands;
        ``silent``: before one for which the hypervisor would be asked in mid-stay (then ``blocked``). Nothing of that
        instruction has happened; the next stay goes on with it, and with the rest of its block, whatever the limit.

        Raises RuntimeError if the core follows the host's clock.
        """

    def skip_to(self, cycle: int) -> None:
        """Let virtual time pass until ``cycle``; nothing under the host's clock, or if it is later already."""

    def tell_time(self) -> None:
        """The guest is told something: when it goes on it knows that it is as late as it sees then."""

    def stand(self) -> None:
        """Have the time of this core stand still until ``fall_behind``; nothing in virtual time."""

    def fall_behind(self, nanoseconds: int) -> None:
        """Have the machine's time go on, so much more behind the host's; nothing in virtual time."""

    def alarm(self) -> int:
        """The cycle at which the next timer interrupt is due, -1 when none is armed."""

    def note(self, kind: int, a: int, b: int, c: int) -> None:
        """Record (``baonet.trace.records``): ``kind`` of 16 bits, ``a`` of 32, ``b`` and ``c`` of 64."""

    def take_records(self, everything: bool) -> list[tuple[bytes, int, int]]:
        """(Records, nanoseconds since ``epoch`` at the first and at the last) of each chunk since the last call.

        Only chunks that are full, unless ``everything``.
        """

    software: bool
    """hvip.VSSIP, which the guest can change too."""
    external: bool
    """hvip.VSEIP; the file adds to it."""
    timer: bool
    """hvip.VSTIP; stimecmp adds to it."""

    def set_timer(self, deadline: int) -> None:
        """stimecmp, or without Sstc the hypervisor's timer, in ticks; all ones: never, as without Sstc at reset."""

    def inject(self, identity: int) -> None:
        """Make an identity of the file pending; nothing for one that it has not."""

    def clear_file(self) -> None:
        """As ``baonet.hyp.riscv.cpu.RiscvCpu.clear_file``."""

    def file(self) -> tuple[int, int, Sequence[int], Sequence[int]]:
        """As ``baonet.hyp.riscv.cpu.RiscvCpu.file``."""

    def fence(self, pcpus: Sequence[int], what: int, start: int, size: int, asid: int) -> None:
        """As ``baonet.hyp.riscv.cpu.RiscvCpu.fence``; all harts of the VM forget, and of all address spaces."""

    def deadline(self) -> int:
        """Nanoseconds until the next timer interrupt, 0 when it is due, -1 when none is armed."""

    def answer_doorbell(self) -> None:
        """Forget a ``kick``. To be called before messages are taken: who comes later rings again."""

    def wakes(self) -> bool:
        """Whether a virtual interrupt waits that is enabled in sie, whatever sstatus masks."""

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
        """The next ``RiscvExit`` that ``run`` would tell of without the guest, -1 when none waits."""

    def translate(self, va: int, fetch: bool = False) -> int | None:
        """The IPA of a virtual address for loads, or fetches, at the current level of privilege; None: it faults."""

    def code(self, va: int) -> bytes:
        """Up to 16 bytes of RAM at a virtual address, as a fetch sees them, within its page; none if that faults."""

    def state(self) -> dict[str, int]:
        """As ``baonet.hyp.cpu.Cpu.state``."""

    def uarts(self) -> list[tuple[int, int, int]]:
        """As ``baonet.hyp.cpu.Cpu.uarts``, by number."""

    def storm(self) -> tuple[int, int, bool] | None:
        """(Taken, instructions between, interrupts and not exceptions) of a storm, once in a life of the guest."""

    def statistics(self) -> dict[str, int | list[int]]:
        """Counts since the core was made: ``instructions``, ``exits`` by their numbers, ``native_exceptions``,
        ``emulated_accesses``, ``broadcasts``, ``blocks_translated``, ``lines_invalidated``.
        """

    def save(self) -> dict[str, Any]:
        """All that the guest has brought the core to, as plain data (``baonet.machine.saved``) with a ``version``.

        Beside what is in memory that it shares: RAM and the registers of UARTs. The core goes on as if it had not been
        asked. Raises RuntimeError during a stay.
        """

    def load(self, data: dict[str, Any]) -> None:
        """Go on from where a core has been saved that was made and mapped in the same way, with its memory as it was.

        Nothing is left of what this core has translated. In virtual time the guest cannot tell: counts of translations
        (``blocks_translated``, ``lines_invalidated``, ``broadcasts``) and of kicks differ, and nothing else. Under the
        host's clock ``epoch`` decides what time it is. Raises ValueError for the state of another version or core, or
        what is none; the core is of no more use then. Raises RuntimeError during a stay.
        """

def attend(ledger: object, cores: tuple[Core, ...], failed: Callable[[Exception], None]) -> None:
    """From now on, and for ever, a thread of this process does what whoever conducts asks of these cores.

    In the order of their pcpus. That thread calls ``failed`` with what a callback of ``Core.emulate`` raises, and then
    the core does not come back to who conducts. Raises OSError when the host gives no thread, and otherwise as
    ``Rounds``.
    """

@final
class Rounds:
    """The windows of an island; ``baonet.core.architecture.Rounds`` says what each call does.

    Raises IndexError for a member that is not there, and what a callback of ``Core.emulate`` raises.
    """

    def __init__(
        self,
        cores: tuple[Core | tuple[int, int], ...],
        window: int,
        slice: int,
        threads: int,
        ledger: object = None,
    ) -> None:
        """In the order of their pcpus; one in another process as (pcpu, the first pcpu in its process).

        ``ledger``: the island's, where there are such. Raises ValueError, TypeError for cores that follow the host's
        clock, MemoryError.
        """

    def go(self, until: int) -> int: ...
    def take(self, member: int) -> tuple[int, int]: ...
    def ready(self, member: int, clock: int, attention: int) -> None: ...
    def asleep(self, member: int, clock: int, until: int) -> None: ...
    def gone(self, member: int) -> None: ...
    def call(self, member: int) -> None: ...
    def tell(self, member: int, due: int) -> None: ...
    def clock(self, member: int) -> int: ...
    @property
    def next(self) -> int: ...
    @property
    def latest(self) -> int: ...
    @property
    def standing(self) -> bool: ...
    def save(self) -> list[Any]: ...
    def load(self, saved: list[Any]) -> None:
        """Raises ValueError and TypeError for what is not the state of such rounds."""
