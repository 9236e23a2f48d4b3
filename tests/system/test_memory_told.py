"""Where memory takes time, a run tells what it has taken: whose, of what, and because of whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from baonet.trace.digest import verify
from baonet.trace.memory import pcpu_memory
from baonet.trace.order import rows
from baonet.trace.reader import TraceReader
from baonet.trace.records import Kind
from tests.system.machine import UART, Result, pair, run, vm

SMALL_L2 = {"l2": {"size": "64KiB", "ways": 4}}
"""So small that what VMs do to each other is seen at once."""


def on(**system: Any) -> dict[str, Any]:
    """A platform on which memory takes time."""
    return {"platform": {"extends": "qemu-aarch64-virt", "memory_system": {"preset": "cortex-a53"} | system}}


def told(directory: Path, machine: dict[str, Any], *options: str) -> tuple[dict[str, Any], Result]:
    """What ``--stats`` writes of 3 ms of virtual time, and what is said."""
    stats = directory / "stats.json"
    result = run(directory, machine, "--clock", "virtual", "--for", "3ms", "--stats", str(stats), *options)
    assert result.status == 0, result.err
    return json.loads(stats.read_text()), result


def test_nothing_is_told_where_memory_takes_no_time(tmp_path: Path) -> None:
    stats, result = told(tmp_path, pair())
    assert "memory" not in stats
    assert "memory by vCPU" not in result.err


def test_misses_are_told_by_who_had_driven_the_line_out(tmp_path: Path) -> None:
    """They add up to the misses of each, and of the pages."""
    stats, result = told(tmp_path, pair() | on(**SMALL_L2))
    (cluster,) = stats["memory"]["clusters"].values()
    misses = cluster["misses_by_who_had_evicted"]
    for owner, by in misses.items():
        assert sum(by.values()) == cluster["owners"][owner]["l2_misses"]
    for name, of in stats["memory"]["vms"].items():
        assert of["guest"]["l2_misses"] == cluster["owners"][name]["l2_misses"], "windows' ends have put that right"
        assert of["guest"]["l2_accesses"] == cluster["owners"][name]["l2_accesses"]
    assert misses["ping"]["pong"] + misses["pong"]["ping"] + misses["hypervisor"]["ping"] > 0, (
        "they are in each other's way"
    )
    assert sum(by["nobody"] for by in misses.values()) > 0
    pages = cluster["hottest_pages"]
    assert pages == sorted(pages, key=lambda page: -page["misses"])
    assert sum(page["misses"] for page in pages) <= sum(sum(by.values()) for by in misses.values())
    assert "misses of each, by who had driven the line out" in result.err


def test_what_a_cpu_was_told_at_its_last_windows_end_is_counted(tmp_path: Path) -> None:
    """Though it does not go on: three that are in each other's way, to a moment at which a window ends."""
    uart = {key: value for key, value in UART.items() if key != "interrupts"}
    more = {"command_line": "size=64KiB", "device_tree": "auto", "memory": [{"size": "32MiB"}], "devices": [uart]}
    vms = [vm("membound", name, **more) for name in ("a", "b", "c")]
    stats, _ = told(tmp_path, {"vms": vms} | on(**SMALL_L2))
    (cluster,) = stats["memory"]["clusters"].values()
    for name, of in stats["memory"]["vms"].items():
        for counter in ("l2_accesses", "l2_misses"):
            assert of["guest"][counter] == cluster["owners"][name][counter], (name, counter)


def test_guest_and_hypervisor_are_counted_apart(tmp_path: Path) -> None:
    stats, _ = told(tmp_path, pair() | on())
    for vcpu in stats["memory"]["vcpus"]:
        assert vcpu["guest"]["loads"] > 1000
        assert vcpu["hypervisor"]["l1i_misses"] > 0
        assert sum(vcpu["stalled"].values()) == pytest.approx(
            sum(vcpu["guest"]["stalls"].values()) / vcpu["cycles"], abs=1e-5
        )
        assert vcpu["guest"]["unlogged"] == 0
    by_vm = {(vcpu["vm"], vcpu["vcpu"]): vcpu["instructions"] for vcpu in stats["memory"]["vcpus"]}
    assert by_vm == {(pcpu["vm"], pcpu["vcpu"]): pcpu["instructions"] for pcpu in stats["pcpus"].values()}


def test_it_is_the_same_in_one_process_and_in_many(tmp_path: Path) -> None:
    found = [
        told(tmp_path, pair() | on(**SMALL_L2), "--placement", each)[0] for each in ("one-process", "process-per-cpu")
    ]
    assert found[0]["memory"] == found[1]["memory"]
    assert found[0]["digest"] == found[1]["digest"]


def test_a_trace_tells_of_misses_and_stalls_and_changes_nothing(tmp_path: Path) -> None:
    machine = pair() | on(**SMALL_L2)
    trace = tmp_path / "run.bnt"
    traced, _ = told(tmp_path, machine, "--trace", str(trace))
    assert traced["digest"] == told(tmp_path, machine)[0]["digest"]
    with TraceReader(trace) as reader:
        assert verify(reader, lambda done, total: None).same
    with TraceReader(trace) as reader:
        records = [(row[1], row[3]) for row in rows(reader) if not row[2]]
        assert str(reader.header.memory_system) == "cortex-a53, l2.size 64KiB, l2.ways 4"
        assert reader.footer is not None
        memory = pcpu_memory(reader.footer.statistics[0])
    assert memory is not None
    missed = sum(a for kind, a in records if kind == Kind.MISSES)
    assert 0 < missed <= memory.guest.counts["l1i_misses"] + memory.hypervisor.counts["l1i_misses"]
    assert 0 < sum(a for kind, a in records if kind == Kind.STALLS) <= memory.guest.stalled + memory.hypervisor.stalled
