"""The form of saved state: what it takes, and that a form that changes has another version."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from baonet.machine.saved import StateError, StateForm, StateRow, row
from tests.machine.forms import LIST, found

FORM = StateForm("a cat", 3, lives=int, name=str | None, asleep=bool)
CAT = {"version": 3, "lives": 9, "name": None, "asleep": True}


def test_a_form_that_changes_has_another_version() -> None:
    known, forms = yaml.safe_load(LIST.read_text()), found()
    changed = {what for what in known.keys() & forms.keys() if known[what] != forms[what]}
    counted = {what for what in changed if known[what].get("version") != forms[what].get("version")}
    rows = {what for what in changed if "version" not in forms[what]}
    assert changed == counted | rows, f"count their versions up: {changed - counted - rows}"
    assert counted or not rows, f"count the version up of what has {rows}"
    assert known == forms, "write the list anew: python -m tests.machine.forms"


def test_what_was_saved_is_loaded() -> None:
    saved = FORM.save(lives=9, name=None, asleep=True)
    assert saved == CAT
    assert FORM.load(saved) == CAT


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "a cat is damaged: None where a map with a version is due"),
        ({"lives": 9}, "a cat is damaged: .* where a map with a version is due"),
        (
            CAT | {"version": 2},
            "a cat has version 2, and this baonet reads version 3: load it with the baonet that saved it, or",
        ),
        (CAT | {"version": "x" * 99}, "has version 'x{19}, and this"),
        (CAT | {"tail": 1}, "a cat is damaged: missing or unknown: tail"),
        ({"version": 3, "lives": 9}, "a cat is damaged: missing or unknown: asleep, name"),
        (CAT | {"lives": "9"}, "a cat is damaged: lives is '9'"),
        (CAT | {"lives": True}, "a cat is damaged: lives is True"),
        (CAT | {"asleep": 1}, "a cat is damaged: asleep is 1"),
    ],
)
def test_what_is_no_such_state_is_refused(data: Any, message: str) -> None:
    with pytest.raises(StateError, match=message):
        FORM.load(data)


class Mouse:
    holes = 0
    seen = True


def test_rows_have_their_attributes_in_order() -> None:
    row, mouse = StateRow("a mouse", holes=int, seen=bool), Mouse()
    row.load(mouse, [3, False])
    assert (mouse.holes, mouse.seen) == (3, False)
    assert row.save(mouse) == [3, False]
    for wrong in ([3], [3, 0], [True, True], None):
        with pytest.raises(StateError, match="a mouse is damaged"):
            row.load(mouse, wrong)


def test_what_is_inside_a_field_has_its_types() -> None:
    assert row([1, "x", None], int, str, int | None) == [1, "x", None]
    for wrong in (None, (1, "x"), [1], [1, "x", 2], [True, "x"], [1, 2]):
        with pytest.raises(StateError, match="a cat is damaged: TypeError"), FORM.reading():
            row(wrong, int, str)
