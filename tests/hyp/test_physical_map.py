"""The physical side of a machine: no page has two owners, colours are kept, blocks are blocks, and tables say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from baonet.hyp.memory import PlacementError, allocate
from baonet.hyp.pages import Extent
from baonet.hyp.physical_map import EXITS, PhysicalMap, VmMap, mapped
from baonet.hyp.stage2 import GIB_BLOCK, MIB_BLOCK
from baonet.machine import PAGE_SIZE, Device, ExitFootprint, HypervisorFootprint, Machine, RamBank, Region, SharedMemory
from baonet.machine.memory_system import LINE
from tests.examples import examples
from tests.hyp import machines
from tests.hyp.machines import A53_CACHE, GIB, MEMORY_SYSTEM, MIB, mailbox

COLORS = st.sampled_from([0, 0xFF, 0x01, 0x0F, 0x30, 0x80, 0xA5])
EVERYTHING = 0xFF


@st.composite
def any_machine(draw: st.DrawFn) -> Machine:
    """With VMs of all sizes and places, which a machine's RAM has room for."""
    vms = []
    for number in range(draw(st.integers(1, 3))):
        base = draw(st.sampled_from([0, MIB_BLOCK, GIB_BLOCK, 3 * PAGE_SIZE, GIB_BLOCK + 5 * PAGE_SIZE]))
        regions: list[Region] = []
        for _ in range(draw(st.integers(1, 2))):
            size = draw(st.sampled_from([PAGE_SIZE, 7 * PAGE_SIZE, MIB, 5 * MIB, 8 * MIB, 8 * MIB + PAGE_SIZE]))
            phys = None
            if draw(st.booleans()):
                phys = 0x8000_0000 + (2 * number + len(regions)) * 0x1000_0000 + draw(st.sampled_from([0, PAGE_SIZE]))
            regions.append(Region(base, size, phys, draw(COLORS) if phys else 0))
            base += size + draw(st.sampled_from([0, PAGE_SIZE, MIB_BLOCK]))
        ipcs = (mailbox(base=0x10_0000_0000),) if draw(st.booleans()) else ()
        colors, cpus = draw(COLORS), draw(st.integers(1, 2))
        devices = (Device(0x0900_0000, 0x20_0000_0000, draw(st.sampled_from([PAGE_SIZE, 4 * MIB]))),)
        vm = machines.vm(number, cpus=cpus, colors=colors, regions=tuple(regions), ipcs=ipcs, devices=devices)
        vms.append(replace(vm, huge_pages=draw(st.booleans())))
    shared = [SharedMemory("mailbox", 0x10000, draw(COLORS), draw(st.sampled_from([None, 0xF000_0000])))]
    banks = (RamBank(0x4000_0000, 3 * GIB), RamBank(0x1_4000_0000, GIB))
    made = machines.machine(*vms, cache=A53_CACHE, shared_memory=shared, ram=banks, memory_system=MEMORY_SYSTEM)
    return replace(made, hypervisor_colors=draw(COLORS))


def the_map(machine: Machine) -> PhysicalMap:
    try:
        return mapped(machine)
    except PlacementError:
        assume(False)  # a fixed place that others have
        raise


def pages_of(its: VmMap) -> Iterator[tuple[int, int, int]]:
    """(ipa, pa, block) of all that it maps."""
    for extent in its.extents:
        packed = its.pages(extent.ipa, extent.size)
        for nth, each in enumerate(packed):
            yield extent.ipa + nth * PAGE_SIZE, each & -PAGE_SIZE, 1 << (each & PAGE_SIZE - 1)


@settings(max_examples=examples(60), deadline=None)
@given(any_machine())
def test_no_page_has_two_owners(machine: Machine) -> None:
    its = the_map(machine)
    memory = allocate(machine)
    shared = {
        pa + at
        for each in memory.shared
        for _, pa, size in each.pieces(its.palette)
        for at in range(0, size, PAGE_SIZE)
    }
    owned = [its.pages_of(vm) - shared for vm in range(len(machine.vms))] + [its.pages_of_hypervisor(), shared]
    assert sum(map(len, owned)) == len(set().union(*owned))
    banks = machine.platform.ram
    assert all(any(bank.base <= page < bank.base + bank.size for bank in banks) for page in set().union(*owned))


