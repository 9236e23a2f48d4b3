"""PyYAML, with the regular expressions that it compiles while it is loaded compiled when they are used.

They were half of what it takes to load it: the sets of all printable characters and of what a plain scalar can stand
for, of which nothing here that reads with the parser in C has any need.
"""

from __future__ import annotations

import re
from _thread import get_ident
from typing import Any


class _WhenUsed:
    """A pattern, each method of which is that of the compiled one."""

    def __init__(self, *given: Any) -> None:
        self._given = given

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._given), name)
        setattr(self, name, found)
        return found


_compile, _loader = re.compile, get_ident()


def _compile_when_used(*given: Any) -> Any:
    """For PyYAML, which calls methods of a pattern only; other threads get theirs as ever."""
    return _WhenUsed(*given) if get_ident() == _loader else _compile(*given)


re.compile = _compile_when_used  # type: ignore[assignment]
try:
    import yaml as yaml  # noqa: PLC0414 - for whoever imports it from here
finally:
    re.compile = _compile
