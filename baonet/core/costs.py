"""What the hypervisor's work takes in virtual time, whatever the architecture is."""

from __future__ import annotations

from collections.abc import Container, Iterable

from baonet.machine import Machine, Vm


def interrupt_kind(vm: Vm) -> str:
    """What an interrupt is on its way through the hypervisor, by the name that ``Costs`` has for it."""
    return "direct" if vm.direct_interrupts else "interrupt"


def relayed_kind(vm: Vm) -> str:
    """What an interrupt of the hypervisor's own is: where those of the guest go past it, it has to come another way."""
    return "relayed" if vm.direct_interrupts else "interrupt"


def kinds(vm: Vm, exits: Iterable[int], asked: Container[int], interrupts: Container[int]) -> tuple[str | None, ...]:
    """``CoreWing.kinds``, by the exits in which a guest asks for something, and by those that interrupts make."""
    interrupt = interrupt_kind(vm)
    of_exits = ("hypercall" if e in asked else interrupt if e in interrupts else None for e in exits)
    return (*of_exits, "access", relayed_kind(vm))


def cycles(machine: Machine, kinds: Iterable[str | None]) -> tuple[int, ...]:
    """What exits of some kinds take as a whole, rounded up; None takes nothing."""
    costs = machine.platform.charged
    return tuple(0 if kind is None else machine.clock.cycles.ticks(getattr(costs, kind)) for kind in kinds)
