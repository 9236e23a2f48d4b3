"""What in a device tree that the user gives leads nowhere: to no node, to no interrupt controller, to no device.

An operating system passes over such a node without a word, or looks where the VM has nothing and is stopped for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from baonet.config import wings
from baonet.config.architecture import Architecture
from baonet.config.fdt import FdtNode
from baonet.config.tree_nodes import TreePlace, cells, enabled, numbers, text, walk
from baonet.config.uart_bindings import told as uart_told
from baonet.document.quantities import listing
from baonet.machine import Platform, Vm

_NO_DEVICES = ("cpus", "chosen", "aliases", "reserved-memory", "memory")
_NAMED = 4
"""Nodes that a message names."""


def loose_ends(root: FdtNode, platform: Platform, vm: Vm) -> Iterator[tuple[str, str]]:
    """(what leads nowhere, what would be right)."""
    architecture = wings.of(platform)
    places = list(walk(root))
    handles = {handle: place.node for place in places for handle in _handles(place.node)}
    alive = [place for place in places if all(enabled(node) for node in (place.node, *place.above))]
    yield from _interrupt_parents(alive, handles, architecture)
    yield from _clocks(alive, handles)
    yield from _stdout(root)
    yield from architecture.trees().loose_ends(alive)
    yield from _strays(alive, vm, architecture)


def _handles(node: FdtNode) -> list[int]:
    return [handle for name in ("phandle", "linux,phandle") for handle in numbers(node.properties.get(name, b""))[:1]]


def _named(names: list[str]) -> str:
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return listing([*names[:_NAMED], *more])


def _interrupt_parents(
    alive: list[TreePlace], handles: dict[int, FdtNode], architecture: Architecture
) -> Iterator[tuple[str, str]]:
    lost: dict[int | None, list[str]] = {}
    for place in alive:
        if "interrupts" not in place.node.properties:
            continue
        line = (place.node, *reversed(place.above))
        given = next((each for each in line if "interrupt-parent" in each.properties), None)
        handle = None if given is None else cells(given, "interrupt-parent", 0, 1 << 32)
        controller = any("#interrupt-cells" in each.properties for each in line[1:])
        if handle is None and not controller:
            lost.setdefault(None, []).append(place.node.name)
        elif handle is not None and handle not in handles:
            lost.setdefault(handle, []).append(place.node.name)
    for handle, names in lost.items():
        have = "have" if len(names) > 1 else "has"
        what = "no interrupt parent" if handle is None else f"interrupt parent {handle:#x}, and no node that phandle"
        hint = f"give {architecture.words.controller} a phandle, and the root an 'interrupt-parent' with it"
        yield f"its {_named(names)} {have} {what}", hint


def _clocks(alive: list[TreePlace], handles: dict[int, FdtNode]) -> Iterator[tuple[str, str]]:
    for place in alive:
        uart = uart_told(place.compatible)
        if uart is None:
            continue
        names = listing(f'"{name}"' for name in uart.clocks)
        wanted = f"clocks {names}: add a fixed-clock" if uart.clocks else "clock-frequency"
        hint = f"Linux uses no {uart.name} without {wanted}"
        given = numbers(place.node.properties.get("clocks", b""))
        if not given and (uart.clocks or "clock-frequency" not in place.node.properties):
            yield f"its {place.node.name} has no {'clocks' if uart.clocks else 'clock'}", hint
        while given:
            clock = handles.get(given[0])
            if clock is None:
                yield f"its {place.node.name} has clock {given[0]:#x}, and no node has that phandle", hint
                break
            given = given[1 + cells(clock, "#clock-cells", 0) :]


def _stdout(root: FdtNode) -> Iterator[tuple[str, str]]:
    chosen = _find(root, "/chosen")
    path = text(chosen, "stdout-path").partition(":")[0] if chosen is not None else ""
    aliases = _find(root, "/aliases")
    where = path if path.startswith("/") or aliases is None else text(aliases, path)
    if path and (not where or _find(root, where) is None):
        yield f"its stdout-path {path!r} leads to no node", "name the UART there, by its path or by an alias"


def _find(root: FdtNode, path: str) -> FdtNode | None:
    """The node at a path, whose steps may leave out the address (section 2.2.3)."""
    node: FdtNode | None = root
    for step in path.strip("/").split("/"):
        if node is not None and step:
            node = next((each for each in node.children if step in (each.name, each.name.partition("@")[0])), None)
    return node


def _strays(alive: list[TreePlace], vm: Vm, architecture: Architecture) -> Iterator[tuple[str, str]]:
    there = list(_windows(vm, architecture))
    names = []
    for place in alive:
        top = (*place.above, place.node)[1:2]
        skip = any(each.name.partition("@")[0] in _NO_DEVICES for each in top)
        if (
            skip
            or not place.mapped
            or any(word in architecture.trees().controllers for word in place.compatible)
            or uart_told(place.compatible) is not None
        ):
            continue
        if not any(place.compatible):
            continue
        if any(not any(start <= base < end for start, end in there) for base, size in place.ranges() if size):
            names.append(place.node.name)
    if names:
        verb = "are" if len(names) > 1 else "is"
        hint = "a guest that looks there is stopped: remove them, or set their status to 'disabled'"
        yield f"its {_named(names)} {verb} where the VM has nothing", hint


def _windows(vm: Vm, architecture: Architecture) -> Iterator[tuple[int, int]]:
    for region in vm.regions:
        yield region.base, region.base + region.size
    for device in vm.devices:
        if device.va is not None:
            yield device.va, device.va + device.size
    for ipc in vm.ipcs:
        yield ipc.base, ipc.base + ipc.size
    for window in architecture.vm_windows(vm.arch, vm.cpus):
        yield window.start, window.end
