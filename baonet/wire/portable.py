"""A machine as bytes, for a node on another host: the tree of its records, checked as messages are when it is read.

The bytes are one msgpack array: what they are, the version of the form, the architecture, every record with the names
of its fields, and the machine, in which a record is the list of its fields. One of several that may be at a place (a
fault) has its name before them. Equal machines have equal bytes: what does not count when two are compared is a fact of
the host that made them, and stays there.
"""

from __future__ import annotations

import hashlib
import types
import typing
from functools import cache
from typing import Final, final

import msgpack

from baonet.hyp.wings import ARCHITECTURES
from baonet.machine import ArchPlatform, ArchVm, Machine
from baonet.machine.dataclass import is_dataclass
from baonet.wire.fields import Check, FieldForm, ProtocolError, RecordForm, exact, form, told

FORM: Final = 1
MAX_MACHINE: Final = 128 << 20
"""Bytes of one. What images unpack to may be longer, and can be put into files: ``baonet.cluster.images``."""
_MAGIC: Final = "a baonet machine"
_MOST_IN_LIST: Final = 1 << 20
_MOST_ITEMS: Final = 1 << 22
"""Of all lists together. A list of 16 MiB of console input, the most that is read, has less."""
_SURROGATES: Final = "surrogatepass"
"""Paths that are not UTF-8 have them, and come back as they were."""
_Schema = tuple[tuple[str, tuple[str, ...]], ...]


def dump_machine(machine: Machine) -> bytes:
    """Raises ProtocolError when it is larger than ``MAX_MACHINE``, and KeyError for an unknown architecture."""
    writer = _machines(machine.platform.architecture)
    data: bytes = msgpack.packb(
        [_MAGIC, FORM, writer.architecture, writer.schema, writer.machine.dump(machine)], unicode_errors=_SURROGATES
    )
    if len(data) > MAX_MACHINE:
        raise _large(len(data))
    return data


def load_machine(data: bytes) -> Machine:
    """The machine of ``dump_machine``. Raises ProtocolError for anything else.

    Its values have their types; whether they make a machine, who plans it sees.
    """
    head = _unpacked(data)
    if not isinstance(head, list) or len(head) < 2 or head[0] != _MAGIC:
        raise ProtocolError("these bytes are no machine")
    if type(head[1]) is not int or head[1] != FORM:
        what = f"the machine has form {told(head[1])}, and this baonet reads form {FORM}"
        raise ProtocolError(f"{what}: give all hosts the same baonet")
    if len(head) != 5:
        raise ProtocolError(f"the machine has {len(head)} parts where 5 are due")
    _, _, architecture, schema, fields = head
    if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
        what = f"the machine is of the architecture {told(architecture)}, which this baonet does not have"
        raise ProtocolError(f"{what}: give all hosts the same baonet")
    reader = _machines(architecture)
    if (unlike := _unlike(reader.schema, _read_schema(schema))) is not None:
        raise ProtocolError(f"{unlike}: give all hosts the same baonet")
    return typing.cast(Machine, reader.machine.load(fields))


