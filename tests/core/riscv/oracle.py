"""What harts make of random programs (``programs.py``): this engine's, and QEMU's in VS mode below a monitor.

``python -m tests.core.riscv.oracle`` asks QEMU 7.2 anew, and keeps what it answers. Where it differs from the manual
(privileged architecture 1.12), or from a guest of Bao's, programs do not go there, or it is compared as QEMU has it:

* it updates A and D, which Bao leaves to the guest: all entries have both;
* reserved bits 54 to 60 of an entry, and both bits of PBMT, are nothing to it beside Svpbmt and Svnapot;
* with SUM, S mode fetches from a page of U mode's that it has loaded from: jumps there have a fence before them;
* registers of S mode, SRET and SFENCE.VMA in VU mode are illegal there, and not virtual, instructions;
* bit 0 of sepc, the upper half of scounteren, UXL, and other bits of sip than SSIP can be written there;
* stval of a breakpoint is 0; a timer that is set to the past is not seen in sip at once; there are no cache blocks;
* XS and SD of sstatus are Bao's.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from baonet.core import _node
from baonet.core.riscv.engine import native
from baonet.hyp.riscv.cpu import (
    ECALL_FROM_VS,
    EXIT_CAUSE,
    EXIT_IMPLICIT,
    EXIT_IPA,
    EXIT_TVAL,
    ILLEGAL_INSTRUCTION,
    VIRTUAL_INSTRUCTION,
    RiscvExit,
)
from tests.core.memory import MASK
from tests.core.riscv import frame_code
from tests.core.riscv.bench import COSTS, FREQUENCY, retired
from tests.core.riscv.layout import (
    BASE,
    END_CSRS,
    END_F,
    END_NAMES,
    END_X,
    FRAME,
    LOG,
    NEXT_AT,
    SIZE,
    STATUS,
    TRAPS,
    USERS,
    Program,
)
from tests.core.riscv.programs import program

KEPT: Final = Path(__file__).with_name("answers.txt")
ANSWERS: Final = 400
QEMU: Final = "qemu-system-riscv64"
MACHINE: Final = (
    *("-smp", "2"),
    *("-display", "none", "-serial", "none", "-monitor", "none", "-bios", "none", "-nodefaults"),
    *("-cpu", "rv64,h=true,sstc=true,svpbmt=true,svnapot=true,zba=false,zbb=false,zbc=false,zbs=false"),
)
_ROM: Final = 0x8000_0000
_MONITOR: Final = 0x8080_0000
_ROOT: Final = 0x8090_0000
_SLOTS: Final = 0x8100_0000
_SLOT: Final = 0x1_5000
LIMIT: Final = 300_000  # instructions
MPP: Final = 3 << 11
GUEST_PAGE: Final = (20, 21, 23)


class Told(NamedTuple):
    """A trap that is not the guest's."""

    cause: int
    pc: int
    tval: int
    ipa: int
    implicit: bool
    user: bool


class Outcome(NamedTuple):
    ended: bool
    told: list[Told]
    memory: bytes


# This engine


