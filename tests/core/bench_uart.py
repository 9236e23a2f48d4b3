"""A UART as a guest of the bench sees it."""

from __future__ import annotations

from typing import Final, final

from baonet.hyp.armv8.cpu import EXIT_INTID, EXIT_VALUE, Exit
from tests.core.bench import UART, UART_INTID, Bench, Memory, address, run
from tests.core.uarts import GuestUart

_LOADS: Final = {1: "ldrb", 2: "ldrh", 4: "ldr_w", 8: "ldr_x"}
_STORES: Final = {1: "strb", 2: "strh", 4: "str_w", 8: "str_x"}


@final
class Uart(GuestUart):
    def __init__(self, memory: Memory | None = None, index: int = 0) -> None:
        self.bench = Bench(memory, index)
        super().__init__(self.bench.core, 1 if self.bench.memory.kind == "16550" else 4)
        self.bench.enter("nothing")

    def finish(self) -> None:
        while (reason := run(self.bench.core)) != Exit.HVC:
            if reason != Exit.KICKED:
                self.hear(reason)

    def hear(self, reason: int) -> None:
        assert reason == Exit.LINE
        assert self.core.exit[EXIT_INTID] == UART_INTID
        self.told.append(self.core.exit[EXIT_VALUE])

    def read(self, offset: int, size: int = 0) -> int:
        return self._access(_LOADS[size or self.size], offset, 0)

    def write(self, offset: int, value: int, size: int = 0) -> None:
        self._access(_STORES[size or self.size], offset, value)

    def _access(self, routine: str, offset: int, value: int) -> int:
        for n, argument in enumerate((UART + offset, value)):
            self.core.x[n] = argument
        self.core.pc = address(routine)
        self.finish()
        return self.core.x[3]
