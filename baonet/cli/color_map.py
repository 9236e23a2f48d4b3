"""``baonet check --colors``: which sets of the shared cache each VM, each shared object and the hypervisor have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import final

from baonet.document.quantities import listing
from baonet.hyp.pages import Extent, Palette
from baonet.hyp.vmm import Plan
from baonet.machine import PAGE_SIZE, Cache
from baonet.machine.dataclass import dataclass, field
from baonet.machine.memory_system import LINE

_MEMORY, _ROOT, _NONE = "#", "r", "."


@final
@dataclass(slots=True)
class _Owner:
    """Who has memory, and of which colours it is; of which the root of its stage 2. ``users``: VMs that it is of."""

    name: str
    users: frozenset[int]
    colors: set[int]
    root: set[int] = field(default_factory=set)

    def marks(self, number: int) -> str:
        return " ".join(
            f"{_MEMORY if color in self.colors else _ROOT if color in self.root else _NONE:>{_width(number)}}"
            for color in range(number)
        )


def color_map(plan: Plan) -> list[str]:
    """Lines of text, of each cluster with a VM."""
    cache, palette = plan.machine.platform.cache, plan.memory.palette
    if cache is None or palette.number == 1:
        return ["the platform has no page colours: every page can be in every set of its cache"]
    lines = _heading(cache, palette)
    clusters = plan.machine.platform.clustered
    for number, cpus in enumerate(clusters):
        vms = [vm for vm, planned in enumerate(plan.vms) if not set(planned.pcpus).isdisjoint(cpus)]
        if vms:
            lines.append("")
            lines += [f"cluster {number}, CPUs {cpus[0]} to {cpus[-1]}:"] if len(clusters) > 1 else []
            lines += _drawn(list(_owners(plan, vms)), palette.number)
    return lines


def _heading(cache: Cache, palette: Palette) -> list[str]:
    sets = cache.llc_size // cache.llc_ways // LINE
    each = palette.size * PAGE_SIZE // LINE
    pages = "page" if palette.size == 1 else "pages"
    return [
        f"{palette.number} colours of {palette.size} {pages}: colour n has the sets from n * {each} on, {each} of the "
        f"{sets} sets of the shared cache"
    ]


def _owners(plan: Plan, vms: Iterable[int]) -> Iterator[_Owner]:
    """The hypervisor, the VMs, and what these share."""
    palette, memory, machine = plan.memory.palette, plan.memory, plan.machine
    own = memory.hypervisor
    if own is None:  # nobody has placed it: where it may be
        everything = (1 << palette.number) - 1
        mask = palette.mask(machine.hypervisor_colors) or everything
        yield _Owner("hypervisor", frozenset(), {color for color in range(palette.number) if mask >> color & 1})
    else:
        kept = [each for vm in own.vms for each in (vm.vm, *vm.vcpus)]
        yield _Owner("hypervisor", frozenset(), _colors((own.image, own.bitmap, *own.pcpus, *kept), palette))
    for vm in vms:
        extents = [extent for extents in plan.vms[vm].memory.regions for extent in extents]
        extents += () if own is None else own.vms[vm].tables
        root = set() if own is None else _colors((own.vms[vm].root,), palette)
        yield _Owner(machine.vms[vm].name, frozenset({vm}), _colors(extents, palette), root)
    for number, shared in enumerate(machine.shared_memory):
        users = frozenset(vm for vm in vms if any(ipc.shmem == number for ipc in machine.vms[vm].ipcs))
        if users:
            yield _Owner(f"'{shared.name}'", users, _colors((memory.shared[number],), palette))


def _colors(extents: Iterable[Extent], palette: Palette) -> set[int]:
    """Of all pages of these. After one period of them they begin anew."""
    period = palette.size * palette.number
    return {
        palette.color(extent.translate(extent.ipa + page * PAGE_SIZE, palette))
        for extent in extents
        for page in range(min(period, extent.size // PAGE_SIZE))
    }


def _drawn(owners: list[_Owner], number: int) -> Iterator[str]:
    """A row for each, and who has sets in common."""
    longest = max(len(owner.name) for owner in owners)
    width = _width(number)
    yield f"{'':{longest}}  {' '.join(f'{color:>{width}}' for color in range(number))}"
    for owner in owners:
        yield f"{owner.name:{longest}}  {owner.marks(number)}"
    if any(owner.root - owner.colors for owner in owners):
        yield f"{_ROOT}: no more than the root of its stage 2, to which Bao gives no colours"
    together = [
        (one, other, sorted(one.colors & other.colors))
        for one, other in combinations(owners, 2)
        if not (one.users & other.users)
    ]
    for one, other, colors in together:
        if colors:
            word = "colour" if len(colors) == 1 else "colours"
            yield f"{one.name} and {other.name} have {_some(colors, number)} {word} in common: {_ranges(colors)}"
    if not any(colors for _, _, colors in together):
        yield "nobody has a colour in common with another"


def _some(colors: list[int], number: int) -> str:
    return f"all {number}" if len(colors) == number else str(len(colors))


def _ranges(colors: list[int]) -> str:
    """``0 to 3 and 6``."""
    found: list[list[int]] = []
    for color in colors:
        if found and found[-1][1] == color - 1:
            found[-1][1] = color
        else:
            found.append([color, color])
    return listing(f"{first} to {last}" if first != last else str(first) for first, last in found)


def _width(number: int) -> int:
    return len(str(number - 1))
