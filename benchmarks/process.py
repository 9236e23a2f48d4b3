"""Runs a command until a text appears in its output, and measures it as seen from outside."""

from __future__ import annotations

import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.job import Run


class RunFailedError(Exception):
    """The text did not appear."""


def _tree(pid: int) -> list[int]:
    """The process and all that descend from it."""
    found = [pid]
    for parent in found:
        with suppress(OSError):  # it has ended meanwhile
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def memory_of_tree(pid: int) -> int:
    """Proportional set size of a process and its descendants in bytes: RAM that processes share counts once."""
    return _rolled_up(pid, ("Pss:",))


def private_of_tree(pid: int) -> int:
    """Bytes that no two of them share, nor one with a process of another kind."""
    return _rolled_up(pid, ("Private_Clean:", "Private_Dirty:"))


def _rolled_up(pid: int, kinds: tuple[str, ...]) -> int:
    total = 0
    for process in _tree(pid):
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(kinds))
    return total


def cpu_of_tree(pid: int) -> float:
    """CPU seconds of a process and its descendants so far, but for threads that have ended.

    Of processes that have ended as their parent has heard of it: in the system's ticks.
    """
    total = ticks = 0
    for process in _tree(pid):
        for task in Path(f"/proc/{process}/task").glob("*/schedstat"):
            with suppress(OSError):  # it has ended meanwhile
                total += int(task.read_text().split()[0])
        with suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[13]) + int(fields[14])  # cutime and cstime of proc(5)
    return total / 1e9 + ticks / os.sysconf("SC_CLK_TCK")


def cpu_between(command: Sequence[str], begin: str, end: str, timeout: float) -> float:
    """CPU seconds that ``command`` takes from one text of its output to another; then it is killed.

    Raises RunFailedError with the last lines of the output.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    )
    output, deadline = b"", time.monotonic() + timeout
    begun: float | None = None
    try:
        assert process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while selector.select(max(0, deadline - time.monotonic())):
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    break
                output += data
                if begun is None and begin.encode() in output:
                    begun = cpu_of_tree(process.pid)
                if begun is not None and end.encode() in output:
                    return cpu_of_tree(process.pid) - begun
    finally:
        process.kill()
        process.communicate()
    tail = "\n".join(output.decode(errors="replace").splitlines()[-15:])
    raise RunFailedError(
        f"{' '.join(command)}: no '{begin}' and '{end}' in {timeout:g} s; the last lines were:\n{tail}"
    )


def run_until(
    command: Sequence[str],
    until: str,
    timeout: float,
    stop: signal.Signals,
    *,
    since: str = "",
    times: int = 1,
    directory: Path | None = None,
) -> Run:
    """Runs ``command`` until it has printed ``until`` so many times, then ends it with ``stop``.

    Time counts from just before the process is made, ``work_seconds`` from ``since`` if it is given. Raises
    RunFailedError with the last lines of the output.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    process = subprocess.Popen(
        command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    )
    output = b""
    begun = None if since else 0.0
    end = memory = None
    work = private = 0.0
    try:
        assert process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while end is None and selector.select(timeout - (time.monotonic() - begin)):
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    break
                output += data
                if begun is None and since.encode() in output:
                    begun = cpu_of_tree(process.pid)
                if begun is not None and output.count(until.encode()) >= times:
                    end = time.monotonic() - begin
                    work = cpu_of_tree(process.pid) - begun
                    memory, private = memory_of_tree(process.pid), private_of_tree(process.pid)
    finally:
        _end(process, stop)
    text = output.decode(errors="replace")
    if end is None or memory is None:
        tail = "\n".join(text.splitlines()[-15:])
        raise RunFailedError(f"{' '.join(command)}: no '{until}' in {timeout:g} s; the last lines were:\n{tail}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(text, end, cpu, memory, work, int(private))


def _end(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    process.send_signal(stop)
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
