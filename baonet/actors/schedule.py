"""When the agent grants the next horizon, and when the run is over in virtual time.

With somebody at a console virtual time keeps to the host's where it would be faster, so that an idle guest waits for
what is typed instead of running through the years. That changes nothing in what a run does, but when.
"""

from __future__ import annotations

import math
from typing import final

import trio

from baonet.actors.ending import Ending
from baonet.actors.horizon import Horizons
from baonet.machine import Rate


@final
class Schedule:
    """``cycles``: how fast virtual time counts them. ``interactive``: somebody may type."""

    def __init__(self, horizons: Horizons, cycles: Rate, *, interactive: bool) -> None:
        self.horizons = horizons
        self._cycles = cycles
        self._interactive = interactive
        self._base = -math.inf
        self._disturbed = False
        self._passed = False

    @property
    def time(self) -> int:
        """Cycles that the run has come to: of who came furthest, or the last horizon if nobody had anything to do."""
        return max(self.horizons.latest, self.horizons.end) if self._passed else self.horizons.latest

    def disturb(self) -> int | None:
        """Something is typed: an idle machine has something to do again, and it is as late there as here.

        That is the horizon to tell before it; None when it is typed on the way to one. It takes effect behind that
        horizon and before the next, so that the run can end where a run ends that knew of it.
        """
        self._disturbed = True
        horizons = self.horizons
        if not horizons.complete or horizons.horizon == 0:
            return None
        return horizons.advance(min(self._now(), horizons.soonest) - horizons.step)

    def due(self, wanted: Ending | None) -> Ending | None:
        """How the run ends now, if it does; ``wanted`` is what the machine itself has come to."""
        horizons = self.horizons
        if not horizons.complete:
            return None
        if wanted is not None:
            return wanted
        if horizons.ended:
            self._passed = True
            return Ending.DONE
        return Ending.IDLE if horizons.idle and horizons.horizon > 0 and not self._interactive else None

    def patience(self) -> float:
        """Seconds until ``grant`` may have something to grant, inf if that does not depend on time."""
        if not self._interactive or not self.horizons.complete or self.horizons.idle:
            return math.inf
        return max(0.0, self._cycles.seconds(self.horizons.soonest - self._now()))

    def grant(self) -> int | None:
        """The next horizon, if all have reached the last one and it is time."""
        horizons = self.horizons
        if not horizons.complete:
            return None
        if not self._interactive:
            return horizons.advance()
        now, soonest = self._now(), horizons.soonest
        disturbed, self._disturbed = self._disturbed, False
        if soonest > now and not disturbed:
            return None
        if soonest < now:  # one that has fallen behind does not hurry later
            self._base += self._cycles.seconds(now - soonest)
        return horizons.advance(horizons.horizon if disturbed else soonest)

    def _now(self) -> int:
        """The virtual time that the host's clock shows."""
        now = trio.current_time()
        if self._base == -math.inf:
            self._base = now
        return self._cycles.ticks_in(now - self._base)
