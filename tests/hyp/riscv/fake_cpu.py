"""A hart with no instructions: registers and pending bits that a test reads and writes, and a console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from baonet.hyp.riscv.cpu import EXTERNAL, SOFTWARE, TIMER
from baonet.hyp.vcpu import MASK64

_CSRS = ("sstatus", "sie", "stvec", "sscratch", "sepc", "scause", "stval", "satp", "scounteren", "stimecmp")
_PLAIN = (*_CSRS, "privilege", "time", "exceptions", "last_cause", "last_epc", "last_tval", "pc", "deadline")


class FakeHart:
    """Implements ``baonet.hyp.riscv.cpu.RiscvCpu``. ``entries`` has the (entry, context) of every reset and restart.

    ``fences`` has what ``fence`` was called with, ``injected`` the identities, ``notes`` what was put into the trace.
    ``ram`` is memory by guest-physical address; ``printed`` and ``typed`` are the console's.
    ``uart_states`` is what ``uarts`` tells.
    """

    def __init__(self, hart: int = 0, *, sstc: bool = True) -> None:
        self.hart = hart
        self.sstc = sstc
        self.x = [0] * 32
        self.exit = [0] * 7
        self.csrs = dict.fromkeys(_PLAIN, 0) | {"privilege": 1, "deadline": MASK64}
        self.software = self.external = self.timer = False
        self.entries: list[tuple[int, int]] = []
        self.fences: list[tuple[tuple[int, ...], int, int, int, int]] = []
        self.injected: list[int] = []
        self.notes: list[tuple[int, int, int, int]] = []
        self.interrupt_file: tuple[int, int, Sequence[int], Sequence[int]] = (0, 0, (), ())
        self.uart_states: list[tuple[int, int, int]] = []
        self.ram: dict[int, int] = {}
        self.printed = b""
        self.typed = b""

    @property
    def pc(self) -> int:
        return self.csrs["pc"]

    @pc.setter
    def pc(self, value: int) -> None:
        self.csrs["pc"] = value

    @property
    def pending(self) -> int:
        """sip, as the guest reads it."""
        late = self.sstc and self.csrs["stimecmp"] <= self.csrs["time"]
        return self.software << SOFTWARE | (self.timer or late) << TIMER | self.external << EXTERNAL

    def reset(self, entry: int, context: int) -> None:
        self.x[:] = [0] * 10 + [self.hart, context] + [0] * 20
        self.csrs.update(dict.fromkeys(_CSRS, 0), pc=entry, privilege=1)
        self.software = self.external = self.timer = False
        self.entries.append((entry, context))

    restart = reset

    def note(self, kind: int, a: int, b: int, c: int) -> None:
        self.notes.append((kind, a, b, c))

    def state(self) -> dict[str, int]:
        known = {name: value for name, value in self.csrs.items() if name not in ("pc", "deadline")}
        return known | {"sip": self.pending, "stimecmp": known["stimecmp"] if self.sstc else MASK64}

    def uarts(self) -> Sequence[tuple[int, int, int]]:
        return self.uart_states

    def set_timer(self, deadline: int) -> None:
        self.csrs["stimecmp" if self.sstc else "deadline"] = deadline

    def inject(self, identity: int) -> None:
        self.injected.append(identity)

    def clear_file(self) -> None:
        self.injected.clear()
        self.interrupt_file = (0, 0, (), ())

    def file(self) -> tuple[int, int, Sequence[int], Sequence[int]]:
        return self.interrupt_file

    def fence(self, pcpus: Sequence[int], what: int, start: int, size: int, asid: int) -> None:
        self.fences.append((tuple(pcpus), what, start, size, asid))

    def put_output(self, data: bytes) -> None:
        self.printed += data

    def take_input(self, most: int) -> bytes:
        taken, self.typed = self.typed[:most], self.typed[most:]
        return taken

    def read_memory(self, ipa: int, size: int) -> bytes | None:
        found = [self.ram.get(ipa + n) for n in range(size)]
        return None if None in found else bytes(each for each in found if each is not None)

    def write_memory(self, ipa: int, data: bytes) -> None:
        self.ram |= {ipa + n: byte for n, byte in enumerate(data)}

    def save(self) -> dict[str, Any]:
        """All that it has, as plain data."""
        return {
            "x": list(self.x),
            "exit": list(self.exit),
            "csrs": dict(self.csrs),
            "pending": [self.software, self.external, self.timer],
            "entries": [list(entry) for entry in self.entries],
        }

    def load(self, data: dict[str, Any]) -> None:
        self.x[:], self.exit[:] = data["x"], data["exit"]
        self.csrs = dict(data["csrs"])
        self.software, self.external, self.timer = data["pending"]
        self.entries = [(entry, context) for entry, context in data["entries"]]
