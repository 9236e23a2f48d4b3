"""What a device tree that the user gives says, against what the VM has.

Both are brought to the same facts, those of the given tree and those of the one that ``devicetree`` would generate.
A tree may leave things out (memory that a guest is to let alone, a UART that it is not to use); what it tells has to
be there. Addresses follow the Devicetree Specification 0.4, sections 2.3.5 (#address-cells) and 2.3.8 (ranges).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, final

from baonet.config import devicetree, fdt
from baonet.config.fdt import FdtNode
from baonet.config.machine import Machine, Vm, uarts
from baonet.config.quantities import listing, span

_GICS = {"arm,gic-v3": 3, "arm,gic-400": 2, "arm,cortex-a15-gic": 2, "arm,cortex-a9-gic": 2, "arm,cortex-a7-gic": 2}
_TIMERS = ("arm,armv8-timer", "arm,armv7-timer")
_VIRTUAL_TIMER = 2  # the place of its interrupt in the property
_SPI = 0

Shift: TypeAlias = Callable[[int], int]
"""From an address on a bus to the one that a CPU uses."""


@final
@dataclass(slots=True)
class _Facts:
    """``cpus``: reg of each; ``gic``: version and addresses; ``uarts``: address and INTIDs; ``timer``: INTIDs."""

    cpus: list[int] = field(default_factory=list)
    memory: list[tuple[int, int]] = field(default_factory=list)
    gic: tuple[int, tuple[int, ...]] | None = None
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
    for base, size in told.memory:
        if not any(start <= base and base + size <= start + length for start, length in _joined(true.memory)):
            message = f"its memory {span(base, base + size)} is not all the VM's"
            yield message, f"the VM has {ram}: correct the tree, or 'memory'"
    yield from _gic(told, true)
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


def _gic(told: _Facts, true: _Facts) -> Iterator[tuple[str, str]]:
    assert true.gic is not None
    version, addresses = true.gic
    right = f"the VM has a GICv{version} at {listing(f'{each:#x}' for each in addresses)}"
    if told.gic is None:
        yield "it has no interrupt controller that is a GIC", right
    elif told.gic[0] != version:
        yield f"it has a GICv{told.gic[0]}", right
    elif told.gic[1][:2] != addresses:
        yield f"its GIC is at {listing(f'{each:#x}' for each in told.gic[1][:2])}", right


def _timer(told: _Facts, vm: Vm) -> Iterator[tuple[str, str]]:
    if told.timer is None or len(told.timer) <= _VIRTUAL_TIMER:
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
    for node, parent, shift in _walk(root, root, lambda address: address):
        if _text(node, "status") not in ("", "ok", "okay"):
            continue
        ranges = [(shift(base), size) for base, size in _reg(node, parent)]
        compatible = node.properties.get("compatible", b"").decode("ascii", "replace").split("\0")
        if _text(node, "device_type") == "cpu" and parent.name == "cpus":
            facts.cpus += [base for base, _ in ranges[:1]]
        elif _text(node, "device_type") == "memory":
            facts.memory += [(base, size) for base, size in ranges if size]
        elif version := next((_GICS[word] for word in compatible if word in _GICS), None):
            facts.gic = facts.gic or (version, tuple(base for base, _ in ranges[:2]))
        elif "arm,pl011" in compatible and ranges:
            facts.uarts.append((ranges[0][0], _intids(node)))
        elif any(word in _TIMERS for word in compatible):
            facts.timer = _intids(node)
    return facts


def _walk(node: FdtNode, parent: FdtNode, shift: Shift) -> Iterator[tuple[FdtNode, FdtNode, Shift]]:
    """Every node with its parent, and what brings an address in its ``reg`` to the CPU's view."""
    yield node, parent, shift
    inner = _translated(node, parent, shift) if node is not parent else shift
    for child in node.children:
        yield from _walk(child, node, inner)


def _translated(bus: FdtNode, parent: FdtNode, outer: Shift) -> Shift:
    """What the ``ranges`` of a bus make of its children's addresses. Without any they stay as they are."""
    inner, own, sizes = (
        _cells(bus, "#address-cells", 2),
        _cells(parent, "#address-cells", 2),
        _cells(bus, "#size-cells", 1),
    )
    width = inner + own + sizes
    cells = _numbers(bus.properties.get("ranges", b""))
    rows = [cells[at : at + width] for at in range(0, len(cells) - width + 1, width)] if width else []

    def shift(address: int) -> int:
        for row in rows:
            start, base, size = _join(row[:inner]), _join(row[inner : inner + own]), _join(row[inner + own :])
            if start <= address < start + size:
                return outer(address - start + base)
        return outer(address)

    return shift


def _reg(node: FdtNode, parent: FdtNode) -> list[tuple[int, int]]:
    address, size = _cells(parent, "#address-cells", 2), _cells(parent, "#size-cells", 1)
    cells = _numbers(node.properties.get("reg", b""))
    width = address + size
    starts = range(0, len(cells) - width + 1, width) if width else ()
    return [(_join(cells[at : at + address]), _join(cells[at + address : at + width])) for at in starts]


def _intids(node: FdtNode) -> tuple[int, ...]:
    """The INTIDs of ``interrupts``, of three cells each (arm,gic: SPI or PPI, number, flags)."""
    cells = _numbers(node.properties.get("interrupts", b""))
    return tuple(cells[at + 1] + (32 if cells[at] == _SPI else 16) for at in range(0, len(cells) - 2, 3))


def _numbers(data: bytes) -> list[int]:
    return [value for (value,) in struct.iter_unpack(">I", data[: len(data) & ~3])]


def _cells(node: FdtNode, name: str, default: int) -> int:
    found = _numbers(node.properties.get(name, b""))
    return min(found[0], 4) if found else default


def _join(cells: list[int]) -> int:
    value = 0
    for cell in cells:
        value = value << 32 | cell
    return value


def _text(node: FdtNode, name: str) -> str:
    return node.properties.get(name, b"").rstrip(b"\0").decode("ascii", "replace")
