"""What Armv8's native engine has of its own. ``baonet.core.engine`` loads it.

``baonet.core.architecture`` says what a core is for and what holds of every call.
"""

from collections.abc import MutableSequence

from baonet.core.native.type import NativeCore
from baonet.core.native.type import Rounds as Rounds
from baonet.core.native.type import attend as attend
from baonet.core.native.type import load as load
from baonet.core.native.type import make_ahead as make_ahead

class Core(NativeCore):
    """One emulated CPU.

    ``model``: UC_CPU_ARM64_*. ``midr``, ``mpidr``: what its guest reads there. ``gic_version``: 2 or 3.
    ``list_registers``: 1 to 16. ``timers``: the INTIDs among 27 and 30 that the VM has, and 23 if it has that of the
    performance monitors. ``costs``: cycles that the hypervisor takes for each ``Exit``, by their numbers, then for an
    emulated access. ``cluster``: how many cores it has. All else is of ``baonet.core.architecture.Wiring``.

    Raises ValueError for a number out of these bounds, a buffer that is read-only or too small, too many siblings;
    RuntimeError when it is initialised again or the library refuses; MemoryError; ImportError when the library is
    laid out in another way.
    """

    def __init__(
        self,
        *,
        model: int,
        midr: int,
        mpidr: int,
        frequency: int,
        epoch: int,
        gic_version: int,
        list_registers: int,
        timers: tuple[int, ...],
        slots: object,
        index: int,
        siblings: tuple[int, ...],
        code_map: object,
        hz: int = 0,
        costs: tuple[int, ...] = ...,
        records: bool = False,
        ledger: object = None,
        translations: object = None,
        cluster: int = 1,
    ) -> None: ...
    @property
    def ich(self) -> MutableSequence[int]:
        """ICH_*_EL2 by ``baonet.hyp.armv8.cpu.ICH_*``, a view of 26 numbers."""

    def map_gicv(self, ipa: int) -> None:
        """Map the GICV frame of 2 pages. Raises ValueError if ``ipa`` is not of a page, RuntimeError if it is taken."""

    def deactivate(self, intid: int) -> None:
        """Deactivate the interrupt of the timer that has this INTID, if one has. It fires again if it is due."""

    def interface(self, frame: bool, reg: int, value: int = ...) -> int | None:
        """Read, or with ``value`` write, as the guest: an offset in the GICV ``frame``, or ICC_* by its encoding.

        Returns None for a write. The encoding is op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2.
        """

    def interface_state(self) -> tuple[int, int, int, list[int]]:
        """Whether IRQ, FIQ and maintenance are signalled; INTIDs that were deactivated. Forgets what waits."""

    def timers(self) -> list[tuple[int, bool, int, int, int]]:
        """As ``baonet.hyp.armv8.cpu.Armv8Cpu.timers``, of the virtual and the physical timer."""
