"""Making RISC-V cores: their timer and interrupt files, and what each exit takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, cast, final

from baonet.core.architecture import Core, CoreWing, Member, Rounds, Trial, Wiring, Woven
from baonet.core.costs import cycles, kinds
from baonet.core.engine import engine_file
from baonet.core.riscv import engine
from baonet.hyp.riscv.cpu import RiscvExit
from baonet.machine import Faithful, Machine, Vm
from baonet.machine.riscv import Aia, RiscvPlatform, RiscvVm

_ASKED: Final = (RiscvExit.ECALL, RiscvExit.TRAP, RiscvExit.FAULT)
_INTERRUPTS: Final = (RiscvExit.INTERRUPT, RiscvExit.LINE)
_MODEL: Final = 3  # UC_CPU_RISCV64_SIFIVE_U54, which all harts are
_TRIAL: Final = ("trial", "litmus", "traps", "testbed", "selftest_code")
"""The modules of the start-up self-test."""


def _files(vm: Vm) -> Aia | None:
    """The VM's interrupt controller, if that sends messages to files of its harts."""
    irqc = RiscvVm.of(vm).irqc
    return irqc if isinstance(irqc, Aia) and irqc.imsic is not None else None


@final
class RiscvCores:
    trial_files = (engine_file("riscv"), *(Path(__file__).with_name(f"{name}.py") for name in _TRIAL))

    def trial(self) -> Trial:
        from baonet.core.riscv.trial import TRIAL  # noqa: PLC0415 - where it has passed nobody needs what it tries

        return TRIAL

    def make_ahead(self, machine: Machine) -> None:
        engine.native.make_ahead(_MODEL)

    def core(self, machine: Machine, vm: Vm, vcpu: int, wiring: Wiring) -> Core:
        files = _files(vm)
        return engine.native.Core(
            hart=vcpu,
            sstc=RiscvPlatform.of(machine.platform).sstc,
            aia=files is not None,
            identities=files.identities if files else 255,
            counters=machine.faithful is not Faithful.STRICT,
            costs=cycles(machine, self.kinds(vm)),
            **wiring,
        )

    def kinds(self, vm: Vm) -> tuple[str | None, ...]:
        return kinds(vm, RiscvExit, _ASKED, _INTERRUPTS)

    def rounds(
        self,
        cores: tuple[Member, ...],
        window: int,
        slice_: int,
        threads: int,
        ledger: object,
        *,
        clusters: tuple[Woven, ...],
    ) -> Rounds:
        members = cast("tuple[engine.native.Core | tuple[int, int], ...]", cores)
        return engine.native.Rounds(members, window, slice_, threads, ledger, clusters)

    def attend(self, ledger: object, cores: tuple[Core, ...], failed: Callable[[Exception], None]) -> None:
        engine.native.attend(ledger, cast("tuple[engine.native.Core, ...]", cores), failed)

    def map(self, core: Core, vm: Vm) -> None:
        files = _files(vm)
        if files is not None:
            assert files.imsic is not None
            cast("engine.native.Core", core).map_imsic(files.imsic, vm.cpus)


RISCV: Final[CoreWing] = RiscvCores()
