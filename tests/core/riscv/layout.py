"""Where a random program (``programs.py``) has what in memory, and its registers: ``frame.S`` has the same."""

from __future__ import annotations

from typing import Final, NamedTuple

from tests.core.memory import MASK

BASE: Final = 0x8001_0000
CODE, CODE_SIZE = BASE, 0x4000
FRAME: Final = BASE + 0x4000
LOG: Final = FRAME + 0x1000
DATA, DATA_SIZE = LOG + 0x1000, 0x4000
TABLES: Final = DATA + DATA_SIZE + 0x1000  # no store from a pointer into the data reaches them
SIZE: Final = 0x1_4000
USERS: Final = 0x4000_0000  # from an address in S mode to the one that U mode has for the same
PAGES: Final = 0x5000_0000  # whose entries the program changes
COUNT: Final = 8
HUGE: Final = 0x1_4000_0000  # 1 GiB

# In LOG: as frame.S has them
X_AT, F_AT, FCSR_AT, STATUS_AT, SATP_AT, START_AT, SAVED_AT, NEXT_AT = (
    0,
    0x100,
    0x200,
    0x208,
    0x210,
    0x218,
    0x220,
    0x280,
)
END_X, END_F, END_CSRS, TRAPS = 0x300, 0x400, 0x500, 0x600
END_NAMES: Final = (
    *("sstatus", "fcsr", "scause", "sepc", "stval", "stvec", "scounteren", "senvcfg", "satp", "sie", "sip", "stimecmp"),
)
STATUS: Final = 0xC6122  # what of it is a guest's business


class Program(NamedTuple):
    seed: int
    memory: bytes  # from BASE on

    @property
    def satp(self) -> int:
        return int.from_bytes(self.memory[LOG - BASE + SATP_AT :][:8], "little")


class Image:
    """The memory of a program while it is made, as Tables wants it."""

    def __init__(self) -> None:
        self.ram = bytearray(SIZE)

    def load(self, address: int, data: bytes) -> None:
        self.ram[address - BASE : address - BASE + len(data)] = data

    def write(self, address: int, *values: int) -> None:
        self.load(address, b"".join((value & MASK).to_bytes(8, "little") for value in values))

    def read(self, address: int) -> int:
        return int.from_bytes(self.ram[address - BASE : address - BASE + 8], "little")
