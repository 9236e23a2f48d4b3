"""How an Armv8 vcpu is when a run ends: what it does or waits for, its interrupts, and the last exception it took.

Pure: ``examine`` reads a stopped CPU and its hypervisor, ``Condition.lines`` says it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from baonet.hyp.armv8.cpu import (
    ICH_AP0R0,
    ICH_AP1R0,
    ICH_LISTS,
    ICH_LR0,
    ICH_VMCR,
    LR_ACTIVE,
    LR_PENDING,
    LR_PRIORITY,
    LR_PRIORITY_SHIFT,
    LR_STATE,
    LR_VINTID,
    VMCR_VENG1,
    VMCR_VPMR_SHIFT,
    Armv8Cpu,
)
from baonet.hyp.armv8.report import exception_class, syndrome_text
from baonet.hyp.armv8.vgic import Vgic
from baonet.hyp.condition import STOPPED, Doing, VcpuCondition, duration, nanoseconds, numbers
from baonet.hyp.lines import LineCondition, lines_up
from baonet.hyp.vcpu import Vcpu
from baonet.machine.armv8 import Armv8Vm
from baonet.machine.dataclass import dataclass

_PSTATE_I: Final = 1 << 7
_PSTATE_NRW: Final = 1 << 4
_TIMER_ENABLE, _TIMER_IMASK = 1, 2
_TIMER_NAMES: Final = {27: "CNTV", 30: "CNTP"}
_ADDRESSED: Final = frozenset((0x20, 0x21, 0x22, 0x24, 0x25, 0x34, 0x35))
_GIC_INTID: Final = 0x3FF  # of a list register's vINTID: GICv2 keeps an SGI's source above it
IDLE: Final = 0x100
"""Below every priority."""


_WORDS: Final = {
    Doing.RUNNING: "runs",
    Doing.WAITING: "waits for an interrupt (WFI)",
    Doing.STANDBY: "waits for an interrupt (CPU_SUSPEND)",
    Doing.CALL: "waits for another pcpu's answer to a PSCI call",
    Doing.LOAD: "waits for another pcpu's answer to a load from the interrupt controller",
    Doing.STORE: "waits for another pcpu's answer to a store to the interrupt controller",
    Doing.POWERDOWN: "is off, and waits for CPU_ON",
    Doing.PARKED: "is parked, as it was reported",
    Doing.OFF: "is halted, as its VM is off or starts anew",
    Doing.CRASHED: "is where its pcpu crashed, as the machine file says,",
}


@final
@dataclass(frozen=True, slots=True)
class TimerCondition:
    """A timer of the generic timer that the guest has enabled: ``control`` is its CTL register.

    ``due``: nanoseconds until its condition is met, negative when that is past. ``assigned``: the VM has its interrupt.
    """

    intid: int
    assigned: bool
    control: int
    due: int

    def text(self) -> str:
        name = _TIMER_NAMES.get(self.intid, "timer")
        when = f"due in {duration(self.due)}" if self.due > 0 else f"due {duration(-self.due)} ago"
        text = f"timer {name} (interrupt {self.intid}): armed, {when}"
        if not self.assigned:
            return f"{text}; but the VM does not have interrupt {self.intid}: add it to the VM's 'timer'"
        if self.control & _TIMER_IMASK:
            return f"{text}; but masked by {name}_CTL.IMASK"
        return text


@final
@dataclass(frozen=True, slots=True)
class Condition(VcpuCondition):
    """``pstate`` as SPSR has it; ``last_*``: of the last exception that the guest took itself, of ``exceptions``.

    ``listed``: INTIDs that are pending in list registers, ``active``: active there; ``disabled``: pending and not
    enabled by the guest, ``unrouted``: pending SPIs that go to no vcpu; SPIs and ``lines_up`` are told by the VM's
    master pcpu.
    ``vmcr``: ICH_VMCR_EL2. ``priority``: the best of those listed; ``preempted``: that of what the guest has
    acknowledged and not ended, ``IDLE`` for nothing.
    """

    pstate: int
    vbar: int
    exceptions: int
    last_esr: int
    last_elr: int
    last_far: int
    last_spsr: int
    timers: tuple[TimerCondition, ...]
    vmcr: int
    distributor: bool
    priority: int
    preempted: int
    listed: tuple[int, ...]
    active: tuple[int, ...]
    disabled: tuple[int, ...]
    unrouted: tuple[int, ...]
    lines_up: tuple[LineCondition, ...]

    def lines(self, symbol: Callable[[int], str]) -> list[str]:
        if self.doing in STOPPED:
            return [_WORDS[self.doing]]
        lines = [
            f"{_WORDS[self.doing]} at {level(self.pstate)}",
            f"pc {self.pc:#018x}{symbol(self.pc)}, interrupts {'masked' if self.pstate & _PSTATE_I else 'unmasked'} "
            "in PSTATE",
            self._exception(symbol),
        ]
        lines += [timer.text() for timer in self.timers]
        return lines + self._interrupts()

    def _exception(self, symbol: Callable[[int], str]) -> str:
        if not self.exceptions:
            return "has taken no exception but interrupts"
        far = f", FAR_EL1 {self.last_far:#x}" if exception_class(self.last_esr) in _ADDRESSED else ""
        return (
            f"last of {self.exceptions} exceptions: from {level(self.last_spsr)}, ELR_EL1 {self.last_elr:#x}"
            f"{symbol(self.last_elr)}, VBAR_EL1 {self.vbar:#x}{far}, ESR_EL1 {syndrome_text(self.last_esr)}"
        )

    def _interrupts(self) -> list[str]:
        lines = []
        if self.listed:
            if not self.distributor:
                why = "GICD_CTLR is not enabled"
            elif not self.vmcr & VMCR_VENG1:
                why = "the CPU interface's group is not enabled (ICC_IGRPEN1_EL1, GICC_CTLR)"
            elif self.vmcr >> VMCR_VPMR_SHIFT == 0:
                why = "the priority mask (ICC_PMR_EL1, GICC_PMR) is 0"
            elif self.priority >= self.vmcr >> VMCR_VPMR_SHIFT:
                mask = self.vmcr >> VMCR_VPMR_SHIFT
                why = f"its priority {self.priority:#x} is not above the mask {mask:#x} (ICC_PMR_EL1, GICC_PMR)"
            elif self.priority >= self.preempted:
                why = f"not taken before one of priority {self.preempted:#x} has ended (ICC_EOIR1_EL1, GICC_EOIR)"
            elif self.pstate & _PSTATE_I:
                why = "not taken, as PSTATE.I masks it"
            else:
                why = "not taken yet"
            lines.append(f"pending: interrupt {numbers(self.listed)}; {why}")
        if self.active:
            lines.append(f"acknowledged by the guest, and not ended: interrupt {numbers(self.active)}")
        if self.disabled:
            lines.append(f"pending, but not enabled by the guest: interrupt {numbers(self.disabled)}")
        if self.unrouted:
            lines.append(f"pending, but routed to no vcpu of the VM: interrupt {numbers(self.unrouted)}")
        return lines + [line.text() for line in self.lines_up]


def level(pstate: int) -> str:
    """The exception level of a PSTATE, as SPSR_EL1.M says it."""
    return "EL0 (AArch32)" if pstate & _PSTATE_NRW else f"EL{pstate >> 2 & 3}{'h' if pstate & 1 else 't'}"


def examine(vcpu: Vcpu, cpu: Armv8Cpu, vgic: Vgic, doing: Doing) -> Condition:
    state = cpu.state()
    frequency = vcpu.plan.machine.platform.timer_frequency
    timers = tuple(
        TimerCondition(intid, assigned, control, nanoseconds(compare - now, frequency))
        for intid, assigned, control, compare, now in cpu.timers()
        if control & _TIMER_ENABLE
    )
    lists = [cpu.ich[ICH_LR0 + n] for n in range(ICH_LISTS)]
    pending = [each for each in lists if each & LR_STATE == LR_PENDING]
    running = cpu.ich[ICH_AP0R0] | cpu.ich[ICH_AP1R0]
    intid_bits = _GIC_INTID if Armv8Vm.of(vcpu.config).gic.version == 2 else LR_VINTID
    held = vgic.held_back()
    return Condition(
        pcpu=vcpu.pcpu,
        doing=doing,
        pc=cpu.pc,
        pstate=state["pstate"],
        vbar=state["vbar_el1"],
        exceptions=state["exceptions"],
        last_esr=state["last_esr"],
        last_elr=state["last_elr"],
        last_far=state["last_far"],
        last_spsr=state["last_spsr"],
        timers=timers,
        vmcr=cpu.ich[ICH_VMCR],
        distributor=held.distributor,
        priority=min(((each & LR_PRIORITY) >> LR_PRIORITY_SHIFT for each in pending), default=IDLE),
        preempted=((running & -running).bit_length() - 1) * 8 if running else IDLE,
        listed=tuple(sorted(each & intid_bits for each in lists if each & LR_PENDING)),
        active=tuple(sorted(each & intid_bits for each in lists if each & LR_ACTIVE)),
        disabled=held.disabled,
        unrouted=held.unrouted,
        lines_up=tuple(lines_up(vcpu, cpu)) if vcpu.is_home else (),
    )


def storm(vcpu: Vcpu, cpu: Armv8Cpu, taken: int, instructions: int, *, interrupts: bool) -> str:
    """What is told of a guest that does little but take exceptions, or the same one again and again, or interrupts."""
    state = cpu.state()
    if interrupts:
        mine = _GIC_INTID if Armv8Vm.of(vcpu.config).gic.version == 2 else LR_VINTID
        held = sorted(lr & mine for lr in (cpu.ich[ICH_LR0 + n] for n in range(ICH_LISTS)) if lr & LR_STATE)
        return (
            f"VM '{vcpu.config.name}', vcpu {vcpu.id} is in an interrupt loop: {taken} interrupts with {instructions} "
            f"instructions between them; its handler silences none of {numbers(tuple(held)) or 'them'} "
            f"(VBAR_EL1 {state['vbar_el1']:#x})"
        )
    return (
        f"VM '{vcpu.config.name}', vcpu {vcpu.id} is in an exception loop: {taken} exceptions with {instructions} "
        f"instructions between them, the last from pc {state['last_elr']:#x} at {level(state['last_spsr'])}, "
        f"VBAR_EL1 {state['vbar_el1']:#x}, ESR_EL1 {syndrome_text(state['last_esr'])}"
    )
