"""A simple 16550A, and two cores of any architecture that do with one what they like, against that."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.core.memory import VmMemory
from tests.core.uarts import GuestUart

RBR = THR = DLL = 0
IER = DLM = 1
IIR = FCR = 2
LCR, MCR, LSR, MSR, SCR = 3, 4, 5, 6, 7
REGISTERS: Final = range(8)

RDI, THRI, RLSI, MSI = 1, 2, 4, 8
FIFOS, CLEAR_RX, CLEAR_TX = 1, 2, 4
DLAB = 0x80
DTR, RTS, OUT1, OUT2, LOOP = 1, 2, 4, 8, 0x10
DR, OE, BI, EMPTY = 1, 2, 0x10, 0x60
NONE, THRE, RECEIVED, LINE, TIMEOUT, MODEM = 1, 2, 4, 6, 0xC, 0
FULL: Final = 65536
BREAK: Final = b""


class Model:
    """The device as the data sheet has it, and QEMU where it says what guests rely on. None in a list is a break."""

    def __init__(self) -> None:
        self.fifo: list[int | None] = []
        self.outside: deque[int | None] = deque()
        self.registers = {IER: 0, FCR: 0, LCR: 0, MCR: OUT2, SCR: 0}
        self.divisor = [0x0C, 0]
        self.deltas = self.wrong = 0
        self.empty = False
        self.sent = bytearray()

    def lines(self) -> int:
        mcr = self.registers[MCR]
        if not mcr & LOOP:
            return 0xB0
        return sum(line for bit, line in ((RTS, 0x10), (DTR, 0x20), (OUT1, 0x40), (OUT2, 0x80)) if mcr & bit)

    def depth(self) -> int:
        return 16 if self.registers[FCR] & FIFOS else 1

    def come(self) -> None:
        while not self.registers[MCR] & LOOP and self.outside and len(self.fifo) < self.depth():
            self.fifo.append(self.outside.popleft())
            self.next_is_there(len(self.fifo) == 1)

    def next_is_there(self, new: bool) -> None:
        if new and self.fifo and self.fifo[0] is None:
            self.wrong |= BI

    def interrupt(self) -> int:
        enabled = self.registers[IER]
        few = self.depth() == 16 and len(self.fifo) < (1, 4, 8, 14)[self.registers[FCR] >> 6]
        sources = (
            (RLSI, self.wrong, LINE),
            (RDI, self.fifo, TIMEOUT if few else RECEIVED),
            (THRI, self.empty, THRE),
            (MSI, self.deltas, MODEM),
        )
        return next((number for bit, there, number in sources if enabled & bit and there), NONE)

    def read(self, offset: int) -> int:
        if offset in {DLL, DLM} and self.registers[LCR] & DLAB:
            return self.divisor[offset]
        if offset == RBR:
            return self.take()
        if offset == IIR:
            number = self.interrupt()
            self.empty = self.empty and number != THRE
            return number | (0xC0 if self.depth() == 16 else 0)
        if offset == LSR:
            value, self.wrong = EMPTY | self.wrong | bool(self.fifo), 0
            return value
        if offset == MSR:
            value, self.deltas = self.lines() | self.deltas, 0
            return value
        return self.registers[offset]

    def take(self) -> int:
        if not self.fifo:
            return 0
        self.wrong &= ~BI
        character = self.fifo.pop(0)
        self.next_is_there(True)
        self.come()
        return character or 0

    def write(self, offset: int, value: int) -> None:
        before = dict(self.registers)
        if offset in {DLL, DLM} and before[LCR] & DLAB:
            self.divisor[offset] = value
        elif offset == THR:
            self.send(value)
        elif offset in {IER, LCR, SCR}:
            self.registers[offset] = value & (0xF if offset == IER else 0xFF)
            if offset == IER and (before[IER] ^ value) & THRI:
                self.empty = bool(value & THRI)
        elif offset == FCR:
            other = (before[FCR] ^ value) & FIFOS
            if other or value & CLEAR_RX:
                self.fifo.clear()
                self.wrong &= ~BI
            if other or value & CLEAR_TX:
                self.empty = bool(before[IER] & THRI)
            self.registers[FCR] = value & 0xC9
        elif offset == MCR:
            lines = self.lines()
            self.registers[MCR] = value & 0x1F
            changed = lines ^ self.lines()
            self.deltas |= (changed if lines & 0x40 else changed & ~0x40) >> 4
        self.come()

    def send(self, value: int) -> None:
        if not self.registers[MCR] & LOOP:
            self.sent.append(value)
        elif len(self.fifo) < self.depth():
            self.fifo.append(value)
        else:
            self.wrong |= OE
            self.fifo = self.fifo if self.depth() == 16 else [value]
        self.empty = bool(self.registers[IER] & THRI)


CORES = st.integers(0, 1)


class Sharing(RuleBasedStateMachine):
    """Two cores that share it do one thing after another, and now and then both go on elsewhere."""

    def make(self) -> tuple[VmMemory, Sequence[GuestUart]]:
        """What they share, and each one's."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.model = Model()
        self.output: list[tuple[int, bytes]] = []
        self.level = self.sequence = 0
        self.memory, self.cores = self.make()

    @rule(core=CORES, offset=st.sampled_from(REGISTERS))
    def read(self, core: int, offset: int) -> None:
        assert self.cores[core].read(offset) == self.model.read(offset)
        self.line(core)

    @rule(core=CORES, offset=st.sampled_from(REGISTERS), value=st.integers(0, 255))
    def write(self, core: int, offset: int, value: int) -> None:
        self.cores[core].write(offset, value)
        self.model.write(offset, value)
        self.line(core)

    @rule(core=CORES, data=st.binary(max_size=40))
    def type(self, core: int, data: bytes) -> None:
        assert self.cores[core].type(data) == max(1, len(data))
        self.model.outside.extend(data or [None])
        self.model.come()
        self.line(core)

    @rule(core=CORES, times=st.integers(1, 20))
    def drain(self, core: int, times: int) -> None:
        """As an interrupt's handler does."""
        for _ in range(times):
            self.read(core, LSR)
            self.read(core, RBR)

    @rule()
    def collect(self) -> None:
        for uart in self.cores:
            self.output += [(position, data) for _, position, data in uart.core.take_output()]

    @rule()
    def travel(self) -> None:
        before, cores = self.memory, self.cores
        self.memory, self.cores = self.make()
        self.memory.uart[:] = before.uart[:]
        for old, new in zip(cores, self.cores, strict=True):
            new.core.load(old.core.save())

    def line(self, core: int) -> None:
        """Whoever moves it tells of it, once."""
        level = self.model.interrupt() != NONE
        self.sequence += level != self.level
        expected = self.sequence << 1 | level if level != self.level else None
        self.level = level
        assert [uart.line() for uart in self.cores] == [None if n != core else expected for n in range(2)]

    @invariant()
    def waiting(self) -> None:
        ((pending, enabled, waiting),) = self.cores[0].core.uarts()
        assert bool(pending & enabled) == (self.model.interrupt() != NONE)
        assert waiting == len(self.model.fifo) + len(self.model.outside)

    def teardown(self) -> None:
        self.collect()
        assert b"".join(data for _, data in sorted(self.output)) == self.model.sent
