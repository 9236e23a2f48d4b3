"""Messages to bytes and back: one msgpack array ``[number, field, ...]``, with a length before it on a stream.

A field's type decides what is accepted, so what comes from a channel is checked before anything else sees it: the
number of fields, their types and their bounds. Integers are 64 bits, signed or unsigned.
"""

from __future__ import annotations

import dataclasses
import struct
import typing
from collections.abc import Callable, Iterator, Set
from enum import IntEnum

import msgpack

from baonet.hyp.messages import HypMessage
from baonet.machine.saved import StateError
from baonet.wire.messages import FACTS, NUMBER, Examined, Fact, Message, Parked

MAX_FRAME = 1 << 20
_LENGTH = struct.Struct(">I")
_MAX_ITEMS = 1 << 16


class ProtocolError(Exception):
    """What came over a channel is not a message; the channel is of no more use."""


_Check = Callable[[object], object]
_T = typing.TypeVar("_T")


def _exact(kind: type) -> _Check:
    def check(value: object) -> object:
        if type(value) is not kind:
            raise ProtocolError(f"{value!r:.80} where {kind.__name__} is due")
        return value

    return check


_integer = _exact(int)


def _enumeration(kind: type[IntEnum]) -> _Check:
    def check(value: object) -> object:
        try:
            return kind(typing.cast(int, _integer(value)))
        except ValueError as error:
            raise ProtocolError(str(error)) from None

    return check


def _sequence(item: _Check) -> _Check:
    def check(value: object) -> object:
        if not isinstance(value, list):
            raise ProtocolError(f"{value!r:.80} where a list is due")
        return tuple(item(element) for element in value)

    return check


def _mapping(key: _Check, item: _Check) -> _Check:
    def check(value: object) -> object:
        if not isinstance(value, dict):
            raise ProtocolError(f"{value!r:.80} where a map is due")
        return {key(name): item(element) for name, element in value.items()}

    return check


def _optional(item: _Check) -> _Check:
    return lambda value: None if value is None else item(value)


def _any_message(value: object) -> object:
    if not isinstance(value, list) or not value or type(value[0]) is not int or value[0] not in _records:
        raise ProtocolError(f"{value!r:.80} where a message is due")
    return _records[value[0]].load(value[1:])


def _checker(annotation: object) -> _Check:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        return _sequence(_checker(arguments[0]))
    if origin is dict:
        return _mapping(_checker(arguments[0]), _checker(arguments[1]))
    if type(None) in arguments:
        return _optional(_checker(next(kind for kind in arguments if kind is not type(None))))
    if arguments or annotation is HypMessage:
        return _any_message
    assert isinstance(annotation, type), annotation
    if dataclasses.is_dataclass(annotation):
        return _Record(annotation).load
    if issubclass(annotation, IntEnum):
        return _enumeration(annotation)
    assert annotation in (int, str, bytes, bool), annotation
    return _exact(annotation)


def _dump_message(message: object) -> list[object]:
    number = NUMBER.get(type(message))
    if number is None:  # as of two only, and this is done for each message
        match message:
            case Parked(record) | Examined(record):
                number = NUMBER[type(record)]
            case _:
                raise KeyError(type(message))
    return [number, *_records[number].dump(message)]


