"""Conducts a study: what is missing is run, so many at a time, and every run is saved as it ends."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from types import MappingProxyType
from typing import Protocol, final

import trio

from baonet.machine.dataclass import dataclass, field
from baonet.study.determinism import Disagreement, disagreements
from baonet.study.fingerprint import changes
from baonet.study.plan import Point, Run, Study
from baonet.study.plausible import check_meta
from baonet.study.progress import ProgressLine
from baonet.study.store import Store, StoredPoint, StoredRun, StoreError

_TICK = 1.0
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Do(Protocol):
    """Does one run. Tests have one that starts no process."""

    def __call__(self, run: Run) -> Awaitable[StoredRun]: ...


@final
@dataclass(slots=True)
class StudyOutcome:
    """``signal`` is what ended the study before its end, if anything did."""

    done: int = 0
    failed: int = 0
    signal: int | None = None
    disagreements: list[Disagreement] = field(default_factory=list)


def prepare(
    study: Study, store: Store, fingerprint: dict[str, str], origin: Mapping[str, str] = MappingProxyType({})
) -> list[Run]:
    """Tell the store what the study is, and find what is to do. Raises StoreError when it holds another's results.

    ``origin`` is who makes the results: ``baonet.study.origin``.
    """
    check_results(store, fingerprint)
    points = study.points()
    told = describe(study) | dict(origin) | {"fingerprint": json.dumps(fingerprint)}
    store.describe(told, [stored(point) for point in points])
    done = store.done()
    return [run for run in study.runs() if (run.point, run.seed, run.repeat) not in done]


def check_results(store: Store, fingerprint: dict[str, str]) -> None:
    """Raises StoreError when they are not those of a study with this fingerprint."""
    meta = store.meta()
    try:
        check_meta(meta)
    except ValueError as error:
        raise store.damaged(error) from None
    if meta:
        changed = changes(store.json(meta.get("fingerprint", "{}")), fingerprint)
        if changed:
            raise StoreError(
                f"{store.path}: the results there were made before a change of {'; '.join(changed)}: "
                "--fresh discards them, -o names another file"
            )


def describe(study: Study) -> dict[str, str]:
    """What the report needs to know of the study file."""
    return {
        "title": study.title,
        "description": study.description,
        "expected": study.expected,
        "study": study.path.name,
        "machine": study.machine.name,
        "for": study.duration or "",
        "until": ", ".join(study.until),
        "repeats": str(study.repeats),
        "seeds": json.dumps([dict(seed) for seed in study.seeds]),
        "axes": json.dumps([axis.name for axis in study.axes]),
        "metrics": json.dumps([[spec.name, spec.kind, spec.unit, dict(spec.ids)] for spec in study.metrics]),
        "plots": json.dumps(
            None
            if study.plots is None
            else [[each.metric, each.kind, each.axis, each.only, each.title, each.log] for each in study.plots]
        ),
    }


def stored(point: Point) -> StoredPoint:
    place = {
        axis: (each.label, None if each.amount is None else each.amount.value, each.amount.unit if each.amount else "")
        for axis, each in point.place.items()
    }
    return StoredPoint(point.number, point.label, place, dict(point.settings))


async def conduct(runs: list[Run], store: Store, do: Do, jobs: int, progress: ProgressLine) -> StudyOutcome:
    """Do the runs, ``jobs`` at a time, until all have ended or a signal comes. Leaves no run half done."""
    outcome = StudyOutcome()
    queue = iter(runs)
    wanted = [number for number in _ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup
    with trio.open_signal_receiver(*wanted) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_until_signal, signals, outcome, nursery.cancel_scope)
            nursery.start_soon(_ticking, progress)
            async with trio.open_nursery() as workers:
                for _ in range(min(jobs, len(runs))):
                    workers.start_soon(_work, queue, store, do, progress, outcome)
            nursery.cancel_scope.cancel()
    progress.close()
    outcome.disagreements = disagreements(store)
    return outcome


async def _work(queue: Iterator[Run], store: Store, do: Do, progress: ProgressLine, outcome: StudyOutcome) -> None:
    for run in queue:
        progress.started()
        row = await do(run)
        store.save(row)
        outcome.done += row.done
        outcome.failed += not row.done
        if not row.done:
            progress.say(f"point {run.point}, seed {run.seed}, repeat {run.repeat}: {_brief(row.error)}")
        progress.ended(failed=not row.done)


def _brief(error: str) -> str:
    """Why, and the line of what was said that tells: the first, or of a program's failure the last."""
    why, _, said = error.partition(": ")
    lines = said.strip().splitlines()
    if not lines:
        return why
    return f"{why}: {lines[-1 if lines[0].startswith('Traceback') else 0]}"


async def _ticking(progress: ProgressLine) -> None:
    while True:
        await trio.sleep(_TICK)
        progress.tick()


async def _until_signal(signals: AsyncIterator[int], outcome: StudyOutcome, scope: trio.CancelScope) -> None:
    async for number in signals:
        outcome.signal = number
        scope.cancel()
        return
