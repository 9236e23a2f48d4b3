"""What a file has of the model of the memory system is trusted no more than the rest: it is refused, or borne."""

from __future__ import annotations

import mmap
import struct
from array import array

from baonet.core import _memsys, _node
from baonet.core.armv8.engine import native
from tests.core.bench import RAM
from tests.core.joined_nodes import ISLAND, JoinedNode
from tests.core.modelled import DATA, core
from tests.core.travelling import as_bytes
from tests.core.virtual import HVC

LOOP_OF_LINES = (0xF844_0420, 0xF900_0020, 0xF940_0020, 0xF100_0442, 0x54FF_FF81)
"""ldr x0, [x1], #64; str x0, [x1]; ldr x0, [x1]; subs x2, x2, #1; b.ne"""
CODE = (*LOOP_OF_LINES, HVC)


def test_a_damaged_state_is_refused_or_borne() -> None:
    """Each word that says how large something is, or where, and some of what is just there."""
    small = {"l2_size": 65536, "prefetch_streams": 2}
    saved = core(*CODE, parameters=small).save()
    version, asked, own = saved["memory"]
    words = array("I", own)
    ordinary = {0, 0xFFFF_FFFF, 0x4040_0000}  # of marks of nothing, too
    told = {place for place, word in enumerate(words) if word not in ordinary}
    refused = 0
    for place in sorted(told.union(range(0, len(words), 211))):
        made = core(*CODE, parameters=small)
        damaged = array("I", words)
        damaged[place] = 0x7F7F_7F7F
        try:
            made.load(as_bytes(saved | {"memory": [version, asked, damaged.tobytes()]}))
        except ValueError as error:
            refused += "is damaged: memory" in str(error)
            continue
        made.x[1], made.x[2] = DATA, 100
        made.run_until(made.time + 2000)
    assert refused > 40


def test_a_damaged_cluster_is_refused_or_borne() -> None:
    """What a core finds in the memory that it shares with others is looked at when it is to go on from there."""
    parameters = _memsys.CORTEX_A53 | {"l2_size": 65536}
    extents = (RAM, 0x40_0000, *[0] * 14)
    numbers = [parameters[name] for name in _node.MEMORY_PARAMETERS]
    shape = struct.pack(f"@{len(numbers)}I16QIIQ", *numbers, *extents, 1, 1, 10_000)
    memory = mmap.mmap(-1, _node.cluster_size(shape))

    def joined() -> native.Core:
        made = core(*CODE, model=False)
        made.join(memory, shape, 0)
        made.model_memory(1, 1)
        return made

    saved = as_bytes(joined().save())
    begin, size = _node.cluster_party(shape, 0)
    kept = memory[begin : begin + size]
    words = array("I", kept)
    told = {place for place, word in enumerate(words) if word not in {0, 0xFFFF_FFFF, 0x4040_0000}}
    refused = 0
    for place in sorted(told):
        damaged = array("I", words)
        damaged[place] = 0x7F7F_7F7F
        made = joined()
        memory[begin : begin + size] = damaged.tobytes()
        try:
            made.load(saved)
        except ValueError as error:
            refused += "is damaged: memory" in str(error)
        else:
            made.x[1], made.x[2] = DATA, 100
            made.run_until(made.time + 2000)
        memory[begin : begin + size] = kept
    assert refused > 40


def test_a_cluster_that_leads_elsewhere_is_refused() -> None:
    """Whatever is in its head when nothing has been counted: its parameters, and where it has what."""
    parameters = _memsys.CORTEX_A53 | {"l2_size": 65536}
    extents = [(RAM, 0x40_0000)]
    numbers = [parameters[name] for name in _node.MEMORY_PARAMETERS]
    shape = struct.pack(f"@{len(numbers)}I16QIIQ", *numbers, *extents[0], *[0] * 14, 1, 1, 10_000)
    memory = mmap.mmap(-1, _node.cluster_size(shape))
    node = JoinedNode(0, [0], carries=False, pages=1, free=False)
    node.courier.cluster(ISLAND, memory, shape, 0, (0,))

    def loads() -> bool:
        made = core(*CODE, model=False)
        made.join(memory, shape, 0)
        made.model_memory(1, 1)
        try:
            made.load(saved)
        except ValueError as error:
            return "is damaged: memory" not in str(error)
        return True

    made = core(*CODE, model=False)
    made.join(memory, shape, 0)
    made.model_memory(1, 1)
    saved = as_bytes(made.save())
    head = range(0x1000, 0x1000 + len(_memsys.Cluster(parameters, extents).state()), 4)
    assert loads()
    borne = []
    for place in head:
        word = memory[place : place + 4]
        if word in {bytes(4), b"\xff" * 4}:
            continue
        memory[place : place + 4] = b"\x7f" * 4
        borne += [place] * loads()
        memory[place : place + 4] = word
    assert not borne
    node.close()
