"""``baonet study`` as users type it, on the guests that come with it."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from baonet.cli.main import main
from baonet.study.measure import measure_file
from baonet.study.plan import MetricSpec
from baonet.study.results import Results, results
from baonet.study.store import Store
from baonet.trace.reader import TraceReader
from tests.patience import PROCESS
from tests.system.machine import COMMAND, baonet, gone, pair, write

METRICS = [
    "ipc-latency",
    "interrupt-latency",
    "time-share",
    "messages",
    "exits",
    {"console_time": r"batch 1: 2000 round trips", "name": "first batch"},
    {"console": r"min/avg/max (?P<least>\d+)/(?P<average>\d+)/", "unit": "ns", "name": "what ping says"},
]


def study(directory: Path, **fields: Any) -> Path:
    write(directory, pair() | {"clock": {"mode": "virtual", "window": "10us"}})
    file = directory / "study.yaml"
    file.write_text(
        yaml.safe_dump({"version": 1, "machine": "machine.yaml", "metrics": METRICS, "for": "1ms"} | fields)
    )
    return file


def read(file: Path) -> Results:
    with Store(file, write=False) as store:
        return results(store)


@pytest.mark.slow
def test_where_runs_are_changes_nothing_in_them(tmp_path: Path) -> None:
    sweep = {"run.on": ["local:1", "local:2"], "placement": ["pack", "spread"]}
    file = study(tmp_path, **{"for": "300us"}, sweep=sweep)
    done = baonet("study", file, "-o", tmp_path / "results.sqlite")
    assert done.status == 0, done.err
    found = read(tmp_path / "results.sqlite")
    assert len(found.rows) == 4
    assert not found.disagreements
    assert len({row.digest for row in found.rows}) == 1
    assert len(found.shown) == 1
    again = baonet("study", study(tmp_path, **{"for": "300us"}), "-o", tmp_path / "other.sqlite", "--on", "local:2")
    assert again.status == 0, again.err
    assert {row.digest for row in read(tmp_path / "other.sqlite").rows} == {row.digest for row in found.rows}


@pytest.mark.slow
def test_ping_pong(tmp_path: Path) -> None:
    file = study(
        tmp_path,
        **{"for": "20ms"},
        sweep={"clock.latency.ipc": ["1us", "3us"], "run.placement": ["one-process", "process-per-cpu"]},
        repeats=2,
    )
    out = tmp_path / "results.sqlite"
    done = baonet("study", file, "-o", out)
    assert done.status == 0, done.err
    found = read(out)
    assert len(found.rows) == 8
    assert not found.disagreements
    assert len({row.digest for row in found.rows}) == 2
    assert len(found.shown) == 2
    latency = found.metric("ipc-latency")
    for number, configured in zip(found.shown, (1000, 3000), strict=True):
        one_way = latency.samples["ping", "pong"][number]
        assert one_way.count > 1000
        # The interrupt is acknowledged a few instructions after the message has come, to a guest that waits.
        assert configured < one_way.least <= one_way.mean < configured + 1000
        shares = [
            found.metric("time-share").values["ping", "0", each][number][0] for each in ("guest", "waiting", "off")
        ]
        assert all(0 <= share <= 1 for share in shares)
    assert set(latency.notes) <= {
        "notifications that were lost, or under way at the end",
        "notifications whose interrupt was not acknowledged",
        "notifications that joined one that was still pending",  # while the other VM starts
    }
    sent = found.metric("messages").values["ping", "pong", "IpcNotify"]
    assert all(abs(sent[number][0] - latency.samples["ping", "pong"][number].count) <= 1 for number in found.shown)
    said = found.metric("what ping says").samples["ping", "average"]
    assert said[0].mean < said[2].mean
    stages = found.metric("interrupt-latency").samples["pong", "84", "IPC", "raised to pending"]
    assert all(each.least >= 680 for each in stages.values())  # the platform's cost of an interrupt
    again = baonet("study", file, "-o", out)
    assert (again.status, again.err.strip()) == (0, "[####################] 8/8 runs")
    page = baonet("report", out, "-o", tmp_path / "page.html")
    assert page.status == 0, page.err
    assert "first batch" in (tmp_path / "page.html").read_text()


def test_ctrl_c_and_then_the_rest(tmp_path: Path) -> None:
    file = study(tmp_path, sweep={"clock.latency.ipc": [f"{n}us" for n in range(1, 7)]})
    out = tmp_path / "results.sqlite"
    process = subprocess.Popen(
        [*COMMAND, "study", str(file), "-o", str(out), "--jobs", "1"], stderr=subprocess.PIPE, text=True
    )
    while not (out.exists() and _done(out)):
        assert process.poll() is None
        time.sleep(0.02)
    children = _children(process.pid)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PROCESS)
    assert process.returncode == 130, said
    assert "ended by SIGINT; the same command goes on" in said
    assert gone(children)
    before = _done(out)
    assert 1 <= before < 6
    assert sorted(each.name for each in tmp_path.iterdir()) == ["machine.yaml", "results.sqlite", "study.yaml"]
    listed = baonet("study", file, "-o", out, "--list").out
    assert listed.count("to do") == 6 - before
    done = baonet("study", file, "-o", out)
    assert done.status == 0, done.err
    assert _done(out) == 6


def test_a_study_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    file = study(tmp_path, **{"for": "1000s"}, sweep={"run.placement": ["process-per-cpu"]})
    out = tmp_path / "results.sqlite"
    process = subprocess.Popen([*COMMAND, "study", str(file), "-o", str(out)], stderr=subprocess.DEVNULL)
    traces = tmp_path / "results.sqlite.work" / "0-0-0" / "trace.bnt"
    with process:
        while not traces.exists():
            assert process.poll() is None
            time.sleep(0.02)
        (child,) = _children(process.pid)
        pcpus = _children(child)
        process.kill()
    assert gone([child, *pcpus])
    file = study(tmp_path)
    assert baonet("study", file, "-o", out, "--fresh").status == 0
    assert not (tmp_path / "results.sqlite.work").exists()


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _done(file: Path) -> int:
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        count: int = db.execute("SELECT count(*) FROM runs WHERE status = 'done'").fetchone()[0]
    except sqlite3.OperationalError:  # it has no tables yet
        return 0
    finally:
        db.close()
    return count


@pytest.mark.slow
def test_results_of_another_machine_are_refused(tmp_path: Path) -> None:
    file = study(tmp_path)
    out = tmp_path / "results.sqlite"
    assert baonet("study", file, "-o", out).status == 0
    machine = tmp_path / "machine.yaml"
    machine.write_text(machine.read_text().replace("10us", "20us"))
    refused = baonet("study", file, "-o", out)
    assert refused.status == 2
    assert "were made before a change of the machine file machine.yaml" in refused.err
    assert "--fresh" in refused.err
    assert baonet("study", file, "-o", out, "--fresh").status == 0


def test_results_of_another_study_are_not_listed_as_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "results.sqlite"
    with Store(out, write=True) as store:
        store.describe({"fingerprint": '{"the study": "another"}'}, [])
    command = ["study", str(study(tmp_path)), "-o", str(out), "--list"]
    assert main(command) == 2
    said = capsys.readouterr()
    assert (said.out, "--fresh discards them" in said.err) == ("", True)
    assert main([*command, "--fresh"]) == 0
    assert capsys.readouterr().out.startswith("to do ")


def test_failures_are_told_and_kept(tmp_path: Path) -> None:
    file = study(tmp_path, **{"for": "100ms"}, timeout="500ms", sweep={"run.clock": ["host"]}, metrics=["exits"])
    out = tmp_path / "results.sqlite"
    done = baonet("study", file, "-o", out)
    assert done.status == 1
    assert "1 failed; the same command tries them again" in done.err
    (row,) = read(out).rows
    assert not row.done
    why = "'for' is of virtual time: set run.clock to virtual with it"
    assert why in row.error
    listed = baonet("study", file, "-o", out, "--list").out
    assert listed.startswith("failed  point 0")
    assert why in listed


def test_a_failure_is_told_by_the_line_that_says_why(tmp_path: Path) -> None:
    fields = {"until": "never", "for": "1ms", "metrics": ["exits"]}
    done = baonet("study", study(tmp_path, **fields), "-o", tmp_path / "results.sqlite")
    assert "status 6, a text that 'until' waits for was not printed: nobody printed 'never'\n" in done.err
    assert baonet("report", tmp_path / "results.sqlite", "-o", tmp_path / "results.html").status == 1  # it is not whole
    assert "followed the host's clock" not in (tmp_path / "results.html").read_text()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"machine": "absent.yaml"}, "absent.yaml: cannot be read"),
        ({"sweep": {"clock.windw": ["1us"]}}, "windw"),
        ({"sweep": {"vms.7.cpus": [1]}}, "vms"),
        ({"sweep": {"clock.window": ["1 apple"]}}, "1 apple"),
    ],
)
def test_what_is_wrong_is_told_before_anything_runs(tmp_path: Path, fields: dict[str, Any], told: str) -> None:
    done = baonet("study", study(tmp_path, **fields), "-o", tmp_path / "results.sqlite")
    assert done.status == 2
    assert told in done.err
    assert not (tmp_path / "results.sqlite").exists()


def test_a_file_that_is_no_result_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "notes.txt"
    out.write_text("mine")
    done = baonet("study", study(tmp_path), "-o", out, "--fresh")
    assert done.status == 2
    assert out.read_text() == "mine"


def test_traces_can_be_kept(tmp_path: Path) -> None:
    done = baonet("study", study(tmp_path), "-o", tmp_path / "r.sqlite", "--traces", tmp_path / "traces")
    assert done.status == 0, done.err
    trace = tmp_path / "traces" / "0-0-0.bnt"
    shares = measure_file(trace, [MetricSpec("share", "time-share")]).measured["share"].values
    with TraceReader(trace) as reader:
        assert reader.footer is not None
        for pcpu, counters in reader.footer.statistics.items():
            vm = reader.header.names()[pcpu]
            # Time is retired instructions: what is not an instruction is waiting, or the hypervisor's. The guest's
            # visible time may have been ahead of that where it took a page, once in each of its stays.
            stays = counters["exits_hvc"] + counters["exits_interrupt"] + counters["exits_wfi"]
            most = counters["instructions"] + counters["ahead"] * stays
            share = shares[vm, str(pcpu), "guest"] * reader.footer.time
            assert counters["instructions"] <= round(share) <= most
