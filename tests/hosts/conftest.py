"""One bench a test, with nothing left of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.hosts.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes one, with nodes that wait."""
    with ExitStack() as stack:

        def make(*names: str, wired: tuple[str, ...] = (), wrapped: tuple[str, ...] = ()) -> Bench:
            made = Bench(tmp_path, names, wired=wired, wrapped=wrapped)
            stack.callback(made.close)
            made.start_nodes()
            return made

        yield make
