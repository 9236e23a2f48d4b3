"""Traps that are not calls: accesses to emulated windows, and all that parks the hart.

What Bao does not delegate and cannot handle ends in an endless loop, never in an exception for the guest (Bao's
``sync_exceptions.c``). The reasons are Bao's lines, which print 32 bits of an address.
"""

from __future__ import annotations

from typing import Final, final

from baonet.hyp.riscv.controller import Controller
from baonet.hyp.riscv.cpu import (
    EXIT_CAUSE,
    EXIT_IMPLICIT,
    EXIT_INSTRUCTION,
    EXIT_IPA,
    EXIT_TVAL,
    EXIT_VALUE,
    FETCH_GUEST_PAGE,
    ILLEGAL_INSTRUCTION,
    LOAD_GUEST_PAGE,
    STORE_GUEST_PAGE,
    VIRTUAL_INSTRUCTION,
    RiscvCpu,
)
from baonet.hyp.riscv.instructions import Transfer, decode, length
from baonet.hyp.riscv.irqc_messages import IrqcResult
from baonet.hyp.riscv.parking import SILENCE, park
from baonet.hyp.riscv.report import cause_name
from baonet.hyp.vcpu import MASK64, State, Vcpu, Waiting
from baonet.hyp.whereabouts import whereabouts

_MASK32: Final = 0xFFFF_FFFF
_GUEST_PAGE: Final = (FETCH_GUEST_PAGE, LOAD_GUEST_PAGE, STORE_GUEST_PAGE)
_EXPLANATIONS: Final = {
    ILLEGAL_INSTRUCTION: "the guest executed an instruction that the hart does not have, or not in this mode; Bao "
    "leaves illegal instructions to the firmware, which hands them back, and has no handler for them",
    VIRTUAL_INSTRUCTION: "the guest executed an instruction, or used a CSR, that only a hypervisor may let it have, "
    "and Bao does not: cycle and instret, which `faithful: practical` grants as far as scounteren does, the counters "
    "of events, the hypervisor's CSRs and instructions",
}


