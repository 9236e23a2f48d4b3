"""Percentiles of samples, with bootstrap confidence intervals.

A percentile is the nearest rank: the least sample that at least that part of all samples does not exceed. It is always
a sample that was measured, never something between two.

The bootstrap (Efron 1979) asks how a percentile would vary if the n samples were drawn anew, with replacement, from
themselves. The r-th smallest of such a draw is the sample of rank ``floor(n * B) + 1`` where B follows the distribution
of the r-th smallest of n uniform numbers, Beta(r, n - r + 1). So a redraw costs one random number instead of n, and the
result is the bootstrap's own, not an approximation of it. The seed is fixed: the same samples give the same interval.

It takes samples to be independent. Those of one guest seldom are quite: take an interval for what it is.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import final

from baonet.machine.dataclass import dataclass

REDRAWS = 2000
LEVEL = 0.95
_SEED = 1979


@final
@dataclass(frozen=True, slots=True)
class Estimate:
    """A percentile and its confidence interval, in the unit of the samples."""

    value: float
    low: float
    high: float


def rank(count: int, percent: float) -> int:
    """Which of ``count`` sorted samples, counted from 1, is the percentile."""
    # Rounded first: 99.9 / 100 * 1000 is a little more than 999, and its ceiling would be 1000.
    return min(count, max(1, math.ceil(round(percent * count / 100, 9))))


def estimate(ordered: Sequence[float], percent: float, redraws: int = REDRAWS, level: float = LEVEL) -> Estimate:
    """A percentile of sorted samples. Raises ValueError when there are none."""
    count = len(ordered)
    if not count:
        raise ValueError("no samples")
    at = rank(count, percent)
    value = ordered[at - 1]
    if ordered[0] == ordered[-1]:
        return Estimate(value, value, value)
    source = random.Random(_SEED)
    drawn = sorted(min(count - 1, int(count * source.betavariate(at, count - at + 1))) for _ in range(redraws))
    low, high = rank(redraws, 50 * (1 - level)), rank(redraws, 50 * (1 + level))
    return Estimate(value, ordered[drawn[low - 1]], ordered[drawn[high - 1]])
