"""Armv8-A behind the protocol of ``baonet.hyp.architecture``: what each exit means, calls, the virtual GIC."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from enum import IntEnum
from typing import Final, cast, final, get_args

from baonet.hyp.answers import FixedAnswer, Notification
from baonet.hyp.architecture import Handler, InterruptStatistics, LineChanged, RecordFact, Wing
from baonet.hyp.armv8.aborts import Aborts
from baonet.hyp.armv8.condition import Condition, examine, storm
from baonet.hyp.armv8.cpu import EXIT_INTID, EXIT_VALUE, ICH_LR0, LR_PENDING, Armv8Cpu, Exit
from baonet.hyp.armv8.gic import MAX_INTERRUPTS, PRIVATE, SGIS
from baonet.hyp.armv8.names import Armv8Names
from baonet.hyp.armv8.psci import FUNCTION_ID, Psci
from baonet.hyp.armv8.psci_messages import PsciAffinityInfo, PsciCpuOn, PsciOn, PsciResult, PsciState
from baonet.hyp.armv8.report import Armv8Report
from baonet.hyp.armv8.smccc import Smccc
from baonet.hyp.armv8.vgic import Vgic
from baonet.hyp.armv8.vgic_messages import (
    VgicForward,
    VgicInject,
    VgicMessage,
    VgicRead,
    VgicRecall,
    VgicRelease,
    VgicResult,
    VgicUpdateEnable,
    VgicWrite,
)
from baonet.hyp.condition import Doing, VcpuCondition
from baonet.hyp.cpu import FROM_IPC, NOTE_RAISED
from baonet.hyp.ipc import Ipc
from baonet.hyp.messages import MessageFact
from baonet.hyp.names import ArchNames
from baonet.hyp.report import Report
from baonet.hyp.vcpu import Vcpu
from baonet.machine import ArchPlatform, ArchVm, MessageKind
from baonet.machine.armv8 import Armv8Platform, Armv8Vm
from baonet.machine.saved import Saved, StateForm

_REGISTERS: Final = (
    *("pstate", "sp", "sp_el0", "sp_el1", "elr_el1", "esr_el1", "far_el1", "spsr_el1", "vbar_el1", "sctlr_el1"),
)

_FORM: Final = StateForm("a vcpu's Armv8 part", 1, psci=dict, vgic=dict)


@final
class Armv8Wing:
    __slots__ = (
        "_calls",
        "_cpu",
        "_exit",
        "_line",
        "_list_registers",
        "_mine",
        "_psci",
        "_unknown_call",
        "_vcpu",
        "_x",
        "answers",
        "exits",
        "messages",
        "notifications",
        "read_emulated",
        "vgic",
        "windows",
        "write_emulated",
    )

    def __init__(self, vcpu: Vcpu, line: LineChanged) -> None:
        vm, cpu = vcpu.vm, cast(Armv8Cpu, vcpu.cpu)
        self._vcpu = vcpu
        self._cpu = cpu
        self._exit = cpu.exit
        self._x = cpu.x
        self._line = line
        self._mine = frozenset(vm.config.interrupts)
        self._list_registers = Armv8Platform.of(vcpu.plan.machine.platform).gic.list_registers
        self.vgic = vgic = Vgic(
            vm.config,
            vcpu.id,
            pcpus=vm.pcpus,
            master=vm.master,
            cpu=cpu,
            send=vcpu.send,
            list_registers=self._list_registers,
        )
        self.windows = vgic.windows
        self.read_emulated: Callable[[int, int], int | None] = vgic.read  # no call between: most traps end here
        self.write_emulated: Callable[[int, int, int], bool] = vgic.write
        self.answers: tuple[FixedAnswer, ...] = ()
        self.notifications: tuple[Notification, ...] = ()
        self.exits: Sequence[Callable[[], None]] = ()
        self.messages: Mapping[type, Handler] = {}

    def begin(self, ipc: Ipc) -> None:
        vcpu, vgic = self._vcpu, self.vgic
        self._psci = psci = Psci(vcpu)
        smccc = Smccc(vcpu, psci, ipc)
        aborts = Aborts(vcpu, vgic)
        self.answers, self.notifications = smccc.answers, smccc.notifications
        self._calls = smccc.calls
        self._unknown_call = smccc.unknown
        handlers: dict[Exit, Callable[[], None]] = {
            Exit.HVC: self._hvc,
            Exit.SMC: self._smc,
            Exit.DATA_ABORT: aborts.data_abort,
            Exit.SYSTEM_REGISTER: aborts.system_register,
            Exit.INTERRUPT: self._interrupt,
            Exit.MAINTENANCE: vgic.maintenance,
            Exit.DEACTIVATED: self._deactivated,
            Exit.LINE: self._line_changed,
            Exit.FAULT: aborts.fault,
        }
        self.exits = [handlers.get(reason, _nothing) for reason in Exit]
        self.messages = dict.fromkeys(get_args(VgicMessage), vgic.message) | {
            PsciOn: psci.on,
            PsciCpuOn: psci.cpu_on,
            PsciAffinityInfo: psci.affinity_info,
            PsciResult: psci.result,
            PsciState: psci.state,
            VgicResult: aborts.result,
        }

    def enter(self, entry: int, context: int) -> None:
        self.vgic.enter(entry, context)

    def waits(self) -> bool:
        ich = self._cpu.ich
        return any(ich[ICH_LR0 + n] & LR_PENDING for n in range(self._list_registers))

    def inject(self, interrupt: int) -> None:
        self._cpu.note(NOTE_RAISED, interrupt, FROM_IPC, 0)
        self.vgic.inject(interrupt)

    def expects(self, interrupt: int) -> tuple[int, int, int] | None:
        listed = self.vgic.expects(interrupt)
        return None if listed is None else (interrupt, *listed)

    def listed(self, interrupt: int) -> None:
        self.vgic.listed(interrupt)

    def line(self, interrupt: int, level: bool, sequence: int) -> None:
        self.vgic.line(interrupt, level, sequence)

    def reset(self) -> None:
        self.vgic.reset()

    def registers(self) -> dict[str, int]:
        """X0 to X30 as EL2 sees them (of AArch32 state: Arm ARM DDI 0487, D1.19.1), PC, PSTATE, SP and EL1's own."""
        state = self._cpu.state()
        return (
            {f"x{number}": value for number, value in enumerate(self._x)}
            | {"pc": self._cpu.pc}
            | {name: state[name] for name in _REGISTERS}
        )

    def statistics(self) -> InterruptStatistics:
        return self.vgic.statistics()

    def examine(self, doing: Doing) -> Condition:
        return examine(self._vcpu, self._cpu, self.vgic, doing)

    def storm(self, taken: int, instructions: int, *, interrupts: bool) -> str:
        return storm(self._vcpu, self._cpu, taken, instructions, interrupts=interrupts)

    def save(self) -> Saved:
        return _FORM.save(psci=self._psci.save(), vgic=self.vgic.save())

    def load(self, data: object) -> None:
        fields = _FORM.load(data)
        self._psci.load(fields["psci"])
        self.vgic.load(fields["vgic"])

    # Exits

    def _hvc(self) -> None:
        self._calls.get(self._x[0] & FUNCTION_ID, self._unknown_call)()

    def _smc(self) -> None:
        self._cpu.pc += 4  # first: the call may move the PC elsewhere
        self._calls.get(self._x[0] & FUNCTION_ID, self._unknown_call)()

    def _interrupt(self) -> None:
        """A PPI that the VM does not have never arrives: in Bao it is not enabled physically."""
        intid = self._exit[EXIT_INTID]
        if intid in self._mine:
            self.vgic.interrupt(intid)

    def _deactivated(self) -> None:
        self.vgic.deactivated(self._exit[EXIT_INTID])

    def _line_changed(self) -> None:
        value = self._exit[EXIT_VALUE]
        self._line(self._exit[EXIT_INTID], value & 1, value >> 1)


