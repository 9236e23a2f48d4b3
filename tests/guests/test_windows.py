"""What the length of a window does to Linux: next to nothing, as far as its own time says."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import checkouts, islands

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]


def test_dd_takes_as_long_in_any_window(guest_cache: Path) -> None:
    """Four at once, into one file: their vCPUs contend for its locks."""
    works = {work.name.rpartition(", ")[2]: work for work in islands.works() if work.unit == "virtual s"}
    took = {window: works[window].take(checkouts.here()) for window in ("10us", "100us")}
    assert took["100us"] == pytest.approx(took["10us"], rel=0.05)
