"""ECALL from a guest's supervisor: the Supervisor Binary Interface as Bao has it (Bao's ``sbi.c``), version 0.2.

Extensions, functions and arguments are compared in 64 bits. Where somebody expects more than Bao grants, and the
machine is not strict, there is more (``baonet.hyp.riscv.practical``): then the version is 2.0, as Linux takes up none
of that below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, final

from baonet.hyp.answers import FixedAnswer, Notification, result, whole
from baonet.hyp.cpu import FROM_CPU, NOTE_PENDING, NOTE_RAISED
from baonet.hyp.effects import Warn
from baonet.hyp.ipc import INVALID_ARGUMENTS, Ipc
from baonet.hyp.riscv.cpu import FENCE_I, FENCE_VMA, FENCE_VMA_ASID, LOCAL, SOFTWARE, RiscvCpu
from baonet.hyp.riscv.hsm import Hsm
from baonet.hyp.riscv.practical import Practical
from baonet.hyp.riscv.sbi_codes import (
    A0,
    A1,
    A2,
    A3,
    A4,
    A6,
    A7,
    BAO,
    BASE,
    BASE_PROBE,
    BASE_SPEC_VERSION,
    HSM,
    HYPERCALL_IPC,
    HYPERCALL_REMIO,
    INVALID,
    IPI,
    OK,
    REMOTE_FENCE_I,
    REMOTE_SFENCE_VMA,
    REMOTE_SFENCE_VMA_ASID,
    RFENCE,
    SEND_IPI,
    SET_TIMER,
    SUCCESS,
    TIME,
    UNSUPPORTED,
    Answer,
)
from baonet.hyp.riscv.sbi_messages import SbiSendIpi
from baonet.hyp.vcpu import MASK64, State, Vcpu
from baonet.machine import Faithful
from baonet.machine.riscv import RiscvPlatform

INVALID_ID: Final = -2
"""Of a hypercall."""
RESULT: Final = A1
INDEX: Final = A0
EVENT: Final = A1
"""Where a hypercall has what ``Architecture.call_registers`` wants."""

_VERSION_STRICT: Final = 2
_VERSION_PRACTICAL: Final = 2 << 24
_XLEN: Final = 64
_EVERYBODY: Final = MASK64
_IPI: Final = SbiSendIpi()
_INTERRUPT: Final = LOCAL + SOFTWARE
_FENCES: Final[Mapping[int, int]] = {
    REMOTE_FENCE_I: FENCE_I,
    REMOTE_SFENCE_VMA: FENCE_VMA,
    REMOTE_SFENCE_VMA_ASID: FENCE_VMA_ASID,
}


def printed(number: int) -> int:
    """A number of 64 bits as Bao's %d shows it, which takes 32."""
    return (number & 0xFFFF_FFFF ^ 1 << 31) - (1 << 31)


def _constant(called: tuple[int | None, ...], value: int | None) -> FixedAnswer:
    """A call, by its extension, its function and its argument, as far as they matter; no value: it is to be asked."""
    registers = (A7, A6, A0)
    conditions = tuple(
        whole(register, each) for register, each in zip(registers, called, strict=False) if each is not None
    )
    return FixedAnswer(conditions, None if value is None else (result(A0, SUCCESS), result(A1, value)))