def machine_digest(data: bytes) -> str:
    """Of the bytes of ``dump_machine``: SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@final
class _Machines:
    """How machines of one architecture are written and read."""

    def __init__(self, architecture: str) -> None:
        wing = ARCHITECTURES[architecture]
        self.architecture = architecture
        self._parts: dict[object, type] = {ArchPlatform: wing.platform_part, ArchVm: wing.vm_part}
        self._records: dict[str, RecordForm] = {}
        self.machine = self._record(Machine)
        self.schema: _Schema = tuple((name, self._records[name].names) for name in sorted(self._records))

    def _record(self, kind: type) -> RecordForm:
        name = kind.__name__
        if name not in self._records:
            self._records[name] = RecordForm(kind, typing.get_type_hints(kind), self._own)
        assert self._records[name].kind is kind, f"two records are called {name}"
        return self._records[name]

    def _own(self, annotation: object) -> FieldForm | None:
        if annotation in _PLAIN:
            return _PLAIN[annotation]
        if typing.get_origin(annotation) in (typing.Union, types.UnionType):
            kinds = typing.get_args(annotation)
            return None if type(None) in kinds and len(kinds) == 2 else self._one_of(kinds)
        kind = self._parts.get(annotation, annotation)
        if isinstance(kind, type) and is_dataclass(kind):
            record = self._record(kind)
            return FieldForm(record.load, record.dump)
        return None

    def _one_of(self, kinds: tuple[type, ...]) -> FieldForm:
        """Records by their names; what is none by its type."""
        plain = {kind: _PLAIN[kind] for kind in kinds if not is_dataclass(kind)}
        records = {kind.__name__: self._record(kind) for kind in kinds if kind not in plain}

        def check(value: object) -> object:
            if type(value) in plain:
                return plain[type(value)].check(value)
            name = value[0] if isinstance(value, list) and value else value
            if isinstance(value, list) and type(name) is str and name in records:
                return records[name].load(value[1:])
            raise ProtocolError(f"{told(name)} where one of {', '.join(kind.__name__ for kind in kinds)} is due")

        def dump(value: object) -> object:
            kind = type(value)
            if kind in plain:
                write = plain[kind].dump
                return value if write is None else write(value)
            return [kind.__name__, *records[kind.__name__].dump(value)]

        return FieldForm(check, dump)


def _plain(kind: type[int] | type[bytes]) -> FieldForm:
    return FieldForm(exact(kind), typing.cast(Check, kind))


def _float(value: object) -> float:
    return float(typing.cast(float, value)) + 0.0  # the zero that is negative is equal to the other


_PLAIN: Final[dict[object, FieldForm]] = {
    int: _plain(int),
    bool: _plain(bool),
    bytes: _plain(bytes),
    str: FieldForm(exact(str)),
    type(None): FieldForm(exact(type(None))),
    float: FieldForm(form(float, lambda _: None).check, _float),
}
"""What is equal may be of another type in a record that somebody made: true is 1, and 1 is 1.0."""

_machines: Final = cache(_Machines)


@final
class _Count:
    """Of what is in lists."""

    def __init__(self) -> None:
        self._left = _MOST_ITEMS

    def take(self, items: list[object]) -> list[object]:
        self._left -= len(items)
        if self._left < 0:
            raise ProtocolError(f"a machine has at most {_MOST_ITEMS} values")
        return items


def _unpacked(data: bytes) -> object:
    if len(data) > MAX_MACHINE:
        raise _large(len(data))
    try:
        return msgpack.unpackb(
            data,
            list_hook=_Count().take,
            max_str_len=MAX_MACHINE,
            max_bin_len=MAX_MACHINE,
            max_array_len=_MOST_IN_LIST,
            max_map_len=0,
            unicode_errors=_SURROGATES,
        )
    except ProtocolError:
        raise
    except Exception as error:
        raise ProtocolError(f"these bytes are no machine: {error or type(error).__name__}") from None


def _large(size: int) -> ProtocolError:
    return ProtocolError(f"a machine of {size} bytes: at most {MAX_MACHINE} are allowed")


_read_schema: Final = typing.cast(typing.Callable[[object], _Schema], form(_Schema, lambda _: None).check)


def _unlike(mine: _Schema, theirs: _Schema) -> str | None:
    """The first record that both do not have alike."""
    ours, others = dict(mine), dict(theirs)
    for name in sorted(ours.keys() | others.keys()):
        if name not in ours:
            return f"the machine has {told(name)} records, which this baonet does not know"
        if name not in others:
            return f"the machine has no {name} records, which this baonet needs"
        if ours[name] != others[name]:
            differ = ", ".join(told(each) for each in sorted(set(ours[name]) ^ set(others[name]))[:4])
            return f"the {name} records of the machine have other fields{differ and ': ' + differ}"
    return None if mine == theirs else "the machine's records are not in order"
