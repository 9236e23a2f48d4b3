"""What the agent is told of an actor that cannot go on."""

from __future__ import annotations

import os
import sys
import traceback

import pytest

from baonet.actors.telling import failure


def _failed() -> None:
    try:
        os.environ["NO SUCH KEY"]
    except KeyError as error:
        raise RuntimeError("two\nlines") from error


@pytest.mark.parametrize("alone", [False, True])
def test_an_error_of_ours_is_told_with_where_it_happened(alone: bool) -> None:
    with pytest.raises(RuntimeError) as caught:
        _failed()
    told = failure(3, caught.value, alone=alone).text
    assert told == "".join(traceback.format_exception(caught.value))
    assert "_failed" in told


def test_what_others_of_the_process_print_meanwhile_is_not_taken() -> None:
    class PrintingError(Exception):
        def __str__(self) -> str:
            used.append(sys.stderr)  # as another thread would
            return "it prints"

    used: list[object] = []
    told = failure(3, PrintingError()).text
    assert told.endswith("it prints\n")
    assert used == [sys.stderr]
