"""Which rows of a benchmark are measured."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol, TypeVar

from tests.guests import debian


class Row(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def linux(self) -> bool: ...


R = TypeVar("R", bound=Row)


def chosen(rows: Sequence[R], only: Sequence[str]) -> list[R]:
    """Those whose names have one of ``only`` in them, or all; without Debian's kernel those that need none.

    Raises ValueError for a text that is in no name.
    """
    for text in only:
        if not any(text in row.name for row in rows):
            raise ValueError(f"no row has '{text}' in its name: there are {', '.join(row.name for row in rows)}")
    found = [row for row in rows if not only or any(each in row.name for each in only)]
    if any(row.linux for row in found):
        try:
            debian.fetch(debian.cache_directory())
        except debian.FetchError as error:
            print(f"no Linux: {error}", file=sys.stderr)
            found = [row for row in found if not row.linux]
    return found
