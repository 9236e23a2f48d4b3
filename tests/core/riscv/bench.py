"""One hart with RAM, a UART and page tables, and code that a test gives it; under the host's clock or in virtual time.

An exception that the guest handles itself ends with ECALL in its handler at once: the PC says so, its CSRs what came.
"""

from __future__ import annotations

import mmap
import time
from typing import Any, Final, NamedTuple, Protocol

from baonet.core.riscv.engine import native
from baonet.hyp.riscv.cpu import (
    EXIT_CAUSE,
    EXIT_IMPLICIT,
    EXIT_INSTRUCTION,
    EXIT_IPA,
    EXIT_TVAL,
    RiscvExit,
)
from tests.core.memory import MASK, SIZE, PageOwners, VmMemory
from tests.core.riscv import asm
from tests.core.riscv.asm import ECALL, SEPC, SRET, SSTATUS, T5, T6, csrw

RAM: Final = 0x8000_0000
UART: Final = 0x1000_0000
UART_INTERRUPT: Final = 10
FREQUENCY: Final = 10_000_000
HZ: Final = 1_000_000_000
TICK: Final = HZ // FREQUENCY  # in cycles
COSTS: Final = len(RiscvExit) + 2
FOR_EVER: Final = 1 << 40
CLOCKS: Final = ("host", "virtual")

CODE: Final = RAM
HANDLER: Final = RAM + 0x1_0000
SETUP: Final = RAM + 0x1_1000
TABLES: Final = RAM + 0x10_0000
DATA: Final = RAM + 0x20_0000
HANDLED: Final = 1  # instructions of the handler

V, R, W, X, U, G, A, D = (1 << n for n in range(8))
KERNEL: Final = R | W | X | A | D
USER: Final = KERNEL | U


class Memory(VmMemory):
    def __init__(self, cores: int = 1) -> None:
        super().__init__(RAM, cores)


class Owners(PageOwners):
    def __init__(self) -> None:
        super().__init__(RAM)


def core_of(
    memory: Memory,
    index: int = 0,
    *,
    hz: int = 0,
    owners: Owners | None = None,
    sstc: bool = True,
    identities: int = 0,
    counters: bool = False,
    costs: tuple[int, ...] = (0,) * COSTS,
    records: bool = False,
) -> native.Core:
    """``identities``: of its interrupt file, 0 for a VM without."""
    core = native.Core(
        hart=index,
        sstc=sstc,
        aia=bool(identities),
        identities=identities or 255,
        counters=counters,
        frequency=FREQUENCY,
        epoch=0 if hz else time.monotonic_ns(),
        slots=memory.slots,
        index=index,
        siblings=tuple(other for other in range(memory.cores) if other != index),
        # In virtual time nobody has translations of what another may write to
        code_map=mmap.mmap(-1, len(memory.code_map)) if owners else memory.code_map,
        translations=memory.translations,
        hz=hz,
        costs=costs,
        records=records,
        ledger=owners and owners.ledger,
    )
    core.map_ram(RAM, SIZE, memory.ram, 0)
    if owners:
        owners.of(core)
    core.map_uart("16550", UART, memory.uart, 0, UART_INTERRUPT)
    return core


def retired(core: native.Core) -> int:
    count: Any = core.statistics()["instructions"]
    return int(count)


class Taken(NamedTuple):
    """An exception or interrupt that the guest took itself."""

    cause: int
    epc: int
    tval: int


class Trap(NamedTuple):
    """What the hypervisor was told of one that it has."""

    cause: int
    pc: int
    tval: int
    ipa: int
    instruction: int
    implicit: bool


class Holds(Protocol):
    """Memory that page tables are made in."""

    def load(self, address: int, data: bytes) -> None: ...
    def write(self, address: int, *values: int) -> None: ...
    def read(self, address: int) -> int: ...


class Tables:
    """Page tables of a VM, in RAM from TABLES on; ``levels``: 3 to 5."""

    def __init__(self, memory: Holds, levels: int = 3, at: int = TABLES) -> None:
        self._memory = memory
        self._levels = levels
        self.root = at
        self._free = at + 0x1000
        memory.load(at, bytes(0x1000))

    @property
    def satp(self) -> int:
        return (5 + self._levels) << 60 | self.root >> 12

    def place(self, va: int, level: int = 0) -> int:
        """Where the entry of an address is, with tables made down to it."""
        table = self.root
        for above in range(self._levels - 1, level, -1):
            at = table + 8 * (va >> 12 + 9 * above & 0x1FF)
            if not self._memory.read(at):
                self._memory.load(self._free, bytes(0x1000))
                self._memory.write(at, entry(self._free, 0))
                self._free += 0x1000
            table = (self._memory.read(at) >> 10 & (1 << 44) - 1) << 12
        return table + 8 * (va >> 12 + 9 * level & 0x1FF)

    def map(self, va: int, pa: int, bits: int = KERNEL, level: int = 0) -> int:
        """Returns where the entry is."""
        place = self.place(va, level)
        self._memory.write(place, entry(pa, bits))
        return place


