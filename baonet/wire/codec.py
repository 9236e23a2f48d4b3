"""Messages to bytes and back: one msgpack array ``[number, field, ...]``, with a length before it on a stream.

A field's type decides what is accepted, so what comes from a channel is checked before anything else sees it: the
number of fields, their types and their bounds. Integers are 64 bits, signed or unsigned.
"""

from __future__ import annotations

import struct
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Set

import msgpack

from baonet.hyp.messages import HypMessage
from baonet.machine.dataclass import is_dataclass
from baonet.machine.saved import StateError
from baonet.wire.fields import FieldForm, ProtocolError, RecordForm, told
from baonet.wire.messages import FACT, NUMBER, Examined, Fact, Message, Parked

__all__ = [
    "MAX_FRAME",
    "FrameReader",
    "ProtocolError",
    "decode",
    "dump",
    "encode",
    "frame",
    "kept",
    "load",
    "prepare",
    "was_kept",
]

MAX_FRAME = 1 << 20
_LENGTH = struct.Struct(">I")
_MAX_ITEMS = 1 << 16

_T = typing.TypeVar("_T")


def _any_message(value: object) -> object:
    if not isinstance(value, list) or not value or type(value[0]) is not int or value[0] not in FACT:
        raise ProtocolError(f"{told(value)} where a message is due")
    return _form(value[0]).load(value[1:])


def _dump_message(message: object) -> list[object]:
    number = NUMBER.get(type(message))
    if number is None:  # as of two only, and this is done for each message
        match message:
            case Parked(record) | Examined(record):
                number = NUMBER[type(record)]
            case _:
                number = NUMBER[type(message)]
    return [number, *_form(number).dump(message)]


def _own(annotation: object) -> FieldForm | None:
    """A message in another has its number; of a record in one, what it is decides and not what was declared."""
    arguments = typing.get_args(annotation)
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType) and type(None) not in arguments
    if union or annotation is HypMessage:
        return FieldForm(_any_message, _dump_message)
    if isinstance(annotation, type) and is_dataclass(annotation):
        return FieldForm(_record(annotation).load, dump)
    return None


def _record(kind: type, fact: Fact | None = None) -> RecordForm:
    """Of a message by what is known of it."""
    hints = typing.get_type_hints(kind)
    if fact is not None:
        hints = {name: fact.own(annotation) for name, annotation in hints.items()}
    return RecordForm(kind, hints, _own)


_nested: dict[type, RecordForm] = {}


def dump(value: object) -> list[object]:
    """The fields of a record inside a message."""
    kind = type(value)
    if kind not in _nested:
        _nested[kind] = _record(kind)
    return _nested[kind].dump(value)


_forms: dict[int, RecordForm] = {}


def _form(number: int) -> RecordForm:
    """Of the message with this number. They are made when they are needed: a process has to do with few of them."""
    found = _forms.get(number)
    if found is None:
        fact = FACT[number]
        found = _forms[number] = _record(fact.kind, fact)
    return found


def prepare(kinds: Iterable[type]) -> None:
    """Find now how messages of these types are written and read: what is forked from this process need not then."""
    for kind in kinds:
        _form(NUMBER[kind])


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
    if not isinstance(values, list) or not values or type(values[0]) is not int or values[0] not in FACT:
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
        _nested[kind] = _record(kind)
    return typing.cast(_T, _state(_nested[kind].load, values))


def _state(read: Callable[[typing.Any], object], data: object) -> object:
    try:
        return read(data)
    except ProtocolError as error:
        raise StateError(f"a message in the state is damaged: {error}") from error
