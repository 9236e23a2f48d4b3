"""What a device tree that the user gives says of the GIC, the timer and PSCI, against what the VM has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from baonet.config.armv8.gic import GICR_SIZE
from baonet.config.armv8.tree import intids
from baonet.config.fdt import FdtNode
from baonet.config.tree_nodes import TreePlace, text, walk
from baonet.document.quantities import human, listing
from baonet.machine import Vm
from baonet.machine.dataclass import dataclass

GICS = {"arm,gic-v3": 3, "arm,gic-400": 2, "arm,cortex-a15-gic": 2, "arm,cortex-a9-gic": 2, "arm,cortex-a7-gic": 2}
_TIMERS = ("arm,armv8-timer", "arm,armv7-timer")
_VIRTUAL_TIMER = 2  # the place of its interrupt in the property


@final
@dataclass(slots=True)
class _Facts:
    """``gic``: version and addresses; ``timer``: INTIDs; ``redistributors``: bytes of the first region of a GICv3's."""

    gic: tuple[int, tuple[int, ...]] | None = None
    redistributors: int = 0
    timer: tuple[int, ...] | None = None


def disagreements(told: FdtNode, true: FdtNode, vm: Vm) -> Iterator[tuple[str, str]]:
    """(what the tree says wrongly, what would be right)."""
    facts = _facts(told)
    yield from _gic(facts, _facts(true), vm)
    yield from _timer(facts, vm)


def _gic(told: _Facts, true: _Facts, vm: Vm) -> Iterator[tuple[str, str]]:
    assert true.gic is not None
    version, addresses = true.gic
    right = f"the VM has a GICv{version} at {listing(f'{each:#x}' for each in addresses)}"
    if told.gic is None:
        yield "it has no interrupt controller that is a GIC", right
    elif told.gic[0] != version:
        yield f"it has a GICv{told.gic[0]}", right
    elif told.gic[1][:2] != addresses:
        yield f"its GIC is at {listing(f'{each:#x}' for each in told.gic[1][:2])}", right
    elif version != 2 and told.redistributors < GICR_SIZE * vm.cpus:
        message = f"its GIC has redistributors in {human(told.redistributors)}, and {vm.cpus} CPUs"
        yield message, f"right is {human(GICR_SIZE * vm.cpus)} at {addresses[1]:#x}"


def _timer(told: _Facts, vm: Vm) -> Iterator[tuple[str, str]]:
    if told.timer is None:
        yield "it has no generic timer", "add the node of arm,armv8-timer"
        return
    if len(told.timer) <= _VIRTUAL_TIMER:
        return
    intid = told.timer[_VIRTUAL_TIMER]
    if intid != 27:
        yield f"its virtual timer has interrupt {intid}", "right is INTID 27, PPI 11"
    elif intid not in vm.interrupts:
        yield "its virtual timer has interrupt 27, which the VM does not get", "write 'timer: [27]'"


def _facts(root: FdtNode) -> _Facts:
    facts = _Facts()
    for place in walk(root):
        if not place.enabled:
            continue
        if version := next((GICS[word] for word in place.compatible if word in GICS), None):
            ranges = place.ranges()
            facts.gic = facts.gic or (version, tuple(base for base, _ in ranges[:2]))
            facts.redistributors = facts.redistributors or sum(size for _, size in ranges[1:2])
        elif any(word in _TIMERS for word in place.compatible):
            facts.timer = intids(place)
    return facts


def starting(alive: list[TreePlace]) -> Iterator[tuple[str, str]]:
    """Several CPUs, and no PSCI that starts them."""
    cpus = [place.node for place in alive if place.parent.name == "cpus" and text(place.node, "device_type") == "cpu"]
    if len(cpus) < 2:
        return
    hint = 'a VM\'s CPUs are started by PSCI: enable-method "psci", and a node of arm,psci-1.0 with method "smc"'
    other = sorted({text(cpu, "enable-method") for cpu in cpus[1:]} - {"psci"})
    if other:
        yield f"its CPUs have enable-method {listing(repr(each) for each in other)}", hint
    elif not any(word.startswith("arm,psci") for place in alive for word in place.compatible):
        yield "it has several CPUs and no PSCI node", hint
