"""The kinds of values that a machine file holds: how each is read, what went wrong, and how it is described.

From the kinds come the values with their places, the JSON Schema and the reference page; a mapping with known keys is a
model (``baonet.document.models``). All problems of a file are found in one pass: a value that cannot be read is
recorded and left out, and reading goes on.

This is in place of a validation library because it runs before the first guest instruction: importing pydantic and
building the same models with it takes 150 to 200 ms, this takes 20.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, final

from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.quantities import QuantityError, listing, show
from baonet.machine.dataclass import dataclass

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Schema = dict[str, Any]


class UnreadableError(Exception):
    """The value has problems, which are recorded, and cannot be used."""


@final
class Reader:
    """What one pass over a file found.

    ``broken`` holds the field paths of everything that had to be left out, so that a check can tell "absent" from
    "present and wrong" and does not complain about the consequences. ``files`` are those that were read. ``absent``:
    why there is no value at a field path, where that is not that nobody gave one. ``doubts``: what can be and is
    probably not meant.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.doubts: list[Problem] = []
        self.broken: set[str] = set()
        self.files: list[Path] = []
        self.absent: dict[str, Problem] = {}

    def fail(self, node: YamlNode, message: str, hint: str = "") -> UnreadableError:
        self.problems.append(node.problem(message, hint))
        self.broken.add(node.name)
        return UnreadableError()

    def intact(self, name: str) -> bool:
        """Whether everything at and below this field path could be read."""
        below = (name + ".", name + "[")
        return not any(other == name or other.startswith(below) for other in self.broken)


class ValueKind(Protocol[T_co]):
    """A kind of value. ``text`` names it in the reference page."""

    @property
    def text(self) -> str: ...

    def read(self, node: YamlNode, reader: Reader) -> T_co:
        """The value. Raises ``UnreadableError`` when it is not of this kind."""

    def schema(self, models: dict[str, Schema]) -> Schema:
        """JSON Schema of the value; schemas of models are added to ``models`` by name."""


@final
@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that ``parse`` reads, between ``least`` and ``most``, and that ``human`` writes.

    ``form`` is its JSON Schema.
    """

    text: str
    parse: Callable[[object], int]
    form: Schema
    least: int = 0
    most: int = (1 << 64) - 1
    human: Callable[[int], str] = str

    def read(self, node: YamlNode, reader: Reader) -> int:
        try:
            value = self.parse(node.value if not isinstance(node.value, list) else node.plain())
        except QuantityError as error:
            raise reader.fail(node, str(error), self._without_key(node) or self._allowed(error)) from None
        if not self._fits(value):
            raise reader.fail(node, f"{self.human(value)} is out of range", self._range())
        return value

    def _fits(self, value: int) -> bool:
        return self.least <= value <= self.most

    def _range(self) -> str:
        least, most = self.human(self.least), self.human(self.most)
        return "it can be " + (f"from {least} to {most}" if self.most < 1 << 63 else f"{least} or more")

    def _allowed(self, error: QuantityError) -> str:
        """What an error says would be right, if it would be here."""
        fitting = [each for each in error.near if self._fits(each)]
        if len(fitting) == len(error.near):
            return error.hint
        return f"write {self.human(fitting[0])}" if fitting else self._range()

    def _without_key(self, node: YamlNode) -> str:
        """What to do where somebody has put a key of his own in between."""
        if not isinstance(node.value, dict) or len(node.value) != 1:
            return ""
        ((key, inner),) = node.value.items()
        try:
            self.parse(inner.plain())
        except QuantityError:
            return ""
        return f"write the value right here, without '{key}'"

    def schema(self, models: dict[str, Schema]) -> Schema:
        return self.form


@final
@dataclass(frozen=True, slots=True)
class Text:
    """Text that matches ``pattern``; ``rule`` says so in words."""

    text: str = "text"
    pattern: str = ""
    rule: str = ""

    def read(self, node: YamlNode, reader: Reader) -> str:
        value = node.value
        if not isinstance(value, str):
            hint = f'quote it: "{str(value).lower()}"' if isinstance(value, int) else self.rule
            raise reader.fail(node, f"{show(value)} is not text", hint)
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise reader.fail(node, f"{show(value)} is not {self.text}", self.rule)
        return value

    def schema(self, models: dict[str, Schema]) -> Schema:
        return {"type": "string", "pattern": f"^{self.pattern}$"} if self.pattern else {"type": "string"}


@final
@dataclass(frozen=True, slots=True)
class Boolean:
    text: str = "true or false"

    def read(self, node: YamlNode, reader: Reader) -> bool:
        if not isinstance(node.value, bool):
            raise reader.fail(node, f"{show(node.value)} is neither true nor false", "write true or false")
        return node.value

    def schema(self, models: dict[str, Schema]) -> Schema:
        return {"type": "boolean"}


@final
@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """One of a few values. ``words`` are how a hint names them, where it says more of each."""

    choices: tuple[T, ...]
    words: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return listing((f"`{choice}`" for choice in self.choices), "or")

    @property
    def told(self) -> str:
        return listing(self.words or map(str, self.choices), "or")

    def read(self, node: YamlNode, reader: Reader) -> T:
        for choice in self.choices:
            if choice == node.value and type(choice) is type(node.value):
                return choice
        words = [str(choice) for choice in self.choices]
        hint = f"it can be {self.told}"
        if any(str(choice) == node.value for choice in self.choices):
            hint = "write it without quotes"
        elif str(node.value) in words:
            hint = f'quote it: "{node.value}"'
        raise reader.fail(node, f"{show(node.value)} is not known here", hint)

    def schema(self, models: dict[str, Schema]) -> Schema:
        return {"const": self.choices[0]} if len(self.choices) == 1 else {"enum": list(self.choices)}


class OfMappings:
    """Kinds whose values are mappings: in a list, one that cannot be read costs the others nothing."""

    __slots__ = ()


@final
@dataclass(frozen=True, slots=True)
class ListOf(Generic[T]):
    """A list of values of one kind.

    Mappings that cannot be read are left out of it. A list of plain values is read whole or not at all, so that the
    n-th value is always the n-th item of the file.
    """

    item: ValueKind[T]
    least: int = 0

    @property
    def text(self) -> str:
        return f"list of {self.item.text}"

    def read(self, node: YamlNode, reader: Reader) -> tuple[T, ...]:
        if not isinstance(node.value, list):
            plain = isinstance(node.value, int | str)
            hint = f"write [{show(node.value)}]" if plain else "write [ ] around it, or '- ' before each item"
            raise reader.fail(node, f"{show(node.value)} is not a list", hint)
        if len(node.value) < self.least:
            raise reader.fail(node, "the list is empty", "it needs at least one item")
        values = []
        lost = False
        for item in node.value:
            try:
                values.append(self.item.read(item, reader))
            except UnreadableError:
                reader.broken.add(item.name)
                lost = lost or not (isinstance(self.item, OfMappings) or isinstance(item.value, dict))
        if lost or len(values) < self.least:
            raise UnreadableError
        return tuple(values)

    def schema(self, models: dict[str, Schema]) -> Schema:
        form = {"type": "array", "items": self.item.schema(models)}
        return {**form, "minItems": self.least} if self.least else form


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that was probably meant."""
    from difflib import get_close_matches  # noqa: PLC0415  # only on the way to an error

    found = get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return found[0] if found else None
