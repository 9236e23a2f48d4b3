"""Readers that stop: guests wait for them, ends do not."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_terminal import terminal
from tests.patience import ANSWER, PROCESS
from tests.system.machine import COMMAND, baonet, gone, vm, write
from tests.system.virtual import parsed

WAYS = {
    "host": ["--clock", "host"],
    "host-one-process": ["--clock", "host", "--placement", "one-process"],
    "virtual": ["--clock", "virtual"],
    "virtual-one-process": ["--clock", "virtual", "--placement", "one-process"],
    "virtual-per-cpu": ["--clock", "virtual", "--placement", "process-per-cpu"],
}
ENDS = {"host": 15, "host-one-process": 2, "virtual": 2, "virtual-one-process": 15, "virtual-per-cpu": 15}
FLOOD: dict[str, Any] = {"vms": [vm("flood-forever")]}
UNREAD = re.compile(r"^baonet: (\S+( \S+)?): nobody reads it, (\d+) bytes are not written$", re.MULTILINE)


@contextmanager
def flooding(directory: Path, *options: str, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """A run that would never end."""
    file = write(directory, FLOOD)
    command = [*COMMAND, "run", str(file), *options]
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    with subprocess.Popen(command, text=True, start_new_session=True, **given) as process:
        try:
            yield process
        finally:
            process.kill()


def stuck(process: subprocess.Popen[str]) -> None:
    """Until the guests wait: nothing of the run has used the CPU for a while, nor waited for one."""
    deadline = time.monotonic() + 60
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 0.3:
        assert time.monotonic() < deadline, "the guests go on although nobody reads"
        time.sleep(0.05)
        now, runnable = _used(process.pid)
        if runnable or now > last + 1:
            last, since = now, time.monotonic()


def _used(pid: int) -> tuple[int, bool]:
    """Ticks of the CPU that a process and its children have used, and whether a thread of theirs is to run."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks, runnable = 0, False
    for each in (pid, *children):
        with suppress(FileNotFoundError, ProcessLookupError):  # one that has ended meanwhile
            fields = _stat(Path(f"/proc/{each}/stat"))
            ticks += int(fields[11]) + int(fields[12])
        for thread in Path(f"/proc/{each}/task").glob("*/stat"):
            with suppress(FileNotFoundError, ProcessLookupError):  # as above
                runnable |= _stat(thread)[0] == "R"
    return ticks, runnable


def _stat(file: Path) -> list[str]:
    """What follows a name in parentheses (proc(5)): the state first."""
    return file.read_text().rsplit(")", 1)[1].split()


def ended(process: subprocess.Popen[str], number: signal.Signals) -> int:
    """The status after a signal, which comes although nobody reads; and no process is left."""
    children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    process.send_signal(number)
    status = process.wait(ANSWER)
    assert gone(children)
    return status


@pytest.mark.parametrize("way", WAYS)
def test_a_reader_that_stops_keeps_no_run(tmp_path: Path, way: str) -> None:
    with flooding(tmp_path, *WAYS[way]) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        stuck(process)
        assert ended(process, signal.Signals(ENDS[way])) == 128 + ENDS[way]
        said = process.stderr.read()
    assert [found[0] for found in UNREAD.findall(said)] == ["output"], said
    assert int(UNREAD.findall(said)[0][2]) < 8 << 20
    assert "Traceback" not in said


@pytest.mark.parametrize("way", ["host", "virtual-one-process"])
def test_a_timeout_comes_although_nobody_reads(tmp_path: Path, way: str) -> None:
    with flooding(tmp_path, *WAYS[way], "--timeout", "300ms") as process:
        assert process.wait(ANSWER) == 4
        assert process.stderr is not None
        assert "baonet: timeout after 0.3 s: flood-forever running\n" in process.stderr.read()


