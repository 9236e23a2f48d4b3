"""What the engine keeps of a guest, ``struct state``, is plain data: a copy of it is all that there is to keep."""

from __future__ import annotations

import gc
import re
import sys
import weakref
from pathlib import Path

import pytest

import baonet.core.native
from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import Memory
from tests.core.virtual import core

NATIVE = Path(next(iter(baonet.core.native.__path__)))
STATE = (NATIVE / "state.h").read_text()
ARCHITECTURES = sorted(NATIVE.glob("*/arch.h"))
ADD, BRANCH_BACK = 0x91000400, 0x17FFFFFF
SCALARS = {"bool", "unsigned", "int64_t", "uint8_t", "uint32_t", "uint64_t"}


def members(struct: str, headers: str) -> set[str]:
    """The types of a structure's members; none is a pointer or a union."""
    code = re.sub(r"/\*.*?\*/", "", headers, flags=re.DOTALL)
    body = re.search(rf"^struct {struct} \{{(.*?)^\}};", code, re.DOTALL | re.MULTILINE)
    assert body, f"there is no struct {struct}"
    types = set()
    for line in filter(None, (line.strip() for line in body[1].split(";"))):
        declared = re.fullmatch(r"((?:struct |enum )?\w+) (\w+(?:\[[^\]]+\])?(?:,\s+\w+(?:\[[^\]]+\])?)*)", line)
        assert declared, f"struct {struct}: {line} is not plain data"
        types.add(declared[1])
    return types


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda path: path.parent.name)
def test_it_has_no_pointer(architecture: Path) -> None:
    headers = STATE + architecture.read_text()
    pending, seen = {"state"}, set()
    while pending:
        seen.add(struct := pending.pop())
        types = members(struct, headers) - SCALARS - {"enum exit_reason"}
        assert all(each.startswith("struct ") for each in types), types
        pending |= {each.removeprefix("struct ") for each in types} - seen
    assert {"arch_state", "event"} <= seen


def test_it_is_complete_between_two_stays() -> None:
    """The budget in shared memory, in which a stay counts, is not a part of it."""
    memory = Memory(1)
    guest = core(ADD, BRANCH_BACK, memory=memory)
    for limit in (1000, 1500, 4321):
        assert guest.run_until(limit) == Exit.BUDGET
        assert guest.time >= limit
        assert int.from_bytes(memory.slots[:4], "little", signed=True) == 0


def test_a_view_keeps_its_core() -> None:
    """Or it would be of memory that others have by then."""
    made = core(ADD)
    before = sys.getrefcount(made)
    views = [made.x, made.exit, made.ich]
    assert sys.getrefcount(made) == before + len(views)
    made.x[3] = 1 << 63
    assert list(made.x)[3] == 1 << 63
    del views
    assert sys.getrefcount(made) == before


def test_who_has_a_core_and_its_views_goes_with_them() -> None:
    class Owner:
        def __init__(self) -> None:
            self.core = core(ADD)
            self.views = (self.core.x, self.core.exit)
            self.core.emulate(((0x1000_0000, 0x1000),), lambda _ipa, _size: self.views[0][0], lambda *_: False, [])

    gone = weakref.ref(Owner())
    gc.collect()
    assert gone() is None
