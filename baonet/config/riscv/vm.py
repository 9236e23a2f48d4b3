"""What a VM has of RISC-V, and what is wrong with what its file says of that."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from baonet.config.architecture import AddressWindow, Mention
from baonet.config.riscv import interrupts as numbers
from baonet.config.riscv import irqc
from baonet.config.riscv.models import RiscvVmModel
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.models import Model
from baonet.machine import ArchVm, Platform, Vm
from baonet.machine.riscv import Aia, Plic, RiscvPlatform, RiscvVm


def _irqc(vm: ArchVm) -> Plic | Aia:
    assert isinstance(vm, RiscvVm)
    return vm.irqc


def resolved(part: Model, platform: Platform) -> RiscvVm:
    return RiscvVm(irqc.of_vm(RiscvVmModel.of(part).irqc, RiscvPlatform.of(platform).irqc))


def problems(part: Model, vm: ArchVm) -> Iterator[Problem]:
    model = RiscvVmModel.of(part).irqc
    return iter(()) if model is None else irqc.problems(model, _irqc(vm))


def windows(vm: ArchVm, cpus: int) -> Iterator[AddressWindow]:
    return irqc.windows(_irqc(vm), cpus)


def delivery(vm: ArchVm) -> tuple[str, str]:
    """With an IMSIC messages go to a guest's own file; any other controller interrupts the hypervisor."""
    own = _irqc(vm)
    if isinstance(own, Aia) and own.imsic is not None:
        return "direct", "with IMSICs they go to the guest's own interrupt file, and the hypervisor sees none of them"
    return "mediated", f"{irqc.article(own)} interrupts the hypervisor alone"


def hardware(part: Model) -> Collection[int]:
    return ()


def uses(part: Model) -> Iterator[Mention]:
    return iter(())


def interrupt_problems(use: Mention, vm: ArchVm, platform: Platform) -> Iterator[Problem]:
    return numbers.problems(use, RiscvPlatform.of(platform).irqc)


def meant(interrupt: int) -> str:
    return ""


def unlike_bao(node: YamlNode, cpus: int) -> Iterator[Problem]:
    return iter(())


def summary(vm: Vm) -> dict[str, int]:
    own = RiscvVm.of(vm).irqc
    return {key: getattr(own, "base" if key == "plic" else key) for key in irqc.keys(own)}
