"""Traps that are not calls: data aborts in emulated windows, system registers, and all that parks the pcpu.

Mirrors Bao's ``aborts.c``: what it cannot handle ends in an endless loop, never in an exception for the guest. The
reasons are Bao's lines, where Bao prints the guest-physical address for ``far``.

ESR_EL2 fields: Arm DDI0487, D24.2.40 (ISS for a data abort: ISV 24, SAS 23:22, SRT 20:16, FnV 10, WnR 6, DFSC 5:0).
"""

from __future__ import annotations

from typing import Final, Protocol, final

from baonet.hyp.armv8.cpu import EXIT_ESR, EXIT_FAR, EXIT_IPA, EXIT_REGISTER, EXIT_VALUE
from baonet.hyp.armv8.report import Armv8Report, describe_register, exception_class, has_address
from baonet.hyp.armv8.vgic_messages import VgicResult
from baonet.hyp.vcpu import MASK64, State, Vcpu, Waiting
from baonet.hyp.whereabouts import NOWHERE, whereabouts

_ISV = 1 << 24
_FNV = 1 << 10
_WNR = 1 << 6
_IL = 1 << 25
_FAULT_KIND = 0x3C
_TRANSLATION = 0x04
_PERMISSION = 0x0C
_ZERO_REGISTER = 31
_S1PTW = 1 << 7
_UNKNOWN_IPA = MASK64  # what the core gives when the fault has no single address

ICC_SGI1R_EL1: Final = 3 << 14 | 12 << 7 | 11 << 3 | 5

_MISSING_SYNDROME = (
    "the instruction handles a pair, writes back its address, is exclusive or atomic, uses a SIMD register, or zeroes "
    "a block (DC ZVA): the "
    "hardware gives no syndrome for these, and Bao does not decode instructions"
)
_CLASS_EXPLANATIONS = {
    0x00: "the guest executed an instruction that is trapped to the hypervisor and that Bao has no handler for",
    0x20: "the guest fetched an instruction from where it has no memory",
}


class Windows(Protocol):
    """What answers accesses to the emulated windows: the vGIC."""

    def covers(self, ipa: int) -> bool: ...
    def read(self, ipa: int, size: int) -> int | None: ...
    def write(self, ipa: int, size: int, value: int) -> bool: ...
    def ask_read(self, ipa: int, size: int) -> bool: ...
    def ask_write(self, ipa: int, size: int, value: int) -> bool: ...
    def write_sgi1r(self, value: int) -> None: ...


def _iss_register(encoding: int) -> int:
    """A register of ``EXIT_REGISTER`` as Bao numbers it: where the ISS of a trapped MSR has its fields."""
    op0, op1, crn, crm, op2 = encoding >> 14, encoding >> 11 & 7, encoding >> 7 & 15, encoding >> 3 & 15, encoding & 7
    return op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | crm << 1