@final
class Traps:
    __slots__ = ("_controller", "_cpu", "_exit", "_vcpu")

    def __init__(self, vcpu: Vcpu, cpu: RiscvCpu, controller: Controller) -> None:
        self._vcpu = vcpu
        self._cpu = cpu
        self._exit = cpu.exit
        self._controller = controller

    def trap(self) -> None:
        """An exception that Bao does not delegate."""
        cause = self._exit[EXIT_CAUSE]
        if cause in (LOAD_GUEST_PAGE, STORE_GUEST_PAGE):
            self._guest_page_fault(cause)
            return
        explanation = _EXPLANATIONS.get(cause, f"{cause_name(cause)}: Bao has no handler for it")
        if cause == FETCH_GUEST_PAGE:
            ipa = self._exit[EXIT_IPA]
            what = "the walk of the guest's page tables for a fetch" if self._exit[EXIT_IMPLICIT] else "a fetch"
            explanation = f"{what} went to guest-physical {ipa:#x}, {self._whereabouts(ipa)}"
        self._park(f"unknown synchronous exception ({cause})", explanation)

    def fault(self) -> None:
        """The emulator itself has given up."""
        details = self._exit
        reason = f"unknown synchronous exception ({details[EXIT_CAUSE]})"
        explanation = (
            f"the emulator gave up at guest-physical {details[EXIT_IPA]:#x} (Unicorn's error {details[EXIT_VALUE]}); "
            "this is a fault of baonet, please report it"
        )
        self._park(reason, explanation)

    def _guest_page_fault(self, cause: int) -> None:
        """An access that the core could not complete: to the home of what it names, or the end."""
        details = self._exit
        ipa, implicit = details[EXIT_IPA], details[EXIT_IMPLICIT]
        if not self._controller.covers(ipa):
            self._nothing_there(ipa, store=cause == STORE_GUEST_PAGE)
            return
        if implicit:
            explanation = f"the walk of the guest's page tables for virtual {details[EXIT_TVAL]:#x} went to {ipa:#x} "
            self._park("fault on 1st stage page table walk", explanation + "of the interrupt controller")
            return
        transfer = decode(details[EXIT_INSTRUCTION])
        if transfer is None:
            explanation = f"access to {ipa:#x} of the interrupt controller by another instruction than a load or store "
            explanation += "of a general register, such as an atomic or a floating-point one: Bao decodes no other"
            self._park("cant decode ld/st instruction", explanation)
        elif not (self._store(ipa, transfer) if transfer.store else self._load(ipa, transfer)):
            kind = "store to" if transfer.store else "load from"
            why = "it is not aligned" if ipa % min(transfer.size, 4) else "no register takes this width there"
            self._park(
                f"emulation handler failed ({self._place(ipa)})",
                f"{8 * transfer.size}-bit {kind} {ipa:#x} of the interrupt controller: {why}",
            )

    def _load(self, ipa: int, transfer: Transfer) -> bool:
        value = self._controller.read(ipa, transfer.size)
        if value is not None:
            self._finish_load(transfer.register, value)
            self._step()
            return True
        if self._controller.leaves_alone(ipa, transfer.size):
            self._step()
            return True
        if not self._controller.ask_read(ipa, transfer.size):
            return False
        self._vcpu.pause(Waiting.LOAD, transfer.register)
        return True

    def _store(self, ipa: int, transfer: Transfer) -> bool:
        """Bao hands the register on as it is, however much of it the instruction would store."""
        value = self._cpu.x[transfer.register]
        if self._controller.write(ipa, transfer.size, value):
            self._step()
            return True
        if (why := self._controller.breaks(ipa, transfer.size, value)) is not None:
            self._park(SILENCE, why)
            return True
        if not self._controller.ask_write(ipa, transfer.size, value):
            return False
        self._vcpu.pause(Waiting.STORE)
        return True

    def result(self, source: int, message: IrqcResult) -> None:
        """The home has done what the paused guest's access asked for."""
        vcpu = self._vcpu
        if vcpu.waiting not in (Waiting.LOAD, Waiting.STORE):
            return
        self._controller.answered(message)
        if vcpu.waiting is Waiting.LOAD:
            self._finish_load(vcpu.target_register, message.value)
        self._step()
        vcpu.waiting = None
        vcpu.state = State.RUNNING

    def _finish_load(self, register: int, value: int) -> None:
        """As it is: Bao extends no sign, and makes a byte of no word."""
        if register:
            self._cpu.x[register] = value & MASK64

    def _step(self) -> None:
        self._cpu.pc += length(self._exit[EXIT_INSTRUCTION])

    def _nothing_there(self, ipa: int, *, store: bool) -> None:
        details = self._exit
        transfer = decode(details[EXIT_INSTRUCTION])
        kind = "store to" if store else "load from"
        if details[EXIT_IMPLICIT]:
            kind = "walk of the guest's page tables to"
        elif transfer is not None:
            kind = f"{8 * transfer.size}-bit {kind}"
        self._park(
            f"no emulation handler for abort({self._place(ipa)})",
            f"{kind} guest-physical {ipa:#x} (virtual {details[EXIT_TVAL]:#x}), {self._whereabouts(ipa)}",
        )

    def _place(self, ipa: int) -> str:
        """As Bao prints it."""
        return f"{ipa & _MASK32:#x} at {self._cpu.pc & _MASK32:#x}"

    def _whereabouts(self, ipa: int) -> str:
        return whereabouts(self._vcpu.vm.memory, ipa)

    def _park(self, reason: str, explanation: str) -> None:
        details = self._exit
        cause = details[EXIT_CAUSE]
        park(
            self._vcpu,
            self._cpu,
            reason,
            explanation,
            cause=cause,
            value=details[EXIT_TVAL],
            ipa=details[EXIT_IPA] if cause in _GUEST_PAGE else 0,
            code=details[EXIT_INSTRUCTION],
        )
