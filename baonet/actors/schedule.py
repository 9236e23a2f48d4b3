"""The course of a run in virtual time: when the agent grants the next horizon, and when the run is over.

With somebody at a console virtual time keeps to the host's where it would be faster, so that an idle guest waits for
what is typed instead of running through the years. That changes nothing in what a run does, but when.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, final

from baonet.actors.ending import Ending
from baonet.actors.horizon import Horizons
from baonet.machine import Rate
from baonet.machine.saved import Saved, StateForm
from baonet.wire.turns import NEVER

_FORM: Final = StateForm("the course of a run", 1, horizons=dict, disturbed=bool)


@final
class Schedule:
    """``cycles``: how fast virtual time counts them. ``interactive``: somebody may type. ``clock``: the host's.

    ``standing``: the machine stands, at 0, until it is let go on. One that stands, or is let go to a moment alone, is
    not over when nobody has anything to do: somebody may give it something.
    """

    conducted = True

    def __init__(
        self,
        horizons: Horizons,
        cycles: Rate,
        *,
        interactive: bool,
        standing: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.horizons = horizons
        self.wanted: Ending | None = None
        self._cycles = cycles
        self._interactive = interactive
        self._clock = clock
        self._most = 0 if standing else NEVER
        self._base = -math.inf
        self.disturbed = False
        """Something was typed since the last horizon."""
        self._passed = False

    @property
    def time(self) -> int:
        """Cycles that the run has come to: of who came furthest, or the last horizon if nobody had anything to do."""
        return max(self.horizons.latest, self.horizons.end) if self._passed else self.horizons.latest

    @property
    def moment(self) -> int:
        return self.horizons.horizon

    @property
    def standing(self) -> bool:
        return self.horizons.complete and self.horizons.horizon >= self._most

    def stand(self, moment: int | None = None) -> None:
        self._most = self.horizons.horizon if moment is None else max(moment, self.horizons.horizon)

    def go_on(self) -> None:
        self._most = NEVER
        self._base = -math.inf

    def typed(self) -> int | None:
        """Something is typed: an idle machine has something to do again, and it is as late there as here.

        That is the horizon to tell before it; None when it is typed on the way to one. It takes effect behind that
        horizon and before the next, so that the run can end where a run ends that knew of it.
        """
        self.disturbed = True
        horizons = self.horizons
        if not horizons.complete or horizons.horizon == 0 or self._most < NEVER:
            return None
        return horizons.advance(min(self._now(), horizons.soonest) - horizons.step)

    def conclude(self, ending: Ending) -> Ending | None:
        """At the next horizon: it is one moment for all islands. The worst counts."""
        if self.wanted is None or ending.status > self.wanted.status:
            self.wanted = ending
        return None

    def due(self) -> Ending | None:
        horizons = self.horizons
        if not horizons.complete:
            return None
        if self.wanted is not None:
            return self.wanted
        if self.disturbed and horizons.horizon < horizons.end:
            return None  # what the islands have told may be older than what was typed
        if horizons.ended:
            self._passed = True
            return Ending.DONE
        over = horizons.idle and horizons.horizon > 0 and not self._interactive and self._most == NEVER
        return Ending.IDLE if over else None

    def patience(self) -> float:
        """Seconds until ``grant`` may have something to grant, inf if that does not depend on time."""
        soonest = min(self.horizons.soonest, self._most)
        if not self._interactive or not self.horizons.complete or soonest >= NEVER or self.standing:
            return math.inf
        return max(0.0, self._cycles.seconds(soonest - self._now()))

    def grant(self) -> int | None:
        """The next horizon, if all have reached the last one and it is time."""
        horizons = self.horizons
        if not horizons.complete or self.standing:
            return None
        disturbed, self.disturbed = self.disturbed, False
        if not self._interactive:
            return horizons.advance(horizons.horizon if disturbed else None, self._most)
        now, soonest = self._now(), min(horizons.soonest, self._most)
        if soonest > now and not disturbed:
            return None
        if soonest < now:  # one that has fallen behind does not hurry later
            self._base += self._cycles.seconds(now - soonest)
        return horizons.advance(horizons.horizon if disturbed else soonest, self._most)

    def reached(self, address: int, next_: int, latest: int) -> None:
        self.horizons.reached(address, next_, latest)

    def came(self, time: int) -> None:
        self.horizons.latest = max(self.horizons.latest, time)

    def drop(self, address: int) -> None:
        self.horizons.drop(address)

    def save(self) -> Saved:
        """How far it has come. Raises ValueError on the way."""
        return _FORM.save(horizons=self.horizons.save(), disturbed=self.disturbed)

    def load(self, data: object) -> None:
        """Be as one was that has been saved, and stand there if it is to stand. Raises StateError for what is none."""
        fields = _FORM.load(data)
        self.horizons.load(fields["horizons"])
        self.disturbed = fields["disturbed"]
        self._base = -math.inf

    def _now(self) -> int:
        """The virtual time that the host's clock shows."""
        now = self._clock()
        if self._base == -math.inf:
            self._base = now - self._cycles.seconds(self.horizons.horizon)
        return self._cycles.ticks_in(now - self._base)
