"""What the nodes of a device tree say: addresses as a CPU uses them, cells, texts, what refers to what.

Devicetree Specification 0.4, sections 2.3.1 (compatible), 2.3.4 (status), 2.3.5 (#address-cells), 2.3.8 (ranges), 2.4
(interrupts).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import TypeAlias, final

from baonet.config.fdt import FdtNode
from baonet.machine.dataclass import dataclass

Shift: TypeAlias = Callable[[int], int]
"""From an address on a bus to the one that a CPU uses."""


@final
@dataclass(frozen=True, slots=True)
class TreePlace:
    """A node in its tree. ``above``: the nodes from the root to its parent; the root is its own parent.

    ``shift`` is of the addresses in its ``reg``; ``mapped``: a CPU can use them, as every bus on the way says how.
    """

    node: FdtNode
    above: tuple[FdtNode, ...]
    shift: Shift
    mapped: bool

    @property
    def parent(self) -> FdtNode:
        return self.above[-1] if self.above else self.node

    @property
    def enabled(self) -> bool:
        return enabled(self.node)

    @property
    def compatible(self) -> list[str]:
        return self.node.properties.get("compatible", b"").decode("ascii", "replace").split("\0")

    def ranges(self) -> list[tuple[int, int]]:
        """(address, size) of each entry of ``reg``."""
        address, size = cells(self.parent, "#address-cells", 2), cells(self.parent, "#size-cells", 1)
        given = numbers(self.node.properties.get("reg", b""))
        width = address + size
        starts = range(0, len(given) - width + 1, width) if width else ()
        return [(self.shift(_join(given[at : at + address])), _join(given[at + address : at + width])) for at in starts]


def walk(root: FdtNode) -> Iterator[TreePlace]:
    """Every node, from the root down."""
    yield from _walk(root, (), lambda address: address, mapped=True)


def _walk(node: FdtNode, above: tuple[FdtNode, ...], shift: Shift, *, mapped: bool) -> Iterator[TreePlace]:
    yield TreePlace(node, above, shift, mapped)
    inner = _translated(node, above[-1], shift) if above else shift
    for child in node.children:
        yield from _walk(child, (*above, node), inner, mapped=mapped and (not above or "ranges" in node.properties))


def _translated(bus: FdtNode, parent: FdtNode, outer: Shift) -> Shift:
    """What the ``ranges`` of a bus make of its children's addresses. Without any they stay as they are."""
    inner, own, sizes = (
        cells(bus, "#address-cells", 2),
        cells(parent, "#address-cells", 2),
        cells(bus, "#size-cells", 1),
    )
    width = inner + own + sizes
    given = numbers(bus.properties.get("ranges", b""))
    rows = [given[at : at + width] for at in range(0, len(given) - width + 1, width)] if width else []

    def shift(address: int) -> int:
        for row in rows:
            start, base, size = _join(row[:inner]), _join(row[inner : inner + own]), _join(row[inner + own :])
            if start <= address < start + size:
                return outer(address - start + base)
        return outer(address)

    return shift


def numbers(data: bytes) -> list[int]:
    return [value for (value,) in struct.iter_unpack(">I", data[: len(data) & ~3])]


def cells(node: FdtNode, name: str, default: int, most: int = 4) -> int:
    """The first cell of a property, at most ``most``."""
    found = numbers(node.properties.get(name, b""))
    return min(found[0], most) if found else default


def _join(words: list[int]) -> int:
    value = 0
    for word in words:
        value = value << 32 | word
    return value


def enabled(node: FdtNode) -> bool:
    return text(node, "status") in ("", "ok", "okay")


def text(node: FdtNode, name: str) -> str:
    return node.properties.get(name, b"").rstrip(b"\0").decode("ascii", "replace")