def test_a_run_that_has_ended_waits_for_its_reader_until_it_is_told_not_to(tmp_path: Path) -> None:
    for number, status in ((signal.SIGTERM, 143), (None, 0)):
        with flooding(tmp_path, "--clock", "virtual", "--for", "2ms") as process:
            assert process.stdout is not None
            process.stdout.read(1)
            stuck(process)
            assert process.poll() is None
            if number is not None:
                assert ended(process, number) == status
            else:
                _, said = process.communicate(timeout=PROCESS)
                assert process.returncode == status
                assert "nobody reads" not in said


def test_a_stopped_terminal_keeps_no_run_and_is_put_back(tmp_path: Path) -> None:
    """As Ctrl-S stops it: what is written there does not come back."""
    with terminal(tmp_path, FLOOD, "--console", "flood-forever") as user:
        user.wait_for(b"line 1\r\n")
        assert not user.restored()
        user.process.send_signal(signal.SIGTERM)
        assert user.process.wait(ANSWER) == 143
        assert user.restored()


def test_errors_that_nobody_reads_keep_no_run(tmp_path: Path) -> None:
    """Both streams in one pipe, as `2>&1 | less` has them."""
    with flooding(tmp_path, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        stuck(process)
        assert ended(process, signal.SIGTERM) == 143


@pytest.mark.parametrize("way", ["host", "virtual-one-process"])
def test_a_trace_that_nobody_reads_keeps_no_run(tmp_path: Path, way: str) -> None:
    fifo = tmp_path / "trace"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with flooding(tmp_path, *WAYS[way], "--trace", str(fifo), stdout=subprocess.DEVNULL) as process:
        assert process.stderr is not None
        stuck(process)
        assert ended(process, signal.SIGTERM) == 143
        (found,) = UNREAD.findall(process.stderr.read())
    assert found[0] == f"--trace {fifo}"
    os.close(reader)


@pytest.mark.parametrize("way", ["virtual"])
def test_a_trace_whose_reader_goes_ends_the_run(tmp_path: Path, way: str) -> None:
    fifo = tmp_path / "trace"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with flooding(tmp_path, *WAYS[way], "--trace", str(fifo), stdout=subprocess.DEVNULL) as process:
        assert process.stderr is not None
        stuck(process)
        os.close(reader)
        assert process.wait(ANSWER) == 1
        assert process.stderr.read().splitlines()[-1] == f"baonet: --trace {fifo}: Broken pipe"


@pytest.mark.parametrize("placement", ["one-process", "process-per-cpu"])
def test_a_slow_reader_changes_nothing_in_virtual_time(tmp_path: Path, placement: str) -> None:
    """The island waits; the trace that went through a slow pipe is that of a file."""
    file = write(tmp_path, {"vms": [vm("flood-forever", cpus=2)]})
    options = ["--clock", "virtual", "--for", "1ms", "--placement", placement]
    plain = parsed(baonet("run", file, *options, "--trace", tmp_path / "plain"))
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    taken: list[bytes] = []

    def read_slowly() -> None:
        with fifo.open("rb", buffering=0) as trace:
            while piece := trace.read(1 << 15):
                taken.append(piece)
                time.sleep(0.001)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    slow = parsed(baonet("run", file, *options, "--trace", fifo))
    reader.join()
    assert (slow.digest, slow.time, slow.status) == (plain.digest, plain.time, plain.status)
    (tmp_path / "slow").write_bytes(b"".join(taken))
    verified = baonet("trace", "verify", tmp_path / "slow")
    assert verified.status == 0, verified.err
    assert slow.digest in verified.out


@pytest.mark.parametrize("option", ["--stats", "--record"])
def test_a_file_on_a_full_disk_is_one_line(tmp_path: Path, option: str) -> None:
    file = write(tmp_path, {"vms": [vm("hello")]})
    result = baonet("run", file, "--clock", "virtual", option, "/dev/full")
    assert result.status == 1
    assert result.err.splitlines()[1:] == [f"baonet: {option} /dev/full: No space left on device"]