def _nothing() -> None:
    """What the core's caller has seen to."""


MESSAGES: Final[tuple[MessageFact, ...]] = (
    MessageFact(32, PsciOn, interrupts=True, own=True),
    MessageFact(33, PsciCpuOn),
    MessageFact(34, PsciAffinityInfo),
    MessageFact(35, PsciResult),
    MessageFact(36, PsciState),
    MessageFact(48, VgicUpdateEnable, interrupts=True),
    MessageFact(49, VgicInject, interrupts=True),
    MessageFact(50, VgicForward, of_hardware=MessageKind.SPI, interrupts=True),
    MessageFact(51, VgicRecall),
    MessageFact(52, VgicRelease),
    MessageFact(53, VgicRead),
    MessageFact(54, VgicWrite),
    MessageFact(55, VgicResult),
)


@final
class Armv8:
    name = "armv8"
    exits: type[IntEnum] = Exit
    messages = MESSAGES
    call_registers = (0, 1, 2)
    private: Container[int] = range(PRIVATE)
    sent: Container[int] = range(SGIS)
    ended: Container[int] = range(MAX_INTERRUPTS)
    report: RecordFact[Report] = RecordFact(8, Armv8Report)
    condition: RecordFact[VcpuCondition] = RecordFact(65, Condition)
    platform_part: type[ArchPlatform] = Armv8Platform
    vm_part: type[ArchVm] = Armv8Vm
    names: ArchNames = Armv8Names()

    def wing(self, vcpu: Vcpu, line: LineChanged) -> Wing:
        return Armv8Wing(vcpu, line)


ARMV8: Final = Armv8()
