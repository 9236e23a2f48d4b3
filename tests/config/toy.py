"""An architecture that nobody has, for the configuration: an interrupt controller and no firmware."""

# ``optional`` is dataclasses.field with a description, not a default value

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping
from typing import ClassVar

from baonet.config.architecture import AddressWindow, CostTable, Guests, Mention, Trees, Words
from baonet.config.fdt import FdtNode
from baonet.config.hypervisor_preset import HypervisorPreset
from baonet.config.memory_preset import MemoryPreset
from baonet.config.tree_nodes import TreePlace, numbers
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.models import Model, optional
from baonet.document.values import ADDRESS
from baonet.machine import ArchVm, Costs, Platform, Vm
from baonet.machine.dataclass import dataclass, replace

MACHINE = 999


@dataclass(frozen=True, slots=True)
class ToyPart:
    base: int
    architecture = "toy"
    root_pages: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ToyModel(Model):
    toyic: int | None = optional(ADDRESS, "Where the interrupt controller is.", None, after="devices")


class ToyGuests:
    target, whole_pages = "toy", "LEA"
    linux, image, short_image, kernel_file = "toy Linux", "a toy Image", "toy Image", "Image"
    machine, command_line, instruction = MACHINE, 255, 2

    def is_linux(self, head: bytes) -> bool:
        return False

    def least(self, head: bytes) -> int:
        return 0

    def room(self, head: bytes) -> tuple[int, int]:
        return 0, 0

    def doubts(self, head: bytes) -> Iterator[tuple[str, str]]:
        return iter(())


def base_of(part: ArchVm | Platform) -> int:
    part = part.arch if isinstance(part, Platform) else part
    assert isinstance(part, ToyPart)
    return part.base


def given(part: Model) -> int | None:
    assert isinstance(part, ToyModel)
    return part.toyic


class Toy:
    name, key, address_limit = "toy", "toyic", 1 << 36
    private: Container[int] = range(1)
    words = Words(*["a word of the toy's"] * len(Words.__slots__))
    guests: Guests = ToyGuests()
    interrupts, lines = range(64), range(1, 64)
    raised: Collection[int] = (0,)
    controllers: Collection[str] = ("toy,ic",)
    platform_part: type[Model] = ToyModel
    vm_part: type[Model] = ToyModel
    blank = Platform("toy", 1, (), ToyPart(0), (), timer_frequency=1_000_000)
    platforms: Mapping[str, tuple[Platform, str]] = {}
    costs = CostTable(Costs(), {}, "", "")

    def memory_presets(self) -> Mapping[str, MemoryPreset]:
        return {}

    def hypervisors(self) -> Mapping[str, HypervisorPreset]:
        return {}

    def missing(self, part: Model, base: Platform | None, extend: str) -> Iterator[Problem]:
        return iter(())

    def platform(self, part: Model, base: Platform) -> Platform:
        return replace(base, arch=ToyPart(given(part) or base_of(base)))

    def platform_problems(self, part: Model, platform: Platform) -> Iterator[Problem]:
        return iter(())

    def unconnected(self, platform: Platform, interrupt: int) -> tuple[str, str] | None:
        return None

    def most_cpus(self, platform: Platform) -> int:
        return 2

    def platform_windows(self, platform: Platform) -> Iterator[AddressWindow]:
        return self.vm_windows(ToyPart(base_of(platform)), 1)

    def brief(self, platform: Platform) -> str:
        return "(toy)"

    suspends = in_short = brief

    def in_full(self, platform: Platform) -> Iterator[str]:
        return iter(())

    def vm(self, part: Model, platform: Platform) -> ArchVm:
        return ToyPart(given(part) or base_of(platform))

    def vm_problems(self, part: Model, vm: ArchVm) -> Iterator[Problem]:
        return iter(())

    def vm_windows(self, vm: ArchVm, cpus: int) -> Iterator[AddressWindow]:
        yield AddressWindow("toyic", base_of(vm), base_of(vm) + 0x1000, "the toy's controller", "controller")

    def delivery(self, vm: ArchVm) -> tuple[str, str]:
        return "direct", "the toy has no hypervisor that could take them"

    def hardware(self, part: Model) -> Collection[int]:
        return self.raised

    def uses(self, part: Model) -> Iterator[Mention]:
        return iter(())

    def interrupt_problems(self, use: Mention, vm: ArchVm, platform: Platform) -> Iterator[Problem]:
        if use.interrupt not in self.lines:
            yield use.node.problem(f"{use.interrupt} is no line of the toy's", "use one to 63")

    def meant(self, interrupt: int) -> str:
        return ""

    def unlike_bao(self, node: YamlNode, cpus: int) -> Iterator[Problem]:
        return iter(())

    def summary(self, vm: Vm) -> dict[str, int]:
        return {}

    def trees(self) -> Trees:
        return self

    def describe(self, root: FdtNode, platform: Platform, vm: Vm, controller: int) -> None:
        node = root.add(f"toyic@{base_of(vm.arch):x}")
        node.text("compatible", *self.controllers)
        node.cells("#interrupt-cells", 1)
        node.cells("phandle", controller)

    def cells(self, vm: Vm, interrupt: int, *, edge: bool) -> tuple[int, ...]:
        return (interrupt,)

    def told_interrupts(self, place: TreePlace) -> tuple[int, ...]:
        return tuple(numbers(place.node.properties.get("interrupts", b"")))

    def disagreements(self, told: FdtNode, true: FdtNode, vm: Vm) -> Iterator[tuple[str, str]]:
        return iter(())

    def loose_ends(self, alive: list[TreePlace]) -> Iterator[tuple[str, str]]:
        return iter(())
