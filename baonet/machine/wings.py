"""The wings of a floor, by the names of their architectures.

Each is loaded when it is asked for: a process has machines of one architecture, and what another has costs each start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar, final

_T = TypeVar("_T")


@final
class Wings(Mapping[str, _T]):
    """``load`` has what loads each."""

    def __init__(self, load: Mapping[str, Callable[[], _T]]) -> None:
        self._load = load
        self._loaded: dict[str, _T] = {}

    def __getitem__(self, name: str) -> _T:
        if name not in self._loaded:
            self._loaded[name] = self._load[name]()
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._load

    def __iter__(self) -> Iterator[str]:
        return iter(self._load)

    def __len__(self) -> int:
        return len(self._load)
