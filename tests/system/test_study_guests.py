"""The guests and machines of the ready studies, run as users run them, with few repetitions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from baonet.config.loader import load
from baonet.study.one_run import perform
from baonet.study.study_file import read
from baonet.trace.reader import TraceReader
from tests.patience import LIMIT
from tests.system.machine import Result, baonet, run, vm

pytestmark = pytest.mark.slow
STUDIES = Path(__file__).parents[2] / "examples" / "studies"
MACHINES = STUDIES / "machines"
LINUX = Path(__file__).parents[1] / "guests" / "cache" / "linux-cloud.image"


def machine(name: str, *settings: str) -> Result:
    """The machine of a study with some of its fields changed."""
    changed = [f"--set={setting}" for setting in settings]
    return baonet("run", MACHINES / f"{name}.yaml", "--timeout", LIMIT, *changed)


def numbers(pattern: str, result: Result) -> list[int]:
    """The groups of the only match."""
    (found,) = re.findall(pattern, result.out)
    return [int(each) for each in ([found] if isinstance(found, str) else found)]


def told(guest: str, command_line: str, tmp_path: Path, **fields: Any) -> Result:
    """One guest by itself, with this command line."""
    alone = vm(guest, command_line=command_line, device_tree="auto", **fields)
    return run(tmp_path, {"vms": [alone]})


@pytest.mark.parametrize("clock", ["virtual", "host"])
@pytest.mark.parametrize("size", ["1", "100", "4KiB", "256KiB"])
def test_messages_of_every_size_come_back_as_they_were_sent(size: str, clock: str) -> None:
    result = machine("ping-pong", f"vms[ping].command_line=size={size} count=20 warmup=3", f"clock.mode={clock}")
    assert result.status == 0, result.err
    assert re.search(r"ping: 20 round trips of \d+ B, .* ns, 0 wrong\n", result.out)
    assert "pong: answered 23\n" in result.out


def test_a_message_takes_longer_the_longer_it_is() -> None:
    results = [
        machine("ping-pong", f"vms[ping].command_line=size={size} count=20") for size in ("64", "16KiB", "64KiB")
    ]
    short, longer, longest = (numbers(r"min/p50/p99/max \d+/(\d+)/", result)[0] for result in results)
    assert short < longer < longest
    assert longest - longer == pytest.approx(3 * (longer - short), rel=0.05)


def test_a_flood_makes_messages_late_unless_interrupts_are_direct() -> None:
    few = "vms[ping].command_line=size=64 count=100 pause=10us"
    slowest = {}
    for label, interval, interrupts in (
        ("quiet", "0", "mediated"),
        ("flooded", "2us", "mediated"),
        ("direct", "2us", "direct"),
    ):
        settings = [few, f"vms[neighbour].command_line=interval={interval}"]
        settings += [f"vms[{name}].interrupts={interrupts}" for name in ("ping", "pong")]
        result = machine("noisy-neighbour", *settings)
        assert result.status == 0, result.err
        rang = numbers(r"neighbour: rang (\d+) times", result)[0]
        taken = numbers(r"pong: (\d+) interrupts by the neighbour", result)[0]
        assert rang == 0 if interval == "0" else 0 < taken <= rang + 3
        slowest[label] = numbers(r"max \d+/\d+/\d+/(\d+) ns, 0 wrong", result)[0]
    assert slowest["direct"] < slowest["quiet"] < slowest["flooded"]


def latencies(interrupts: str, busy: int, *settings: str) -> tuple[int, int]:
    """Medians of the timer and of the notification, in nanoseconds."""
    result = machine(
        "interrupt-latency",
        f"vms[timer].command_line=period=50us count=50 busy={busy}",
        f"vms[notified].command_line=busy={busy}",
        f"vms[timer].interrupts={interrupts}",
        f"vms[notified].interrupts={interrupts}",
        *settings,
    )
    assert result.status == 0, result.err
    timer, notification = (
        numbers(rf"{name}: 50 interrupts, latency min/p50/p99/max \d+/(\d+)/", result)[0] for name in ("timer", "ipc")
    )
    return timer, notification


@pytest.mark.parametrize("busy", [0, 1])
def test_a_direct_interrupt_saves_what_the_hypervisor_takes(busy: int) -> None:
    """Where an interrupt meets a busy guest, it waits for the end of a block: a few instructions more or less."""
    mediated, direct = latencies("mediated", busy), latencies("direct", busy)
    assert mediated[0] - direct[0] == pytest.approx(680, abs=8)
    assert mediated[1] - direct[1] == pytest.approx(680, abs=8)
    assert direct[1] > 1000


def test_where_interrupts_are_direct_those_of_the_hypervisor_s_own_can_cost_more() -> None:
    cheap, dear = (latencies("direct", 0, f"platform.costs={{relayed: {cost}}}") for cost in ("0", "2us"))
    assert dear[0] == cheap[0]
    assert dear[1] - cheap[1] == pytest.approx(2000, abs=8)
    assert latencies("mediated", 0, "platform.costs={relayed: 2us}") == latencies("mediated", 0)


def test_where_memory_takes_time_what_is_direct_is_faster_and_what_is_relayed_slower() -> None:
    system = ("clock.mhz=1200", "platform.memory_system=cortex-a53")
    mediated, direct = latencies("mediated", 0, *system), latencies("direct", 0, *system)
    assert direct[0] < mediated[0]
    assert direct[1] > mediated[1]


def test_a_small_boot_takes_the_same_time_beside_others(tmp_path: Path) -> None:
    plan = read(STUDIES / "boot-time.yaml")
    lasted = []
    for point in plan.points():
        if point.settings["run.clock"] == "virtual":
            answer = perform(plan.request(point.settings), str(tmp_path / "run.bnt"))
            assert answer.status == 0, answer.said
            with TraceReader(tmp_path / "run.bnt") as trace:
                assert trace.footer is not None
                lasted.append(trace.footer.time)
    assert len(lasted) == 4
    assert len(set(lasted)) == 1


def test_parameters_come_with_units(tmp_path: Path) -> None:
    result = told("boot", "  memory=1MiB   devices=2 wait=1us ", tmp_path)
    assert "boot: 1024 KiB of memory\n" in result.out
    assert "boot: device 2 of 2\n" in result.out


@pytest.mark.parametrize("word", ["devises=2", "devices", "devices=", "devices=two", "devices=2min", "=2", "x" * 200])
def test_a_parameter_that_is_not_understood_ends_the_guest_and_is_told(word: str, tmp_path: Path) -> None:
    result = told("boot", f"memory=64KiB {word}", tmp_path)
    assert f"boot: '{word[:63]}' is not understood" in result.out
    assert "boot:   devices\n" in result.out
    assert "boot: ready" not in result.out


def test_without_a_device_tree_all_is_as_by_default(tmp_path: Path) -> None:
    result = run(tmp_path, {"vms": [vm("boot")]})
    assert "boot: device 20 of 20\n" in result.out


def test_the_device_tree_is_found_at_the_start_of_ram_where_bao_tells_nothing(tmp_path: Path) -> None:
    tree = {"path": "auto", "base": 0x40000000}
    alone = vm("boot", command_line="devices=1", device_tree=tree)
    result = run(tmp_path, {"faithful": "strict", "vms": [alone]}, "--until", "boot: ready")
    assert "boot: device 1 of 1\n" in result.out


@pytest.mark.parametrize("study", sorted(STUDIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_point_of_a_study_is_a_machine(study: Path) -> None:
    plan = read(study)
    assert "" not in (plan.title, plan.description, plan.expected)
    for point in plan.points():
        if (
            study.stem == "boot-time-linux"
            and not (MACHINES / "../../../tests/guests/cache/linux-cloud.image").exists()
        ):
            pytest.skip("needs tests/guests/fetch")
        load(plan.machine_of(point.settings), plan.overrides(point.settings))
