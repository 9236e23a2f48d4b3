"""Hosts that are network namespaces: a lead's, with a bridge, and others that reach it by veth pairs and real TCP."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.patience import PROCESS
from tests.system.machine import COMMAND, Result

ROOT = Path(__file__).parents[2]
LEAD = "10.77.0.1"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _possible() -> bool:
    """Whether this process may make network namespaces."""
    name = f"bao{os.getpid()}x"
    try:
        ip("netns", "add", name)
        ip("netns", "delete", name)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@dataclass
class Hosts:
    """``addresses``: of each host. What was started on one ends with all."""

    prefix: str
    addresses: list[str]
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def inside(self, number: int | None) -> list[str]:
        """Words before a command that is to run on a host, or on the lead's."""
        return ["nsenter", f"--net=/run/netns/{self.namespace(number)}"]

    def namespace(self, number: int | None) -> str:
        return f"{self.prefix}lead" if number is None else f"{self.prefix}{number}"

    def start(self, number: int | None, *words: str, environment: Mapping[str, str] | None = None) -> None:
        """A server, in a group of its own."""
        given = os.environ | (environment or {})
        self._started.append(
            subprocess.Popen(
                [*self.inside(number), *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=given,
                start_new_session=True,
            )
        )

    def run(self, *arguments: object, environment: Mapping[str, str] | None = None, seconds: float = PROCESS) -> Result:
        """The command on the lead's host, from the root of the project, to its end."""
        return self.execute([*COMMAND, *map(str, arguments)], environment=environment, seconds=seconds)

    def execute(
        self, words: Sequence[str], *, environment: Mapping[str, str] | None = None, seconds: float = PROCESS
    ) -> Result:
        given = os.environ | (environment or {})
        done = subprocess.run(
            [*self.inside(None), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env=given,
            cwd=ROOT,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def begin(self, *arguments: object, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """The command on the lead's host. Whoever asked ends it."""
        return subprocess.Popen(
            [*self.inside(None), *COMMAND, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
            cwd=ROOT,
        )

    def processes(self, number: int | None) -> list[int]:
        """Those that are on a host."""
        listed = subprocess.run(
            ["ip", "netns", "pids", self.namespace(number)], check=True, capture_output=True, text=True
        )
        return [int(pid) for pid in listed.stdout.split()]

    def nodes(self, number: int) -> list[int]:
        """Those of them that are of a node."""
        return [pid for pid in self.processes(number) if b"\0--join\0" in command_line(pid)]

    def end(self) -> None:
        for process in self._started:
            process.send_signal(signal.SIGTERM)
        for process in self._started:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@contextmanager
def hosts(count: int) -> Iterator[Hosts]:
    """``count`` of them, beside the lead's. Who may not make network namespaces skips what needs them."""
    if not _possible():
        pytest.skip("needs the right to make network namespaces")
    prefix = f"bao{os.getpid()}-"
    there = Hosts(prefix, [f"10.77.0.{number + 2}" for number in range(count)])
    lead = there.namespace(None)
    made = [lead, *(there.namespace(number) for number in range(count))]
    try:
        for name in made:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", lead, "link", "add", "bridge", "type", "bridge")
        ip("-n", lead, "address", "add", f"{LEAD}/24", "dev", "bridge")
        ip("-n", lead, "link", "set", "bridge", "up")
        for number, address in enumerate(there.addresses):
            name = there.namespace(number)
            ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", f"veth{number}", "netns", lead)
            ip("-n", lead, "link", "set", f"veth{number}", "master", "bridge", "up")
            ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
        yield there
    finally:
        there.end()
        for name in made:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
