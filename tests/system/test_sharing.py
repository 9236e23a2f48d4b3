"""Where memory takes time: a line that several CPUs write to goes to and fro, and what is in other lines does not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import pair, run, vm
from tests.system.test_memory_system import SILENT, guest, platform
from tests.system.virtual import same_everywhere, virtual

SLOW = pytest.mark.slow
SNOOP = 40
"""Cycles: ``snoop_dirty`` of the preset."""


def machine(distance: int, rounds: int = 20_000, cpus: int = 2, window: str = "10us") -> dict[str, Any]:
    """Each vCPU adds to a number of its own, so many bytes from the next one's."""
    return {
        "platform": platform(),
        "clock": {"mode": "virtual", "mhz": 1200, "window": window},
        "vms": [guest("sharing", f"rounds={rounds} distance={distance}", cpus)],
    }


class Seen:
    """What a run has printed, and what its VMs' guests have counted."""

    def __init__(self, directory: Path, made: dict[str, Any], *options: str) -> None:
        file = directory / "stats.json"
        result = run(directory, made, "--clock", "virtual", "--stats", str(file), *options)
        assert result.status == 0, result.err
        self.out = result.out
        told = json.loads(file.read_text())
        self.guests = {name: each["guest"] for name, each in told["memory"]["vms"].items()}
        self.hand_overs = sum(each["pages_taken"] for each in told["pcpus"].values())

    @property
    def nanoseconds(self) -> int:
        (found,) = re.findall(r"additions in (\d+) ns, ok", self.out)
        return int(found)

    @property
    def snoops(self) -> int:
        return int(sum(each["snoops"] for each in self.guests.values()))


def test_false_sharing_is_felt_and_padding_helps(tmp_path: Path) -> None:
    together, apart = Seen(tmp_path, machine(8)), Seen(tmp_path, machine(64))
    assert min(together.hand_overs, apart.hand_overs) > 150, "all of it is one page either way"
    assert together.snoops > 0.8 * together.hand_overs
    assert apart.snoops < 20, "to start the vCPUs, and at the barrier"
    assert together.guests["sharing"]["stalls"]["coherence"] >= SNOOP * 0.8 * together.snoops
    waited = (together.snoops - apart.snoops) * SNOOP / 1.2 / 2  # two do beside each other
    assert together.nanoseconds - apart.nanoseconds == pytest.approx(waited, rel=0.3)


def test_who_takes_turns_waits_for_the_line_in_each(tmp_path: Path) -> None:
    turns = Seen(tmp_path, machine(0, rounds=500))
    assert turns.snoops > 1000


def test_what_goes_between_vms_is_another_cpus(tmp_path: Path) -> None:
    seen = Seen(tmp_path, pair() | {"platform": platform()}, "--until", "ping:batch 1")
    assert all(each["snoops"] > 4000 for each in seen.guests.values()), (
        "2000 round trips, of a request and an answer each"
    )


def test_who_shares_nothing_loses_nothing(tmp_path: Path) -> None:
    alone = guest("membench", "work=0 size=64KiB passes=2")
    noise = guest("membound", "size=1MiB reads=0", devices=[SILENT])
    made = {"platform": platform(), "clock": {"mode": "virtual", "mhz": 1200}, "vms": [alone, noise]}
    assert Seen(tmp_path, made, "--until", "result").snoops == 0


@pytest.mark.parametrize("distance", [pytest.param(0, marks=SLOW), 8, pytest.param(64, marks=SLOW)])
@pytest.mark.parametrize("window", [pytest.param("1us", marks=SLOW), pytest.param("10us", marks=SLOW), "100us"])
def test_it_is_the_same_everywhere(tmp_path: Path, distance: int, window: str) -> None:
    made = machine(distance, rounds=200 if not distance else 5000, cpus=4, window=window)
    first = same_everywhere(tmp_path, made)
    for threads in ("1", "2", "3"):
        assert virtual(tmp_path, made, "--threads", threads).digest == first.digest


def test_smp_beside_vms_that_share_is_the_same_everywhere(tmp_path: Path) -> None:
    both = pair()
    both["vms"].append(vm("contend", cpus=2, device_tree="auto", command_line="shape=10 rounds=300", devices=[SILENT]))
    made = both | {"platform": platform(), "clock": {"mode": "virtual", "mhz": 1200}}
    first = same_everywhere(tmp_path, made, "--for", "3ms")
    assert virtual(tmp_path, made, "--for", "3ms", "--threads", "3").digest == first.digest
