"""A run for programs without async: Trio is in a thread, and each call waits for what it does there."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, final

import trio

from baonet.machine import Machine
from baonet.run.guest_console import GuestConsole
from baonet.run.open_run import OpenRun
from baonet.run.results import RunOutcome
from baonet.testing.runs import Runs

T = TypeVar("T")


@final
class _Loop:
    """Trio in a thread of its own, from ``start`` to ``stop``."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._began = threading.Event()
        self._token: trio.lowlevel.TrioToken | None = None
        self._over: trio.Event | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="baonet: runs", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._began.wait()

    def _work(self) -> None:
        try:
            trio.run(self._main)
        except BaseException as error:
            self._error = error
        finally:
            self._began.set()

    async def _main(self) -> None:
        self._over = trio.Event()
        self._token = trio.lowlevel.current_trio_token()
        async with self._runs:
            self._began.set()
            await self._over.wait()

    def call(self, what: Callable[[], Awaitable[T]]) -> T:
        """What ``what`` returns or raises."""
        return trio.from_thread.run(what, trio_token=self._token)

    def stop(self) -> None:
        """Raises what went wrong beside the calls."""
        if self._over is not None:
            trio.from_thread.run_sync(self._over.set, trio_token=self._token)
        self._thread.join()
        if self._error is not None:
            raise self._error


@final
class BlockingConsole:
    """``GuestConsole``, whose waits block."""

    def __init__(self, console: GuestConsole, loop: _Loop) -> None:
        self._console = console
        self._loop = loop

    @property
    def text(self) -> str:
        return self._console.text

    def send(self, text: str | bytes) -> None:
        async def send() -> None:
            self._console.send(text)

        self._loop.call(send)

    def send_break(self) -> None:
        async def send_break() -> None:
            self._console.send_break()

        self._loop.call(send_break)

    def wait_for(self, text: str | bytes | re.Pattern[str] | re.Pattern[bytes], *, timeout: str | None = None) -> str:
        return self._loop.call(lambda: self._console.wait_for(text, timeout=timeout))


@final
class BlockingRun:
    """``OpenRun``, whose waits block; each call does what the method of that name does there."""

    def __init__(self, run: OpenRun, loop: _Loop) -> None:
        self._run = run
        self._loop = loop

    @property
    def machine(self) -> Machine:
        return self._run.machine

    @property
    def time(self) -> int:
        return self._run.time

    @property
    def standing(self) -> bool:
        return self._run.standing

    @property
    def outcome(self) -> RunOutcome:
        return self._run.outcome

    def console(self, vm: str) -> BlockingConsole:
        return BlockingConsole(self._run.console(vm), self._loop)

    def until(self, *texts: str, timeout: str | None = None) -> None:
        self._loop.call(lambda: self._run.until(*texts, timeout=timeout))

    def for_(self, duration: str) -> None:
        self._loop.call(lambda: self._run.for_(duration))

    def finished(self, *, timeout: str | None = None) -> RunOutcome:
        return self._loop.call(lambda: self._run.finished(timeout=timeout))

    def pause(self) -> None:
        self._loop.call(self._run.pause)

    def resume(self) -> None:
        async def resume() -> None:
            self._run.resume()

        self._loop.call(resume)

    def save(self, path: str | os.PathLike[str]) -> None:
        self._loop.call(lambda: self._run.save(path))

    def registers(self, vm: str, vcpu: int = 0) -> Mapping[str, int]:
        return self._loop.call(lambda: self._run.registers(vm, vcpu))

    def read_memory(self, vm: str, address: int, size: int) -> bytes:
        """``OpenRun.memory(vm).read``."""
        return self._run.memory(vm).read(address, size)

    def write_memory(self, vm: str, address: int, data: bytes | bytearray | memoryview) -> None:
        """``OpenRun.memory(vm).write``."""
        self._run.memory(vm).write(address, data)


@final
class BlockingRuns:
    """``Runs`` for a test without async, as a context."""

    def __init__(self, *directories: Path) -> None:
        self._runs = Runs(*directories)
        self._loop = _Loop(self._runs)

    def open(self, path: str | os.PathLike[str], **options: Any) -> BlockingRun:
        """Takes and raises what ``baonet.load`` and ``baonet.open_run`` do."""
        return BlockingRun(self._loop.call(lambda: self._runs.open(path, **options)), self._loop)

    def told(self) -> list[tuple[str, str]]:
        return self._runs.told()

    def __enter__(self) -> BlockingRuns:
        self._loop.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.stop()
