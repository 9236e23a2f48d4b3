"""The end of a hart under Bao: its report."""

from __future__ import annotations

from typing import Final

from baonet.hyp.riscv.cpu import RiscvCpu
from baonet.hyp.riscv.report import RiscvReport
from baonet.hyp.vcpu import Vcpu

SILENCE: Final = "nothing: Bao hangs without a word"
"""The reason of a report where Bao prints no line."""


def park(
    vcpu: Vcpu, cpu: RiscvCpu, reason: str, explanation: str, *, cause: int, value: int = 0, ipa: int = 0, code: int = 0
) -> None:
    """Never run this hart's guest again. ``cause``: scause of the trap; the rest as of ``RiscvReport``."""
    state = cpu.state()
    vcpu.park(
        RiscvReport(
            vm_name=vcpu.config.name,
            vm=vcpu.config.index,
            vcpu=vcpu.id,
            pcpu=vcpu.pcpu,
            reason=reason,
            explanation=explanation,
            pc=cpu.pc,
            cause=cause,
            value=value,
            ipa=ipa,
            code=code,
            registers=tuple(cpu.x[n] for n in range(32)),
            privilege=state["privilege"],
            sstatus=state["sstatus"],
            stvec=state["stvec"],
            sepc=state["sepc"],
            scause=state["scause"],
            stval=state["stval"],
            satp=state["satp"],
        )
    )
