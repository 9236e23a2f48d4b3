"""How fast a clock counts: the one place where its ticks become nanoseconds and nanoseconds its ticks.

In virtual time a tick is a cycle, under the host's clock a nanosecond. All is exact in integers, and each way names its
rounding: a duration that somebody wrote is never made shorter, a moment that is told is the nanosecond that it is in.
"""

from __future__ import annotations

from typing import Final, final

from baonet.machine.dataclass import dataclass

NANOSECONDS: Final = 1_000_000_000
"""Of a second."""


@final
@dataclass(frozen=True, slots=True)
class Rate:
    """``hz``: ticks a second, at least 1."""

    hz: int

    def ticks(self, nanoseconds: int) -> int:
        """Rounded up, so that nothing takes less time than it says."""
        return -(-nanoseconds * self.hz // NANOSECONDS)

    def whole_ticks(self, nanoseconds: int) -> int:
        """Those that are over after so long: rounded down."""
        return nanoseconds * self.hz // NANOSECONDS

    def ns(self, ticks: int) -> int:
        """Rounded down, for people and exports."""
        return ticks * NANOSECONDS // self.hz

    def first_ns(self, ticks: int) -> int:
        """The first whole nanosecond that is not before: rounded up, so ``ticks`` of it is not earlier either."""
        return -(-ticks * NANOSECONDS // self.hz)

    def exact_ns(self, ticks: int) -> float:
        """For statistics; exact up to 2**53 ns, 104 days."""
        return ticks * NANOSECONDS / self.hz

    def seconds(self, ticks: int) -> float:
        return ticks / self.hz

    def ticks_in(self, seconds: float) -> int:
        """Of the host's clock, which is a float: rounded down."""
        return int(seconds * self.hz)

    def per_second(self, count: int, ticks: int) -> float:
        """What is ``count`` in ``ticks``."""
        return count * self.hz / ticks


HOST: Final = Rate(NANOSECONDS)
"""The host's clock: a tick is a nanosecond."""


def in_seconds(nanoseconds: int) -> str:
    """As a decimal number of seconds, with all nine digits."""
    whole, rest = divmod(nanoseconds, NANOSECONDS)
    return f"{whole}.{rest:09}"