@final
class Aborts:
    __slots__ = ("_cpu", "_exit", "_vcpu", "_windows")

    def __init__(self, vcpu: Vcpu, windows: Windows) -> None:
        self._vcpu = vcpu
        self._cpu = vcpu.cpu
        self._exit = vcpu.cpu.exit
        self._windows = windows

    def data_abort(self) -> None:
        """An access that the core could not complete: to the home of what it names, or the end."""
        details = self._exit
        esr, ipa = details[EXIT_ESR], details[EXIT_IPA]
        if not esr & _ISV or esr & _FNV:
            reason = f"no information to handle data abort ({ipa:#x})"
            self._park(reason, self._why_no_syndrome(esr, ipa), esr)
        elif esr & _FAULT_KIND not in (_TRANSLATION, _PERMISSION):
            reason = "data abort is not translation fault - cant deal with it"
            self._park(reason, "the memory system refused the access; only missing mappings are emulated", esr)
        elif not self._windows.covers(ipa):
            self._nothing_there(esr, ipa)
        else:
            size, register = 1 << (esr >> 22 & 3), esr >> 16 & 0x1F
            done = self._store(ipa, size, register) if esr & _WNR else self._load(ipa, size, register)
            if not done:
                kind = "store to" if esr & _WNR else "load from"
                why = "it is not aligned to its size" if ipa % size else "no register takes this width there"
                self._park(
                    f"data abort emulation failed ({ipa:#x})",
                    f"{8 * size}-bit {kind} {ipa:#x} of the interrupt controller: {why}",
                    esr,
                )

    def _load(self, ipa: int, size: int, register: int) -> bool:
        value = self._windows.read(ipa, size)
        if value is not None:
            self._finish_load(register, value)
            return True
        if not self._windows.ask_read(ipa, size):
            return False
        self._vcpu.pause(Waiting.LOAD, register)
        return True

    def _store(self, ipa: int, size: int, register: int) -> bool:
        value = 0 if register == _ZERO_REGISTER else self._cpu.x[register] & (1 << 8 * size) - 1
        if self._windows.write(ipa, size, value):
            self._step()
            return True
        if not self._windows.ask_write(ipa, size, value):
            return False
        self._vcpu.pause(Waiting.STORE)
        return True

    def result(self, source: int, message: VgicResult) -> None:
        """The home has done what the paused guest's access asked for."""
        vcpu = self._vcpu
        if vcpu.waiting is Waiting.LOAD:
            self._finish_load(vcpu.target_register, message.value)
        elif vcpu.waiting is Waiting.STORE:
            self._step()
        else:
            return
        vcpu.waiting = None
        vcpu.state = State.RUNNING

    def _finish_load(self, register: int, value: int) -> None:
        """Zero-extended as computed: Bao ignores a sign-extending load's SSE bit."""
        if register != _ZERO_REGISTER:
            self._cpu.x[register] = value & MASK64
        self._step()

    def _step(self) -> None:
        self._cpu.pc += 4 if self._exit[EXIT_ESR] & _IL else 2

    def system_register(self) -> None:
        """A trapped write of an SGI register; only ICC_SGI1R_EL1 has a handler in Bao."""
        register, value = self._exit[EXIT_REGISTER], self._exit[EXIT_VALUE]
        if register == ICC_SGI1R_EL1:
            self._cpu.pc += 4
            self._windows.write_sgi1r(value)
            return
        name = describe_register(register)
        address = _iss_register(register)
        reason = f"no emulation handler for register access ({address:#x} at {self._cpu.pc:#x})"
        explanation = f"the guest wrote {value:#x} to {name}, which Bao traps and does not emulate"
        self._park(reason, explanation, 0, addressed=False)

    def fault(self) -> None:
        """Any other exception that is taken to EL2."""
        details = self._exit
        esr = details[EXIT_ESR]
        ec = exception_class(esr)
        explanation = _CLASS_EXPLANATIONS.get(ec, "the guest caused an exception that Bao has no handler for")
        if not esr:
            explanation = (
                f"the emulator gave up at guest-physical {details[EXIT_IPA]:#x} (Unicorn's error "
                f"{details[EXIT_VALUE]}); this is a fault of baonet, please report it"
            )
        elif ec == 0x20 and esr & _FAULT_KIND == _PERMISSION:
            explanation = f"the guest fetched an instruction from a device: {details[EXIT_IPA]:#x}, "
            explanation += self._whereabouts(details[EXIT_IPA])
        elif ec == 0x20:
            explanation += f": {details[EXIT_IPA]:#x}, {self._whereabouts(details[EXIT_IPA])}"
        self._park(f"no handler for abort ec = {ec:#x}", explanation, esr, addressed=has_address(esr))

    def _why_no_syndrome(self, esr: int, ipa: int) -> str:
        far = self._exit[EXIT_FAR]
        if esr & _S1PTW:
            return f"the walk of the guest's page tables for virtual {far:#x} went {self._whereabouts(ipa)}"
        if self._windows.covers(ipa):
            return f"access to {ipa:#x} of the interrupt controller: {_MISSING_SYNDROME}"
        return f"access to {ipa:#x} (virtual {far:#x}), {self._whereabouts(ipa)}; and {_MISSING_SYNDROME}"

    def _nothing_there(self, esr: int, ipa: int) -> None:
        kind = "store to" if esr & _WNR else "load from"
        far = self._exit[EXIT_FAR]
        self._park(
            f"no emulation handler for abort({ipa:#x} at {self._cpu.pc:#x})",
            f"{8 << (esr >> 22 & 3)}-bit {kind} guest-physical {ipa:#x} (virtual {far:#x}), {self._whereabouts(ipa)}",
            esr,
        )

    def _whereabouts(self, ipa: int) -> str:
        """Which mappings of the VM lie next to an address that none of them holds."""
        return NOWHERE if ipa == _UNKNOWN_IPA else whereabouts(self._vcpu.vm.memory, ipa)

    def _park(self, reason: str, explanation: str, esr: int, *, addressed: bool = True) -> None:
        """``addressed``: the trap has a virtual and a guest-physical address."""
        vcpu, cpu = self._vcpu, self._cpu
        details, state = self._exit, cpu.state()
        vcpu.park(
            Armv8Report(
                vm_name=vcpu.config.name,
                vm=vcpu.config.index,
                vcpu=vcpu.id,
                pcpu=vcpu.pcpu,
                reason=reason,
                explanation=explanation,
                pc=cpu.pc,
                far=details[EXIT_FAR] if addressed else 0,
                ipa=details[EXIT_IPA] if addressed else 0,
                esr=esr,
                registers=tuple(cpu.x[n] for n in range(31)),
                pstate=state["pstate"],
                esr_el1=state["esr_el1"],
                elr_el1=state["elr_el1"],
                spsr_el1=state["spsr_el1"],
                vbar_el1=state["vbar_el1"],
            )
        )