def _dumper(annotation: object) -> _Check | None:
    """How a field is written that is not written as it is."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        item = _dumper(arguments[0])
        if item is None:
            return None
        return lambda value: [item(element) for element in typing.cast(tuple[object, ...], value)]
    if annotation is HypMessage or (origin is not None and origin is not dict and type(None) not in arguments):
        return _dump_message
    return dump if dataclasses.is_dataclass(annotation) else None


class _Record:
    """How the fields of one class are written and read; of a message by what is known of it."""

    def __init__(self, kind: type, fact: Fact | None = None) -> None:
        self.kind = kind
        hints = typing.get_type_hints(kind)
        if fact is not None:
            hints = {name: fact.own(annotation) for name, annotation in hints.items()}
        self.names = tuple(field.name for field in dataclasses.fields(kind))
        self.checks = tuple(_checker(hints[name]) for name in self.names)
        self.dumpers = tuple(
            (place, dumper) for place, name in enumerate(self.names) if (dumper := _dumper(hints[name]))
        )

    def dump(self, message: object) -> list[object]:
        values = [getattr(message, name) for name in self.names]
        for place, dumper in self.dumpers:
            values[place] = dumper(values[place])
        return values

    def load(self, values: object) -> object:
        if not isinstance(values, list) or len(values) != len(self.checks):
            raise ProtocolError(f"{self.kind.__name__}: {len(self.checks)} fields are due")
        try:
            return self.kind(*[check(value) for check, value in zip(self.checks, values, strict=True)])
        except ProtocolError as error:
            raise ProtocolError(f"{self.kind.__name__}: {error}") from None


_nested: dict[type, _Record] = {}


def dump(value: object) -> list[object]:
    """The fields of a record inside a message."""
    kind = type(value)
    if kind not in _nested:
        _nested[kind] = _Record(kind)
    return _nested[kind].dump(value)


_records = {fact.number: _Record(fact.kind, fact) for fact in FACTS}


def encode(message: Message) -> bytes:
    """One message as bytes, without a length. Raises KeyError for a type that has no number."""
    packed: bytes = msgpack.packb(_dump_message(message))
    return packed


def decode(data: bytes) -> Message:
    """The message of ``encode``. Raises ProtocolError for anything else."""
    try:
        values = msgpack.unpackb(
            data, max_str_len=MAX_FRAME, max_bin_len=MAX_FRAME, max_array_len=_MAX_ITEMS, max_map_len=_MAX_ITEMS
        )
    except Exception as error:
        raise ProtocolError(f"not msgpack: {error}") from None
    if not isinstance(values, list) or not values or type(values[0]) is not int or values[0] not in _records:
        raise ProtocolError(
            f"no message has the number {values[0] if isinstance(values, list) and values else values!r:.40}"
        )
    return typing.cast(Message, _any_message(values))


def frame(message: Message) -> bytes:
    """A message with its length, as it goes over a stream."""
    data = encode(message)
    return _LENGTH.pack(len(data)) + data


class FrameReader:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def between(self) -> bool:
        """Whether all that came was whole messages."""
        return not self._buffer

    def feed(self, data: bytes, accepted: Set[type]) -> Iterator[Message]:
        """The messages that are complete with ``data``. Raises ProtocolError, also for what is not ``accepted``."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer)
            if length > MAX_FRAME:
                raise ProtocolError(f"a message of {length} bytes: at most {MAX_FRAME} are allowed")
            end = _LENGTH.size + length
            if len(buffer) < end:
                return
            message = decode(bytes(buffer[_LENGTH.size : end]))
            del buffer[:end]
            if type(message) not in accepted:
                raise ProtocolError(f"{type(message).__name__} is not its to say")
            yield message


def kept(message: HypMessage) -> bytes:
    """A message of a pcpu's as a part of its saved state."""
    return encode(message)


def was_kept(data: object) -> HypMessage:
    """The message of ``kept``. Raises StateError for anything else."""
    message = _state(decode, data)
    if not isinstance(message, HypMessage):
        raise StateError(f"the state has {type(message).__name__} where a pcpu's message is due")
    return message


def load(kind: type[_T], values: object) -> _T:
    """The record whose fields ``dump`` gave. Raises StateError for anything else."""
    if kind not in _nested:
        _nested[kind] = _Record(kind)
    return typing.cast(_T, _state(_nested[kind].load, values))


def _state(read: Callable[[typing.Any], object], data: object) -> object:
    try:
        return read(data)
    except ProtocolError as error:
        raise StateError(f"a message in the state is damaged: {error}") from error
