"""Making Armv8 cores: their model and identification, the virtual CPU interface, timers, what each exit takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, cast, final

from baonet.core.architecture import Core, CoreWing, Member, Rounds, Trial, Wiring, Woven
from baonet.core.armv8 import engine
from baonet.core.costs import cycles, kinds
from baonet.core.engine import engine_file
from baonet.hyp.armv8.cpu import Exit
from baonet.hyp.armv8.psci import vmpidr
from baonet.machine import Machine, Vm
from baonet.machine.armv8 import Armv8Platform, Armv8Vm

_MODELS: Final = {"cortex-a57": 0, "cortex-a53": 1, "cortex-a72": 2, "max": 3}  # UC_CPU_ARM64_*
_OWN: Final = (23, 27, 30)  # of the performance monitors, the virtual timer, the physical timer
_TRIAL: Final = ("trial", "litmus", "testbed", "selftest_code")
"""The modules of the start-up self-test."""


_ASKED: Final = (Exit.HVC, Exit.SMC, Exit.DATA_ABORT, Exit.SYSTEM_REGISTER, Exit.FAULT)
_INTERRUPTS: Final = (Exit.INTERRUPT, Exit.MAINTENANCE, Exit.DEACTIVATED, Exit.LINE)


@final
class Armv8Cores:
    trial_files = (engine_file("armv8"), *(Path(__file__).with_name(f"{name}.py") for name in _TRIAL))

    def trial(self) -> Trial:
        from baonet.core.armv8.trial import TRIAL  # noqa: PLC0415 - where it has passed nobody needs what it tries

        return TRIAL

    def make_ahead(self, machine: Machine) -> None:
        engine.native.make_ahead(_MODELS[Armv8Platform.of(machine.platform).cpu_model])

    def core(self, machine: Machine, vm: Vm, vcpu: int, wiring: Wiring) -> Core:
        arch = Armv8Platform.of(machine.platform)
        return engine.native.Core(
            model=_MODELS[arch.cpu_model],
            midr=arch.midr,
            mpidr=vmpidr(vcpu, vm.cpus),
            gic_version=Armv8Vm.of(vm).gic.version,
            list_registers=arch.gic.list_registers,
            timers=tuple(intid for intid in _OWN if intid in vm.interrupts),
            costs=cycles(machine, self.kinds(vm)),
            cluster=machine.platform.cpus,
            **wiring,
        )

    def kinds(self, vm: Vm) -> tuple[str | None, ...]:
        return kinds(vm, Exit, _ASKED, _INTERRUPTS)

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
        gic = Armv8Vm.of(vm).gic
        if gic.version == 2:
            assert gic.gicc is not None
            cast("engine.native.Core", core).map_gicv(gic.gicc)


ARMV8: Final[CoreWing] = Armv8Cores()
