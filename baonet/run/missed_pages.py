"""Which pages of a machine's memory were missed most in its caches, by the names that a user has for them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, final

from baonet.config.symbols import Symbols
from baonet.hyp.pages import Extent
from baonet.hyp.vmm import Plan
from baonet.machine import PAGE_SIZE


@final
@dataclass(frozen=True, slots=True)
class MissedMemory:
    """A page. ``what``: a VM's memory, a shared memory object, something of the hypervisor's. ``address``: the guest's
    for a VM, an offset in an object, and else the physical one. ``symbols``: what is in it, as far as the image tells.
    """

    what: str
    address: int
    misses: int
    symbols: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = f" ({', '.join(self.symbols[:3])})" if self.symbols else ""
        return f"{self.what}, {self.address:#x}{names}"

    def told(self) -> dict[str, Any]:
        """For ``--stats``."""
        return {"what": self.what, "address": self.address, "misses": self.misses, "symbols": list(self.symbols)}


@final
@dataclass(frozen=True, slots=True)
class MissedSymbol:
    """A function or a variable. ``misses``: of the ``pages`` that it has bytes in, whoever else has some there."""

    what: str
    name: str
    misses: int
    pages: int

    def __str__(self) -> str:
        return f"{self.what}, {self.name}" + (f" in {self.pages} pages" if self.pages > 1 else "")


def missed_symbols(pages: Iterable[MissedMemory]) -> list[MissedSymbol]:
    """Those of these pages, by their misses."""
    found: dict[tuple[str, str], list[int]] = {}
    for page in pages:
        for name in page.symbols:
            found.setdefault((page.what, name), []).append(page.misses)
    told = [MissedSymbol(what, name, sum(misses), len(misses)) for (what, name), misses in found.items()]
    return sorted(told, key=lambda each: (-each.misses, each.what, each.name))


@final
class PhysicalNames:
    """What is at a physical address."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._symbols: dict[int, Symbols] = {}

    def named(self, pages: Sequence[tuple[int, int]]) -> list[MissedMemory]:
        """Of (physical address, misses), in this order."""
        return [self._named(address, misses) for address, misses in pages]

    def _named(self, pa: int, misses: int) -> MissedMemory:
        place = bisect_right(self._known, pa, key=itemgetter(0)) - 1
        if place >= 0:
            start, size, what, address, vm = self._known[place]
            if pa < start + size:
                address += pa - start
                return MissedMemory(what, address, misses, () if vm is None else self._within(vm, address))
        return MissedMemory("elsewhere", pa, misses)

    @cached_property
    def _known(self) -> list[tuple[int, int, str, int, int | None]]:
        """From the lowest up: physical address, size, what it is, the address that it is told by, whose memory."""
        found: list[tuple[int, int, str, int, int | None]] = []
        for vm, pa, ipa, size in self._pieces():
            found.append((pa, size, f"VM '{self._plan.vms[vm].config.name}'", ipa, vm))
        found += [(pa, size, what, offset, None) for what, pa, offset, size in self._shared()]
        found += [(pa, size, f"the hypervisor's {what}", pa, None) for what, pa, _, size in self._hypervisor()]
        return sorted(found, key=itemgetter(0))

    def _within(self, vm: int, address: int) -> tuple[str, ...]:
        symbols = self._symbols.get(vm)
        if symbols is None:
            symbols = self._symbols[vm] = Symbols(self._plan.vms[vm].config)
        return tuple(symbols.within(address, address + PAGE_SIZE, code=True))

    def _pieces(self) -> Iterator[tuple[int, int, int, int]]:
        """Of the VMs' own memory: VM, physical address, address, size."""
        palette = self._plan.memory.palette
        for number, memory in enumerate(self._plan.memory.vms):
            for extent in (each for extents in memory.regions for each in extents):
                for ipa, pa, size in extent.pieces(palette):
                    yield number, pa, ipa, size

    def _shared(self) -> Iterator[tuple[str, int, int, int]]:
        """Of shared memory: what it is, physical address, offset, size."""
        for shared, extent in zip(self._plan.machine.shared_memory, self._plan.memory.shared, strict=True):
            yield from self._extent(f"shared memory '{shared.name}'", extent)

    def _hypervisor(self) -> Iterator[tuple[str, int, int, int]]:
        """Likewise of the hypervisor's own."""
        own = self._plan.memory.hypervisor
        if own is None:
            return
        yield from self._extent("code and data", own.image)
        yield from self._extent("map of pages", own.bitmap)
        for pcpu, extent in enumerate(own.pcpus):
            yield from self._extent(f"part for pcpu {pcpu}", extent)
        for vm, of in zip(self._plan.vms, own.vms, strict=True):
            for extent in (of.vm, *of.vcpus):
                yield from self._extent(f"part for VM '{vm.config.name}'", extent)
            for extent in (of.root, *of.tables):
                yield from self._extent(f"tables of VM '{vm.config.name}'", extent)

    def _extent(self, what: str, extent: Extent) -> Iterator[tuple[str, int, int, int]]:
        for offset, pa, size in extent.pieces(self._plan.memory.palette):
            yield what, pa, offset, size
