"""A VM's address space, as ``baonet check --map`` shows it: what lies where, from the lowest address up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from baonet.config import wings
from baonet.document.quantities import human
from baonet.machine import Machine, Vm, uarts


@final
@dataclass(frozen=True, slots=True, order=True)
class _Piece:
    """``depth`` 1: it lies within the one before."""

    start: int
    depth: int
    size: int
    what: str


def layout(machine: Machine, vm: Vm) -> list[str]:
    """Lines of text. An address space starts with the name of its VM."""
    lines = [f"{vm.name}: entry {vm.entry:#x}, {_argument(machine)} {vm.context:#x}"]
    for piece in sorted([*_mappings(machine, vm), *_contents(vm)]):
        indent = "    " if piece.depth else "  "
        where = f"{piece.start:#012x}..{piece.start + piece.size - 1:#012x}"
        lines.append(f"{indent}{where}  {human(piece.size):>12}  {piece.what}")
    return lines


def _argument(machine: Machine) -> str:
    return wings.of(machine.platform).words.argument


def _mappings(machine: Machine, vm: Vm) -> Iterator[_Piece]:
    for region in vm.regions:
        yield _Piece(region.base, 0, region.size, "RAM")
    for device in vm.devices:
        if device.va is not None:
            inside = [each for base, each in uarts(machine.platform, vm) if 0 <= base - device.va < device.size]
            modelled = [f"{each.name} ({each.kind})" for each in inside]
            yield _Piece(device.va, 0, device.size, ", ".join(modelled) or "device that nothing models")
    for ipc in vm.ipcs:
        yield _Piece(ipc.base, 0, ipc.size, f"shared memory '{machine.shared_memory[ipc.shmem].name}'")
    for window in wings.of(machine.platform).vm_windows(vm.arch, vm.cpus):
        yield _Piece(window.start, 0, window.end - window.start, window.name)


def _contents(vm: Vm) -> Iterator[_Piece]:
    for segment in vm.segments:
        if segment.base == vm.device_tree:
            what = "device tree"
        elif vm.initrd is not None and segment.base == vm.initrd[0]:
            what = "initrd"
        else:
            what = "image"
        file = segment.path or segment.unpacked
        name = f" {Path(file).name}" if file is not None else ""
        name += ", unpacked" if segment.unpacked is not None else ""
        yield _Piece(segment.base, 1, segment.size, what + name)
