"""Physical memory: enough of it, fixed placements inside RAM and apart, colours that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from baonet.config.draft import Draft
from baonet.config.palette import Palette
from baonet.config.ranges import AddressRange, align_up, overlapping, unaligned
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.quantities import human, listing, span
from baonet.machine import PAGE_SIZE, Platform
from baonet.machine.dataclass import dataclass

_ANY = ((1 << 32) - 1, (1 << 64) - 1)
"""All the bits that a number has is how Bao's configurations write "any colour"."""


@final
@dataclass(frozen=True, slots=True)
class _Piece:
    """RAM that something takes. ``node`` is the mapping it comes from."""

    what: str
    size: int
    phys: int | None
    colors: int
    node: YamlNode


def problems(draft: Draft) -> Iterator[Problem]:
    for shared in draft.shared_memory:
        yield from unaligned(shared.node.at("size"), shared.size)
        yield from unaligned(shared.node.at("phys"), shared.phys)
    for vm in draft.vms:
        for memory in vm.memory:
            if memory.colors and memory.phys is None:
                hint = "give 'phys' too, or the VM's 'colors' instead"
                yield memory.node.at("colors").key_problem("'colors' of a region without 'phys'", hint)
    if draft.platform is None:
        return
    palette = Palette.of(draft.platform.cache)
    yield from _colors(draft, palette)
    pieces = list(_pieces(draft))
    yield from _total(pieces, draft.platform, palette)
    yield from _placed(pieces, draft.platform, palette)


def _pieces(draft: Draft) -> Iterator[_Piece]:
    for shared in draft.shared_memory:
        yield _Piece(f"shared memory '{shared.name}'", shared.size, shared.phys, shared.colors, shared.node)
    for vm in draft.vms:
        for memory in vm.memory:
            colors = vm.colors if memory.phys is None else memory.colors
            yield _Piece(f"RAM of '{vm.name}'", memory.size, memory.phys, colors, memory.node)


def _colors(draft: Draft, palette: Palette) -> Iterator[Problem]:
    given = [(shared.colors, shared.node) for shared in draft.shared_memory]
    if draft.hypervisor is not None:
        given.append((draft.hypervisor.colors, draft.hypervisor.node))
    for vm in draft.vms:
        given.append((vm.colors, vm.node))
        given += [(memory.colors, memory.node) for memory in vm.memory]
    for colors, node in given:
        if not colors or (palette.number > 1 and colors in _ANY):
            continue
        unknown = [color for color in range(64) if colors >> color & 1 and color >= palette.number]
        if palette.number == 1:
            hint = (
                "remove 'colors', or give the platform's 'cache', of which they are: a 'memory_system' brings one "
                "while it is not off, and takes the same beside it"
            )
            yield node.at("colors").problem("the platform has no page colours", hint)
        elif unknown:
            hint = f"its colours are 0 to {palette.number - 1}"
            yield node.at("colors").problem(f"the platform has no colour {listing(unknown)}", hint)


def _total(pieces: list[_Piece], platform: Platform, palette: Palette) -> Iterator[Problem]:
    ram = sum(bank.size for bank in platform.ram)
    taken = 0
    for piece in pieces:
        share = palette.share(piece.colors, ram)
        if piece.size > share and share < ram:
            message = f"{human(piece.size)} of these colours, and the platform has {human(share)} of them"
            yield piece.node.at("size").problem(message, "give more colours, or less memory")
        before, taken = taken, taken + align_up(piece.size, PAGE_SIZE)
        if taken > ram >= before:
            message = f"{piece.what} needs {human(piece.size)}, and {human(ram - before) if ram > before else 'none'}"
            hint = f"the platform has {human(ram)}, everything together needs {human(sum(p.size for p in pieces))}"
            yield piece.node.at("size").problem(f"{message} of the platform's RAM is left", hint)


def _placed(pieces: list[_Piece], platform: Platform, palette: Palette) -> Iterator[Problem]:
    banks = listing(span(bank.base, bank.base + bank.size) for bank in platform.ram)
    windows: list[tuple[AddressRange, int]] = []
    for piece in pieces:
        if piece.phys is None:
            continue
        node = piece.node.at("phys")
        window = AddressRange(piece.phys, palette.end(piece.phys, piece.size, piece.colors), piece.what, node)
        if not any(bank.base <= window.start and window.end <= bank.base + bank.size for bank in platform.ram):
            yield node.problem(f"{window} is not inside one bank of RAM", f"the platform's RAM is {banks}")
        mask = palette.mask(piece.colors)
        apart = [other for other, colors in windows if not mask or not colors or mask & colors]
        if any(other.meets(window.start, window.end) for other in apart):
            yield from list(overlapping([*apart, window]))[-1:]
        windows.append((window, mask))