@settings(max_examples=examples(60), deadline=None)
@given(any_machine())
def test_who_has_colours_has_pages_of_no_other(machine: Machine) -> None:
    its = the_map(machine)

    def obeys(pages: set[int], colors: int) -> bool:
        return not its.palette.mask(colors) or all(colors >> its.palette.color(page) & 1 for page in pages)

    assert obeys(its.pages_of_hypervisor(), machine.hypervisor_colors)
    for vm, found in zip(machine.vms, its.vms, strict=True):
        tables = {*found.tables.middles.values(), *found.tables.leaves.values()}
        assert obeys(tables, vm.colors), "those of its stage 2 too, but for the root"
        assert found.tables.root % (PAGE_SIZE * machine.platform.arch.root_pages) == 0
        for region in vm.regions:
            pages = {page & -PAGE_SIZE for page in found.pages(region.base, region.size)}
            assert len(pages) == region.size // PAGE_SIZE
            assert obeys(pages, vm.colors if region.phys is None else region.colors)


@settings(max_examples=examples(60), deadline=None)
@given(any_machine())
def test_a_block_is_contiguous_and_aligned_and_no_smaller_than_it_could_be(machine: Machine) -> None:
    its = the_map(machine)
    for vm, found in zip(machine.vms, its.vms, strict=True):
        there = {ipa: (pa, block) for ipa, pa, block in pages_of(found)}
        for ipa, (pa, block) in there.items():
            assert (ipa - pa) % block == 0
            assert there[ipa // block * block] == (pa // block * block, block)
            assert there[(ipa // block + 1) * block - PAGE_SIZE][1] == block
        placed = [region for region in vm.regions if region.phys is not None and not its.palette.mask(region.colors)]
        for region in placed:
            assert region.phys is not None
            first = -(-region.base // MIB_BLOCK) * MIB_BLOCK
            if (region.base - region.phys) % MIB_BLOCK == 0 and first + MIB_BLOCK <= region.base + region.size:
                assert there[first][1] == (MIB_BLOCK if vm.huge_pages else PAGE_SIZE)
        if not vm.huge_pages:
            assert {block for _, block in there.values()} == {PAGE_SIZE}
        if its.palette.mask(vm.colors):
            mine = [region for region in vm.regions if region.phys is None]
            assert all(there[region.base][1] == PAGE_SIZE for region in mine)


def test_small_pages_alone_have_a_table_more_for_each_2_mib() -> None:
    region = Region(0x4000_0000, 6 * MIB)
    vms = [machines.vm(0, regions=(region,), devices=(), huge_pages=huge) for huge in (True, False)]
    ram = (RamBank(0x4000_0000, GIB),)
    large, small = (the_map(machines.machine(vm, ram=ram, memory_system=MEMORY_SYSTEM)).vms[0] for vm in vms)
    assert [extent.block for extent in (*large.extents, *small.extents)] == [MIB_BLOCK, PAGE_SIZE]
    assert (len(large.tables.leaves), len(small.tables.leaves)) == (0, 3)


@settings(max_examples=examples(60), deadline=None)
@given(any_machine(), st.data())
def test_a_walk_reads_a_descriptor_of_its_own_in_each_table(machine: Machine, data: st.DataObject) -> None:
    its = the_map(machine)
    memory = allocate(machine)
    for number, found in enumerate(its.vms):
        last: dict[tuple[int, ...], tuple[int, int]] = {}
        pages = list(pages_of(found))
        for ipa, pa, block in data.draw(st.lists(st.sampled_from(pages), max_size=40)):
            walk = found.walk(ipa + 5)
            assert walk is not None
            assert (walk.pa, walk.block) == (pa + 5, block)
            assert len(walk.descriptors) == {GIB_BLOCK: 1, MIB_BLOCK: 2, PAGE_SIZE: 3}[block]
            assert last.setdefault(walk.descriptors, (ipa // block, block)) == (ipa // block, block)
            tables = its.pages_of(number)
            assert all(address // PAGE_SIZE * PAGE_SIZE in tables for address in walk.descriptors)
        for extents in memory.vms[number].regions:
            for extent in extents:
                assert found.walk(extent.ipa + extent.size - 1) is not None
                assert walk_of(found, extent) == extent.translate(extent.ipa, its.palette)
        assert found.walk(0x30_0000_0000) is None
        assert list(found.pages(0x30_0000_0000, 2 * PAGE_SIZE)) == [0, 0]


def walk_of(found: VmMap, extent: Extent) -> int:
    walk = found.walk(extent.ipa)
    assert walk is not None
    return walk.pa


COUNTS = st.integers(0, 200)


@settings(max_examples=examples(60), deadline=None)
@given(
    any_machine(), st.lists(st.builds(ExitFootprint, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS), min_size=5, max_size=5)
)
def test_an_exit_touches_as_many_lines_as_it_is_to(machine: Machine, kinds: list[ExitFootprint]) -> None:
    system = replace(MEMORY_SYSTEM, hypervisor=HypervisorFootprint(*kinds))
    its = the_map(replace(machine, platform=replace(machine.platform, memory_system=system)))
    own = its.pages_of_hypervisor()
    pcpus = range(machine.platform.cpus)
    for kind, footprint in zip(EXITS, kinds, strict=True):
        touched = [its.touched(kind, pcpu) for pcpu in pcpus]
        for each in touched:
            lines = [*each.text, *each.private, *each.shared]
            assert list(map(len, (each.text, each.private, each.shared))) == [
                footprint.text, footprint.private, footprint.shared,
            ]  # fmt: skip
            assert len(set(lines)) == len(lines)
            assert all(line % LINE == 0 and line // PAGE_SIZE * PAGE_SIZE in own for line in lines)
        assert len({each.text for each in touched}) == 1, "all execute the same"
        private = [line for each in touched for line in each.private]
        assert len(set(private)) == len(private), "what is private to a CPU no other has"


@settings(max_examples=examples(60), deadline=None)
@given(any_machine(), st.integers(1, 8))
def test_spans_have_all_that_they_are_asked_for(machine: Machine, most: int) -> None:
    its = the_map(machine)
    vms = range(len(machine.vms))
    spans = its.spans(vms, most)
    assert len(spans) <= most
    pages = its.pages_of_hypervisor().union(*map(its.pages_of, vms))
    assert all(any(base <= page < base + size for base, size in spans) for page in pages)


def test_without_colours_memory_is_in_blocks_and_with_them_in_pages() -> None:
    def blocks(colors: int) -> set[int]:
        whole = machines.vm(0, colors=colors, regions=(Region(0x4000_0000, 2 * GIB),), devices=())
        bank = RamBank(0x4000_0000, 8 * GIB)
        made = machines.machine(whole, ram=(bank,), cache=A53_CACHE, memory_system=MEMORY_SYSTEM)
        return {extent.block for extent in mapped(made).vms[0].extents}

    assert blocks(0) == {GIB_BLOCK}
    assert blocks(0x0F) == {PAGE_SIZE}
    assert blocks(EVERYTHING) == {GIB_BLOCK}, "all of them are none"


def test_a_hypervisor_that_finds_no_room_is_told() -> None:
    vm = machines.vm(0, regions=(Region(0x4000_0000, 64 * MIB),))
    with pytest.raises(PlacementError) as error:
        mapped(machines.machine(vm, ram=(RamBank(0x4000_0000, PAGE_SIZE),), memory_system=MEMORY_SYSTEM))
    assert error.value.field == "platform.memory_system"
    assert "for itself" in str(error.value)


def test_a_machine_without_a_memory_system_is_placed_as_ever() -> None:
    """The hypervisor's own pages are taken where somebody asks for them."""
    plain = machines.machine(machines.vm(0), cache=A53_CACHE)
    assert allocate(plain).hypervisor is None
    assert allocate(plain).vms[0].regions[0][0].pa == 0x4000_0000