def entry(pa: int, bits: int = KERNEL) -> int:
    """``bits`` beside V; 0: it leads to a table."""
    return pa >> 12 << 10 | bits | V


class Hart:
    """``levels``: it begins with translation, of the RAM at its own address and what the test maps in ``tables``.

    ``memory_system``: parameters of the model that it has, in virtual time; ``pace``: cycles and instructions.
    """

    def __init__(
        self,
        clock: str = "host",
        *,
        memory: Memory | None = None,
        index: int = 0,
        levels: int = 0,
        memory_system: dict[str, int] | None = None,
        pace: tuple[int, int] = (1, 1),
        **arguments: Any,
    ) -> None:
        self.memory = memory or Memory()
        self.index = index
        self.virtual = clock == "virtual"
        self.core = core_of(self.memory, index, hz=HZ if self.virtual else 0, **arguments)
        if memory_system is not None:
            self.core.model_memory(*pace, memory_system)
        self._placed: dict[bytes, int] = {}
        self._stubs: dict[bytes, int] = {}
        self._free = self.at = CODE
        self.load(HANDLER, ECALL)
        self.core.reset(CODE, 0)
        self.set(asm.STVEC, HANDLER)
        if levels:
            self.tables = Tables(self.memory, levels)
            self.tables.map(RAM, RAM, level=1)
            self.tables.map(RAM + 0x20_0000, RAM + 0x20_0000, level=1)
            self.translate(self.tables)

    def load(self, at: int, *code: bytes) -> int:
        """Before it runs: what was there, and has run, would run again. Returns the address behind."""
        joined = b"".join(code)
        self.memory.load(at, joined)
        return at + len(joined)

    def _place(self, code: bytes) -> int:
        """Where such code is: each at an address of its own, the first of a test at CODE."""
        if code not in self._placed:
            self._placed[code] = self._free
            self._free = self.load(self._free, code) + 63 & ~63
            assert self._free <= HANDLER
        return self._placed[code]

    def _stub(self, code: bytes) -> int:
        if code not in self._stubs:
            self._stubs[code] = self.load(SETUP + 64 * len(self._stubs), code) - len(code)
        return self._stubs[code]

    def _call(self, value: int, *code: bytes) -> int:
        """Run instructions that work on T6, as S mode, and leave all else as it is."""
        core = self.core
        pc, saved = core.pc, core.x[T6]
        joined = b"".join((*code, ECALL))
        core.x[T6], core.pc = value, self._stub(joined)
        assert self.stay() == RiscvExit.ECALL, self.trap
        assert core.pc == self._stubs[joined] + len(joined), self.taken
        result = core.x[T6]
        core.x[T6], core.pc = saved, pc
        return result

    def translate(self, tables: Tables) -> None:
        self._call(tables.satp, csrw(asm.SATP, T6), asm.sfence_vma())

    def set(self, csr: int, value: int) -> None:
        self._call(value, csrw(csr, T6))

    def get(self, csr: int) -> int:
        return self._call(0, asm.csrr(T6, csr))

    def enter(self, *code: bytes, at: int | None = None, user: bool = False, **registers: int) -> None:
        """Run code next, or what is ``at`` an address, in S mode, or U mode; ``at`` is where it is then."""
        core = self.core
        if at is None:
            at = self._place(b"".join(code))
        elif code:
            self.load(at, *code)
        for name, value in registers.items():
            core.x[getattr(asm, name.upper())] = value & MASK
        self.at = core.pc = at
        if user:
            core.x[T6], core.x[T5] = at, core.state()["sstatus"] & ~asm.SSTATUS_SPP
            core.pc = self._stub(csrw(SEPC, T6) + csrw(SSTATUS, T5) + SRET)
            assert self.step(3) == RiscvExit.BUDGET
        self.before = retired(core)

    def step(self, instructions: int) -> RiscvExit:
        core = self.core
        return RiscvExit(core.run_until(core.time + instructions) if self.virtual else core.run(instructions))

    def stay(self) -> RiscvExit:
        """To the next exit."""
        while (why := self.step(FOR_EVER)) in (RiscvExit.BUDGET, RiscvExit.KICKED):
            pass
        return why

    def go(self, *code: bytes, at: int | None = None, user: bool = False, **registers: int) -> RiscvExit:
        self.enter(*code, at=at, user=user, **registers)
        return self.stay()

    @property
    def count(self) -> int:
        """Instructions since the code was entered."""
        return retired(self.core) - self.before

    @property
    def taken(self) -> Taken | None:
        """How the guest came to its handler; None if it did not."""
        state = self.core.state()
        if self.core.pc != HANDLER + 4:
            return None
        return Taken(state["scause"], state["sepc"], state["stval"])

    @property
    def trap(self) -> Trap:
        details = self.core.exit
        return Trap(
            details[EXIT_CAUSE],
            self.core.pc,
            details[EXIT_TVAL],
            details[EXIT_IPA],
            details[EXIT_INSTRUCTION],
            bool(details[EXIT_IMPLICIT]),
        )