class Hart:
    def __init__(self, hz: int = 0, step: int = 1 << 40) -> None:
        self._hz, self._step = hz, step
        self._ram = mmap.mmap(-1, SIZE)
        slots, code_map = mmap.mmap(-1, _node.SLOT_SIZE), mmap.mmap(-1, SIZE // 0x1000)
        self.core = native.Core(
            hart=0,
            sstc=True,
            aia=False,
            identities=255,
            frequency=FREQUENCY,
            epoch=0 if hz else time.monotonic_ns(),
            slots=slots,
            index=0,
            siblings=(),
            code_map=code_map,
            hz=hz,
            costs=(0,) * COSTS,
            records=False,
            ledger=None,
        )
        self.core.map_ram(BASE, SIZE, self._ram, 0)

    def run(self, program: Program) -> Outcome:
        core = self.core
        self._ram[:] = program.memory
        core.load(core.save())  # what ran before at the same place is another guest's
        core.reset(FRAME, 0)
        told: list[Told] = []
        left = LIMIT
        while left > 0:
            before = retired(core)
            why = self._stay(left)
            left -= retired(core) - before + 1
            if why == RiscvExit.ECALL:
                core.pc -= 4
                trap = Told(ECALL_FROM_VS, core.pc, 0, 0, False, False)
            elif why == RiscvExit.TRAP:
                exit_ = core.exit
                user = not core.state()["privilege"]
                trap = Told(
                    exit_[EXIT_CAUSE], core.pc, exit_[EXIT_TVAL], exit_[EXIT_IPA], bool(exit_[EXIT_IMPLICIT]), user
                )
            elif why in (RiscvExit.BUDGET, RiscvExit.KICKED):
                continue
            else:
                raise AssertionError(why)
            told.append(trap)
            if len(told) == 63:
                return Outcome(True, told, bytes(self._ram))
            if trap.cause == ECALL_FROM_VS and FRAME <= trap.pc < FRAME + 0x1000:
                return Outcome(True, told, bytes(self._ram))
            self._answer(trap)
        return Outcome(False, told, bytes(self._ram))

    def _stay(self, left: int) -> RiscvExit:
        core = self.core
        if self._hz:
            return RiscvExit(core.run_until(core.time + min(left, self._step)))
        return RiscvExit(core.run(left))

    def _answer(self, trap: Told) -> None:
        core = self.core
        if trap.cause == ECALL_FROM_VS:
            core.pc += 4
        elif trap.cause in (ILLEGAL_INSTRUCTION, VIRTUAL_INSTRUCTION):
            core.pc += 4 if trap.tval & 3 == 3 else 2
        else:
            state = core.state()
            next_ = core.x[27] & ~USERS & MASK
            core.pc = next_ | (USERS if not state["privilege"] and state["satp"] else 0)


# QEMU


def _second_stage() -> dict[int, bytes]:
    """Sv39x4 tables at ROOT for the program's memory alone."""
    root, middle, leaf = bytearray(0x4000), bytearray(0x1000), bytearray(0x1000)
    at = _ROOT + 0x4000

    def put(table: bytearray, index: int, pa: int, bits: int) -> None:
        table[8 * index : 8 * index + 8] = (pa >> 12 << 10 | bits).to_bytes(8, "little")

    put(root, BASE >> 30, at, 1)
    put(middle, BASE >> 21 & 511, at + 0x1000, 1)
    for pa in range(BASE, BASE + SIZE, 0x1000):
        put(leaf, pa >> 12 & 511, pa, 0xDF)
    return {_ROOT: bytes(root), at: bytes(middle), at + 0x1000: bytes(leaf)}


def qemu(programs: Sequence[Program], *, patience: float = 60) -> list[Outcome]:
    size = (_SLOTS - _ROM + _SLOT * len(programs) & -0x100_0000) + 0x300_0000  # QEMU has its device tree at the end
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "ram")
        with path.open("w+b") as file:
            os.ftruncate(file.fileno(), size)
            ram = mmap.mmap(file.fileno(), size)
        jump = (0x0080_0297, 0x0002_8067)  # auipc t0, 0x800; jr t0
        ram[0:8] = b"".join(word.to_bytes(4, "little") for word in jump)
        code = frame_code.CODE[frame_code.ENTRY["monitor"] :]
        ram[_MONITOR - _ROM : _MONITOR - _ROM + len(code)] = code
        for at, table in _second_stage().items():
            ram[at - _ROM : at - _ROM + len(table)] = table
        ram[_SLOTS - _ROM : _SLOTS - _ROM + 8] = len(programs).to_bytes(8, "little")
        first = _SLOTS - _ROM + 0x1000
        for n, program in enumerate(programs):
            ram[first + n * _SLOT : first + n * _SLOT + SIZE] = program.memory
        backend = f"memory-backend-file,id=ram,size={size},mem-path={path},share=on"
        machine = ("-machine", "virt,memory-backend=ram", "-m", f"{size >> 20}M", "-object", backend)
        subprocess.run([QEMU, *machine, *MACHINE], check=True, timeout=patience, capture_output=True)
        return [_outcome(ram[first + n * _SLOT : first + (n + 1) * _SLOT]) for n in range(len(programs))]


