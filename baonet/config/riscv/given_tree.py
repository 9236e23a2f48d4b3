"""What a device tree that the user gives says of harts and interrupt controllers, against what the VM has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from baonet.config.fdt import FdtNode
from baonet.config.riscv.tree import CONTROLLERS, HART_CONTROLLER
from baonet.config.tree_nodes import TreePlace, numbers, text, walk
from baonet.document.quantities import listing
from baonet.machine import Vm
from baonet.machine.dataclass import dataclass, field

_NAMES = {"plic": "PLIC", "aplic": "APLIC", "imsic": "IMSICs"}


@final
@dataclass(slots=True)
class _Facts:
    """``controllers``: the address of each kind; ``extensions``: of any hart; ``frequency``: of the timebase."""

    controllers: dict[str, int] = field(default_factory=dict)
    extensions: set[str] = field(default_factory=set)
    frequency: int | None = None


def disagreements(told: FdtNode, true: FdtNode, vm: Vm) -> Iterator[tuple[str, str]]:
    """(what the tree says wrongly, what would be right)."""
    given, own = _facts(told), _facts(true)
    yield from _controllers(given.controllers, own.controllers)
    if given.frequency != own.frequency:
        what = "has no timebase-frequency" if given.frequency is None else f"has timebase-frequency {given.frequency}"
        yield f"its /cpus {what}", f"right is {own.frequency}"
    if more := sorted(given.extensions - own.extensions):
        hint = f"a guest that uses one is stopped: the harts have {listing(sorted(own.extensions))}"
        yield f"its CPUs have {listing(more)}, which the VM's have not", hint


def _controllers(told: dict[str, int], true: dict[str, int]) -> Iterator[tuple[str, str]]:
    right = "the VM has " + _listed(true)
    if not told:
        yield "it has no interrupt controller that is a PLIC or an APLIC", right
    elif told.keys() != true.keys():
        yield f"it has {_listed(told)}", right
    elif told != true:
        yield f"it has its {_listed(told)}", right


def _listed(controllers: dict[str, int]) -> str:
    return listing(f"{_NAMES[kind]} at {base:#x}" for kind, base in sorted(controllers.items()))


def _facts(root: FdtNode) -> _Facts:
    facts = _Facts()
    for place in walk(root):
        if not place.enabled:
            continue
        if kind := next((CONTROLLERS[word] for word in place.compatible if word in CONTROLLERS), None):
            facts.controllers.setdefault(kind, next((base for base, _ in place.ranges()), 0))
        elif _is_cpu(place):
            facts.extensions |= _extensions(place.node)
            frequency = numbers(place.node.properties.get("timebase-frequency", b""))
            facts.frequency = facts.frequency or next(iter(frequency), None)
        elif place.node.name == "cpus":
            facts.frequency = next(iter(numbers(place.node.properties.get("timebase-frequency", b""))), None)
    return facts


def _is_cpu(place: TreePlace) -> bool:
    return place.parent.name == "cpus" and text(place.node, "device_type") == "cpu"


def _extensions(cpu: FdtNode) -> set[str]:
    """By either of the two properties: letters, and names of several."""
    if "riscv,isa-extensions" in cpu.properties:
        return set(text(cpu, "riscv,isa-extensions").split("\0"))
    letters, *names = text(cpu, "riscv,isa").removeprefix("rv64").lower().split("_")
    return {*letters.replace("g", "imafd"), *names} - {""}


def starting(alive: list[TreePlace]) -> Iterator[tuple[str, str]]:
    """CPUs that Linux passes over, as they have no interrupt controller of their own."""
    without = [place.node.name for place in alive if _is_cpu(place) and not any(map(_is_own, place.node.children))]
    if without:
        verb = "have" if len(without) > 1 else "has"
        hint = f'give each a node interrupt-controller of "{HART_CONTROLLER}", with a phandle'
        yield f"its {listing(without)} {verb} no interrupt controller", hint


def _is_own(node: FdtNode) -> bool:
    return HART_CONTROLLER in text(node, "compatible").split("\0")
