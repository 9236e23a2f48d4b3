"""A CPU with no instructions: registers that a test reads and writes, and a record of what was asked of it."""

from __future__ import annotations


class FakeCpu:
    """Implements ``baonet.hyp.cpu.Cpu``."""

    def __init__(self, list_registers: int = 4) -> None:
        self.x = [0] * 31
        self.pc = 0
        self.ich = [0] * 26
        self.exit = [0] * 6
        self.entries: list[tuple[int, int]] = []
        self.deactivated: list[int] = []

    def reset(self, entry: int, context: int) -> None:
        self.x[:] = [context] + [0] * 30
        self.pc = entry
        self.ich[:] = [0] * len(self.ich)
        self.entries.append((entry, context))

    def deactivate(self, intid: int) -> None:
        self.deactivated.append(intid)
