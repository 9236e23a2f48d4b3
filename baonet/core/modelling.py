"""Where memory takes time: what a core is told of its VM's memory and of what the hypervisor itself touches."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING

from baonet.core.architecture import Core
from baonet.core.shapes import physical_map
from baonet.machine import PAGE_SIZE, Machine, Vm

if TYPE_CHECKING:
    from baonet.hyp.physical_map import VmMap

_GIB512, _GIB, _MIB2 = 1 << 39, 1 << 30, 1 << 21


def model(core: Core, machine: Machine, vm: Vm, pcpu: int, kinds: Iterable[str | None]) -> None:
    """Have the memory of a core take time that runs a vCPU of ``vm``, has it mapped, and has joined its cluster.

    ``kinds``: of exits, as ``CoreWing.kinds``.
    """
    system = machine.platform.memory_system
    assert system is not None
    core.model_memory(system.cycles, system.instructions)
    physical = physical_map(machine)
    mapped = physical.vms[vm.index]
    core.map_physical(_pages(mapped, vm).tobytes(), _tables(mapped).tobytes())
    footprint = system.hypervisor
    if footprint is None:
        return
    for exit_, kind in enumerate(kinds):
        if kind is not None:
            taken, touched = getattr(footprint, kind), physical.touched(kind, pcpu)
            loads, stores, text = (
                array("Q", lines).tobytes()
                for lines in (
                    touched.shared + touched.private,
                    touched.private,
                    touched.text,
                )  # these are read, then written
            )
            core.touches(exit_, taken.instructions, loads, stores, text, cycles=taken.cycles)


def _pages(mapped: VmMap, vm: Vm) -> array[int]:
    """Of RAM and then of shared memory, as they are mapped."""
    found = array("Q")
    places = [*((each.base, each.size) for each in vm.regions), *((each.base, each.size) for each in vm.ipcs)]
    for base, size in places:
        found += mapped.pages(base, -(-size // PAGE_SIZE) * PAGE_SIZE)
    return found


def _tables(mapped: VmMap) -> array[int]:
    tables = mapped.tables
    # a root of several pages is so many tables, one behind the other (Arm ARM D8.2.4; RISC-V: Sv39x4)
    reached = {part for each in mapped.extents for part in (each.ipa // _GIB512, (each.ipa + each.size - 1) // _GIB512)}
    roots = {part * _GIB512 | 1: tables.root + part * PAGE_SIZE for part in reached}
    middles = {number * _GIB | 2: at for number, at in tables.middles.items()}
    leaves = {number * _MIB2 | 3: at for number, at in tables.leaves.items()}
    every = roots | middles | leaves
    return array("Q", [word for covers in sorted(every) for word in (covers, every[covers])])
