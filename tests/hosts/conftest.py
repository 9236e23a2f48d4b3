"""One bench a test, with nothing left of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.hosts.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes one, with nodes that wait."""
    with ExitStack() as stack:

        def make(
            *names: str,
            wired: tuple[str, ...] = (),
            wrapped: tuple[str, ...] = (),
            clocks: Mapping[str, int] = MappingProxyType({}),
        ) -> Bench:
            made = Bench(tmp_path, names, wired=wired, wrapped=wrapped, clocks=clocks)
            stack.callback(made.close)
            made.start_nodes()
            return made

        yield make
