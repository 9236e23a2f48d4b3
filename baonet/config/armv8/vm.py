"""What a VM has of Armv8-A, and what is wrong with what its file says of that."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from baonet.config.architecture import AddressWindow, Mention
from baonet.config.armv8 import gic
from baonet.config.armv8 import interrupts as numbers
from baonet.config.armv8.models import Armv8VmModel
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.models import Model
from baonet.machine import ArchVm, Platform, Vm
from baonet.machine.armv8 import Armv8Platform, Armv8Vm, Gic
from baonet.machine.armv8.affinity import CLUSTER


def _gic(vm: ArchVm) -> Gic:
    assert isinstance(vm, Armv8Vm)
    return vm.gic


def resolved(part: Model, platform: Platform) -> Armv8Vm:
    return Armv8Vm(gic.of_vm(Armv8VmModel.of(part).gic, Armv8Platform.of(platform).gic))


def problems(part: Model, vm: ArchVm) -> Iterator[Problem]:
    model = Armv8VmModel.of(part).gic
    return iter(()) if model is None else gic.problems(model, _gic(vm))


def windows(vm: ArchVm, cpus: int) -> Iterator[AddressWindow]:
    return gic.windows(_gic(vm), cpus)


def delivery(vm: ArchVm) -> tuple[str, str]:
    return "mediated", ""


def hardware(part: Model) -> Collection[int]:
    return Armv8VmModel.of(part).timer


def uses(part: Model) -> Iterator[Mention]:
    return numbers.uses(Armv8VmModel.of(part))


def interrupt_problems(use: Mention, vm: ArchVm, platform: Platform) -> Iterator[Problem]:
    return numbers.problems(use, _gic(vm), Armv8Platform.of(platform).gic)


def unlike_bao(node: YamlNode, cpus: int) -> Iterator[Problem]:
    """Bao's numbers of vCPUs are flat, and no target list of an SGI reaches beyond the sixteenth."""
    if cpus > CLUSTER:
        message = f"{cpus} vCPUs under 'faithful: strict': Bao's vCPU 16 and those after it get no SGI"
        hint = "at most 16, or 'faithful: practical', which gives every 16 vCPUs an Aff1 of their own"
        yield node.problem(message, hint)


def summary(vm: Vm) -> dict[str, int]:
    mine = Armv8Vm.of(vm).gic
    places = {"gicd": mine.gicd, "gicr": mine.gicr, "gicc": mine.gicc}
    return {"version": mine.version} | {name: base for name, base in places.items() if base is not None}
