"""What is wrong with a machine file: every problem at once, each with its place.

``ConfigError`` is the only exception that ``baonet.config`` raises for what a user wrote, be it a missing file, YAML
that does not parse, an unreadable image or a region that overlaps another one. Anything else is a bug.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from baonet.document.escapes import escaped
from baonet.machine.dataclass import dataclass

SHOWN = 100
"""Problems of a file that are told."""
_SHOWN = 110  # columns of a source line that are shown


@final
@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong.

    ``line`` and ``column`` count from 1; both are 0 when the file itself could not be read. ``field`` is the path of
    the field, as in ``vms[0].memory[1].base``. ``hint`` says what would be right. ``source`` is the line of the file,
    of which ``width`` characters from ``column`` are meant.
    """

    path: str
    line: int
    column: int
    field: str
    message: str
    hint: str = ""
    source: str = ""
    width: int = 1

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path

    def __str__(self) -> str:
        head = f"{self.place}: {self.field}: {self.message}" if self.field else f"{self.place}: {self.message}"
        lines = [escaped(head)]  # one line, whatever a path or a value has in it
        if self.source.strip():
            lines += self._marked()
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)

    def _marked(self) -> tuple[str, str]:
        """The source line, cut to what fits around the place, and the carets under it."""
        start = max(0, self.column - 1 - _SHOWN // 2) if len(self.source) > _SHOWN else 0
        # One character for each, or the carets would be elsewhere.
        plain = "".join(each if escaped(each, "") == each else " " for each in self.source[start : start + _SHOWN])
        shown = plain.rstrip()
        column = self.column - 1 - start
        indent = len(shown) - len(shown.lstrip())
        indent = min(indent, column)
        carets = "^" * max(1, min(self.width, len(shown) - column))
        return f"    {shown[indent:]}", f"    {' ' * (column - indent)}{carets}"


class ConfigError(Exception):
    """The machine file cannot be used. ``problems`` holds everything that is wrong, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems)))
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(f"{self.problems[0].path}: and more")
        return "\n".join(lines)
