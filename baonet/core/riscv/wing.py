"""Making RISC-V cores: their timer and interrupt files, and what each exit takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, cast, final

from baonet.core.architecture import Core, CoreWing, Member, Rounds, Trial, Wiring
from baonet.core.costs import interrupt_cost
from baonet.core.engine import engine_file
from baonet.core.riscv import engine
from baonet.hyp.riscv.cpu import RiscvExit
from baonet.machine import Machine, Vm
from baonet.machine.riscv import Aia, RiscvPlatform, RiscvVm

_TRIAL: Final = ("trial", "litmus", "traps", "testbed", "selftest_code")
"""The modules of the start-up self-test."""


def _costs(machine: Machine, vm: Vm) -> tuple[int, ...]:
    """In cycles, rounded up: of the exits by their numbers, of an emulated access."""
    costs = machine.platform.charged
    asked = (RiscvExit.ECALL, RiscvExit.TRAP, RiscvExit.FAULT)
    interrupts = (RiscvExit.INTERRUPT, RiscvExit.LINE)
    hypercall, access = (machine.clock.cycles.ticks(cost) for cost in (costs.hypercall, costs.access))
    interrupt = interrupt_cost(machine, vm)
    exits = (hypercall if e in asked else interrupt if e in interrupts else 0 for e in RiscvExit)
    return (*exits, access)


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

    def core(self, machine: Machine, vm: Vm, vcpu: int, wiring: Wiring) -> Core:
        files = _files(vm)
        return engine.native.Core(
            hart=vcpu,
            sstc=RiscvPlatform.of(machine.platform).sstc,
            aia=files is not None,
            identities=files.identities if files else 255,
            costs=_costs(machine, vm),
            **wiring,
        )

    def rounds(self, cores: tuple[Member, ...], window: int, slice_: int, threads: int, ledger: object) -> Rounds:
        members = cast("tuple[engine.native.Core | tuple[int, int], ...]", cores)
        return engine.native.Rounds(members, window, slice_, threads, ledger)

    def attend(self, ledger: object, cores: tuple[Core, ...], failed: Callable[[Exception], None]) -> None:
        engine.native.attend(ledger, cast("tuple[engine.native.Core, ...]", cores), failed)

    def map(self, core: Core, vm: Vm) -> None:
        files = _files(vm)
        if files is not None:
            assert files.imsic is not None
            cast("engine.native.Core", core).map_imsic(files.imsic, vm.cpus)


RISCV: Final[CoreWing] = RiscvCores()
