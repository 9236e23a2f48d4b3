"""Flattened device trees, version 17 (Devicetree Specification 0.4, chapter 5): write, read, nothing more."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import final

from baonet.machine.dataclass import dataclass, field

_MAGIC = 0xD00DFEED
_VERSION, _LAST_COMPATIBLE = 17, 16
_BEGIN_NODE, _END_NODE, _PROP, _NOP, _END = 1, 2, 3, 4, 9
_HEADER = struct.Struct(">10I")
_DEEPEST = 64
_RESERVED_END = bytes(16)


@final
class FdtError(ValueError):
    """The bytes are not a device tree that can be read."""


@final
@dataclass(slots=True)
class FdtNode:
    """A node: properties as raw bytes, and children, both in order."""

    name: str = ""
    properties: dict[str, bytes] = field(default_factory=dict)
    children: list[FdtNode] = field(default_factory=list)

    def add(self, name: str) -> FdtNode:
        child = FdtNode(name)
        self.children.append(child)
        return child

    def child(self, name: str) -> FdtNode:
        """The child of this name, made if it is not there."""
        return next((each for each in self.children if each.name == name), None) or self.add(name)

    def cells(self, name: str, *values: int) -> None:
        """Set a property of 32-bit cells."""
        self.properties[name] = struct.pack(f">{len(values)}I", *values)

    def wide(self, name: str, *values: int) -> None:
        """Set a property of 64-bit values, two cells each."""
        self.properties[name] = struct.pack(f">{len(values)}Q", *values)

    def text(self, name: str, *values: str) -> None:
        self.properties[name] = b"".join(value.encode() + b"\0" for value in values)

    def flag(self, name: str) -> None:
        self.properties[name] = b""


def write(root: FdtNode, reserved: bytes = _RESERVED_END, boot_cpu: int = 0) -> bytes:
    """The tree as a blob. ``reserved`` is a memory reservation block with its end."""
    strings: dict[str, int] = {}
    names = bytearray()
    body = bytearray()

    def emit(node: FdtNode) -> None:
        body.extend(struct.pack(">I", _BEGIN_NODE) + _padded(node.name.encode() + b"\0"))
        for name, value in node.properties.items():
            if name not in strings:
                strings[name] = len(names)
                names.extend(name.encode() + b"\0")
            body.extend(struct.pack(">III", _PROP, len(value), strings[name]) + _padded(value))
        for child in node.children:
            emit(child)
        body.extend(struct.pack(">I", _END_NODE))

    emit(root)
    body.extend(struct.pack(">I", _END))
    structure = _HEADER.size + len(reserved)
    text = structure + len(body)
    total = -(-(text + len(names)) // 8) * 8
    header = _HEADER.pack(
        _MAGIC, total, structure, text, _HEADER.size, _VERSION, _LAST_COMPATIBLE, boot_cpu, len(names), len(body)
    )
    return (header + reserved + body + names).ljust(total, b"\0")


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


@final
@dataclass(frozen=True, slots=True)
class Fdt:
    """A tree that was read, with what else its blob holds."""

    root: FdtNode
    reserved: bytes
    boot_cpu: int

    def write(self) -> bytes:
        return write(self.root, self.reserved, self.boot_cpu)


def read(blob: bytes) -> Fdt:
    """Read a blob. Raises ``FdtError``."""
    if len(blob) < _HEADER.size:
        raise FdtError("it is shorter than a header")
    magic, total, structure, strings, reserve, version, compatible, boot_cpu, *_ = _HEADER.unpack_from(blob)
    if magic != _MAGIC:
        source = "it is the source of one" if blob.lstrip().startswith(b"/dts-v1/") else ""
        raise FdtError(source or "it does not start with the magic number 0xd00dfeed")
    if compatible > _VERSION or version < _LAST_COMPATIBLE:
        number = f"for readers of version {compatible}" if compatible > _VERSION else f"of version {version}"
        raise FdtError(f"it is {number}, and only 16 and 17 are known")
    if total > len(blob):
        raise FdtError(f"it is cut short: {len(blob)} bytes of {total}")
    try:
        root = _tree(blob[:total], structure, strings)
        reserved = _reservations(blob[:total], reserve)
    except (struct.error, IndexError):
        raise FdtError("it is damaged: its parts are not where its header says") from None
    except UnicodeDecodeError:
        raise FdtError("it is damaged: a name is not ASCII") from None
    except ValueError as error:
        raise FdtError(f"it is damaged: {error}") from None
    return Fdt(root, reserved, boot_cpu)


def _reservations(blob: bytes, at: int) -> bytes:
    end = at
    while blob[end : end + 16] != _RESERVED_END:
        if end + 16 > len(blob):
            raise ValueError("the memory reservations do not end")
        end += 16
    return blob[at : end + 16]


def _tree(blob: bytes, at: int, strings: int) -> FdtNode:
    top = FdtNode()
    path = [top]
    for token, name, value in _tokens(blob, at, strings):
        if token == _BEGIN_NODE:
            if len(path) > _DEEPEST:
                raise ValueError("the nodes nest too deeply")
            path.append(path[-1].add(name))
        elif token == _PROP:
            path[-1].properties[name] = value
        elif len(path) == 1:
            raise ValueError("a node ends that did not begin")
        else:
            path.pop()
    if len(path) != 1 or len(top.children) != 1 or top.properties:
        raise ValueError("there is not exactly one root node")
    return top.children[0]


def _end_of_text(blob: bytes, at: int) -> int:
    end = blob.find(b"\0", at)
    if end < 0:
        raise ValueError("a name does not end")
    return end


def _tokens(blob: bytes, at: int, strings: int) -> Iterator[tuple[int, str, bytes]]:
    while True:
        (token,) = struct.unpack_from(">I", blob, at)
        at += 4
        if token == _BEGIN_NODE:
            end = _end_of_text(blob, at)
            yield token, blob[at:end].decode("ascii"), b""
            at = end + 4 & ~3
        elif token == _PROP:
            size, offset = struct.unpack_from(">II", blob, at)
            if at + 8 + size > len(blob):
                raise ValueError("a property is cut short")
            end = _end_of_text(blob, strings + offset)
            yield token, blob[strings + offset : end].decode("ascii"), blob[at + 8 : at + 8 + size]
            at = at + 8 + size + 3 & ~3
        elif token == _END_NODE:
            yield token, "", b""
        elif token == _END:
            return
        elif token != _NOP:
            raise ValueError(f"unknown token {token:#x}")
