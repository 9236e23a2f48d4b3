"""Which VM gets which pcpus.

Mirrors Bao's ``vmm.c``. Bao's pcpus race through the assignment; here they pass in id order, so that a machine file
always gives the same one.

Pass 1, each pcpu: the first VM, in index order, that prefers this pcpu and either has no master yet or still wants
cpus, takes it. Pass 2, each pcpu still free: the first VM that still wants cpus takes it, whatever its affinity.
"""

from __future__ import annotations

from collections.abc import Sequence

from baonet.machine.vm import Vm


def assign(vms: Sequence[Vm], cpus: int) -> tuple[list[list[int]], list[int]]:
    """The pcpus of each VM in order of arrival (the first is its master), and the pcpus that no VM takes."""
    taken: list[list[int]] = [[] for _ in vms]
    free = []
    for pcpu in range(cpus):
        for vm, mine in zip(vms, taken, strict=True):
            if pcpu in vm.cpu_affinity and (not mine or len(mine) < vm.cpus):
                mine.append(pcpu)
                break
        else:
            free.append(pcpu)
    idle = []
    for pcpu in free:
        for vm, mine in zip(vms, taken, strict=True):
            if len(mine) < vm.cpus:
                mine.append(pcpu)
                break
        else:
            idle.append(pcpu)
    return taken, idle
