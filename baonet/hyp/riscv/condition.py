"""How a RISC-V vcpu is when a run ends: what it does or waits for, its interrupts, and the last exception it took.

Pure: ``examine`` reads a stopped CPU and its hypervisor, ``RiscvCondition.lines`` says it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from baonet.hyp.condition import STOPPED, Doing, VcpuCondition, duration, nanoseconds, numbers
from baonet.hyp.lines import LineCondition, lines_up
from baonet.hyp.riscv.controller import Controller
from baonet.hyp.riscv.cpu import EXTERNAL, SOFTWARE, TIMER, RiscvCpu
from baonet.hyp.riscv.report import exception_text, mode
from baonet.hyp.vcpu import MASK64, Vcpu
from baonet.machine.dataclass import dataclass
from baonet.machine.riscv import Aia, RiscvPlatform, RiscvVm

_SIE: Final = 1 << 1  # of sstatus
_UNTOUCHED: Final = 0
_NEVER: Final = MASK64
"""What stimecmp is at first, and where a guest wants no interrupt."""

_WORDS: Final = {
    Doing.RUNNING: "runs",
    Doing.WAITING: "waits for an interrupt (WFI)",
    Doing.STANDBY: "waits for an interrupt (SBI hart suspend)",
    Doing.CALL: "waits for another pcpu's answer to an SBI call",
    Doing.LOAD: "waits for another pcpu's answer to a load from the interrupt controller",
    Doing.STORE: "waits for another pcpu's answer to a store to the interrupt controller",
    Doing.POWERDOWN: "is stopped, and waits for SBI hart start",
    Doing.PARKED: "is parked, as it was reported",
    Doing.OFF: "is halted, as its VM is off or starts anew",
    Doing.CRASHED: "is where its pcpu crashed, as the machine file says,",
}
_INTERRUPTS: Final = {
    SOFTWARE: "the software interrupt (SSIP)",
    TIMER: "the timer (STIP)",
    EXTERNAL: "an external interrupt (SEIP)",
}


@final
@dataclass(frozen=True, slots=True)
class RiscvCondition(VcpuCondition):
    """``privilege``: 1 in S mode. ``last_*``: of the last exception that the guest took itself, of ``exceptions``.

    ``sip`` is what is pending, ``sie`` what the guest has enabled. ``armed``: its timer is, and is ``due`` in so many
    nanoseconds, negative when that is past. Of its interrupt file, if it has one: ``delivery``, the ``threshold`` (0:
    none), the identities that are ``listed``, pending and enabled, and that are pending but ``disabled``.
    ``unheard``, sources that the controller lets through to no hart, and ``lines_up`` are told by the VM's master
    pcpu.
    """

    privilege: int
    sstatus: int
    stvec: int
    sie: int
    sip: int
    exceptions: int
    last_cause: int
    last_epc: int
    last_tval: int
    armed: bool
    due: int
    delivery: bool
    threshold: int
    listed: tuple[int, ...]
    disabled: tuple[int, ...]
    unheard: tuple[int, ...]
    lines_up: tuple[LineCondition, ...]

    def lines(self, symbol: Callable[[int], str]) -> list[str]:
        if self.doing in STOPPED:
            return [_WORDS[self.doing]]
        lines = [
            f"{_WORDS[self.doing]} in {mode(self.privilege)}",
            f"pc {self.pc:#018x}{symbol(self.pc)}, interrupts {'masked' if self._masked else 'unmasked'} in sstatus",
            self._exception(symbol),
        ]
        if self.armed:
            when = f"due in {duration(self.due)}" if self.due > 0 else f"due {duration(-self.due)} ago"
            enabled = self.sie >> TIMER & 1
            lines.append(
                f"timer (stimecmp): {'armed, ' if enabled else ''}{when}{'' if enabled else ', not enabled in sie'}"
            )
        return lines + self._interrupts()

    @property
    def _masked(self) -> bool:
        """In U mode those of the supervisor never are."""
        return bool(self.privilege) and not self.sstatus & _SIE

    def _exception(self, symbol: Callable[[int], str]) -> str:
        if not self.exceptions:
            return "has taken no exception but interrupts"
        return (
            f"last of {self.exceptions} exceptions: sepc {self.last_epc:#x}{symbol(self.last_epc)}, "
            f"stvec {self.stvec:#x}, scause {exception_text(self.last_cause, self.last_tval)}"
        )

    def _interrupts(self) -> list[str]:
        lines = []
        for cause, name in _INTERRUPTS.items():
            if self.sip >> cause & 1:
                if not self.sie >> cause & 1:
                    why = "not enabled in sie"
                elif self._masked:
                    why = "not taken, as sstatus.SIE masks it"
                else:
                    why = "not taken yet"
                lines.append(f"pending: {name}; {why}")
        if self.listed and not self.delivery:
            lines.append(f"in the interrupt file: message {numbers(self.listed)}; eidelivery is 0")
        elif self.listed and self.threshold and self.listed[0] >= self.threshold:
            lines.append(
                f"in the interrupt file: message {numbers(self.listed)}; not below eithreshold {self.threshold}"
            )
        if self.disabled:
            lines.append(f"pending in the interrupt file, but not enabled there: message {numbers(self.disabled)}")
        if self.unheard:
            where = "let through to no hart by the guest's interrupt controller"
            lines.append(f"pending, but {where}: source {numbers(self.unheard)}")
        return lines + [line.text() for line in self.lines_up]


def examine(vcpu: Vcpu, cpu: RiscvCpu, controller: Controller, doing: Doing) -> RiscvCondition:
    state, machine = cpu.state(), vcpu.plan.machine
    compare, sip = state["stimecmp"], state["sip"]
    if compare == _UNTOUCHED and not state["sie"] >> TIMER & 1:
        sip &= ~(1 << TIMER)  # it is pending from the first instruction on, and nothing to a guest that knows no timer
    delivery, threshold = 0, 0
    listed: tuple[int, ...] = ()
    disabled: tuple[int, ...] = ()
    irqc = RiscvVm.of(vcpu.config).irqc
    if isinstance(irqc, Aia) and irqc.imsic is not None:
        delivery, threshold, pending, enabled = cpu.file()
        listed = tuple(sorted(set(pending) & set(enabled)))
        disabled = tuple(sorted(set(pending) - set(enabled)))
    return RiscvCondition(
        pcpu=vcpu.pcpu,
        doing=doing,
        pc=cpu.pc,
        privilege=state["privilege"],
        sstatus=state["sstatus"],
        stvec=state["stvec"],
        sie=state["sie"],
        sip=sip,
        exceptions=state["exceptions"],
        last_cause=state["last_cause"],
        last_epc=state["last_epc"],
        last_tval=state["last_tval"],
        armed=RiscvPlatform.of(machine.platform).sstc and compare not in (_UNTOUCHED, _NEVER),
        due=nanoseconds(compare - state["time"], machine.platform.timer_frequency),
        delivery=bool(delivery),
        threshold=threshold,
        listed=listed,
        disabled=disabled,
        unheard=controller.unheard(),
        lines_up=tuple(lines_up(vcpu, cpu)) if vcpu.is_home else (),
    )


def storm(vcpu: Vcpu, cpu: RiscvCpu, taken: int, instructions: int, *, interrupts: bool) -> str:
    """What is told of a guest that does little but take exceptions, or the same one again and again, or interrupts."""
    state = cpu.state()
    who = f"VM '{vcpu.config.name}', vcpu {vcpu.id}"
    if interrupts:
        pending = state["sip"] & state["sie"]
        names = " and ".join(name for cause, name in _INTERRUPTS.items() if pending >> cause & 1)
        return (
            f"{who} is in an interrupt loop: {taken} interrupts with {instructions} instructions between them; its "
            f"handler does not silence {names or 'what it is told of'} (stvec {state['stvec']:#x})"
        )
    return (
        f"{who} is in an exception loop: {taken} exceptions with {instructions} instructions between them, the last "
        f"from pc {state['last_epc']:#x}, stvec {state['stvec']:#x}, "
        f"scause {exception_text(state['last_cause'], state['last_tval'])}"
    )
