"""What a device tree that the user gives says, against what the VM has.

Both are brought to the same facts, those of the given tree and those of the one that ``devicetree`` would generate.
A tree may leave things out (memory that a guest is to let alone, a UART that it is not to use); what it tells has to
be there, and what nobody can do without has to be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import final

from baonet.config import devicetree, fdt
from baonet.config.armv8.gic import GICR_SIZE
from baonet.config.fdt import FdtNode
from baonet.config.tree_nodes import text, walk
from baonet.document.quantities import human, listing, span
from baonet.machine import Machine, Vm, uarts

GICS = {"arm,gic-v3": 3, "arm,gic-400": 2, "arm,cortex-a15-gic": 2, "arm,cortex-a9-gic": 2, "arm,cortex-a7-gic": 2}
_TIMERS = ("arm,armv8-timer", "arm,armv7-timer")
_VIRTUAL_TIMER = 2  # the place of its interrupt in the property
PL011 = "arm,pl011"


@final
@dataclass(slots=True)
class _Facts:
    """``cpus``: reg of each; ``gic``: version and addresses; ``uarts``: address and INTIDs; ``timer``: INTIDs.

    ``redistributors``: bytes of the first region of a GICv3's.
    """

    cpus: list[int] = field(default_factory=list)
    memory: list[tuple[int, int]] = field(default_factory=list)
    gic: tuple[int, tuple[int, ...]] | None = None
    redistributors: int = 0
    uarts: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    timer: tuple[int, ...] | None = None


def disagreements(root: FdtNode, machine: Machine, vm: Vm) -> Iterator[tuple[str, str]]:
    """(what the tree says wrongly, what would be right) for each thing that the VM has otherwise."""
    told, true = _facts(root), _facts(fdt.read(devicetree.generate(machine, vm)).root)
    if sorted(told.cpus) != sorted(true.cpus):
        given, has = (", ".join(f"{reg:#x}" for reg in sorted(facts.cpus)) or "none" for facts in (told, true))
        message = f"its /cpus has {len(told.cpus)} CPUs (reg {given}), the VM has {len(true.cpus)} (reg {has})"
        yield message, "correct the tree, or 'cpus'"
    ram = listing(span(base, base + size) for base, size in true.memory)
    if not told.memory:
        yield "it has no memory", f"the VM has {ram}"
    for base, size in told.memory:
        if not any(start <= base and base + size <= start + length for start, length in _joined(true.memory)):
            message = f"its memory {span(base, base + size)} is not all the VM's"
            yield message, f"the VM has {ram}: correct the tree, or 'memory'"
    yield from _gic(told, true, vm)
    addresses = dict(true.uarts)
    for address, intids in told.uarts:
        if address not in addresses:
            there = listing(f"{each:#x}" for each in addresses)
            yield f"it has a PL011 at {address:#x}, where the VM has none", f"the VM maps {there}"
        elif intids and intids != addresses[address]:
            right = next(device.interrupt for base, device in uarts(machine.platform, vm) if base == address)
            hint = f"right is INTID {right}" if addresses[address] else f"the VM does not have the right one, {right}"
            yield f"its PL011 at {address:#x} has interrupt {listing(intids)}", hint
    yield from _timer(told, vm)


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


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges (base, size) with those that touch made one."""
    joined: list[tuple[int, int]] = []
    for base, size in sorted(ranges):
        if joined and sum(joined[-1]) == base:
            joined[-1] = (joined[-1][0], joined[-1][1] + size)
        else:
            joined.append((base, size))
    return joined


def _facts(root: FdtNode) -> _Facts:
    facts = _Facts()
    for place in walk(root):
        if not place.enabled:
            continue
        ranges, kind = place.ranges(), text(place.node, "device_type")
        if kind == "cpu" and place.parent.name == "cpus":
            facts.cpus += [base for base, _ in ranges[:1]]
        elif kind == "memory":
            facts.memory += [(base, size) for base, size in ranges if size]
        elif version := next((GICS[word] for word in place.compatible if word in GICS), None):
            facts.gic = facts.gic or (version, tuple(base for base, _ in ranges[:2]))
            facts.redistributors = facts.redistributors or sum(size for _, size in ranges[1:2])
        elif PL011 in place.compatible and ranges:
            facts.uarts.append((ranges[0][0], place.intids()))
        elif any(word in _TIMERS for word in place.compatible):
            facts.timer = place.intids()
    return facts
