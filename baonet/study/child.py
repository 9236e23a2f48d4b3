"""One run of a study: ``baonet.study.one_run`` as a child process, then the measuring of its trace as another.

Each child leads a session of its own, so the Ctrl-C of the terminal is the study's alone, and whatever a child has
started ends with it. A child is told to end when the study is killed.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import final

import trio

from baonet.document.quantities import duration
from baonet.machine import Stamp
from baonet.machine.dataclass import dataclass
from baonet.machine.stamp import stamp
from baonet.study import measure
from baonet.study.one_run import RunAnswer
from baonet.study.plan import Run, Study
from baonet.study.store import StoredRun

_GRACE = 5.0  # seconds between asking a child to end and ending it
_SLACK = 60.0  # seconds that a run may need to start and to end, beside its timeout
_SHOWN = 2000  # characters of what a run said that are kept
_WHY = {
    2: "the machine file has an error",
    3: "a guest did what Bao stops it for",
    4: "the timeout passed",
    5: "every CPU waited, and nothing was to come",
    6: "a text that 'until' waits for was not printed",
}
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


@final
@dataclass(frozen=True, slots=True)
class ChildRunner:
    """``command`` starts a run, ``work`` is a directory for what runs leave, ``traces`` where traces are kept.

    ``stamps`` are the files that runs read: what a run makes of others belongs to other results.
    """

    study: Study
    command: Sequence[str]
    work: Path
    traces: Path | None = None
    stamps: Mapping[Path, Stamp] = field(default_factory=dict)

    async def __call__(self, run: Run) -> StoredRun:
        """Do it. A failure is a row like any other; only cancellation comes out of here."""
        row = StoredRun(run.point, run.seed, run.repeat, done=False)
        if changed := self._changed():
            return replace(row, error=changed)
        name = f"{run.point}-{run.seed}-{run.repeat}"
        directory = self.work / name
        directory.mkdir()
        try:
            began = time.monotonic()
            row = await self._run(run, row, directory)
            seconds = time.monotonic() - began
            row = replace(row, facts={**row.facts, "host_seconds": round(seconds, 3)})
            if self.traces is not None and (trace := directory / "trace.bnt").exists():
                _keep(trace, self.traces / f"{name}.bnt")
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        changed = self._changed()
        return StoredRun(run.point, run.seed, run.repeat, done=False, error=changed) if changed and row.done else row

    def _changed(self) -> str:
        for path, before in self.stamps.items():
            try:
                same = stamp(path) == before
            except OSError:
                same = False
            if not same:
                return f"{path} has changed since the study began"
        return ""

    async def _run(self, run: Run, row: StoredRun, directory: Path) -> StoredRun:
        trace = directory / "trace.bnt"
        question = json.dumps(asdict(self.study.request(run.settings))).encode()
        limit = seconds(self.study.timeout) + _SLACK
        status, answer, said = await _child([*self.command, str(trace)], question, directory / "said", limit)
        if status == 0:
            told = RunAnswer(**json.loads(answer))
            status, said = told.status, told.said[:_SHOWN]
        if status not in self.study.accept:
            return replace(row, error=_failure(status, limit, said))
        specs = json.dumps([asdict(spec) for spec in self.study.metrics]).encode()
        words = [sys.executable, "-m", "baonet.study.measure", str(trace)]
        status, answer, said = await _child(words, specs, directory / "said", None)
        if status != 0:
            return replace(row, error=f"its trace could not be measured: {said or f'status {status}'}")
        result = measure.load(answer)
        return replace(row, done=True, digest=result.digest, facts=result.facts, measured=result.measured)


def _keep(trace: Path, place: Path) -> None:
    """Whole or not at all. Raises OSError that names the place, where it may have no room."""
    try:
        shutil.move(trace, place)
    except OSError as error:
        with suppress(OSError):
            place.unlink()
        raise OSError(error.errno, error.strerror, str(place)) from None


async def _child(words: Sequence[str], given: bytes, said: Path, limit: float | None) -> tuple[int | None, bytes, str]:
    """(exit status, None if it did not end in time; standard output; the end of standard error)."""
    question, answer = said.with_suffix(".in"), said.with_suffix(".out")
    _write(question, given)
    with question.open("rb") as input_, answer.open("wb") as output, said.open("wb") as errors:
        # Not by a thread of Trio's: the system counts a child as orphaned when the thread that made it ends.
        process = subprocess.Popen(  # noqa: ASYNC220 - milliseconds
            list(words),
            stdin=input_,
            stdout=output,
            stderr=errors,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - there is one thread
        )
    try:
        with trio.move_on_after(math.inf if limit is None else limit) as waiting:
            await _ended(process)
    finally:
        with trio.CancelScope(shield=True):
            await _end(process)
    status = None if waiting.cancelled_caught else process.returncode
    return status, _content(answer), _content(said).decode("utf-8", "replace").strip()[-_SHOWN:]


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _end_with_parent() -> None:
    """In the child: SIGTERM when its parent has ended."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def _ended(process: subprocess.Popen[bytes]) -> None:
    """Wait until it has ended. Its number stays taken until ``wait``."""
    descriptor = os.pidfd_open(process.pid)
    try:
        await trio.lowlevel.wait_readable(descriptor)
    finally:
        os.close(descriptor)


async def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing of it: first it is asked, then its whole session is killed."""
    os.kill(process.pid, signal.SIGTERM)  # Popen's would look first whether it has ended, and free its number
    with trio.move_on_after(_GRACE):
        await _ended(process)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def seconds(text: str) -> float:
    """A duration of the host as the study file has it."""
    return duration(text) / 1e9


def _failure(status: int | None, limit: float, said: str) -> str:
    if status is None:
        why = f"it did not end within {limit:g} s"
    elif status < 0:
        why = f"it was ended by {signal.Signals(-status).name}"
    else:
        why = f"status {status}" + (f", {_WHY[status]}" if status in _WHY else "")
    return f"{why}: {said}" if said else why
