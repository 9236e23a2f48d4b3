"""The harts of a VM: started, asked after, put to sleep (SBI's HSM extension; Bao's ``sbi.c``).

A hart is stopped exactly if its vcpu is powered down, so its state is nowhere else: who wants to start a hart or know
of it asks its pcpu, which decides. That is also the order of two that start the same hart at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from baonet.hyp.riscv.cpu import RiscvCpu
from baonet.hyp.riscv.sbi_codes import (
    A0,
    A1,
    A2,
    ALREADY_AVAILABLE,
    HART_START,
    HART_STATUS,
    HART_STOP,
    HART_SUSPEND,
    INVALID,
    SUCCESS,
    UNSUPPORTED,
    Answer,
    HartState,
)
from baonet.hyp.riscv.sbi_messages import SbiHartStart, SbiHartStatus, SbiResult
from baonet.hyp.vcpu import MASK64, State, Vcpu, Waiting

_BAO_REFUSES: Final = 1 << 31
"""Of a suspend's type: non-retentive ones. All others Bao passes on to the firmware."""
_FIRMWARE_REFUSES: Final = 0x1000_0000
"""From here on the types are the platform's, which has none; below they are reserved (SBI 2.0, table 21)."""


@final
class Hsm:
    """One hart's part. Call it with the function; the arguments are in the CPU's registers."""

    __slots__ = ("_cpu", "_functions", "_pcpus", "_strict", "_vcpu", "_x")

    def __init__(self, vcpu: Vcpu, cpu: RiscvCpu, *, strict: bool) -> None:
        self._vcpu = vcpu
        self._cpu = cpu
        self._x = cpu.x
        self._pcpus = vcpu.vm.pcpus
        self._strict = strict
        self._functions: dict[int, Callable[[], Answer]] = {
            HART_START: self._start,
            HART_STATUS: self._status,
            HART_SUSPEND: self._suspend,
        }
        if not strict:
            self._functions[HART_STOP] = self._stop

    def __call__(self, function: int) -> Answer:
        carry_out = self._functions.get(function)
        return UNSUPPORTED if carry_out is None else carry_out()

    def _start(self) -> Answer:
        x = self._x
        hart = x[A0]
        if hart == self._vcpu.id:
            return ALREADY_AVAILABLE & MASK64, 0
        if hart >= len(self._pcpus):
            return INVALID
        return self._ask(hart, SbiHartStart(x[A1], x[A2]))

    def _status(self) -> Answer:
        hart = self._x[A0]
        if hart == self._vcpu.id:
            return SUCCESS, HartState.STARTED
        return INVALID if hart >= len(self._pcpus) else self._ask(hart, SbiHartStatus())

    def _ask(self, hart: int, question: SbiHartStart | SbiHartStatus) -> Answer:
        self._vcpu.send(self._pcpus[hart], question)
        self._vcpu.pause(Waiting.CALL)
        return None

    def _suspend(self) -> Answer:
        """Bao looks at 32 bits of the type."""
        kind = self._x[A0] & 0xFFFF_FFFF
        if kind & _BAO_REFUSES or kind >= _FIRMWARE_REFUSES:
            return UNSUPPORTED
        if kind:
            return INVALID
        self._x[A0] = self._x[A1] = 0
        self._vcpu.suspend(None)
        return None

    def _stop(self) -> Answer:
        self._vcpu.stop(State.POWERDOWN)
        return None

    # Messages

    def started(self, source: int, order: SbiHartStart) -> None:
        """Somebody wants this hart started.

        Bao clears hvip then, so that an interrupt which the controller has for the hart already is not seen before the
        controller looks again. That is not kept but in strict mode.
        """
        vcpu, cpu = self._vcpu, self._cpu
        result = ALREADY_AVAILABLE
        if vcpu.state is State.POWERDOWN:
            external = cpu.external and not self._strict
            vcpu.enter(order.entry & MASK64, order.opaque & MASK64)
            cpu.external = external
            result = SUCCESS
        vcpu.send(source, SbiResult(result, 0))

    def asked(self, source: int, question: SbiHartStatus) -> None:
        stopped = self._vcpu.state is State.POWERDOWN
        self._vcpu.send(source, SbiResult(SUCCESS, int(HartState.STOPPED if stopped else HartState.STARTED)))

    def result(self, source: int, message: SbiResult) -> None:
        vcpu = self._vcpu
        if vcpu.waiting is Waiting.CALL:
            vcpu.waiting = None
            self._x[A0], self._x[A1] = message.error & MASK64, message.value & MASK64
            vcpu.state = State.RUNNING
