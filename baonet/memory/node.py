"""All memory of one node: RAM of its VMs, shared memory objects, device state, and what its pcpus coordinate by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import final

from baonet.config.machine import PAGE_SIZE, Machine, Vm
from baonet.memory.segments import Segment


@final
@dataclass(frozen=True, slots=True)
class VmMemory:
    """``regions`` are in the order of the VM's configuration; ``code`` has 8 bytes for 16 pages of all its RAM."""

    regions: tuple[Segment, ...]
    code: Segment


@final
class NodeMemory:
    """Allocates everything; ``slot_size`` and ``uart_size`` are the engine's. Nothing is loaded yet."""

    def __init__(self, machine: Machine, slot_size: int, uart_size: int) -> None:
        self.machine = machine
        self.slots = Segment("slots", machine.platform.cpus * slot_size)
        self.shared = tuple(Segment(shared.name, shared.size) for shared in machine.shared_memory)
        self.uarts = {
            device.pa: Segment(device.name, uart_size) for device in machine.platform.devices if device.kind == "pl011"
        }
        self.vms = tuple(self._vm(vm) for vm in machine.vms)

    def _vm(self, vm: Vm) -> VmMemory:
        regions = tuple(Segment(f"{vm.name}:{region.base:#x}", region.size) for region in vm.regions)
        shared = sum(-(-ipc.size // PAGE_SIZE) * PAGE_SIZE for ipc in vm.ipcs)
        pages = (sum(region.size for region in regions) + shared) // PAGE_SIZE
        return VmMemory(regions, Segment(f"{vm.name}:code", -(-pages // 16) * 8))

    def load(self, vm: Vm) -> None:
        """Place the VM's image and what goes with it. Raises OSError when a file cannot be read any more."""
        for segment in vm.segments:
            data = segment.data
            if segment.path is not None:
                with Path(segment.path).open("rb") as file:
                    file.seek(segment.offset)
                    data = file.read(segment.size)
            self.write(vm, segment.base, data)

    def clear(self, vm: Vm) -> None:
        for region in self.vms[vm.index].regions:
            region.clear()

    def keep(self, vms: Collection[int]) -> None:
        """In a process of these VMs alone: unmap the RAM of the others."""
        for number, vm in enumerate(self.vms):
            if number not in vms:
                for segment in (*vm.regions, vm.code):
                    segment.give_up()

    def close(self) -> None:
        """Give up all segments; a core that has one mapped keeps it."""
        owned = [segment for vm in self.vms for segment in (*vm.regions, vm.code)]
        for segment in (self.slots, *self.shared, *self.uarts.values(), *owned):
            segment.close()

    def write(self, vm: Vm, ipa: int, data: bytes) -> None:
        """Raises ValueError when the bytes are not inside one region."""
        view, offset = self._find(vm, ipa, len(data))
        view[offset : offset + len(data)] = data

    def _find(self, vm: Vm, ipa: int, size: int) -> tuple[memoryview, int]:
        for region, segment in zip(vm.regions, self.vms[vm.index].regions, strict=True):
            if region.base <= ipa and ipa + size <= region.base + region.size:
                return memoryview(segment.view), ipa - region.base
        raise ValueError(f"{size} bytes at {ipa:#x} are not inside one region of VM '{vm.name}'")
