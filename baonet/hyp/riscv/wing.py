"""RISC-V behind the protocol of ``baonet.hyp.architecture``: what each exit means, SBI, the interrupt controller."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from enum import IntEnum
from typing import Final, cast, final

from baonet.hyp.answers import FixedAnswer, Notification
from baonet.hyp.architecture import Handler, InterruptStatistics, LineChanged, RecordFact, Wing
from baonet.hyp.condition import Doing, VcpuCondition
from baonet.hyp.ipc import Ipc
from baonet.hyp.messages import MessageFact
from baonet.hyp.names import ArchNames
from baonet.hyp.report import Report
from baonet.hyp.riscv import irqc
from baonet.hyp.riscv.condition import RiscvCondition, examine, storm
from baonet.hyp.riscv.controller import Controller
from baonet.hyp.riscv.cpu import (
    EXIT_NUMBER,
    EXIT_VALUE,
    IDENTITIES,
    LOCAL,
    MESSAGES,
    SOFTWARE,
    RiscvCpu,
    RiscvExit,
)
from baonet.hyp.riscv.irqc_messages import IrqcResult
from baonet.hyp.riscv.names import RiscvNames
from baonet.hyp.riscv.report import REGISTERS, RiscvReport
from baonet.hyp.riscv.sbi import EVENT, INDEX, RESULT, Sbi
from baonet.hyp.riscv.sbi_messages import SbiHartStart, SbiHartStatus, SbiResult, SbiSendIpi
from baonet.hyp.riscv.traps import Traps
from baonet.hyp.vcpu import Vcpu
from baonet.machine import ArchPlatform, ArchVm
from baonet.machine.riscv import RiscvPlatform, RiscvVm
from baonet.machine.saved import Saved, StateForm

_SUPERVISOR: Final = (
    *("privilege", "sstatus", "sie", "sip", "stvec", "sscratch", "sepc", "scause", "stval", "satp", "stimecmp"),
)

_FORM: Final = StateForm("a vcpu's RISC-V part", 1, controller=dict)


@final
class RiscvWing:
    """``controller`` is this vcpu's view of the VM's interrupt controller."""

    __slots__ = (
        "_cpu",
        "_exit",
        "_line",
        "_vcpu",
        "answers",
        "controller",
        "exits",
        "messages",
        "notifications",
        "read_emulated",
        "windows",
        "write_emulated",
    )

    def __init__(self, vcpu: Vcpu, line: LineChanged, controller: Controller) -> None:
        self._vcpu = vcpu
        self._cpu = cpu = cast(RiscvCpu, vcpu.cpu)
        self._exit = cpu.exit
        self._line = line
        self.controller = controller
        self.windows = controller.windows
        self.read_emulated: Callable[[int, int], int | None] = controller.read  # no call between: most traps end here
        self.write_emulated: Callable[[int, int, int], bool] = controller.write
        self.answers: tuple[FixedAnswer, ...] = ()
        self.notifications: tuple[Notification, ...] = ()
        self.exits: Sequence[Callable[[], None]] = ()
        self.messages: Mapping[type, Handler] = {}

    def begin(self, ipc: Ipc) -> None:
        sbi = Sbi(self._vcpu, self._cpu, ipc)
        self.answers, self.notifications = sbi.answers, sbi.notifications
        traps = Traps(self._vcpu, self._cpu, self.controller)
        handlers: dict[RiscvExit, Callable[[], None]] = {
            RiscvExit.ECALL: sbi.call,
            RiscvExit.TRAP: traps.trap,
            RiscvExit.INTERRUPT: sbi.timer_fired,
            RiscvExit.LINE: self._line_changed,
            RiscvExit.FAULT: traps.fault,
        }
        self.exits = [handlers.get(reason, _nothing) for reason in RiscvExit]
        self.messages = {
            **self.controller.messages,
            IrqcResult: traps.result,
            SbiHartStart: sbi.hsm.started,
            SbiHartStatus: sbi.hsm.asked,
            SbiResult: sbi.hsm.result,
            SbiSendIpi: sbi.ipi,
        }

    def enter(self, entry: int, context: int) -> None:
        self._cpu.reset(entry, context)

    def waits(self) -> bool:
        """A hart that sleeps in the firmware sees what the guest has enabled in sie, and no more."""
        state = self._cpu.state()
        return bool(state["sip"] & state["sie"])

    def inject(self, interrupt: int) -> None:
        self.controller.inject(interrupt)

    def expects(self, interrupt: int) -> tuple[int, int, int] | None:
        return self.controller.expects(interrupt)

    def listed(self, interrupt: int) -> None:
        self.controller.listed(interrupt)

    def line(self, interrupt: int, level: bool, sequence: int) -> None:
        self.controller.line(interrupt, level, sequence)

    def reset(self) -> None:
        self.controller.reset()

    def registers(self) -> dict[str, int]:
        """The general registers by the calling convention's names but x0, PC, and the supervisor's own."""
        state = self._cpu.state()
        general = {name: self._cpu.x[number] for number, name in enumerate(REGISTERS) if number}
        return general | {"pc": self._cpu.pc} | {name: state[name] for name in _SUPERVISOR}

    def statistics(self) -> InterruptStatistics:
        return self.controller.statistics()

    def examine(self, doing: Doing) -> VcpuCondition:
        return examine(self._vcpu, self._cpu, self.controller, doing)

    def storm(self, taken: int, instructions: int, *, interrupts: bool) -> str:
        return storm(self._vcpu, self._cpu, taken, instructions, interrupts=interrupts)

    def save(self) -> Saved:
        """The controller's; a hart's state is its vcpu's, and the rest is the CPU's."""
        return _FORM.save(controller=self.controller.save())

    def load(self, data: object) -> None:
        self.controller.load(_FORM.load(data)["controller"])

    def _line_changed(self) -> None:
        value = self._exit[EXIT_VALUE]
        self._line(self._exit[EXIT_NUMBER], value & 1, value >> 1)


def _nothing() -> None:
    """What the core's caller has seen to."""


_SBI_MESSAGES: Final[tuple[MessageFact, ...]] = (
    MessageFact(40, SbiHartStart, interrupts=True, own=True, quiet=True),
    MessageFact(41, SbiHartStatus, quiet=True),
    MessageFact(42, SbiResult),
    MessageFact(43, SbiSendIpi, interrupts=True, own=True),
)


@final
class Riscv:
    """``controller`` makes a vcpu's view of its VM's interrupt controller."""

    name = "riscv"
    exits: type[IntEnum] = RiscvExit
    messages = (*_SBI_MESSAGES, *irqc.MESSAGES)
    call_registers = (RESULT, INDEX, EVENT)
    private: Container[int] = range(LOCAL, MESSAGES + IDENTITIES)
    sent: Container[int] = frozenset((LOCAL + SOFTWARE, *range(MESSAGES, MESSAGES + IDENTITIES)))
    ended: Container[int] = range(LOCAL)
    report: RecordFact[Report] = RecordFact(81, RiscvReport)
    condition: RecordFact[VcpuCondition] = RecordFact(82, RiscvCondition)
    platform_part: type[ArchPlatform] = RiscvPlatform
    vm_part: type[ArchVm] = RiscvVm
    names: ArchNames = RiscvNames()

    def wing(self, vcpu: Vcpu, line: LineChanged) -> Wing:
        return RiscvWing(vcpu, line, irqc.controller(vcpu))


RISCV: Final = Riscv()
