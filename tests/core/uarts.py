"""A UART, of whatever kind, as the guest of a core sees it."""

from __future__ import annotations

from typing import final

from baonet.hyp.armv8.cpu import EXIT_INTID, EXIT_VALUE, Exit
from tests.core.bench import UART, UART_INTID, Bench, Memory, address, run


@final
class Uart:
    """The device as one core's guest sees it."""

    def __init__(self, memory: Memory | None = None, index: int = 0) -> None:
        self.bench = Bench(memory, index)
        self.core = self.bench.core
        self._load, self._store = ("ldrb", "strb") if self.bench.memory.kind == "16550" else ("ldr_w", "str_w")
        self.bench.enter("nothing")
        self.told: list[int] = []  # the line, as it was told and not asked for by `line`

    def finish(self) -> None:
        while (reason := run(self.core)) != Exit.HVC:
            if reason == Exit.LINE:
                assert self.core.exit[EXIT_INTID] == UART_INTID
                self.told.append(self.core.exit[EXIT_VALUE])
            else:
                assert reason == Exit.KICKED

    def access(self, routine: str, offset: int, value: int = 0) -> int:
        for n, argument in enumerate((UART + offset, value)):
            self.core.x[n] = argument
        self.core.pc = address(routine)
        self.finish()
        return self.core.x[3]

    def read(self, offset: int) -> int:
        return self.access(self._load, offset)

    def write(self, offset: int, value: int) -> None:
        self.access(self._store, offset, value)

    def type(self, data: bytes) -> int:
        """Nothing is a break. Returns how much was taken."""
        taken = self.core.put_input(0, data) if data else int(self.core.put_break(0))
        while (reason := self.core.take_event()) >= 0:
            assert reason == Exit.LINE
            self.told.append(self.core.exit[EXIT_VALUE])
        return taken

    def line(self) -> int | None:
        """What was told of the line since this was last asked, sequence and level; None: nothing."""
        told, self.told = self.told, []
        assert len(told) <= 1
        return told[0] if told else None
