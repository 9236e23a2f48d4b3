"""A machine that stands, and who has it stand or go on.

In virtual time it stands where its islands have been let go on to (``Course``), under the host's clock when every pcpu
has said that it is out of its guest (``Life.freeze``). Several may ask for it at once.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import final

from baonet.actors.course import Course
from baonet.actors.life import Life


@final
class Standstill:
    """``until`` waits until something is so, False: the run is over before. ``perform`` does what ``life`` asks
    for, ``go_on`` grants what ``course`` does.
    """

    def __init__(
        self,
        life: Life,
        course: Course,
        *,
        until: Callable[[Callable[[], bool]], Awaitable[bool]],
        perform: Callable[[], None],
        go_on: Callable[[], None],
    ) -> None:
        self._life = life
        self._course = course
        self._until = until
        self._perform = perform
        self._go_on = go_on
        self._since: int | None = None
        self._resumed = 0
        self._pausing = False

    @property
    def complete(self) -> bool:
        """Whether no guest runs, and none will before ``resume`` or ``advance``."""
        return self._life.started and self._life.frozen and self._course.standing

    @property
    def settled(self) -> bool:
        """The machine stands, or is told to: there is a bound to what is still to be taken from the pcpus."""
        return self._pausing or self.complete

    def look(self) -> None:
        """Something has happened by which it may have come to stand: its time stands from now on."""
        if self._since is None and self.complete:
            self._since = time.monotonic_ns()

    async def pause(self) -> None:
        """Have the machine stand. In virtual time where it has been let go to, else at the start of a block of code.

        Returns when it stands, or the run is over: it asks anew when somebody else has had the machine go on meanwhile.
        """
        if not await self._until(lambda: self._life.started):
            return
        while not self.complete:
            resumed, self._pausing = self._resumed, True
            self._course.stand()
            self._life.freeze()
            self._perform()
            if not await self._until(self._stands_or_went_on_after(resumed)):
                return

    def resume(self) -> None:
        """Have the machine go on. For its guests no time has passed."""
        since, self._since = self._since, None
        self._resumed, self._pausing = self._resumed + 1, False
        self._course.go_on()
        self._life.thaw(0 if since is None else time.monotonic_ns() - since)
        self._perform()
        if self._life.started:
            self._go_on()

    async def advance(self, moment: int) -> int:
        """In virtual time: have the machine go on to ``moment``, in cycles, and stand there. Returns where it stands.

        That is earlier when the run is over, or somebody else has it stand before; somebody else may have it go on by
        itself meanwhile. Guests have come to the end of the window (``clock.window``) there. Raises ValueError under
        the host's clock.
        """
        if not self._course.conducted:
            raise ValueError("the host's time has no moments to advance to: use clock.mode virtual, or pause()")
        await self._until(lambda: self._life.started)
        self._pausing = False
        resumed = self._resumed
        self._course.stand(moment)
        self._go_on()
        await self._until(self._stands_or_went_on_after(resumed))
        return self._course.moment

    def _stands_or_went_on_after(self, resumed: int) -> Callable[[], bool]:
        return lambda: self.complete or self._resumed != resumed
