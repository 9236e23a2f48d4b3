"""Stage 2 as a core is told of it: what it would read for an address is what the hypervisor's tables have there."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.core.modelling import _tables
from baonet.hyp.physical_map import mapped
from baonet.machine import Device, Region
from tests.examples import examples
from tests.hyp import machines
from tests.hyp.machines import GIB, MEMORY_SYSTEM, MIB

HALF_TIB = 512 * GIB
BASES = [0x4000_0000, HALF_TIB - MIB, HALF_TIB, HALF_TIB + 3 * GIB, 2 * HALF_TIB - 2 * MIB]


def read(words: list[int], ipa: int) -> list[int]:
    """As core/native/physical.c finds descriptors: of each level the table that covers the address."""
    tables = dict(zip(words[::2], words[1::2], strict=True))
    assert words[::2] == sorted(tables)
    found = []
    for level, shift in ((1, 30), (2, 21), (3, 12)):
        table = tables.get(ipa >> shift + 9 << shift + 9 | level)
        if table is not None:
            found.append(table + (ipa >> shift & 511) * 8)
    return found


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(st.sampled_from(BASES), min_size=1, max_size=3, unique=True), st.sampled_from(BASES), st.data())
def test_what_is_read_is_what_the_tables_have(bases: list[int], device: int, data: st.DataObject) -> None:
    regions = tuple(Region(base, 2 * MIB) for base in sorted(bases))
    devices = (Device(0x0900_0000, device + 8 * MIB, MIB),)
    vm = machines.vm(0, regions=regions, devices=devices)
    its = mapped(replace(machines.machine(vm, memory_system=MEMORY_SYSTEM), hypervisor_colors=0)).vms[0]
    words = _tables(its).tolist()
    for extent in its.extents:
        ipa = extent.ipa + data.draw(st.integers(0, extent.size - 1))
        walked = its.walk(ipa)
        assert walked is not None
        assert read(words, ipa) == list(walked.descriptors)
