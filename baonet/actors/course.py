"""How the time of a machine goes on, and when its run is over: what the agent asks of either clock."""

from __future__ import annotations

import math
from typing import Final, Protocol, final

from baonet.actors.ending import Ending


class Course(Protocol):
    """``conducted``: the actors are conductors of islands, which are let go on a horizon at a time (``Life``).

    ``wanted``: what the machine itself has come to, where the run goes on to the next moment that all its islands have
    in common. All times are cycles of virtual time.
    """

    conducted: bool
    wanted: Ending | None

    @property
    def time(self) -> int:
        """That the run has come to; 0 under the host's clock."""

    @property
    def moment(self) -> int:
        """To which all are let go on."""

    @property
    def standing(self) -> bool:
        """Nobody goes on before ``go_on``, and all are where they were let go on to."""

    def conclude(self, ending: Ending) -> Ending | None:
        """The machine itself has come to an end. How the run ends now, if it does."""

    def due(self) -> Ending | None:
        """How the run ends now, if it does."""

    def grant(self) -> int | None:
        """The next horizon, if it is time for it."""

    def typed(self) -> int | None:
        """Somebody types: the horizon to tell before that, if any."""

    def patience(self) -> float:
        """Seconds until ``grant`` may have something to grant, inf if that does not depend on time."""

    def reached(self, address: int, next_: int, latest: int) -> None:
        """A conductor has come to the horizon; see ``Reached``."""

    def came(self, time: int) -> None:
        """A conductor ends, maybe on the way to a horizon: so far its clocks have come."""

    def drop(self, address: int) -> None:
        """This actor is no more."""

    def stand(self, moment: int | None = None) -> None:
        """Let nobody go on beyond ``moment``, or farther than they are let already."""

    def go_on(self) -> None:
        """Nobody stands any more."""


@final
class FreeCourse:
    """Under the host's clock everybody goes on alone, and what stands is told so by the agent."""

    conducted = False
    time: Final = 0
    moment: Final = 0

    def __init__(self) -> None:
        self.wanted: Ending | None = None
        self.standing = False

    def conclude(self, ending: Ending) -> Ending | None:
        return ending

    def due(self) -> Ending | None:
        return None

    def grant(self) -> int | None:
        return None

    def typed(self) -> int | None:
        return None

    def patience(self) -> float:
        return math.inf

    def reached(self, address: int, next_: int, latest: int) -> None: ...
    def came(self, time: int) -> None: ...
    def drop(self, address: int) -> None: ...

    def stand(self, moment: int | None = None) -> None:
        self.standing = True

    def go_on(self) -> None:
        self.standing = False
