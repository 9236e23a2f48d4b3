"""Which pcpu runs which vcpu, and where all memory lies: the plan of a machine.

Mirrors Bao's ``vmm.c``; who gets which pcpu is told in ``baonet.machine.assignment``. The first pcpu that a VM takes is
its master: Bao builds the VM there and notifies it there; here it also keeps what the VM's vcpus share. A vcpu's id is
the rank of its pcpu's id within the VM, so the master need not run vcpu 0. A pcpu that no VM takes is powered down.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from baonet.hyp.memory import Memory, PlacementError, VmMemory, allocate
from baonet.machine import Machine, Vm
from baonet.machine.assignment import assign
from baonet.machine.dataclass import dataclass


@final
@dataclass(frozen=True, slots=True)
class Assignment:
    """What one pcpu does: run vcpu ``vcpu`` of VM ``vm``."""

    vm: int
    vcpu: int
    master: bool


@final
@dataclass(frozen=True, slots=True)
class VmPlan:
    """One VM, placed. ``pcpus[n]`` runs vcpu n; ``master`` is the pcpu that is home to what its vcpus share."""

    config: Vm
    pcpus: tuple[int, ...]
    master: int
    memory: VmMemory


@final
@dataclass(frozen=True, slots=True)
class PcpuLine:
    """One line of ``Plan.describe``. ``vm`` is None for a pcpu that is powered down."""

    pcpu: int
    vm: str | None = None
    vcpu: int = 0
    master: bool = False


@final
@dataclass(frozen=True, slots=True)
class MappingLine:
    """One stage-2 mapping of ``Plan.describe``: ``pa`` is its first byte, ``extents`` how many parts it has."""

    vm: str
    kind: str
    ipa: int
    size: int
    pa: int
    extents: int
    colors: int


@final
@dataclass(frozen=True, slots=True)
class Plan:
    """The whole machine, placed. ``pcpus[n]`` is None where pcpu n is powered down."""

    machine: Machine
    pcpus: tuple[Assignment | None, ...]
    vms: tuple[VmPlan, ...]
    memory: Memory

    def pcpus_of(self, vms: Iterable[int]) -> tuple[int, ...]:
        """Those that run some VMs, by their numbers."""
        return tuple(sorted(pcpu for vm in vms for pcpu in self.vms[vm].pcpus))

    def describe(self) -> tuple[list[PcpuLine], list[MappingLine]]:
        """The plan as two tables: pcpus, and the mappings of every VM."""
        pcpus = [
            PcpuLine(pcpu) if a is None else PcpuLine(pcpu, self.vms[a.vm].config.name, a.vcpu, a.master)
            for pcpu, a in enumerate(self.pcpus)
        ]
        mappings = []
        for vm in self.vms:
            placed = [("ram", extents) for extents in vm.memory.regions]
            placed += [("device", (extent,)) for extent in vm.memory.devices if extent is not None]
            placed += [("shared", extents) for extents in vm.memory.ipcs if extents]
            for kind, extents in placed:
                first, size = extents[0], sum(extent.size for extent in extents)
                mappings.append(
                    MappingLine(vm.config.name, kind, first.ipa, size, first.pa, len(extents), first.colors)
                )
        return pcpus, mappings


def plan(machine: Machine) -> Plan:
    """Place every VM of the machine.

    Raises ``PlacementError`` where Bao would halt for want of memory, or wait for ever for a pcpu that never comes.
    """
    taken, _ = assign(machine.vms, machine.platform.cpus)
    memory = allocate(machine)
    pcpus: list[Assignment | None] = [None] * machine.platform.cpus
    vms = []
    for vm, arrivals, placed in zip(machine.vms, taken, memory.vms, strict=True):
        if len(arrivals) < vm.cpus:
            raise PlacementError(
                f"VM '{vm.name}' would wait for ever: it wants {vm.cpus} cpus and gets {len(arrivals)}",
                f"vms[{vm.index}].cpus",
            )
        ranked = tuple(sorted(arrivals))
        for vcpu, pcpu in enumerate(ranked):
            pcpus[pcpu] = Assignment(vm.index, vcpu, pcpu == arrivals[0])
        vms.append(VmPlan(vm, ranked, arrivals[0], placed))
    return Plan(machine, tuple(pcpus), tuple(vms), memory)
