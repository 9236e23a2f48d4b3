"""Runs guests on the toy's engine, in a process of its own: ``guest ENGINE LIBRARY``. Says what did not go right."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import mmap
import os
import sys
from typing import Any

from baonet.core import _node

RAM, SIZE, HZ = 0x8000_0000, 0x20_0000, 1_000_000_000
BUDGET, KICKED, CALL = 1, 2, 3  # arch.h
EXITS = 7
A0, A1 = 10, 11
ADD, COUNT_DOWN, BACK, ECALL = 0x0015_0513, 0xFFF5_8593, 0xFE05_9CE3, 0x0000_0073
"""ADDI a0, a0, 1; ADDI a1, a1, -1; BNEZ a1, to the first; ECALL."""


def load(engine: str, library: str) -> Any:
    """As ``baonet.core.engine`` loads one: the engine's functions stand in front of the library's."""
    sys.setdlopenflags(os.RTLD_GLOBAL | os.RTLD_NOW)
    spec = importlib.util.spec_from_loader("_engine", importlib.machinery.ExtensionFileLoader("_engine", engine))
    assert spec is not None
    native = importlib.util.module_from_spec(spec)
    native.load(library)
    return native


class Memory:
    def __init__(self) -> None:
        self.ram = mmap.mmap(-1, SIZE)
        self.slots = mmap.mmap(-1, _node.SLOT_SIZE)
        self.code_map = mmap.mmap(-1, SIZE // 0x1000 // 2)
        self.ram[:16] = b"".join(word.to_bytes(4, "little") for word in (ADD, COUNT_DOWN, BACK, ECALL))


def core_of(native: Any, memory: Memory, hz: int) -> Any:
    """In whose RAM is: a1 times a0 = a0 + 1, then a call."""
    core = native.Core(
        frequency=HZ,
        epoch=0,
        slots=memory.slots,
        index=0,
        siblings=(),
        code_map=memory.code_map,
        hz=hz,
        costs=(0,) * (EXITS + 2),
        id=7,
    )
    core.map_ram(RAM, SIZE, memory.ram, 0)
    return core


def main(engine: str, library: str) -> None:
    native = load(engine, library)
    memory = Memory()
    core = core_of(native, memory, 0)
    assert core.id == 7
    core.reset(RAM, 1000)
    assert (core.pc, core.x[A0], core.x[A1]) == (RAM, 7, 1000)

    assert core.run(300) == BUDGET
    assert core.statistics()["instructions"] == 300, core.statistics()
    assert (core.pc, core.x[A0], core.x[A1]) == (RAM, 107, 900)
    _node.kick(memory.slots, 0)
    assert core.run(300) == KICKED
    assert core.x[A1] == 899  # a block of it all the same
    assert core.run(10_000) == CALL
    assert (core.pc, core.x[A0], core.x[A1]) == (RAM + 16, 1007, 0), (hex(core.pc), core.x[A0], core.x[A1])
    assert core.statistics()["instructions"] == 3001
    assert core.state() == {"calls": 1}

    core.reset(RAM, 1)
    assert core.state() == {"calls": 0}
    assert core.run(10_000) == CALL
    assert core.x[A0] == 8

    virtual = core_of(native, Memory(), HZ)
    virtual.reset(RAM, 1 << 40)
    for limit in (1000, 1500, 4321):
        assert virtual.run_until(limit) == BUDGET
        assert limit <= virtual.time < limit + 3
    virtual.skip_to(10_000)
    assert virtual.time == 10_000

    other = core_of(native, Memory(), HZ)
    other.load(virtual.save())
    for each in (virtual, other):
        assert each.run_until(20_000) == BUDGET
    assert (other.time, other.pc, list(other.x)) == (virtual.time, virtual.pc, list(virtual.x))
    assert other.state() == virtual.state()


if __name__ == "__main__":
    main(*sys.argv[1:])
