"""State as plain data: what ``save`` gives and ``load`` takes, of every class that has a state.

It is numbers, strings, bytes, booleans, None, lists of these and maps from strings to them, so that any encoding will
do. What a class keeps has a form: fields by name and type, and a version, which whoever changes the fields or what they
mean counts up. What follows from the machine file is not state: a state is loaded into what was built from the same
machine. After a StateError of ``load`` that is of no more use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import UnionType
from typing import Any, final

Saved = dict[str, Any]
"""Plain data: a map with a version and fields."""
_Kind = type | UnionType


class StateError(ValueError):
    """What is loaded is not a state of this, or of another version."""


def _fits(value: object, kind: _Kind) -> bool:
    return isinstance(value, kind) and (kind is not int or not isinstance(value, bool))


def row(values: object, *kinds: _Kind) -> list[Any]:
    """The list ``values``, which is inside a field, if its items have these types. Raises TypeError (``reading``)."""
    if not isinstance(values, list) or len(values) != len(kinds) or not all(map(_fits, values, kinds)):
        raise TypeError(f"{values!r:.80}")
    return values


@final
class StateForm:
    """The form of what is saved of ``what``, a name for people. ``fields``: the type of each, or a union of types."""

    __slots__ = ("fields", "version", "what")

    def __init__(self, what: str, version: int, **fields: _Kind) -> None:
        self.what = what
        self.version = version
        self.fields: Mapping[str, _Kind] = fields

    def save(self, **values: Any) -> Saved:
        """The fields with the version."""
        assert values.keys() == self.fields.keys(), values.keys() ^ self.fields.keys()
        return {"version": self.version, **values}

    def load(self, data: object) -> Saved:
        """The fields of ``save``. Raises StateError for another version, other fields, or a value of another type."""
        if not isinstance(data, dict) or "version" not in data:
            raise self.damaged(f"{data!r:.80} where a map with a version is due")
        if data["version"] != self.version:
            raise StateError(
                f"the state of {self.what} has version {data['version']!r:.20}, and this baonet reads version "
                f"{self.version}: load it with the baonet that saved it, or run the machine again and save it anew"
            )
        if unlike := data.keys() - {"version"} ^ self.fields.keys():
            raise self.damaged("missing or unknown: " + ", ".join(sorted(map(str, unlike))))
        for name, kind in self.fields.items():
            if not _fits(data[name], kind):
                raise self.damaged(f"{name} is {data[name]!r:.80}")
        return data

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What is inside the fields is read here, and what is not as it should be is damage of this."""
        try:
            yield
        except StateError:
            raise
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise self.damaged(f"{type(error).__name__}: {error}") from error

    def damaged(self, why: str) -> StateError:
        """The error for a value that makes no sense."""
        return StateError(f"the state of {self.what} is damaged: {why}")


@final
class StateRow:
    """What is saved of each of many small objects, a list: of the attributes named, which have these types."""

    __slots__ = ("fields", "what")

    def __init__(self, what: str, **fields: _Kind) -> None:
        self.what = what
        self.fields: Mapping[str, _Kind] = fields

    def save(self, each: object) -> list[Any]:
        return [getattr(each, name) for name in self.fields]

    def load(self, each: object, values: object) -> None:
        """Set the attributes. Raises StateError for anything but what ``save`` gave."""
        if not isinstance(values, list) or len(values) != len(self.fields):
            raise StateError(f"the state of {self.what} is damaged: {values!r:.80}")
        for (name, kind), value in zip(self.fields.items(), values, strict=True):
            if not _fits(value, kind):
                raise StateError(f"the state of {self.what} is damaged: {name} is {value!r:.80}")
            setattr(each, name, value)
