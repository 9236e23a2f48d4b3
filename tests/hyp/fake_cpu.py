"""A CPU with no instructions: registers that a test reads and writes, timers' lines, and a virtual CPU interface."""

from __future__ import annotations

from typing import Any

from baonet.hyp.armv8.cpu import ICH_REGISTERS
from tests.hyp.armv8.virtual_interface import VirtualInterface

STATE = (
    *("esr_el1", "elr_el1", "far_el1", "spsr_el1", "vbar_el1", "exceptions"),
    *("last_esr", "last_elr", "last_far", "last_spsr", "sp", "sp_el0", "sp_el1", "sctlr_el1"),
)


class FakeCpu:
    """Implements ``baonet.hyp.cpu.Cpu``. ``entries`` has the (entry, context) of every reset and restart.

    ``high`` are the PPIs whose line is high, ``active`` those that were taken and not yet deactivated; ``uart_states``
    is what ``uarts`` tells, ``notes`` what was put into the trace.
    """

    def __init__(self, list_registers: int = 4, version: int = 3) -> None:
        self.x = [0] * 31
        self.pc = 0
        self.ich = [0] * ICH_REGISTERS
        self.exit = [0] * 6
        self.interface = VirtualInterface(self.ich, list_registers, version)
        self.entries: list[tuple[int, int]] = []
        self.high: set[int] = set()
        self.active: set[int] = set()
        self.uart_states: list[tuple[int, int, int]] = []
        self.notes: list[tuple[int, int, int, int]] = []

    def reset(self, entry: int, context: int) -> None:
        self.x[:] = [context] + [0] * 30
        self.pc = entry
        self.ich[:] = [0] * ICH_REGISTERS
        self.active.clear()
        self.entries.append((entry, context))

    def state(self) -> dict[str, int]:
        return {name: 0xE100 + number for number, name in enumerate(STATE)} | {"pstate": 0x3C5}

    def timers(self) -> list[tuple[int, bool, int, int, int]]:
        return [(27, True, 0, 0, 0), (30, False, 0, 0, 0)]

    def uarts(self) -> list[tuple[int, int, int]]:
        return self.uart_states

    def restart(self, entry: int, context: int) -> None:
        self.x[:] = [context] + [0] * 30
        self.pc = entry
        self.entries.append((entry, context))

    def note(self, kind: int, a: int, b: int, c: int) -> None:
        self.notes.append((kind, a, b, c))

    def deactivate(self, intid: int) -> None:
        self.active.discard(intid)

    def save(self) -> dict[str, Any]:
        """All that it has, as plain data."""
        return {
            **{name: list(getattr(self, name)) for name in ("x", "ich", "exit")},
            **{name: sorted(getattr(self, name)) for name in ("high", "active")},
            "pc": self.pc,
            "deactivated": list(self.interface.deactivated),
            "entries": [list(entry) for entry in self.entries],
        }

    def load(self, data: dict[str, Any]) -> None:
        self.x[:], self.ich[:], self.exit[:] = data["x"], data["ich"], data["exit"]
        self.high, self.active = set(data["high"]), set(data["active"])
        self.pc = data["pc"]
        self.interface.deactivated = list(data["deactivated"])
        self.entries = [(entry, context) for entry, context in data["entries"]]
