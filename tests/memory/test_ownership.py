"""Of which memory it is kept to whom its pages belong, which islands have a ledger, and who has these."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import msgpack
import pytest

from baonet.core import _node
from baonet.machine import Clock, ClockMode, Device, Machine, PlatformDevice, Region
from baonet.machine.saved import StateError
from baonet.memory.node import NodeMemory, Use
from baonet.memory.ownership import OWNERSHIP_SIZE
from baonet.memory.sizes import Sizes
from tests.hyp import machines

UART_A, UART_B = 0x0900_0000, 0x0900_1000
LEDGER, LANE = 100, 10
SIZES = Sizes(4096, LEDGER, LANE, {"pl011": 100})


def machine(mode: ClockMode = ClockMode.VIRTUAL) -> Machine:
    """VMs 0 (two vCPUs) and 1 share memory; 2 and 3, of one vCPU each, a UART; 4 is alone, with one."""
    shared = (machines.mailbox(84),)
    made = machines.machine(
        machines.vm(0, 2, ipcs=shared),
        machines.vm(1, ipcs=shared),
        *map(machines.vm, range(2, 5)),
        shared_memory=(machines.MAILBOX,),
    )
    devices = tuple(
        PlatformDevice(f"uart{number}", "pl011", pa, 0x1000, 33 + number) for number, pa in enumerate((UART_A, UART_B))
    )
    mapped: list[tuple[int, ...]] = [(UART_B,), (), (UART_A,), (UART_A,), ()]
    vms = tuple(
        replace(
            vm,
            regions=(Region(0x4000_0000, 0x4000 * (1 + vm.index)),),
            devices=tuple(Device(pa, pa, 0x1000) for pa in addresses),
        )
        for vm, addresses in zip(made.vms, mapped, strict=True)
    )
    return replace(made, platform=replace(made.platform, devices=devices), vms=vms, clock=Clock(mode))


@contextmanager
def memory(made: Machine, *, own_all: bool = False, vms: set[int] | None = None) -> Iterator[NodeMemory]:
    node = NodeMemory(made, SIZES, own_all=own_all, vms=vms)
    yield node
    node.close()


def owned(node: NodeMemory) -> dict[str, int]:
    """The number of each segment that there is a table of."""
    segments = {"shared": node.shared[0], "uart A": node.devices[UART_A], "uart B": node.devices[UART_B]}
    segments |= {f"vm{number}": vm.regions[0] for number, vm in node.vms.items()}
    tables = {name: node.ownership.table(segment) for name, segment in segments.items()}
    return {name: table.number for name, table in tables.items() if table is not None}


def test_what_several_pcpus_can_reach_is_owned_and_nothing_else() -> None:
    with memory(machine()) as node:
        assert owned(node) == {"shared": 0, "uart A": 1, "uart B": 2, "vm0": 3}
        assert [number for number, _ in node.ownership.tables] == [0, 1, 2, 3]


def test_numbers_are_of_the_segments_whatever_is_owned() -> None:
    with memory(machine(), own_all=True) as node:
        assert owned(node) == {"shared": 0, "uart A": 1, "uart B": 2} | {f"vm{n}": 3 + n for n in range(5)}


def test_a_page_has_an_entry_of_zeroes_at_first() -> None:
    with memory(machine()) as node:
        table = node.ownership.table(node.vms[0].regions[0])
        assert table is not None
        assert table.entries.size >= 4 * OWNERSHIP_SIZE
        assert not any(table.entries.view[:])


def test_an_island_of_several_pcpus_has_one_ledger() -> None:
    """With room for all pcpus of the machine; who is alone needs none, unless all is owned."""
    with memory(machine()) as node:
        first, *ledgers = [node.ownership.ledger(vm) for vm in range(5)]
        assert first is not None
        assert first.size >= LEDGER + node.machine.platform.cpus * LANE
        assert ledgers[0] is first
        assert ledgers[1] is ledgers[2] is not None
        assert ledgers[1] is not first
        assert ledgers[3] is None
    with memory(machine(), own_all=True) as node:
        assert node.ownership.ledger(4) is not None


def test_with_the_hosts_clock_nobody_owns_anything() -> None:
    with memory(machine(ClockMode.HOST), own_all=True) as node:
        assert owned(node) == {}
        assert [node.ownership.ledger(vm) for vm in range(5)] == [None] * 5
        assert all(owners is None for *_, owners in node.save()["segments"])


@pytest.mark.parametrize(
    ("vms", "kept"),
    [
        ((0,), {"owners 0", "owners 2", "owners 3", "ledger 0"}),
        ((1,), {"owners 0", "ledger 0"}),
        ((3,), {"owners 1", "ledger 2"}),
        ((4,), set()),
        ((0, 3), {"owners 0", "owners 1", "owners 2", "owners 3", "ledger 0", "ledger 2"}),
    ],
)
def test_a_process_gives_up_what_is_not_its_vms(vms: tuple[int, ...], kept: set[str]) -> None:
    """Also what was mapped before. Names are of other tests too, so it is counted how often each is there more."""
    with memory(machine()) as node:
        before = mapped()
        for number, entries in node.ownership.tables:
            assert number % 2 or not any(entries.view[:])
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                node.keep(Use(frozenset(vms), frozenset(vms)))
                known = [each for each in range(5) if node.ownership.ledger(each) is not None]
                os.write(writer, msgpack.packb([mapped(), known]))
                status = 0
            finally:
                os._exit(status)
        os.close(writer)
        with os.fdopen(reader, "rb") as file:
            after, known = cast(tuple[dict[str, int], list[int]], msgpack.unpackb(file.read()))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        come = {name for name in after if after[name] > before.get(name, 0)}
        assert {name for name in come if name.startswith(("owners", "ledger"))} == kept
        islands = [{0, 1}, {2, 3}]
        assert known == sorted(set().union(*(island for island in islands if island & {*vms})))


def mapped() -> dict[str, int]:
    """How often this process has a segment of each name."""
    found: dict[str, int] = {}
    for line in Path("/proc/self/maps").read_text().splitlines():
        if "/memfd:baonet:" in line:
            name = line.partition("/memfd:baonet:")[2].removesuffix(" (deleted)")
            found[name] = found.get(name, 0) + 1
    return found


def test_owners_are_saved_with_the_memory_and_had_again() -> None:
    """Not the ledgers: what cores have of pages is made anew with them."""
    with memory(machine()) as node, memory(machine()) as other:
        for number, entries in node.ownership.tables:
            entries.view[number * OWNERSHIP_SIZE : (number + 1) * OWNERSHIP_SIZE] = bytes([number + 1]) * OWNERSHIP_SIZE
        ledger = node.ownership.ledger(0)
        assert ledger is not None
        ledger.view[0] = 1
        for _, entries in other.ownership.tables:
            entries.view[0] = 0xFF
        other.load_saved(msgpack.unpackb(msgpack.packb(node.save())))
        tables = [dict(each.ownership.tables) for each in (node, other)]
        assert [entries.view[:] for entries in tables[1].values()] == [
            entries.view[:] for entries in tables[0].values()
        ]
        its = other.ownership.ledger(0)
        assert its is not None
        assert its.view[0] == 0


def test_owners_of_other_pages_are_refused() -> None:
    with (
        memory(machine()) as node,
        memory(machine(), own_all=True) as other,
        pytest.raises(StateError, match="it has other regions: load it into the machine that it was saved from"),
    ):
        other.load_saved(node.save())


def test_the_engine_has_entries_of_that_size() -> None:
    """It writes the last page of a table, and finds no page behind it."""
    with memory(machine()) as node:
        table = node.ownership.table(node.vms[0].regions[0])
        assert table is not None
        pages = table.entries.size // OWNERSHIP_SIZE
        ledger = bytearray(_node.LEDGER_SIZE + 6 * _node.LANE_SIZE)
        _node.hand_over(ledger, table.entries.view, 3, pages - 1, 2, 77)
        entry = table.entries.view[-OWNERSHIP_SIZE:]
        assert (int.from_bytes(entry[:8], "little"), int.from_bytes(entry[8:10], "little")) == (77, 2)
        with pytest.raises(IndexError):
            _node.hand_over(ledger, table.entries.view, 3, pages, 2, 77)


def test_a_node_has_what_its_vms_need_and_the_numbers_of_the_whole() -> None:
    with memory(machine()) as whole, memory(machine(), vms={2, 3}) as part:
        assert set(part.vms) == {2, 3}
        assert (set(part.shared), set(part.devices)) == (set(), {UART_A})
        numbers = {number: entries.size for number, entries in whole.ownership.tables}
        assert [(number, entries.size) for number, entries in part.ownership.tables] == [(1, numbers[1])]
        assert [vm for vm in range(5) if part.ownership.ledger(vm) is not None] == [2, 3]


def test_what_is_not_mapped_is_written_and_read_all_the_same() -> None:
    with memory(machine()) as node:
        vm = node.machine.vms[0]
        before = mapped()
        node.write(vm, 0x4000_0FFE, b"over an edge")
        assert node.read(vm, 0x4000_0FFC, 16) == b"\0\0over an edge\0\0"
        assert mapped() == before
        assert node.vms[0].regions[0].view[0xFFE:0x100A] == b"over an edge"
        node.write(vm, 0x4000_0FFE, b"OVER")
        assert node.read(vm, 0x4000_0FFE, 6) == b"OVER a"
