"""The picture of a round in docs/virtual-time.md is that of a run as it is now."""

from __future__ import annotations

from tests.system.round_picture import PICTURE, Course, drawn, run
from tests.system.travelling import same


def test_the_picture_of_a_round_is_current() -> None:
    """Make it anew with `make docs`."""
    course = Course()
    outcome = run(course.watch)
    same(outcome, run())
    assert PICTURE.read_text(encoding="utf-8") == drawn(course, outcome)
