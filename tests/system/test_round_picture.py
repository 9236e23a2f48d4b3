"""The picture of rounds in the page is what a run does."""

from __future__ import annotations

from tests.system.round_picture import PAGE, page


def test_the_page_has_the_picture_that_is_drawn_from_a_run() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "draw it again: python -m tests.system.round_picture"
