"""What the agent is told of an actor that cannot go on."""

from __future__ import annotations

import os
import traceback

import pytest

from baonet.actors.telling import failure


def _failed() -> None:
    try:
        os.environ["NO SUCH KEY"]
    except KeyError as error:
        raise RuntimeError("two\nlines") from error


def test_an_error_of_ours_is_told_with_where_it_happened() -> None:
    with pytest.raises(RuntimeError) as caught:
        _failed()
    told = failure(3, caught.value).text
    assert told == "".join(traceback.format_exception(caught.value))
    assert "_failed" in told
