"""Does the runs of a study in child processes, each of which does one run after another.

A run that fails otherwise than by its status ends its process, and the next has a new one.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, final

import trio

from baonet.document.quantities import duration
from baonet.machine import Stamp
from baonet.machine.dataclass import dataclass, field, replace
from baonet.machine.stamp import stamp
from baonet.study import measure
from baonet.study.child import SHOWN, Child, ChildEnded
from baonet.study.one_run import RunAnswer
from baonet.study.plan import Run, Study
from baonet.study.store import StoredRun
from baonet.study.worker import RunQuestion, TraceAnswer, question, run_answer, trace_answer

COMMAND: Final = (sys.executable, "-m", "baonet.study.worker")
_SLACK = 60.0  # seconds that a run may need to start and to end, beside its timeout
_WHY = {
    2: "the machine file has an error",
    3: "a guest did what Bao stops it for",
    4: "the timeout passed",
    5: "every CPU waited, and nothing was to come",
    6: "a text that 'until' waits for was not printed",
}
_UNMEASURED = "its trace could not be measured: "


class _NoAnswerError(Exception):
    """Why there is no answer."""


@final
@dataclass(slots=True)
class Runner:
    """As an async context, which ends the processes. ``work`` is a directory for what runs leave.

    ``traces``: where traces are kept. ``stamps`` are the files that runs read: what a run makes of others belongs to
    other results. ``command`` starts a process.
    """

    study: Study
    work: Path
    traces: Path | None = None
    stamps: Mapping[Path, Stamp] = field(default_factory=dict)
    command: Sequence[str] = COMMAND
    _idle: list[Child] = field(default_factory=list)
    _started: int = 0

    async def __aenter__(self) -> Runner:
        return self

    async def __aexit__(self, *_: object) -> None:
        async with trio.open_nursery() as nursery:
            for child in self._idle:
                nursery.start_soon(child.end)

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
            row = await self._run(run, row, directory / "trace.bnt")
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

    async def _run(self, run: Run, row: StoredRun, trace: Path) -> StoredRun:
        asked = RunQuestion(self.study.request(run.settings), str(trace), self.study.accept, self.study.metrics)
        try:
            answer, told = await self._asked(asked, seconds(self.study.timeout) + _SLACK)
        except _NoAnswerError as error:
            return replace(row, error=str(error))
        if told is None:
            return replace(row, error=_with(_status(answer.status), answer.said[:SHOWN]))
        if told.refusal:
            return replace(row, error=_UNMEASURED + told.refusal)
        result = measure.load(told.result)
        return replace(row, done=True, digest=result.digest, facts=result.facts, measured=result.measured)

    async def _asked(self, asked: RunQuestion, limit: float) -> tuple[RunAnswer, TraceAnswer | None]:
        """By the first process that can do it, or by a new one. ``limit``: in seconds, of the run."""
        cannot: list[Child] = []
        try:
            while True:
                child = await self._take()
                try:
                    answers = await _answers(child, asked, limit)
                except BaseException:
                    await child.end()
                    raise
                if answers is not None:
                    self._idle.append(child)
                    return answers
                cannot.append(child)
        finally:
            self._idle += cannot

    @property
    def idle(self) -> list[int]:
        """The processes that nobody asks, by their numbers."""
        return [child.pid for child in self._idle]

    async def _take(self) -> Child:
        """A process that nobody asks."""
        while self._idle:
            child = self._idle.pop()
            if child.lives():
                return child
            await child.end()
        self._started += 1
        return Child(self.command, self.work / f"said-{self._started}")


def _keep(trace: Path, place: Path) -> None:
    """Whole or not at all. Raises OSError that names the place, where it may have no room."""
    try:
        shutil.move(trace, place)
    except OSError as error:
        with suppress(OSError):
            place.unlink()
        raise OSError(error.errno, error.strerror, str(place)) from None


async def _answers(child: Child, asked: RunQuestion, limit: float) -> tuple[RunAnswer, TraceAnswer | None] | None:
    """Of its run, and of its trace if the run is one that counts. None: it cannot."""
    step = ""
    try:
        with trio.move_on_after(limit) as waiting:
            await child.ask(question(asked))
            content = await child.answer()
        if waiting.cancelled_caught:
            raise _NoAnswerError(_with(f"it did not end within {limit:g} s", child.said()))
        if not content:
            return None
        answer, step = run_answer(content), _UNMEASURED
        return answer, trace_answer(await child.answer()) if answer.status in asked.accept else None
    except ChildEnded:
        status = await child.ended()
        raise _NoAnswerError(step + _with(_status(status), child.said())) from None


def seconds(text: str) -> float:
    """A duration of the host as the study file has it."""
    return duration(text) / 1e9


def _status(status: int) -> str:
    if status < 0:
        return f"it was ended by {signal.Signals(-status).name}"
    return f"status {status}" + (f", {_WHY[status]}" if status in _WHY else "")


def _with(why: str, said: str) -> str:
    return f"{why}: {said}" if said else why
