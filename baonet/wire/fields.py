"""What a type lets through, and how its values are written: the one check of what others send.

A record is the list of its fields; the type of each decides what it may be. Integers are 64 bits, signed or unsigned,
as msgpack has them. What only one user of this knows of a type, that one brings (``Own``).
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable
from enum import Enum
from typing import final

from baonet.machine.dataclass import dataclass, fields


class ProtocolError(Exception):
    """What came over a channel is not what is due there; the channel is of no more use."""


Check = Callable[[object], object]
"""Of a value as it came: the value that it stands for. Raises ProtocolError."""


@final
@dataclass(frozen=True)
class FieldForm:
    """Of a type. ``dump`` None: its values are written as they are."""

    check: Check
    dump: Check | None = None


Own = Callable[[object], FieldForm | None]
"""The form of a type that is written otherwise than others; None: it is not."""


def told(value: object) -> str:
    """For an error. What came may be large."""
    if isinstance(value, list | dict):
        return f"a {'list' if isinstance(value, list) else 'map'} of {len(value)}"
    return f"{value[:80] if isinstance(value, str | bytes) else value!r:.80}"


def exact(kind: type) -> Check:
    """A value of this type, not of one that is derived from it."""

    def check(value: object) -> object:
        if type(value) is not kind:
            raise ProtocolError(f"{told(value)} where {kind.__name__} is due")
        return value

    return check


def _finite(value: object) -> object:
    if type(value) is not float or not math.isfinite(value):
        raise ProtocolError(f"{told(value)} where a number is due")
    return value


def _enumeration(kind: type[Enum]) -> Check:
    members = {member.value: member for member in kind}
    (due,) = {type(value) for value in members}

    def check(value: object) -> object:
        if type(value) is not due or value not in members:
            raise ProtocolError(f"{told(value)} where one of {kind.__name__} is due")
        return members[value]

    return check


def _value(member: object) -> object:
    assert isinstance(member, Enum)
    return member.value


def _sequence(item: Check) -> Check:
    def check(value: object) -> object:
        if not isinstance(value, list):
            raise ProtocolError(f"{told(value)} where a list is due")
        return tuple(item(element) for element in value)

    return check


def _places(items: tuple[Check, ...]) -> Check:
    def check(value: object) -> object:
        if not isinstance(value, list) or len(value) != len(items):
            raise ProtocolError(f"{told(value)} where a list of {len(items)} is due")
        return tuple(item(element) for item, element in zip(items, value, strict=True))

    return check


def _mapping(key: Check, item: Check) -> Check:
    def check(value: object) -> object:
        if not isinstance(value, dict):
            raise ProtocolError(f"{told(value)} where a map is due")
        return {key(name): item(element) for name, element in value.items()}

    return check


def _optional(inner: FieldForm) -> FieldForm:
    check, dump = inner.check, inner.dump
    return FieldForm(
        lambda value: None if value is None else check(value),
        None if dump is None else lambda value: None if value is None else dump(value),
    )


def _tuple(arguments: tuple[object, ...], own: Own) -> FieldForm:
    if arguments[-1] is Ellipsis:
        item = form(arguments[0], own)
        dump = item.dump
        return FieldForm(
            _sequence(item.check),
            None
            if dump is None
            else lambda value: [dump(element) for element in typing.cast(tuple[object, ...], value)],
        )
    items = [form(each, own) for each in arguments]
    dumps = [each.dump or _itself for each in items]
    return FieldForm(
        _places(tuple(each.check for each in items)),
        lambda value: [
            dump(element) for dump, element in zip(dumps, typing.cast(tuple[object, ...], value), strict=True)
        ],
    )


def _itself(value: object) -> object:
    return value


def form(annotation: object, own: Own) -> FieldForm:
    """Of the type that a field is declared with."""
    found = own(annotation)
    if found is not None:
        return found
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        return _tuple(arguments, own)
    if origin is dict:
        return FieldForm(_mapping(form(arguments[0], own).check, form(arguments[1], own).check))
    if type(None) in arguments:
        (inner,) = (kind for kind in arguments if kind is not type(None))
        return _optional(form(inner, own))
    assert isinstance(annotation, type), annotation
    if issubclass(annotation, Enum):
        # An IntEnum is an integer already.
        return FieldForm(_enumeration(annotation), None if issubclass(annotation, int) else _value)
    if annotation is float:
        return FieldForm(_finite)
    assert annotation in (int, str, bytes, bool), annotation
    return FieldForm(exact(annotation))


class RecordForm:
    """How the fields of one class are written and read, those of these types.

    What does not count when two of them are compared is not written, and is its default when it is read.
    """

    def __init__(self, kind: type, hints: dict[str, object], own: Own) -> None:
        self.kind = kind
        found = fields(kind)
        self.names = tuple(field.name for field in found if field.compare)
        self._whole = len(self.names) == len(found)
        forms = [form(hints[name], own) for name in self.names]
        self._checks = tuple(each.check for each in forms)
        self._dumps = tuple((place, each.dump) for place, each in enumerate(forms) if each.dump is not None)

    def dump(self, record: object) -> list[object]:
        values = [getattr(record, name) for name in self.names]
        for place, dump in self._dumps:
            values[place] = dump(values[place])
        return values

    def load(self, values: object) -> object:
        """Raises ProtocolError."""
        if not isinstance(values, list) or len(values) != len(self._checks):
            raise ProtocolError(f"{self.kind.__name__}: {len(self._checks)} fields are due")
        checked: list[object] = []
        try:
            for check, value in zip(self._checks, values, strict=True):
                checked.append(check(value))
        except ProtocolError as error:
            raise ProtocolError(f"{self.kind.__name__}.{self.names[len(checked)]}: {error}") from None
        return self.kind(*checked) if self._whole else self.kind(**dict(zip(self.names, checked, strict=True)))
