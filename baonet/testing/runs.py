"""The machines of one test: opened when it asks, ended when it ends."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, final

import trio

from baonet.machine import Machine
from baonet.run.open_run import OpenRun
from baonet.run.opening import load, open_run

TIMEOUT = "60s"


@final
class Runs:
    """As a context, in Trio. ``directories``: where machine files are, the first in which one is.

    Each run has a task of its own, so that whoever opens it need not be the one that ends it.
    """

    def __init__(self, *directories: Path) -> None:
        self._directories = directories
        self._runs: list[OpenRun] = []
        self._over = trio.Event()
        self._stack = AsyncExitStack()

    async def open(
        self,
        path: str | os.PathLike[str],
        *,
        set: Mapping[str, object] | Sequence[str] = (),
        **options: Any,
    ) -> OpenRun:
        """Takes and raises what ``baonet.load`` and ``baonet.open_run`` do."""
        machine = load(self._found(Path(path)), set=set)
        run: OpenRun = await self._nursery.start(self._one, machine, {"timeout": TIMEOUT} | options)
        self._runs.append(run)
        return run

    async def _one(
        self,
        machine: Machine,
        options: dict[str, Any],
        task_status: trio.TaskStatus[OpenRun] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        async with open_run(machine, **options) as run:
            task_status.started(run)
            await self._over.wait()

    def _found(self, path: Path) -> Path:
        there = [directory / path for directory in self._directories if (directory / path).exists()]
        return there[0] if there else path

    def told(self) -> list[tuple[str, str]]:
        """For people: the title and the text of each run."""
        return [(os.path.basename(run.machine.path), described(run)) for run in self._runs]

    async def __aenter__(self) -> Runs:
        self._nursery = await self._stack.enter_async_context(trio.open_nursery())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        await self._stack.__aexit__(kind, error, traceback)


def described(run: OpenRun) -> str:
    """How it ended, its digest, reports, what each CPU did in the end, and the end of each console."""
    outcome = run.outcome
    states = ", ".join(f"{name} {state}" for name, state in outcome.vms.items())
    ending = "is not over" if outcome.ending is None else f"ended: {outcome.ending.name.lower()}"
    lines = [f"{ending} ({states})"]
    if outcome.time is not None:
        lines.append(f"virtual time {outcome.time} ns, digest {outcome.digest}")
    lines += [*outcome.warnings, *outcome.reasons]
    for name in outcome.vms:
        tail = run.console(name).text.splitlines()[-40:]
        lines += [f"the console of VM '{name}':", *(f"  {line}" for line in tail)]
    return "\n".join(lines)