@final
class Sbi:
    """Calls of one hart, and the messages that they lead to."""

    __slots__ = ("_cpu", "_extensions", "_ipc", "_pcpus", "_probed", "_sstc", "_strict", "_vcpu", "_x", "hsm")

    def __init__(self, vcpu: Vcpu, cpu: RiscvCpu, ipc: Ipc) -> None:
        machine = vcpu.plan.machine
        self._vcpu = vcpu
        self._cpu = cpu
        self._x = cpu.x
        self._ipc = ipc
        self._pcpus = vcpu.vm.pcpus
        self._strict = machine.faithful is Faithful.STRICT
        self._sstc = RiscvPlatform.of(machine.platform).sstc
        self.hsm = Hsm(vcpu, cpu, strict=self._strict)
        self._extensions: dict[int, Callable[[int], Answer]] = {
            BASE: self._base,
            TIME: self._time,
            IPI: self._send_ipi,
            RFENCE: self._remote_fence,
            HSM: self.hsm,
        }
        if not self._strict:
            self._extensions |= Practical(vcpu, cpu).extensions
        self._probed = frozenset(self._extensions)  # without Bao's own, which does not find itself
        self._extensions[BAO] = self._hypercall

    @property
    def answers(self) -> tuple[FixedAnswer, ...]:
        """Of its calls, those that change nothing."""
        version = _VERSION_STRICT if self._strict else _VERSION_PRACTICAL
        return (
            _constant((BASE, BASE_SPEC_VERSION), version),
            *(_constant((BASE, BASE_PROBE, extension), extension) for extension in sorted(self._probed)),
            _constant((BASE, BASE_PROBE), 0),
            _constant((BASE,), 0),
            *(_constant((BAO, HYPERCALL_IPC, index), value) for index, value in self._ipc.constants),
            _constant((BAO, HYPERCALL_REMIO), INVALID_ARGUMENTS),
        )

    @property
    def notifications(self) -> tuple[Notification, ...]:
        """Of its calls, those that tell others of an event."""
        return tuple(
            Notification(_constant((BAO, HYPERCALL_IPC, index), SUCCESS), EVENT, shmem, pcpus)
            for index, shmem, pcpus in self._ipc.notifications
        )

    def call(self) -> None:
        """The guest has executed ECALL; the PC is past it."""
        x = self._x
        extension = self._extensions.get(x[A7])
        if extension is None:
            self._vcpu.effects.append(Warn(f"guest issued unsupport sbi extension call ({printed(x[A7])})"))
            x[A0], x[A1] = UNSUPPORTED
        elif (answer := extension(x[A6])) is not None:
            x[A0], x[A1] = answer

    def _base(self, function: int) -> Answer:
        """A function that is not there answers as one that is, with 0."""
        if function == BASE_PROBE:
            extension = self._x[A0]
            return 0, extension if extension in self._probed else 0
        if function == BASE_SPEC_VERSION:
            return 0, _VERSION_STRICT if self._strict else _VERSION_PRACTICAL
        return OK

    def _time(self, function: int) -> Answer:
        if function != SET_TIMER:
            return UNSUPPORTED
        if not self._sstc:
            self._cpu.timer = False
        self._cpu.set_timer(self._x[A0])
        return OK

    def timer_fired(self) -> None:
        """Without Sstc: the hypervisor's own timer, which was set for the guest."""
        self._cpu.timer = True
        self._cpu.set_timer(MASK64)

    def _harts(self) -> list[int]:
        """Those of a0's mask, whose lowest bit is hart a1: one that wraps around is hart 0, as in Bao.

        A base of all ones means everybody, for whom Bao has no word; in strict mode it is a base like others.
        """
        mask, base = self._x[A0], self._x[A1]
        if base == _EVERYBODY and not self._strict:
            return list(range(len(self._pcpus)))
        return [n for n in range(len(self._pcpus)) if (bit := n - base & MASK64) < _XLEN and mask >> bit & 1]

    def _send_ipi(self, function: int) -> Answer:
        """To no hart at all if none of them exists."""
        if function != SEND_IPI:
            return UNSUPPORTED
        vcpu = self._vcpu
        self._cpu.note(NOTE_RAISED, _INTERRUPT, FROM_CPU, 0)
        for hart in self._harts():
            if hart == vcpu.id:
                self._pend()
            else:
                vcpu.send(self._pcpus[hart], _IPI)
        return OK

    def ipi(self, source: int, message: SbiSendIpi) -> None:
        """One that comes to a stopped hart is lost: its start clears what is pending."""
        if self._vcpu.state is not State.POWERDOWN:
            self._pend()

    def _pend(self) -> None:
        cpu = self._cpu
        if not cpu.software:
            cpu.note(NOTE_PENDING, _INTERRUPT, 0, 0)
            cpu.software = True

    def _remote_fence(self, function: int) -> Answer:
        """Bao looks at the harts before it looks at the function; stopped ones are fenced too."""
        x = self._x
        mask, base = x[A0], x[A1]
        everybody = base == _EVERYBODY and not self._strict
        if base and not everybody and (base >= _XLEN or not mask << base & MASK64):
            return INVALID
        what = _FENCES.get(function)
        if what is None:
            return UNSUPPORTED
        pcpus = [self._pcpus[hart] for hart in self._harts()]
        if pcpus:
            self._cpu.fence(pcpus, what, x[A2], x[A3], x[A4])
        return OK

    def _hypercall(self, number: int) -> Answer:
        """The error is always 0; the value is what the hypercall answers."""
        if number == HYPERCALL_IPC:
            self._ipc.hypercall()
            return 0, self._x[RESULT]
        if number == HYPERCALL_REMIO:
            return 0, INVALID_ARGUMENTS & MASK64  # no VM has remote I/O devices, so every index is a bad one
        self._vcpu.effects.append(Warn(f"Unknown hypercall id {printed(number)}"))
        return 0, INVALID_ID & MASK64
