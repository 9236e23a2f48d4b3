"""What of --heartbeat cannot be is told in one line."""

from __future__ import annotations

import pytest

from tests.system.machine import baonet


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--heartbeat", "1s"], "--heartbeat is of the nodes of --on: leave it away, or give --on"),
        (["--on", "local:2", "--heartbeat", "1ms"], "--heartbeat is to be between 100ms and 1h"),
        (["--on", "local:2", "--heartbeat", "2h"], "--heartbeat is to be between 100ms and 1h"),
        (["--on", "local:2", "--heartbeat", "0s"], "would end at once"),
    ],
)
def test_one_line_says_what_is_wrong(options: list[str], says: str) -> None:
    done = baonet("run", "configs/hello.yaml", *options)
    assert done.status == 2
    assert says in done.err
    assert "Traceback" not in done.err


def test_local_nodes_have_one_too() -> None:
    assert baonet("run", "configs/hello.yaml", "--on", "local:2", "--heartbeat", "500ms").status == 0
