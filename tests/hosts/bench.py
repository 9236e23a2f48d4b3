"""Hosts that are network namespaces: a bridge, a cable to each, nodes that wait there, and leads that call them.

The kernel here has no netem, so a cable that delays, or says nothing any more, is a process (``wire.c``).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, Final

import pytest

HERE: Final = Path(__file__).parent
COMMAND: Final = [sys.executable, "-m", "baonet.cli.main"]
PORT: Final = 7470
LEAD: Final = "lead"


def reason_against() -> str | None:
    """Why there can be no such hosts here."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for tool in ("ip", "gcc"):
        if shutil.which(tool) is None:
            return f"there is no {tool} here"
    made = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return None if made.returncode == 0 else f"the kernel gives no network namespace: {made.stderr.strip()}"


def _ip(*words: str, space: str | None = None) -> None:
    prefix = ["ip"] if space is None else ["ip", "-n", space]
    done = subprocess.run([*prefix, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


class Reader:
    """The lines that a process says, with when they came."""

    def __init__(self, stream: IO[str]) -> None:
        self.lines: list[tuple[float, str]] = []
        self._more = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._more:
                self.lines.append((time.monotonic(), line.rstrip("\n")))
                self._more.notify_all()
        with self._more:
            self._over = True
            self._more.notify_all()

    def wait_for(self, text: str, seconds: float = 30) -> float:
        """When a line with it came."""
        end = time.monotonic() + seconds
        with self._more:
            while True:
                for at, line in self.lines:
                    if text in line:
                        return at
                assert not self._over, f"'{text}' did not come: {self.text}"
                assert self._more.wait(max(end - time.monotonic(), 0)), f"no '{text}' in {seconds} s: {self.text}"

    def all(self) -> str:
        """When it has ended."""
        self._thread.join(20)
        return self.text

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)


class Process:
    """A command on one of the hosts."""

    def __init__(
        self, bench: Bench, host: str, arguments: Sequence[str], *, reads: bool = True, wrapped: Sequence[str] = ()
    ) -> None:
        environment = {**os.environ, "XDG_CACHE_HOME": str(bench.directory / host), "PYTHONUNBUFFERED": "1"}
        self.popen = subprocess.Popen(
            ["ip", "netns", "exec", bench.space(host), *wrapped, *COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=environment,
            start_new_session=True,
        )
        assert self.popen.stdout is not None
        assert self.popen.stderr is not None
        self.out = Reader(self.popen.stdout) if reads else None
        self.err = Reader(self.popen.stderr)

    @property
    def pid(self) -> int:
        return self.popen.pid

    def type(self, text: str) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(text)
        self.popen.stdin.flush()

    def status(self, seconds: float = 30) -> int:
        return self.popen.wait(seconds)


class Bench:
    """``names`` of the nodes' hosts; the lead's is ``LEAD``. Those in ``wired`` have a cable of ``wire.c``.

    ``wrapped``: the command that runs all of baonet, as its last arguments. ``clocks``: seconds by which the monotonic
    clock of a host is ahead of that of others.
    """

    def __init__(
        self,
        directory: Path,
        names: Sequence[str],
        *,
        wired: Sequence[str] = (),
        wrapped: Sequence[str] = (),
        clocks: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.directory = directory
        self.names = names
        self._wrapped = wrapped
        self._clocks = clocks
        self._mark = f"bao{os.getpid()}"
        self._spaces: list[str] = []
        self._processes: list[Process] = []
        self._wires: dict[str, subprocess.Popen[str]] = {}
        self.daemons: dict[str, Process] = {}
        self._add("hub")
        _ip("link", "add", "bridge", "type", "bridge", space=self.space("hub"))
        _ip("link", "set", "bridge", "up", space=self.space("hub"))
        for number, name in enumerate([LEAD, *names]):
            self._host(number, name, wired=name in wired)

    def space(self, name: str) -> str:
        return f"{self._mark}-{name}"

    def _add(self, name: str) -> None:
        _ip("netns", "add", self.space(name))
        self._spaces.append(self.space(name))
        _ip("link", "set", "lo", "up", space=self.space(name))

    def _host(self, number: int, name: str, *, wired: bool) -> None:
        hub, port = self.space("hub"), f"port{number}"
        self._add(name)
        _ip("link", "add", "eth0", "type", "veth", "peer", port, "netns", hub, space=self.space(name))
        _ip("addr", "add", f"{self.address(name)}/24", "dev", "eth0", space=self.space(name))
        _ip("link", "set", "eth0", "up", space=self.space(name))
        if wired:
            _ip("link", "set", port, "up", space=hub)
            _ip("link", "add", f"far{number}", "type", "veth", "peer", "name", f"near{number}", space=hub)
            _ip("link", "set", f"far{number}", "up", space=hub)
            self._wires[name] = self._wire(port, f"far{number}")
            port = f"near{number}"
        _ip("link", "set", port, "master", "bridge", space=hub)
        _ip("link", "set", port, "up", space=hub)

    def _wire(self, one: str, other: str) -> subprocess.Popen[str]:
        program = self.directory / "wire"
        if not program.exists():
            subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-o", program, HERE / "wire.c"], check=True)
        wire = subprocess.Popen(
            ["ip", "netns", "exec", self.space("hub"), str(program), one, other, "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert wire.stdout is not None
        assert wire.stdout.readline() == "ok\n"
        return wire

    def tell_wire(self, name: str, line: str) -> None:
        wire = self._wires[name]
        assert wire.stdin is not None
        assert wire.stdout is not None
        wire.stdin.write(line + "\n")
        assert wire.stdout.readline() == "ok\n"

    def link(self, name: str, state: str) -> None:
        """``up`` or ``down``."""
        _ip("link", "set", "eth0", state, space=self.space(name))

    def drop_between(self, one: str, other: str) -> None:
        """The two hear nothing of each other any more; both reach everybody else."""
        for here, there in ((one, other), (other, one)):
            _ip("route", "add", "blackhole", f"{self.address(there)}/32", space=self.space(here))

    def address(self, name: str) -> str:
        return f"10.99.0.{1 + [LEAD, *self.names].index(name)}"

    def where(self) -> str:
        return ",".join(f"{self.address(name)}:{PORT}" for name in self.names)

    def start(self, host: str, arguments: Sequence[str], *, reads: bool = True) -> Process:
        wrapped = self._wrapped
        if host in self._clocks:
            wrapped = ("unshare", "--time", "--monotonic", str(self._clocks[host]), "--", *wrapped)
        process = Process(self, host, arguments, reads=reads, wrapped=wrapped)
        self._processes.append(process)
        return process

    def start_nodes(self) -> None:
        for name in self.names:
            where = f"{self.address(name)}:{PORT}"
            self.daemons[name] = self.start(name, ["node", "--listen", where, "--insecure", "--name", name])
        for daemon in self.daemons.values():
            daemon.err.wait_for("waits at", 60)

    def lead(self, file: Path, *options: str, reads: bool = True) -> Process:
        """`baonet run` of a machine on all nodes."""
        return self.start(LEAD, ["run", str(file), "--on", self.where(), *options], reads=reads)

    def sessions(self, name: str) -> list[int]:
        """The processes that serve a lead on a node. One that has ended and was not looked after yet is none."""
        return [pid for pid in children(self.daemons[name].pid) if lives(pid)]

    def pids(self, name: str) -> list[int]:
        """All processes on a host."""
        done = subprocess.run(["ip", "netns", "pids", self.space(name)], capture_output=True, text=True, check=True)
        return [int(pid) for pid in done.stdout.split()]

    def left(self) -> list[int]:
        """What is on any host beside the waiting nodes."""
        waiting = {daemon.pid for daemon in self.daemons.values()}
        return [pid for name in (LEAD, *self.names) for pid in self.pids(name) if pid not in waiting]

    def close(self) -> None:
        for wire in self._wires.values():
            with suppress(ProcessLookupError):
                wire.kill()
            wire.communicate()
        for space in self._spaces[1:]:
            for pid in map(
                int, subprocess.run(["ip", "netns", "pids", space], capture_output=True, check=True).stdout.split()
            ):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for process in self._processes:
            process.popen.wait(10)
            for stream in (process.popen.stdin, process.popen.stdout, process.popen.stderr):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
        for space in self._spaces:
            _ip("netns", "del", space)


def children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def family(pid: int) -> list[int]:
    """It and all below it."""
    return [pid, *(each for child in children(pid) for each in family(child))]


def eventually(holds: Callable[[], bool], what: str, seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what} is not so within {seconds:g} s"
        time.sleep(0.02)


needs_namespaces = pytest.mark.skipif(reason_against() is not None, reason=str(reason_against()))
