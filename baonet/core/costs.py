"""What the hypervisor's work takes in virtual time, whatever the architecture is."""

from __future__ import annotations

from baonet.machine import Machine, Vm


def interrupt_cost(machine: Machine, vm: Vm) -> int:
    """What an interrupt takes on its way through the hypervisor, in cycles, rounded up."""
    costs = machine.platform.charged
    return machine.clock.cycles.ticks(costs.direct if vm.direct_interrupts else costs.interrupt)
