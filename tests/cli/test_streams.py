"""Standard streams that are closed, full, or have nobody at their other end: a status, and one line at most."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from tests.patience import PROCESS
from tests.system.machine import COMMAND, Result, baonet, vm, write

FULL = "baonet: output: No space left on device\n"


def shell(line: str, file: Path) -> Result:
    """``baonet`` and ``FILE`` in the line stand for what they say; the status is that of the first command."""
    prelude = f'baonet() {{ {shlex.join(COMMAND)} "$@"; }}; FILE={shlex.quote(str(file))}'
    done = subprocess.run(
        ["bash", "-c", f"{prelude}; {line}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=PROCESS,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    return write(tmp_path, {"vms": [vm("hello")]})


@pytest.mark.parametrize("placement", ["process-per-cpu", "one-process"])
def test_a_reader_that_goes_ends_a_run_without_a_word(tmp_path: Path, placement: str) -> None:
    file = write(tmp_path, {"vms": [vm("flood-forever")]})
    result = shell(f'baonet run "$FILE" --placement {placement} | head -n 1', file)
    assert (result.status, result.err) == (141, "")
    assert result.out == "flood-forever | flood: vCPU 0, line 0\n"


@pytest.mark.parametrize("command", ['check "$FILE"', 'dtb "$FILE" --vm hello', "schema", "platforms"])
def test_a_reader_that_never_was_ends_a_command_without_a_word(hello: Path, command: str) -> None:
    result = shell(f"{{ sleep 0.01; baonet {command}; }} | exec true", hello)
    assert result.status in (0, 141)  # 0: all of it was written before the reader went
    assert result.err == ""


@pytest.mark.parametrize("command", ["--help", "run --help", "--version", "no-such-command 2>&1"])
def test_help_that_is_cut_short_is_no_error(hello: Path, command: str) -> None:
    result = shell(f"{{ sleep 0.01; baonet {command}; }} | exec true", hello)
    assert result.status in (0, 2, 141)
    assert result.err == ""
    full = shell(f"baonet {command.removesuffix(' 2>&1')} >/dev/full", hello)
    assert (full.status, full.err) == (1, FULL) or "usage:" in full.err


FULL_DISK = [
    'check "$FILE"',
    'run "$FILE"',
    'dtb "$FILE" --vm hello',
    "schema",
    "init --list",
    "--help",
    "trace export --help",
    "--version",
]


@pytest.mark.parametrize("command", FULL_DISK)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_one_line(hello: Path, command: str, unbuffered: str) -> None:
    result = shell(f"PYTHONUNBUFFERED={unbuffered} baonet {command} >/dev/full", hello)
    assert (result.status, result.err) == (1, FULL)


def test_closed_input_is_an_empty_one(tmp_path: Path) -> None:
    file = write(tmp_path, {"vms": [vm("hello")]})
    result = shell('baonet run "$FILE" --console hello <&-', file)
    assert (result.status, result.err) == (0, "")
    assert "hello: done" in result.out


def test_closed_output_drops_what_is_said(hello: Path) -> None:
    assert shell('baonet run "$FILE" >&-', hello) == Result(0, "", "")
    assert shell('baonet check "$FILE" >&-', hello) == Result(0, "", "")


def test_closed_errors_leave_the_status(tmp_path: Path) -> None:
    file = write(tmp_path, {"vms": [vm("misbehave-unmapped-read")]})
    result = shell('baonet run "$FILE" 2>&-', file)
    assert (result.status, result.err) == (3, "")
    assert "parks" in result.out
    assert shell("baonet check no-such-file 2>&-", file) == Result(2, "", "")


def test_all_streams_closed(hello: Path) -> None:
    assert shell('baonet run "$FILE" <&- >&- 2>&-', hello) == Result(0, "", "")


def test_an_output_that_does_not_block_is_an_output(tmp_path: Path) -> None:
    """A terminal that another program left non-blocking: what does not fit at once waits like anywhere else."""
    file = write(tmp_path, {"vms": [vm("flood")]})
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with subprocess.Popen([*COMMAND, "run", str(file)], stdout=writing, stderr=subprocess.PIPE, text=True) as process:
        os.close(writing)
        assert process.stderr is not None
        with open(reading, "rb") as output:
            lines = output.read().splitlines()
        assert (process.wait(60), process.stderr.read()) == (0, "")
    assert lines[-1] == b"flood | flood: done"


def test_what_a_slow_reader_has_not_taken_is_not_piled_up(tmp_path: Path) -> None:
    """The guest waits, as it would for a UART that is held up, and the run ends in time once somebody reads."""
    file = write(tmp_path, {"vms": [vm("flood-forever", cpus=2)]})
    command = [*COMMAND, "run", str(file), "--timeout", "300ms"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        out, errors = process.communicate(timeout=PROCESS)
    assert process.returncode == 4
    assert errors.startswith(b"baonet: timeout after 0.3 s: flood-forever running\n")
    assert len(out) < 4 << 20


@pytest.mark.parametrize("command", ["schema", "run --help", "check FILE --map", "run FILE"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_that_does_not_block_loses_nothing(hello: Path, command: str, unbuffered: str) -> None:
    """Whoever shares it may have left it so; Python drops what does not fit."""
    words = [str(hello) if word == "FILE" else word for word in command.split()]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    expected = subprocess.run([*COMMAND, *words], capture_output=True, check=False, env=environment)
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    with subprocess.Popen([*COMMAND, *words], stdout=theirs, stderr=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        got = b""
        while piece := os.read(ours, 1024):
            got += piece
            time.sleep(0.001)
        os.close(ours)
        _, errors = process.communicate(timeout=PROCESS)
    assert (process.returncode, got, errors) == (0, expected.stdout, expected.stderr)


@pytest.mark.parametrize("where", ["source", "path", "name of a file"])
def test_nobodys_text_reaches_the_terminal_as_a_command(tmp_path: Path, where: str) -> None:
    """A machine file may be another's: what would clear the screen or turn the text is shown."""
    evil = "\x1b[2J\x9b1m\u202ex\x07"
    file = tmp_path / (f"{evil}.yaml" if where == "name of a file" else "m.yaml")
    name = f'"{evil}"'.encode("unicode_escape").decode().replace("\\x1b", "\\e") if where == "path" else "none"
    file.write_text(f"version: 1\nplatform: qemu-aarch64-virt\nvms:\n- {{image: {{path: {name}}}}}\n")
    if where == "source":
        file.write_text("version: 1\nplatform: {extends: 1} # \u202ehere\t\u200b \u2028\nvms: []\n")
    result = baonet("check", file)
    assert result.status == 2
    assert all(each == "\n" or each.isprintable() for each in result.err), result.err
    if where == "source":
        line, carets = result.err.splitlines()[1:3]
        assert line == "    platform: {extends: 1} #  here"
        assert carets.index("^") == line.index("1}")
    else:
        assert "\\x1b[2J\\x9b1m\\u202ex\\x07" in result.err


