"""``baonet trace``: what it prints, writes and returns."""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from baonet.cli import trace as command
from baonet.cli.main import main
from baonet.hyp.armv8.cpu import Exit
from baonet.trace.order import Row
from baonet.trace.records import Kind
from tests.patience import PROCESS
from tests.trace.traces import HEADER, footer, write

ROWS: list[Row] = [
    (0, Kind.STATE, 0, 1, 0, 0),
    (100, Kind.EXIT, 0, Exit.HVC, 0x4000, 0x8600_0001),
    (100, Kind.SENT, 0, 37, 1 << 16 | 1, 1100),
    (400, Kind.ENTRY, 0, 0, 0, 0),
    (1100, Kind.ARRIVED, 1, 37, 1 << 16, 1100),
    (2_500_000_000, Kind.WAIT, 1, 0, 0x5000, 0),
    (2_500_000_000, 20, 1, 0, 0, 0),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "t.bnt", ROWS, end=footer(ROWS, time=2_500_000_042))


def test_info(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "info", str(file)]) == 0
    out, err = capsys.readouterr()
    lines = [line.rstrip() for line in out.splitlines()]
    assert not err
    assert lines[0] == f"file          {file}, {file.stat().st_size} bytes, 7 records in 2 chunks"
    assert "VM            pong, the other: pcpu 1, 2" in lines
    assert "clock         virtual, 1000 MHz, window 10000 ns, slice 1000 ns" in lines
    assert "latency       ipi 500 ns, ipc 1000 ns, spi 500 ns, console 0 ns" in lines
    assert "recorded      0.000000000 s to 2.500000000 s" in lines
    assert "end           done, at 2.500000042 s" in lines
    assert "messages      3 on time, 1 late (at most 7 ns)" in lines
    assert f"digest        {footer(ROWS)['digest']}" in lines
    table = [line.split() for line in lines[lines.index("") + 1 :]]
    assert table == [
        ["records", "pcpu", "0", "pcpu", "1", "all"],
        ["exit", "1", "0", "1"],
        ["wait", "0", "1", "1"],
        ["sent", "1", "0", "1"],
        ["arrived", "0", "1", "1"],
        ["state", "1", "0", "1"],
        ["entry", "1", "0", "1"],
        ["20", "0", "1", "1"],
        ["all", "4", "3", "7"],
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [({}, "cortex-a53"), ({"l2.size": "2MiB", "hypervisor": "xen"}, "cortex-a53, l2.size 2MiB, hypervisor xen")],
)
def test_info_of_a_run_in_which_memory_takes_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], told: str
) -> None:
    system = {"preset": "cortex-a53", "changes": changes}
    uncharged = dict.fromkeys(("hypercall", "access", "interrupt", "direct"), 0)
    path = write(tmp_path / "t.bnt", ROWS, header={**HEADER, "memory_system": system, "costs": uncharged})
    assert main(["trace", "info", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"memory system {told}" in lines
    assert not any(line.startswith("costs") for line in lines)


def test_info_of_a_killed_run_under_the_hosts_clock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "t.bnt", ROWS, end=None, header={**HEADER, "mode": "host"})
    path.write_bytes(path.read_bytes()[:-7])
    assert main(["trace", "info", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "clock         the host's" in out
    assert "end           none: the run was killed, or goes on" in out
    assert err.startswith(f"baonet trace: {path}: the run was killed, or goes on: no end; ")
    assert err.endswith(" bytes of a chunk that is cut off are ignored\n")


def test_info_of_a_run_without_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "info", str(write(tmp_path / "t.bnt", []))]) == 0
    assert "recorded      nothing" in capsys.readouterr().out


def test_verify(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "verify", str(file)]) == 0
    assert capsys.readouterr().out == f"7 records are those of the run: digest {footer(ROWS)['digest']}\n"