def available() -> bool:
    return shutil.which(QEMU) is not None


def _outcome(slot: bytes) -> Outcome:
    def at(offset: int) -> int:
        return int.from_bytes(slot[offset : offset + 8], "little")

    told = []
    for entry in range(SIZE + 64, SIZE + (at(SIZE) - 1 & 0xFFF) + 1, 64):
        cause, pc, tval, second, transformed = (at(entry + 8 * n) for n in range(5))
        guest = cause in GUEST_PAGE
        implicit = guest and transformed in (0x3000, 0x3020)
        user = not at(entry + 40) & MPP
        told.append(Told(cause, pc, tval, second << 2 if guest else 0, implicit, user))
    return Outcome(at(SIZE + 8) in (*range(64),), told, slot[:SIZE])


# Both


def _excused(told: Told) -> Told:
    """QEMU 7.2 differs from the manual in this, and so it is compared as it has it."""
    if told.cause == VIRTUAL_INSTRUCTION and told.user:  # all but counters
        return told._replace(cause=ILLEGAL_INSTRUCTION)
    return told


def plain(outcome: Outcome) -> list[str]:
    """What is compared, a line each."""
    memory = outcome.memory

    def at(address: int) -> int:
        return int.from_bytes(memory[address - BASE : address - BASE + 8], "little")

    lines = []
    for told in map(_excused, outcome.told):
        ipa = told.ipa & ~3 if told.cause in GUEST_PAGE else 0
        tval = told.tval if told.cause != ECALL_FROM_VS else 0
        lines.append(f"told {told.cause} pc {told.pc:#x} tval {tval:#x} ipa {ipa:#x} {told.implicit}")
    for entry in range(LOG + TRAPS, at(LOG + NEXT_AT), 32):
        cause, pc, tval, status = (at(entry + 8 * n) for n in range(4))
        if cause == 3:
            tval = pc
        lines.append(f"trap {cause:#x} sepc {pc:#x} stval {tval:#x} sstatus {status & STATUS:#x}")
    for n in range(32):
        lines.append(f"x{n} {at(LOG + END_X + 8 * n):#x}")
        lines.append(f"f{n} {at(LOG + END_F + 8 * n):#x}")
    for n, name in enumerate(END_NAMES):
        value = at(LOG + END_CSRS + 8 * n)
        lines.append(f"{name} {value & STATUS if name == 'sstatus' else value:#x}")
    for page in range(BASE, BASE + SIZE, 0x1000):
        if page != LOG:
            content = memory[page - BASE : page - BASE + 0x1000]
            lines += [f"[{page + n:#x}] {content[n : n + 8].hex()}" for n in range(0, 0x1000, 8)]
    return lines


def has_odd_sepc(answer: Outcome) -> bool:
    """Code that is entered in its midst may write an odd one, which QEMU 7.2 keeps: that program cannot be compared."""
    words = [line.split() for line in plain(answer)]
    values = [line[line.index("sepc") + 1] for line in words if "sepc" in line]
    return any(int(value, 16) & 1 for value in values)


def digest(program: Program, outcome: Outcome) -> str:
    """Of what was run, and of what came of it."""
    what = hashlib.sha256(program.memory).hexdigest()[:8]
    return f"{what} {hashlib.sha256(chr(10).join(plain(outcome)).encode()).hexdigest()[:16]}"


def kept() -> list[str]:
    """QEMU's answers to the first programs."""
    return KEPT.read_text().splitlines()


if __name__ == "__main__":
    asked = [program(seed) for seed in range(ANSWERS)]
    KEPT.write_text("".join(f"{digest(*both)}\n" for both in zip(asked, qemu(asked), strict=True)))