def test_a_file_that_fails_is_no_reader_that_stops(hello: Path) -> None:
    result = shell('baonet run "$FILE" --clock virtual --trace /dev/full 2>&1 | cat', hello)
    assert result.status == 1
    assert result.out.endswith("baonet: --trace /dev/full: No space left on device\n")


def test_a_run_whose_trace_fails_tells_the_time_that_it_has_come_to(tmp_path: Path) -> None:
    """On the way to its first horizon, at 10 ms."""
    file = write(tmp_path, {"vms": [vm("flood-forever")]})
    result = shell('baonet run "$FILE" --clock virtual --console none --trace >(head -c 65536 >/dev/null)', file)
    told = re.match(r"baonet: 0\.(\d{9}) s of virtual time; ", result.err)
    assert told is not None, result.err
    assert 100_000 < int(told[1]) < 10_000_000
    assert (result.status, result.err.splitlines()[1:]) == (1, ["baonet: --trace /dev/fd/63: Broken pipe"])


@pytest.mark.parametrize(("clock", "status"), [("virtual", 1), ("host", 0)])
def test_errors_that_cannot_be_told_are_no_success(hello: Path, clock: str, status: int) -> None:
    """In virtual time the last line is lost; under the host's clock nothing is said."""
    result = shell(f'baonet run "$FILE" --clock {clock} 2>/dev/full', hello)
    assert result.status == status
    assert result.out.endswith("hello: done\n")


def test_paths_that_are_no_utf_8_are_as_good_as_others(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.yaml"))
    write(tmp_path, {"vms": [vm("hello")]}).rename(file)
    trace, results = file.with_suffix(".bnt"), file.with_suffix(".sqlite")
    assert baonet("run", file, "--clock", "virtual", "--trace", trace).status == 0
    assert "\\xff.yaml (SHA-256" in baonet("trace", "info", trace).out
    study = file.with_stem(file.stem + "study")
    study.write_text(f"version: 1\nmachine: {tmp_path}/machine.yaml\nfor: 1us\nmetrics: [exits]\n")
    write(tmp_path, {"clock": {"mode": "virtual"}, "vms": [vm("hello")]})
    for command in (("study", study, "-o", results), ("report", results, "-o", file.with_suffix(".html"))):
        done = baonet(*command)
        assert done.status == 0, done.err
        assert "\\xff" in done.out


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_is_said_comes_in_its_order(tmp_path: Path, unbuffered: str) -> None:
    """A warning before the run, its last line after it."""
    file = write(tmp_path, {"vms": [vm("hello", devices=[{"pa": 0x09000000, "va": 0x09000000}])]})
    command = [*COMMAND, "run", str(file), "--clock", "virtual", "--placement", "one-process"]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    first, *_, last = done.stderr.splitlines()
    assert "warning: 'uart0' has interrupt 33" in first
    assert "s of virtual time; digest" in last
