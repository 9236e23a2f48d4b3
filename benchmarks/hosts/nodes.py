"""Nodes that wait on hosts, and leads that run machines on them; of all that is said, when."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import yaml

from benchmarks.hosts.wire import Host
from benchmarks.process import RunFailedError

COMMAND: Final = (sys.executable, "-m", "baonet.cli.main")
NAMES: Final = ("alpha", "beta")
START: Final = 60.0
KEPT: Final = 12
"""Lines of a run that has failed."""


class Run:
    """A command while it runs: what it says, line by line. Ended at the end of the block."""

    def __init__(self, command: Sequence[str], seconds: float, environment: Mapping[str, str] | None = None) -> None:
        self.begin = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            start_new_session=True,
        )
        assert self._process.stdout
        self._out = self._process.stdout
        self._seconds = seconds
        self.lines: list[tuple[float, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def said(self) -> Iterator[tuple[float, str]]:
        """Each line, and when it came, to the end of all. Raises RunFailedError when that does not come."""
        kept = b""
        while select.select([self._out], [], [], max(0.0, self.begin + self._seconds - time.monotonic()))[0]:
            data = os.read(self._out.fileno(), 1 << 16)
            if not data:
                return
            moment = time.monotonic()
            *lines, kept = (kept + data).split(b"\n")
            for line in lines:
                self.lines.append((moment, line.decode(errors="replace")))
                yield self.lines[-1]
        raise self.failed(f"it took more than {self._seconds:g} s")

    def finish(self) -> Self:
        """Reads to the end. Raises RunFailedError when it has not done what it should."""
        for _ in self.said():
            pass
        status = self._process.wait(10)
        if status:
            raise self.failed(f"status {status}")
        return self

    @property
    def seconds(self) -> float:
        """Until it said its last line."""
        return (self.lines[-1][0] if self.lines else time.monotonic()) - self.begin

    def moments(self, pattern: str) -> list[float]:
        """When lines with it came. Raises RunFailedError when none did."""
        found = [moment for moment, line in self.lines if re.search(pattern, line)]
        if not found:
            raise self.failed(f"it has not said '{pattern}'")
        return found

    def matches(self, pattern: str) -> list[re.Match[str]]:
        """In all lines. Raises RunFailedError where it is in none."""
        found = [match for _, line in self.lines if (match := re.search(pattern, line))]
        if not found:
            raise self.failed(f"it has not said '{pattern}'")
        return found

    def failed(self, why: str) -> RunFailedError:
        return RunFailedError("\n".join([why, *(line for _, line in self.lines[-KEPT:])]))


def written(directory: Path, machine: Mapping[str, Any]) -> Path:
    file = directory / "machine.yaml"
    file.write_text(yaml.safe_dump(dict(machine)))
    return file


@dataclass(frozen=True, slots=True)
class Nodes:
    """Those that wait, and where and how their lead is run."""

    where: str
    daemons: tuple[Run, ...]
    lead: tuple[str, ...]
    options: tuple[str, ...]
    directory: Path

    def run(self, machine: Mapping[str, Any], *options: str, seconds: float = 100) -> Run:
        """To its end."""
        file = written(self.directory, machine)
        command = [*self.lead, *COMMAND, "run", str(file), "--on", self.where, *self.options, *options]
        with Run(command, seconds) as run:
            return run.finish()

    @property
    def last(self) -> int:
        """The number of the last node."""
        return len(self.daemons) - 1

    def cpu_seconds(self) -> list[float]:
        """Of each node since it waits, with all its processes that have ended."""
        tick = os.sysconf("SC_CLK_TCK")
        stats = [Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(") ")[2].split() for daemon in self.daemons]
        return [sum(map(int, stat[11:15])) / tick for stat in stats]


@contextmanager
def waiting(hosts: Sequence[Host], keys: Path | None = None, cores: Sequence[str] = ()) -> Iterator[Nodes]:
    """A node on each of the hosts, and the lead on the first of them.

    ``keys``: the lead's, with those of ``NAMES``; None: in the clear. ``cores``: those of each node in turn, as taskset
    has them; the lead has those of the first. Raises RunFailedError.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="baonet-benchmark-")))
        pins = [["taskset", "-c", each] for each in cores] or [[] for _ in hosts]
        daemons, addresses = [], []
        for number, (host, pin) in enumerate(zip(hosts, pins, strict=True)):
            how = ["--insecure"] if keys is None else ["--keys", str(keys / NAMES[number])]
            listen = ["--listen", f"{host.address}:0", "--name", f"node-{number}"]
            command = host.command(*pin, *COMMAND, "node", *listen, *how)
            daemons.append(stack.enter_context(Run(command, START, {"XDG_CACHE_HOME": str(directory)})))
        for daemon in daemons:
            found = None
            for _, line in daemon.said():
                if found := re.search(r"waits at (\S+:\d+)", line):
                    addresses.append(found[1])
                    break
            if found is None:
                raise daemon.failed("a node does not wait")
        how = ["--insecure"] if keys is None else ["--keys", str(keys)]
        lead = hosts[0].command(*pins[0])
        yield Nodes(",".join(addresses), tuple(daemons), tuple(lead), tuple(how), directory)
