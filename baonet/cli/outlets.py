"""Where a run writes: standard output and error and its files, none of which can keep it from ending."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING, final

from baonet.actors.ending import Ending
from baonet.actors.refusals import reason, refused
from baonet.cli.outputs import Output
from baonet.outlets import hangup
from baonet.outlets.outlet import PATIENCE, Outlet, Outlets, Voice, standard

if TYPE_CHECKING:
    import trio

_OUTSIDE = (Ending.TIMEOUT, Ending.INTERRUPTED, Ending.TERMINATED)


@final
class RunOutlets:
    """A run that ends by itself waits for its readers as any program does, until ``limit`` seconds have passed or the
    user ends it; any other end waits ``PATIENCE`` seconds for those that take nothing.
    """

    def __init__(self, limit: float | None) -> None:
        self.outlets = Outlets()
        self.out, self._errors = standard(self.outlets, sys.stdout.fileno(), sys.stderr.fileno())
        self._files: list[Outlet] = []
        self._deadline = math.inf if limit is None else time.monotonic() + limit
        self._hurried: Ending | None = None
        self._scope: trio.CancelScope | None = None

    def add(self, outlet: Outlet) -> Outlet:
        """A file whose errors are those of the run."""
        self._files.append(self.outlets.add(outlet))
        return outlet

    def complete(self, output: Output | None, text: str) -> bool:
        """Write a file that was asked for; whether that went well, or is to be seen (a pipe's reader may stop)."""
        if output is not None and not output.beside:
            self.add(Outlet(output.begin().fileno(), output.name)).write(text.encode())
        elif output is not None:
            try:
                output.finish(text.encode())
            except OSError as error:
                print(f"baonet run: {refused(error)}", file=sys.stderr)
                return False
        return True

    @contextmanager
    def voice(self) -> Iterator[None]:
        """Within, what is printed to ``sys.stderr`` waits for no reader."""
        try:
            with redirect_stderr(Voice(self._errors, sys.stderr.isatty())):
                yield
        finally:
            self.outlets.drain(PATIENCE)

    def hurry(self, ending: Ending) -> None:
        """The user ends the run."""
        self.hasten(ending)
        if self._scope is not None:
            import trio  # noqa: PLC0415 - as in ``written``

            self._scope.deadline = min(self._scope.deadline, trio.current_time() + PATIENCE)

    def hasten(self, ending: Ending) -> None:
        """The user does not want to wait for readers, although the run is over."""
        self._hurried = ending

    async def written(self, ending: Ending) -> Ending:
        """Wait until all is written, or for no longer than is right; how the run has ended now."""
        import trio  # noqa: PLC0415 - a run's first words come before there is a loop

        if ending in _OUTSIDE:
            self._hurried = self._hurried or ending
        left = PATIENCE if self._hurried is not None else max(PATIENCE, self._deadline - time.monotonic())
        with trio.move_on_after(left) as self._scope:
            await self.outlets.written()
        if not self._scope.cancelled_caught:
            return ending
        self.outlets.give_up()
        if self._hurried is None:
            self._hurried = Ending.TIMEOUT
        return self._hurried

    def finish(self, status: int) -> int:
        """After the last words: write the rest, and tell what could not be written. Returns the exit status.

        Raises the OSError of standard output or error.
        """
        left = PATIENCE if self._hurried is not None else max(PATIENCE, self._deadline - time.monotonic())
        self.outlets.drain(left if left < math.inf else None)
        for outlet in self._files:
            if outlet.error is not None:
                print(f"baonet: {outlet.name}: {reason(outlet.error)}", file=sys.stderr)
                status = Ending.FAILED.status
        for outlet in (self.out, *self._files):
            if outlet.stalled and outlet.waiting:  # not what was said just now
                print(
                    f"baonet: {outlet.name}: nobody reads it, {outlet.waiting} bytes are not written", file=sys.stderr
                )
        if self.outlets.hung_up:
            hangup.noticed()
            return Ending.TERMINATED.status
        for outlet in (self.out, self._errors):
            if outlet.error is not None:
                raise outlet.error
        return status
