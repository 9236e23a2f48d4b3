"""Study files: what they mean, and how mistakes are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.config.loader import load
from baonet.document.errors import ConfigError
from baonet.launch.crews import Placement
from baonet.study.fingerprint import changes, fingerprint
from baonet.study.one_run import RunRequest
from baonet.study.plan import Study
from baonet.study.study_fields import FIELDS, PLACEMENTS
from baonet.study.study_file import read, with_settings
from baonet.study.units import Amount, amount, number, scale, show
from tests.config.machines import write

LEAST: dict[str, Any] = {"version": 1, "machine": "machine.yaml", "metrics": ["exits"]}


def study(directory: Path, **fields: Any) -> Study:
    file = directory / "study.yaml"
    file.write_text(yaml.safe_dump(LEAST | fields, sort_keys=False))
    return read(file)


def mistake(directory: Path, text: str) -> str:
    file = directory / "study.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(file)
    return str(caught.value)


def test_the_least_study_is_one_run(tmp_path: Path) -> None:
    found = study(tmp_path)
    (run,) = found.runs()
    assert found.title == "study"
    assert found.machine == tmp_path / "machine.yaml"
    assert found.request(run.settings) == RunRequest(
        str(tmp_path / "machine.yaml"), {}, (), None, None, None, None, "10m"
    )


def test_a_sweep_is_every_combination(tmp_path: Path) -> None:
    found = study(tmp_path, sweep={"clock.window": ["1us", "10us"], "vms.0.cpus": [1, 2, 4]})
    points = found.points()
    assert [point.label for point in points][:4] == [
        "clock.window 1us, vms.0.cpus 1",
        "clock.window 1us, vms.0.cpus 2",
        "clock.window 1us, vms.0.cpus 4",
        "clock.window 10us, vms.0.cpus 1",
    ]
    assert points[5].settings == {"clock.window": "10us", "vms.0.cpus": 4}
    assert points[5].place["clock.window"].amount == Amount(10_000, "ns")
    assert points[5].place["vms.0.cpus"].amount == Amount(4)


def test_seeds_and_repeats_multiply_the_runs_and_not_the_points(tmp_path: Path) -> None:
    found = study(
        tmp_path,
        sweep={"clock.mhz": [500, 1000]},
        seeds={"faults.0.seed": [1, 2, 3], "faults.1.seed": [7, 8, 9]},
        repeats=2,
    )
    runs = list(found.runs())
    assert len(runs) == 2 * 3 * 2
    assert len({(run.point, run.seed, run.repeat) for run in runs}) == len(runs)
    assert runs[0].settings == {"clock.mhz": 500, "faults.0.seed": 1, "faults.1.seed": 7}
    assert [run.point for run in runs[:4]] == [0, 1, 0, 1]


def test_alternatives_set_several_fields_at_once(tmp_path: Path) -> None:
    direct = {"vms.0.interrupts": "direct", "vms.1.interrupts": "direct"}
    found = study(
        tmp_path,
        sweep={"delivery": [{"label": "mediated", "set": {}}, {"label": "direct", "set": direct, "value": "64KiB"}]},
    )
    assert [point.label for point in found.points()] == ["delivery mediated", "delivery direct"]
    assert found.points()[1].settings == direct
    assert found.points()[1].place["delivery"].amount == Amount(65536, "B")


def test_what_all_runs_have_comes_before_what_their_points_say(tmp_path: Path) -> None:
    found = study(
        tmp_path,
        set={"platform.cpus": 8, "vms.0.cpus": 2},
        sweep={"vms.0.cpus": [3, 4]},
        seeds={"a.b": [1]},
    )
    assert [list(found.overrides(run.settings).items()) for run in found.runs()] == [
        [("platform.cpus", 8), ("vms.0.cpus", number), ("a.b", 1)] for number in (3, 4)
    ]


def test_what_all_runs_have_may_be_a_part_of_what_their_points_say(tmp_path: Path) -> None:
    """Or the other way round: a whole comes first, whoever has given it."""
    part, whole = ("platform.memory_system.l2.size", "512KiB"), ("platform.memory_system", "cortex-a53")
    for all_have, swept in ((part, whole), (whole, part)):
        found = study(tmp_path, set=dict([all_have]), sweep={swept[0]: [swept[1]]})
        assert [list(found.overrides(run.settings).items()) for run in found.runs()] == [[whole, part]]


def test_other_settings_of_all_runs_make_other_results(tmp_path: Path) -> None:
    write(tmp_path)
    digests = [fingerprint(study(tmp_path, set=given), load) for given in ({}, {"vms.0.cpus": 2}, {"platform.cpus": 8})]
    assert changes(digests[0], digests[1]) == ["what all runs of the study have"]
    assert changes(digests[1], digests[2]) == ["what all runs of the study have", "the platform"]


def test_what_is_wrong_with_any_point_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path)
    found = study(tmp_path, sweep={"clock.mhz": [1000, 0], "clock.window": ["1us", "1ns", "2s"]})
    with pytest.raises(ConfigError) as caught:
        fingerprint(found, load)
    fields = ["clock.mhz", "clock.window", "clock.window"]
    assert [each.field for each in caught.value.problems] == fields


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("run.for", "apple", "'apple' is not a duration"),
        ("run.for", "0s", "a run of no time"),
        ("run.until", "", "'' is not text"),
        ("run.until", ["x", ""], "'' is not text"),
        ("run.clock", "real", "'real' is not known here"),
        ("run.placement", "somewhere", "'somewhere' is not known here"),
        ("run.on", "local:0", "does not say how many nodes"),
    ],
)
def test_an_option_of_a_run_is_checked_before_any_runs(tmp_path: Path, option: str, value: Any, told: str) -> None:
    for fields in (
        {"sweep": {option: [None, value]}},
        {"sweep": {"own": [{"label": "a", "set": {option: value}}]}},
        {"points": [{option: value}]},
        {"seeds": {option: [value]}},
        {"set": {option: value}},
    ):
        with pytest.raises(ConfigError) as caught:
            study(tmp_path, **fields)
        (problem,) = caught.value.problems
        assert told in problem.message
        assert problem.line > 1
    if not isinstance(value, list):
        with pytest.raises(ConfigError, match=option):
            with_settings(study(tmp_path), [f"{option}={value!r}"])


def test_placements_are_those_of_a_run() -> None:
    assert tuple(each.value for each in Placement) == PLACEMENTS


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("absent", "absent: cannot be read: No such file or directory"),
        ("/dev/zero", "is larger than 16MiB"),
        ("machine.yaml", "machine.yaml:1:1: a mapping is not a list"),
    ],
)
def test_console_input_is_read_before_any_runs(tmp_path: Path, name: str, told: str) -> None:
    write(tmp_path)
    with pytest.raises(ConfigError) as caught:
        fingerprint(study(tmp_path, sweep={"run.input": [None, name]}), load)
    assert told in str(caught.value)


def test_what_a_call_gives_to_all_runs(tmp_path: Path) -> None:
    texts = ["platform=qemu-riscv64-virt", "vms.0.cpu_affinity=[1, 2]", "run.for=2ms"]
    found = study(tmp_path)
    assert with_settings(found, texts).given == {
        "platform": "qemu-riscv64-virt",
        "vms.0.cpu_affinity": [1, 2],
        "run.for": "2ms",
    }
    with pytest.raises(ConfigError, match=r"with run.away=1: run.away: 'run.away' cannot be set\n.*it can be run.for"):
        with_settings(found, ["run.away=1"])


def test_what_a_call_gives_is_in_place_of_what_the_study_gives_to_all(tmp_path: Path) -> None:
    """Otherwise nothing would come of it, without a word."""
    system = {"platform.memory_system": "cortex-a53", "clock.mhz": 1200}
    found = with_settings(study(tmp_path, set=system), ["platform.memory_system=off"])
    assert found.given == {"platform.memory_system": "off", "clock.mhz": 1200}


@pytest.mark.parametrize(
    "fields",
    [
        {"sweep": {"clock.mhz": [500, 1000]}},
        {"sweep": {"speed": [{"label": "slow", "set": {"clock.mhz": 5}}, {"label": "fast", "set": {"clock.mhz": 9}}]}},
        {"points": [{"clock.mhz": 500}, {"clock.mhz": 1000}]},
        {"seeds": {"clock.mhz": [500, 1000]}},
    ],
)
def test_what_each_point_sets_is_no_place_for_what_a_call_gives(tmp_path: Path, fields: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"with clock.mhz=3: clock.mhz: each point of the study sets it for itself"):
        with_settings(study(tmp_path, **fields), ["clock.mhz=3"])
    part = study(tmp_path, points=[{"clock.mhz": 500}, {"clock.window": "1us"}])
    assert with_settings(part, ["clock.mhz=3"]).given == {"clock.mhz": 3}


def test_points_can_be_listed(tmp_path: Path) -> None:
    found = study(tmp_path, points=[{"clock.mhz": 500}, {"label": "fast", "set": {"clock.mhz": 2000}}])
    assert [(point.label, point.settings) for point in found.points()] == [
        ("clock.mhz 500", {"clock.mhz": 500}),
        ("fast", {"clock.mhz": 2000}),
    ]


def test_what_a_run_is_told(tmp_path: Path) -> None:
    found = study(
        tmp_path,
        **{"for": "20ms", "until": "shell ready", "timeout": "30s"},
        sweep={
            "machine": ["../two.yaml"], "run.placement": ["one-process"], "run.for": ["5ms"],
            "run.input": ["keys.yaml"],
            "vms.0.cpu_affinity": [[0, 2]], "input": [[{"vm": "a", "at": "1ms", "text": "x\n"}]],
        },
    )  # fmt: skip
    (run,) = found.runs()
    assert found.request(run.settings) == RunRequest(
        machine=str(tmp_path / "../two.yaml"),
        settings={"vms.0.cpu_affinity": [0, 2], "input": [{"vm": "a", "at": "1ms", "text": "x\n"}]},
        until=("shell ready",),
        duration="5ms",
        input=f"{tmp_path}/keys.yaml",
        placement="one-process",
        on=None,
        timeout="30s",
    )
    assert found.points()[0].place["machine"].label == "two"


def test_several_texts_end_a_run_when_all_have_come(tmp_path: Path) -> None:
    (run,) = study(tmp_path, until=["ping:done", "ready"]).runs()
    found = study(tmp_path, until=["ping:done", "ready"])
    assert found.request(run.settings).until == ("ping:done", "ready")
    swept = study(tmp_path, until="x", sweep={"run.until": ["first", ["second", "pong:third"]]})
    assert [swept.request(run.settings).until for run in swept.runs()] == [("first",), ("second", "pong:third")]
    none = study(tmp_path, until="x", sweep={"run.until": [None]})
    assert [none.request(run.settings).until for run in none.runs()] == [()]


def test_metrics(tmp_path: Path) -> None:
    found = study(
        tmp_path,
        metrics=[
            "ipc-latency",
            {"metric": "interrupt-latency", "interrupts": [27, 84]},
            {"console": r"took (\d+) ns", "name": "took", "unit": "ns", "vm": "ping"},
            {"console_time": "ready"},
            {"metric": "round-trip", "ids": {7: "empty message"}},
        ],
    )
    assert [(spec.name, spec.kind) for spec in found.metrics] == [
        ("ipc-latency", "ipc-latency"),
        ("interrupt-latency", "interrupt-latency"),
        ("took", "console"),
        ("console-time", "console-time"),
        ("round-trip", "round-trip"),
    ]
    assert found.metrics[1].interrupts == (27, 84)
    assert found.metrics[2].pattern == r"took (\d+) ns"
    assert found.metrics[4].ids == {"7": "empty message"}


HEAD = "version: 1\nmachine: m.yaml\nmetrics: [exits]\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 1\n", ["'machine' is missing", "'metrics' is missing"]),
        ("[1]", ["a list is no study"]),
        ("version: 1\nplatform: zcu104\nvms: []\n", ["is a machine file, and no study file", "'baonet run'"]),
        ("extends: zcu104\n", ["is a platform, and no study file", "'platform' of a machine file"]),
        (HEAD + "sweeps: {}", ["unknown key 'sweeps'", "did you mean 'sweep'?"]),
        (HEAD + "for: 20", ["20 has no unit"]),
        (HEAD + "for: 2d", ["'d' is not a unit of time", "500ns, 10us"]),
        (HEAD + "timeout: 0", ["a run of no time"]),
        (HEAD + "until: ''", ["'' is not text"]),
        (
            "version: 1\nmachin: m.yaml\nmetrics: [exits]\npoinst: [{a: 1}, {label: x, set: 5}]\nrepaets: 0\n",
            ["did you mean 'machine'?", "did you mean 'points'?", "5 is not a mapping", "0 is out of range"],
        ),
        (HEAD + "until: []", ["the list is empty"]),
        (HEAD + "until: [a, '']", ["'' is not text"]),
        (HEAD + "repeats: 0", ["0 is out of range"]),
        (HEAD + "sweep: {clock.mhz: 5}", ["5 is not a list of values", "[first, second]"]),
        (HEAD + "sweep: {clock.mhz: []}", ["is not a list of values"]),
        (HEAD + "sweep: {clock.mhz: [1, 2, 1]}", ["'1' is there twice"]),
        (HEAD + "sweep: {run.speed: [1]}", ["'run.speed' cannot be set", "run.placement"]),
        (HEAD + "sweep: {'a b': [1]}", ["'a b' is not a field path"]),
        (HEAD + "sweep: {x: [{set: {}, label: a}, 5]}", ["5 is not a mapping"]),
        (HEAD + "sweep: {x: [{set: {}, lable: a}]}", ["unknown key 'lable'", "did you mean 'label'?"]),
        (HEAD + "sweep: {x: [{set: {}, value: much}]}", ["'much' is no amount"]),
        (HEAD + "sweep: {}\npoints: [{a: 1}]", ["both 'points' and 'sweep'"]),
        (HEAD + "points: []", ["the list is empty"]),
        (HEAD + "points: [{a: 1}, {a: 1}]", ["'a 1' is there twice"]),
        (HEAD + "seeds: {a: [1], b: [1, 2]}", ["the lists have different lengths"]),
        (HEAD + "plots: [{metric: exit, kind: bars}]", ["there is no metric 'exit'", "there are exits"]),
        (HEAD + "plots: [{metric: exits, kind: pie}]", ["'pie' is not known here"]),
        (HEAD + "plots: [{metric: exits, kind: stages}]", ["there is no stages of exits", "it can be bars"]),
        (HEAD + "plots: [{metric: exits, kind: bars, axis: size}]", ["there is no axis 'size'"]),
        ("version: 1\nmachine: m\nmetrics: []", ["the list is empty"]),
        ("version: 1\nmachine: m\nmetrics: [latency]", ["'latency' is not known here"]),
        ("version: 1\nmachine: m\nmetrics: [console]", ["it is not clear which metric", "'console: PATTERN'"]),
        ("version: 1\nmachine: m\nmetrics: [{console: '('}]", ["not a regular expression"]),
        ("version: 1\nmachine: m\nmetrics: [{console: 'x'}]", ["this pattern has no group"]),
        ("version: 1\nmachine: m\nmetrics: [{console: '(.)(.)'}]", ["several groups without names"]),
        ("version: 1\nmachine: m\nmetrics: [exits, exits]", ["there are two metrics 'exits'"]),
        ("version: 1\nmachine: m\nmetrics: [{metric: exits, unit: ns}]", ["exits takes no 'unit'"]),
        (HEAD + "repeats: 10000\nsweep: {a: [1,2,3,4,5,6,7,8,9,10,11]}", ["these are 110000 runs"]),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, told: list[str]) -> None:
    message = mistake(tmp_path, text)
    for words in told:
        assert words in message
    assert message.startswith(f"{tmp_path}/study.yaml:")


WORDS = st.sampled_from(
    ["exits", "1us", "[1, 2]", "{a: 1}", "{set: {a: 1}}", "~", "5", "true", "x", "[{set: {}}]", "''"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*FIELDS, "other"]), WORDS))
def test_anything_is_a_study_or_a_config_error(tmp_path: Path, fields: dict[str, str]) -> None:
    file = tmp_path / "study.yaml"
    given_fields = {"version": "1", "machine": "m", "metrics": "[exits]"} | fields
    file.write_text("".join(f"{key}: {value}\n" for key, value in given_fields.items()))
    try:
        found = read(file)
    except ConfigError as error:
        assert error.problems  # noqa: PT017 - either is fine
    else:
        assert len(list(found.runs())) == len(found.points()) * len(found.seeds) * found.repeats


def test_amounts() -> None:
    assert amount("64KiB") == Amount(65536, "B")
    assert amount("2.5ms") == Amount(2_500_000, "ns")
    assert amount(7) == Amount(7)
    assert amount("0.25") == Amount(0.25)
    assert [amount(value) for value in ("x", "1 apple", True, None, [1])] == [None] * 5


def test_numbers_for_readers() -> None:
    assert show(1234, "ns") == "1.234 µs"
    assert show(0, "ns") == "0 ns"
    assert show(2_500_000_000, "B/s") == "2.5 GB/s"
    assert show(12, "") == "12"
    assert show(3, "apples") == "3 apples"
    assert scale(1 << 20, "B") == (1 << 20, "MiB")
    assert number(123456) == "123\N{NARROW NO-BREAK SPACE}456"
    assert number(0.000123456) == "0.0001235"
