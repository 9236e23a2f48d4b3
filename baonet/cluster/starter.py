"""What starts nodes on other hosts: a program of this host (ssh, srun), and what it has said.

Whoever is started gets its ticket on standard input, where nobody else of its host sees it, and ends when that ends. So
no node outlives its lead, however that one ends.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, final

from baonet.actors.visible import plain
from baonet.cluster.terms import ClusterError

GRACE: Final = 5.0
"""Seconds in which it ends by itself when nobody is at its input any more."""
_SHOWN: Final = 3
"""Lines of what it has said last."""
_READ: Final = 4096


@final
class Starter:
    """A program that runs as long as its nodes. ``name`` is what people call it. Raises ClusterError without it."""

    def __init__(self, name: str, command: Sequence[str], *, heard: bool = False) -> None:
        self.name = name
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the program runs
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if heard else self._said,
                stderr=self._said,
                start_new_session=True,  # a Ctrl-C is for the lead
            )
        except FileNotFoundError:
            self._said.close()
            raise ClusterError(f"there is no '{command[0]}' on this host, which is to start the nodes") from None

    @property
    def output(self) -> int:
        """The descriptor of what a program says that is ``heard``."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def tell(self, line: str) -> None:
        """To its standard input. One that has ended already is told of by ``ended``."""
        assert self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), f"{line}\n".encode())
        except BrokenPipeError:
            return

    @property
    def ended(self) -> str | None:
        """How it has, if it has: reads behind its name."""
        status = self._process.poll()
        if status is None:
            return None
        return f"has ended with status {status}" if status >= 0 else f"was ended by {signal.Signals(-status).name}"

    @property
    def words(self) -> str:
        """Its last lines, as one."""
        size = os.fstat(self._said.fileno()).st_size
        said = os.pread(self._said.fileno(), _READ, max(0, size - _READ))
        lines = [line.strip() for line in said.split(b"\n")]
        return " / ".join(
            plain(line.decode(errors="surrogateescape")) for line in [each for each in lines if each][-_SHOWN:]
        )

    def leave(self) -> None:
        """Nobody is at its input any more."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def end(self, until: float) -> None:
        """After ``leave``: leave no process, and wait no longer than to this moment of the monotonic clock."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                self._process.wait(max(0.0, until - time.monotonic()))
                break
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, number)
                until = time.monotonic() + 1.0
        self._process.wait()
        self._said.close()
        if self._process.stdout is not None:
            self._process.stdout.close()


def end_all(starters: Iterable[Starter], seconds: float = GRACE) -> None:
    """All at once, within so many seconds. The nodes' streams have been closed before."""
    each = list(dict.fromkeys(starters))
    for starter in each:
        starter.leave()
    until = time.monotonic() + seconds
    for starter in each:
        starter.end(until)


def node_words(lead: str, *, insecure: bool) -> list[str]:
    """What ``baonet`` is given."""
    return ["node", "--join", lead, "--attached", *(["--insecure"] if insecure else [])]


def node_command(command: str | None, words: Sequence[str]) -> list[str]:
    """What is run on a host. Its shell may be of any kind, so the words are for ``sh``.

    Without a ``command``: the one with the path of this host's, or else the one that is found there.
    """
    if command is None:
        here = shlex.quote(str(Path(sysconfig.get_path("scripts")) / "baonet"))
        script = f'if [ -x {here} ]; then exec {here} "$@"; else exec baonet "$@"; fi'
    else:
        script = f'{command} "$@"'
    return ["sh", "-c", script, "baonet", *words]
