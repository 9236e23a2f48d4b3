"""What a device tree that the user gives says, against what the VM has.

Both are brought to the same facts, those of the given tree and those of the one that ``devicetree`` would generate.
A tree may leave things out (memory that a guest is to let alone, a UART that it is not to use); what it tells has to
be there, and what nobody can do without has to be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from baonet.config import devicetree, fdt, wings
from baonet.config.architecture import Architecture
from baonet.config.fdt import FdtNode
from baonet.config.tree_nodes import text, walk
from baonet.config.uart_bindings import told as uart_told
from baonet.document.quantities import listing, span
from baonet.machine import Machine, Vm, uarts
from baonet.machine.dataclass import dataclass, field


@final
@dataclass(slots=True)
class _Facts:
    """``cpus``: reg of each; ``uarts``: address, what it is, interrupts."""

    cpus: list[int] = field(default_factory=list)
    memory: list[tuple[int, int]] = field(default_factory=list)
    uarts: list[tuple[int, str, tuple[int, ...]]] = field(default_factory=list)


def disagreements(root: FdtNode, machine: Machine, vm: Vm) -> Iterator[tuple[str, str]]:
    """(what the tree says wrongly, what would be right) for each thing that the VM has otherwise."""
    architecture = wings.of(machine.platform)
    own = fdt.read(devicetree.generate(machine, vm)).root
    told, true = _facts(root, architecture), _facts(own, architecture)
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
    addresses = {address: interrupts for address, _, interrupts in true.uarts}
    kinds = {address: name for address, name, _ in true.uarts}
    for address, name, interrupts in told.uarts:
        if kinds.get(address) != name:
            there = listing(f"{each:#x}" if kind == name else f"a {kind} at {each:#x}" for each, kind in kinds.items())
            yield f"it has a {name} at {address:#x}, where the VM has none", f"the VM maps {there}"
        elif interrupts and interrupts != addresses[address]:
            right = next(device.interrupt for base, device in uarts(machine.platform, vm) if base == address)
            hint = (
                f"right is {architecture.words.interrupt} {right}"
                if addresses[address]
                else f"the VM does not have the right one, {right}"
            )
            yield f"its {name} at {address:#x} has interrupt {listing(interrupts)}", hint
    yield from architecture.trees().disagreements(root, own, vm)


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges (base, size) with those that touch made one."""
    joined: list[tuple[int, int]] = []
    for base, size in sorted(ranges):
        if joined and sum(joined[-1]) == base:
            joined[-1] = (joined[-1][0], joined[-1][1] + size)
        else:
            joined.append((base, size))
    return joined


def _facts(root: FdtNode, architecture: Architecture) -> _Facts:
    facts = _Facts()
    for place in walk(root):
        if not place.enabled:
            continue
        ranges, kind = place.ranges(), text(place.node, "device_type")
        if kind == "cpu" and place.parent.name == "cpus":
            facts.cpus += [base for base, _ in ranges[:1]]
        elif kind == "memory":
            facts.memory += [(base, size) for base, size in ranges if size]
        elif (uart := uart_told(place.compatible)) is not None and ranges:
            facts.uarts.append((ranges[0][0], uart.name, architecture.trees().told_interrupts(place)))
    return facts
