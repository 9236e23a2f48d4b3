"""What RISC-V's native engine (RV64GC, supervisor mode) has of its own. ``baonet.core.engine`` loads it.

``baonet.core.architecture`` says what a core is for and what holds of every call.
"""

from collections.abc import Sequence

from baonet.core.native.type import NativeCore
from baonet.core.native.type import Rounds as Rounds
from baonet.core.native.type import attend as attend
from baonet.core.native.type import load as load
from baonet.core.native.type import make_ahead as make_ahead

class Core(NativeCore):
    """One emulated hart.

    ``hart``: its number in the VM. ``sstc``: it has stimecmp; else ``set_timer`` is a timer of the hypervisor's.
    ``aia``: it has a guest interrupt file, with identities 1 to ``identities`` (63, 127 ... 2047). ``counters``: it has
    cycle and instret, beside time. ``costs``: cycles that the hypervisor takes for each ``RiscvExit``, by their
    numbers, then for an emulated access. All else is of ``baonet.core.architecture.Wiring``.

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
        counters: bool = False,
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
        translations: object = None,
    ) -> None: ...
    def map_imsic(self, base: int, harts: int) -> None:
        """Where the pages of the guest interrupt files are, one for each hart of the VM (AIA 3.5).

        A 32-bit store at the start of the own page makes that identity pending; of another's it calls the ``write`` of
        ``emulate``, at no cost. Raises ValueError if ``base`` is not of a page, or the core has no file.
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
        """As ``baonet.hyp.riscv.cpu.RiscvCpu.fence``; all harts of the VM forget, and of all address spaces.

        Only what models of memory systems forget is of those harts, and of that address space, alone.
        """
