"""How many examples a property has: in ``make slow`` all (the profile ``whole``), in other runs part of them.

Each run has others, so that many runs see what one does not.
"""

from __future__ import annotations

from typing import Final

from hypothesis import settings

WHOLE: Final = "whole"
_ALL, _PART = 100, 35
"""Hypothesis's own number of examples, and in their place."""


def register() -> None:
    """The profiles. How long an example takes says more about the host than about the code."""
    settings.register_profile("baonet", deadline=None, max_examples=_PART)
    settings.register_profile(WHOLE, deadline=None)
    settings.load_profile("baonet")


def examples(count: int) -> int:
    """``max_examples`` of a property that has so many in whole; its settings are made when its module is imported."""
    part: int = settings().max_examples
    return count * part // _ALL