def test_verify_says_whose_records_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "t.bnt", [*ROWS, (9, Kind.WAKE, 1, 0, 0, 0)], end=footer(ROWS))
    assert main(["trace", "verify", str(path)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "records are out of order, or another pcpu's: pcpu 1"
    assert out[1] == "the records of pcpu 1 are not those of the run"
    assert out[3] == f"digest of the run:     {footer(ROWS)['digest']}"
    path = write(tmp_path / "t.bnt", ROWS, end={**footer(ROWS), "digest": "12" * 32})
    assert main(["trace", "verify", str(path)]) == 1
    assert "not made from those of its pcpus" in capsys.readouterr().out


NO_DIGEST = {**footer(ROWS), "digest": None, "digests": {}}


@pytest.mark.parametrize(
    ("mode", "end", "why"),
    [
        ("virtual", None, "there is no digest to compare with"),
        ("host", NO_DIGEST, "a run under the host's clock has no digest to compare with"),
        ("virtual", NO_DIGEST, "a run of which a CPU was lost has no digest to compare with"),
    ],
)
def test_verify_needs_a_digest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str, end: dict[str, object] | None, why: str
) -> None:
    path = write(tmp_path / "t.bnt", ROWS, end=end, header={**HEADER, "mode": mode})
    assert main(["trace", "verify", str(path)]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"baonet trace: {path}: {why}"


@pytest.mark.parametrize("arguments", [["info"], ["verify"], ["export", "--csv", "-"]])
def test_what_is_no_trace_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    wrong = tmp_path / "wrong.bnt"
    wrong.write_bytes(b"BNT2\n")
    newer = write(tmp_path / "newer.bnt", ROWS, header={**HEADER, "version": 4})
    older = write(tmp_path / "older.bnt", ROWS, header={**HEADER, "version": 1})
    other = "and this one reads version 3: read it with the one that wrote it"
    reasons = {
        wrong: "not a trace",
        newer: f"written by a newer baonet: its version is 4, {other}",
        older: f"written by an older baonet: its version is 1, {other}",
        tmp_path / "absent.bnt": "No such file or directory",
        tmp_path: "Is a directory",
    }
    for path, why in reasons.items():
        assert main(["trace", arguments[0], str(path), *arguments[1:]]) == 2
        out, err = capsys.readouterr()
        assert (out, err) == ("", f"baonet trace: {path}: {why}\n")


def test_exports_to_files_and_to_standard_output(file: Path, tmp_path: Path) -> None:
    run = [sys.executable, "-m", "baonet.cli.main", "trace", "export", str(file)]
    for form in ("--csv", "--json", "--perfetto"):
        target = tmp_path / "out"
        assert main(["trace", "export", str(file), form, str(target)]) == 0
        printed = subprocess.run([*run, form, "-"], capture_output=True, check=True, timeout=PROCESS)
        assert printed.stdout == target.read_bytes()
        assert not printed.stderr
    assert main(["trace", "export", str(file), "--json", str(target)]) == 0
    assert len(json.loads(target.read_text())["records"]) == len(ROWS)


def test_a_format_is_asked_for(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "export", str(file)]) == 2
    assert "one of the arguments --perfetto --json --csv is required" in capsys.readouterr().err


def test_the_trace_is_not_written_over(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = file.read_bytes()
    assert main(["trace", "export", str(file), "--csv", str(file)]) == 2
    assert capsys.readouterr().err == f"baonet trace: {file} would be lost: {file} is read\n"
    assert file.read_bytes() == before


def test_an_export_that_fails_leaves_no_half_of_a_file(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("baonet.trace.export_csv.export", interrupted)
    target = tmp_path / "out.csv"
    assert main(["trace", "export", str(file), "--csv", str(target)]) == 130
    assert not target.exists()
    monkeypatch.undo()
    if os.path.exists("/dev/full"):
        out = subprocess.run(
            [sys.executable, "-m", "baonet.cli.main", "trace", "export", str(file), "--csv", "/dev/full"],
            capture_output=True,
            check=False,
            timeout=PROCESS,
        )
        assert (out.returncode, out.stderr) == (1, b"baonet: /dev/full: No space left on device\n")


def test_perfetto_is_an_extra(file: Path, tmp_path: Path) -> None:
    without = (
        "import sys; sys.modules['perfetto'] = None; from baonet.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    out = subprocess.run(
        [sys.executable, "-c", without, "trace", "export", str(file), "--perfetto", str(tmp_path / "out")],
        capture_output=True,
        check=False,
        timeout=PROCESS,
    )
    assert out.returncode == 2
    assert out.stderr == b"baonet trace: --perfetto needs one more package: pip install 'baonet[perfetto]'\n"
    assert not (tmp_path / "out").exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0, 0.3)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        with command._Shown("reading") as shown:
            for done in range(5):
                shown(done, 4)
        live = stream.isatty()
        assert stream.getvalue().startswith("\rreading: 25 %" if live else "")
        assert stream.getvalue().endswith(" \r" if live else "")
        assert bool(stream.getvalue()) == live


def test_a_perfetto_trace_is_not_for_a_terminal(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert main(["trace", "export", str(file), "--perfetto", "-"]) == 2
    assert "give --perfetto a file" in capsys.readouterr().err
