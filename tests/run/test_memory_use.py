"""What memory has taken is told by VM, vCPU and page, from counters written by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from baonet.actors.ending import Ending
from baonet.actors.outcome import Outcome
from baonet.cli.memory_text import memory_text, unlogged_text
from baonet.config.loader import load
from baonet.hyp.vmm import Plan, plan
from baonet.run.memory_use import RunMemory, run_memory
from baonet.run.statistics import memory_told, statistics
from baonet.wire.control import CacheOwner, MissedPage, SharedCache
from tests.config.test_symbols import BSS, LINKED, SYMBOLS, elf
from tests.system.machine import GUESTS, pair, vm, write

LOADED = {
    "instructions": 2000,
    "memory_cycles": 5000,
    "memory_loads": 400,
    "memory_l1d_misses": 50,
    "memory_l2_misses": 8,
}
LOADED |= {
    "memory_stall_data": 1000,
    "memory_stall_dram": 500,
    "memory_stall_wait": 300,
    "memory_stall_correction": 200,
}
BELOW = {"memory_hypervisor_l1i_misses": 9, "memory_hypervisor_stall_fetch": 117}
ON = {"platform": {"extends": "qemu-aarch64-virt", "memory_system": "cortex-a53"}, "clock": {"mode": "virtual"}}


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    machine = pair()
    machine["vms"][1]["cpus"] = 1
    return plan(load(write(tmp_path_factory.mktemp("machine"), machine | ON)))


def outcome(*pages: MissedPage) -> Outcome:
    pong = {"instructions": 100, "memory_cycles": 100, "memory_loads": 3}
    owners = (
        CacheOwner({"l2_misses": 8}, (1, 4, 1, 2)),
        CacheOwner({"l2_misses": 1}, (0, 0, 0, 1)),
        CacheOwner({"l2_misses": 0}, (0, 0, 0, 0)),
    )
    cache = SharedCache(0, owners, {"windows": 7}, pages)
    return Outcome(Ending.DONE, statistics={0: LOADED | BELOW, 1: pong}, caches={0: cache})


def memory(planned: Plan, *pages: MissedPage) -> RunMemory:
    return run_memory(planned, outcome(*pages))


def test_stats_have_guest_and_hypervisor_apart(planned: Plan) -> None:
    told = memory(planned).told()
    (first, second) = told["vcpus"]
    assert (first["vm"], first["vcpu"], first["instructions"]) == ("ping", 0, 2000)
    assert first["guest"]["l1d_misses"] == 50
    assert first["guest"]["stalls"]["dram"] == 500
    assert first["hypervisor"] == {"l1i_misses": 9, "stalls": {"fetch": 117}}
    assert first["stalled"] == {"cache": 0.2, "memory": 0.1, "contention": 0.1} | {
        "coherence": 0,
        "translation": 0,
        "other": 0,
    }
    assert (second["vm"], second["guest"]["loads"]) == ("pong", 3)
    assert told["vms"]["ping"]["guest"]["l2_misses"] == 8


def test_the_matrix_adds_up_to_the_misses(planned: Plan) -> None:
    cluster = memory(planned).told()["clusters"]["0"]
    misses = cluster["misses_by_who_had_evicted"]
    assert misses["ping"] == {"ping": 1, "pong": 4, "hypervisor": 1, "nobody": 2}
    for owner, by in misses.items():
        assert sum(by.values()) == cluster["owners"][owner]["l2_misses"]


def test_counters_of_memory_are_not_among_the_others(planned: Plan) -> None:
    assert not [name for name in statistics(planned, outcome())["0"] if name.startswith("memory")]


def test_pages_have_the_names_that_their_users_have(planned: Plan) -> None:
    ping, pong = (each.regions[0][0] for each in planned.memory.vms)
    (mailbox,) = planned.memory.shared
    assert planned.memory.hypervisor is not None
    own = planned.memory.hypervisor.vms[0].root.pa
    pages = [MissedPage(pong.pa, 9), MissedPage(ping.pa + 0x1000, 5), MissedPage(mailbox.pa + 0x2000, 3)]
    found = memory(planned, *pages, MissedPage(own, 2), MissedPage(0x1000, 1)).pages[0]
    assert [(page.what, page.address, page.misses) for page in found] == [
        ("VM 'pong'", 0x4000_0000, 9),
        ("VM 'ping'", 0x4000_1000, 5),
        ("shared memory 'mailbox'", 0x2000, 3),
        ("the hypervisor's tables of VM 'ping'", own, 2),
        ("elsewhere", 0x1000, 1),
    ]


def test_coloured_memory_is_found_where_its_colours_are(tmp_path: Path) -> None:
    """Pages that a VM sees one behind another lie apart."""
    vms = [vm("hello", "even", colors=[0, 2]), vm("hello", "odd", colors=[1, 3], devices=[])]
    coloured = plan(load(write(tmp_path, {"vms": vms} | ON)))
    for number, name in enumerate(("even", "odd")):
        (extent,) = coloured.memory.vms[number].regions[0]
        for ipa in (0x4000_0000, 0x4000_9000, 0x40AB_C000):
            pa = extent.translate(ipa, coloured.memory.palette)
            (page,) = memory(coloured, MissedPage(pa, 1)).pages[0]
            assert (page.what, page.address) == (f"VM '{name}'", ipa)


def test_pages_have_the_symbols_that_are_in_them(tmp_path: Path) -> None:
    """As far as the image tells; a variable of several pages has the misses of all of them."""
    buffer = ("buffer", BSS - LINKED, 1, 0x2800)
    (tmp_path / "named.elf").write_bytes(elf((*SYMBOLS, buffer), bss=0x3000))
    named = vm("hello", "named", memory=[{"base": 0, "size": "64MiB"}]) | {"image": {"path": "named.elf"}}
    planned = plan(load(write(tmp_path, {"vms": [named, vm("hello", "other", devices=[])]} | ON)))
    pa = planned.memory.vms[0].regions[0][0].pa
    missed = {BSS + 0x1000: 7, BSS: 5, LINKED: 4, BSS + 0x2000: 3, BSS + 0x3000: 2}
    found = memory(planned, *(MissedPage(pa + address, misses) for address, misses in missed.items()))
    code = ["_start", "label", "data", "main"]
    assert [page["symbols"] for page in cluster_of(found)["hottest_pages"]] == [
        ["buffer"],
        ["buffer"],
        code,
        ["buffer"],
        [],
    ]
    symbols = cluster_of(found)["hottest_symbols"]
    assert symbols[0] == {"what": "VM 'named'", "name": "buffer", "misses": 15, "pages": 3}
    assert {each["name"]: each["misses"] for each in symbols[1:]} == dict.fromkeys(code, 4)
    text = list(memory_text(found))
    assert "  most misses in the pages of a symbol: 15, VM 'named', buffer in 3 pages" in text
    assert "  then 4, VM 'named', _start" in text


def cluster_of(memory: RunMemory) -> dict[str, Any]:
    (found,) = memory.told()["clusters"].values()
    assert isinstance(found, dict)
    return found


def test_people_get_tables(planned: Plan) -> None:
    text = list(memory_text(memory(planned, MissedPage(planned.memory.vms[0].regions[0][0].pa, 6))))
    row = text[2]
    cells = re.split(r"  +", row.strip())
    assert cells[:4] == ["ping", "0", "2 000", "2.50"]
    assert cells[4:8] == ["0.00", "25.00", "4.00", "0.00"]
    assert cells[8:] == ["20.0 %", "10.0 %", "10.0 %", "0.0 %", "0.0 %", "0.0 %", "40.0 %"]
    (matrix,) = (line for line in text if line.startswith("  ping ") and line != row)
    assert matrix.split() == ["ping", "1", "4", "1", "2", "8"]
    assert any(line == "  most misses in a page: 6, VM 'ping', 0x40000000" for line in text)
    assert len({len(line) for line in text[1:4]}) == len({len(line) for line in text[5:9]}) == 1, (
        "columns are below each other"
    )


def test_where_memory_takes_no_time_nothing_is_told(tmp_path: Path) -> None:
    off = plan(load(write(tmp_path, {"vms": [vm("hello")]})))
    assert memory_told(off, Outcome(Ending.DONE, statistics={0: {"instructions": 1}})) is None
    assert GUESTS.is_dir()


def test_who_asks_for_more_than_a_log_has_room_for_is_told(planned: Plan) -> None:
    assert not list(unlogged_text(planned, outcome()))
    too_many = replace(outcome(), statistics={0: LOADED | {"memory_unlogged": 1200, "memory_hypervisor_unlogged": 34}})
    (line,) = unlogged_text(planned, too_many)
    assert line.startswith("VM 'ping', vCPU 0 asked its second-level cache 1 234 times")
    assert "'clock.window'" in line
