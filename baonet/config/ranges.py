"""Address ranges that know where in the file they come from: alignment, overlap, containment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import final

from baonet.document.document import YamlNode
from baonet.document.errors import SHOWN, Problem
from baonet.document.quantities import human, span
from baonet.machine import PAGE_SIZE
from baonet.machine.dataclass import dataclass


@final
@dataclass(frozen=True, slots=True)
class AddressRange:
    """The bytes from ``start`` up to ``end``, which is not one of them. ``what`` names it in messages."""

    start: int
    end: int
    what: str
    node: YamlNode

    def meets(self, start: int, end: int) -> bool:
        return self.start < end and start < self.end

    def __str__(self) -> str:
        return span(self.start, self.end)


def align_up(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def unaligned(node: YamlNode, value: int | None, alignment: int = PAGE_SIZE) -> Iterator[Problem]:
    """A problem if ``value`` is not a multiple of ``alignment``."""
    if value is None or value % alignment == 0:
        return
    below = value - value % alignment
    above = align_up(value, alignment)
    hint = f"use {below:#x} or {above:#x}" if below else f"use {above:#x}"
    yield node.problem(f"{value:#x} is not a multiple of {human(alignment)}", hint)


def beyond(window: AddressRange, limit: int) -> Iterator[Problem]:
    """A problem if the window reaches past the end of the address space."""
    if window.end > limit:
        bits = limit.bit_length() - 1
        yield window.node.problem(
            f"{window} reaches past the {bits}-bit address space", f"the highest address is {limit - 1:#x}"
        )


def overlapping(windows: Sequence[AddressRange], alignment: int = PAGE_SIZE) -> Iterator[Problem]:
    """A problem for each window that meets one that stands before it; for ``SHOWN`` of them, as nobody reads more."""
    suspects = _meeting(windows)
    found = 0
    for i, window in enumerate(windows):
        if i not in suspects or found > SHOWN:
            continue
        other = next((each for each in windows[:i] if each.meets(window.start, window.end)), None)
        if other is not None:
            found += 1
            free = room_above(other.end, window.end - window.start, windows, alignment, skip=window)
            yield window.node.problem(
                f"{window.what} at {window} and {other.what} at {other} overlap",
                f"there is room for it at {free:#x}",
            )


def _meeting(windows: Sequence[AddressRange]) -> set[int]:
    """The places of those that meet another: quick when there are many, of which few do."""
    found = set()
    last, end = -1, 0
    for i in sorted(range(len(windows)), key=lambda i: windows[i].start):
        if last >= 0 and windows[i].start < end:
            found |= {last, i}
        if windows[i].end > end:
            last, end = i, windows[i].end
    return found


def room_above(
    start: int, size: int, windows: Iterable[AddressRange], alignment: int, skip: AddressRange | None = None
) -> int:
    """The lowest address from ``start`` up where ``size`` bytes meet no window."""
    start = align_up(start, alignment)
    for window in sorted((each for each in windows if each is not skip), key=lambda each: each.start):
        if window.meets(start, start + size):
            start = align_up(window.end, alignment)
    return start
