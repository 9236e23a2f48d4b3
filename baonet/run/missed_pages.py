"""Which pages of a machine's memory were missed most in its caches, by the names that a user has for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, final

from baonet.config.symbols import Symbols
from baonet.hyp.pages import Extent
from baonet.hyp.vmm import Plan
from baonet.machine import PAGE_SIZE
from baonet.machine.dataclass import dataclass


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
class PhysicalNames:
    """What is at a physical address."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._symbols: dict[int, Symbols] = {}

    def named(self, pages: Iterable[tuple[int, int]]) -> list[MissedMemory]:
        """Of (physical address, misses), in this order."""
        return [self._named(address, misses) for address, misses in pages]

    def _named(self, pa: int, misses: int) -> MissedMemory:
        for number, start, ipa, size in self._pieces():
            if start <= pa < start + size:
                address = ipa + pa - start
                what = f"VM '{self._plan.vms[number].config.name}'"
                return MissedMemory(what, address, misses, self._within(number, address))
        for what, start, offset, size in self._shared():
            if start <= pa < start + size:
                return MissedMemory(what, offset + pa - start, misses)
        for what, start, _, size in self._hypervisor():
            if start <= pa < start + size:
                return MissedMemory(f"the hypervisor's {what}", pa, misses)
        return MissedMemory("elsewhere", pa, misses)

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
