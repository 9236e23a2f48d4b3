"""How far the islands of a machine may go in virtual time before the agent looks at all of them together.

Islands have nothing to say to each other, so they need not keep step; but a run that ends by what a guest prints, or
because all VMs are off, must end at one moment for all. That moment is a horizon: a multiple of ``step``, or ``end``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

from baonet.machine.saved import Saved, StateForm, row
from baonet.wire.turns import NEVER

_FORM: Final = StateForm("the horizons", 1, horizon=int, latest=int, next=list)


@final
class Horizons:
    """``end`` is the last horizon, None for no end. All times are cycles."""

    def __init__(self, islands: Iterable[int], step: int, end: int | None = None) -> None:
        self.step = step
        self.horizon = 0
        self.latest = 0
        self.end = NEVER if end is None else end
        self._next: dict[int, int | None] = dict.fromkeys(islands, 0)

    @property
    def complete(self) -> bool:
        """Whether all islands have reached the horizon."""
        return all(moment is not None for moment in self._next.values())

    @property
    def idle(self) -> bool:
        """Whether nobody has anything to do any more, unless something comes from outside."""
        return self.soonest >= NEVER

    @property
    def ended(self) -> bool:
        """Whether the last horizon has been reached: nobody has anything to do before it."""
        return self.end < NEVER and self.soonest >= self.end

    @property
    def soonest(self) -> int:
        """When somebody has something to do again, as far as is known; NEVER if nobody has."""
        return min((moment for moment in self._next.values() if moment is not None), default=NEVER)

    def reached(self, island: int, next_: int, latest: int) -> None:
        if island in self._next:
            self._next[island] = NEVER if next_ < 0 else next_
        self.latest = max(self.latest, latest)

    def drop(self, island: int) -> None:
        """This one is no more."""
        self._next.pop(island, None)

    def advance(self, moment: int | None = None, most: int = NEVER) -> int:
        """The next horizon, which all islands are now on their way to: behind the next thing that anybody does.

        ``moment``: or behind that; but not behind ``most``.
        """
        moment = self.soonest if moment is None else moment
        self.horizon = max(self.horizon, min((moment // self.step + 1) * self.step, self.end, most))
        self._next = dict.fromkeys(self._next)
        return self.horizon

    def save(self) -> Saved:
        """How far the islands have come. Raises ValueError while one is on its way."""
        if not self.complete:
            raise ValueError("not every island has reached the horizon: save it when all have")
        return _FORM.save(
            horizon=self.horizon, latest=self.latest, next=[[island, moment] for island, moment in self._next.items()]
        )

    def load(self, data: object) -> None:
        """Be as those were; the step and the end are this run's own. Raises StateError for what is not their state."""
        fields = _FORM.load(data)
        with _FORM.reading():
            next_: dict[int, int | None] = dict(row(each, int, int) for each in fields["next"])
            if not next_.keys() <= self._next.keys():
                raise _FORM.damaged("it has other islands: load it into the machine that it was saved from")
            self._next = next_
        self.horizon, self.latest = fields["horizon"], fields["latest"]
