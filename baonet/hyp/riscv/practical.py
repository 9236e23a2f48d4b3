"""What SBI has and Bao refuses, for machines that are not strict: an end, a new start, and a console.

SRST and DBCN (SBI 2.0, chapters 10 and 12), and of the legacy extensions (chapter 5) the console and the shutdown,
which answer in a0 alone. The console is the first UART of the VM: what is printed goes where the guest's own output
goes, and what is read is what was typed there. A VM without a UART has no console.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from baonet.hyp.effects import OffCause, VmOff, VmReset
from baonet.hyp.riscv.cpu import RiscvCpu
from baonet.hyp.riscv.sbi_codes import (
    A0,
    A1,
    A2,
    CONSOLE_READ,
    CONSOLE_WRITE,
    CONSOLE_WRITE_BYTE,
    DBCN,
    INVALID,
    LEGACY_GETCHAR,
    LEGACY_PUTCHAR,
    LEGACY_SHUTDOWN,
    OK,
    SRST,
    SUCCESS,
    SYSTEM_RESET,
    UNSUPPORTED,
    Answer,
)
from baonet.hyp.vcpu import MASK64, State, Vcpu
from baonet.machine import uarts

_SHUTDOWN: Final = 0
_KINDS: Final = (0, 1, 2)
"""A shutdown, a cold and a warm reboot."""
_REASONS: Final = (0, 1)
"""None, and a failure of the system."""
_MOST: Final = 4096
"""Bytes of one call of the console: it may do less than it is asked for."""


@final
class Practical:
    """``extensions`` as those of ``baonet.hyp.riscv.sbi``."""

    __slots__ = ("_cpu", "_vcpu", "_x", "extensions")

    def __init__(self, vcpu: Vcpu, cpu: RiscvCpu) -> None:
        self._vcpu = vcpu
        self._cpu = cpu
        self._x = cpu.x
        self.extensions: dict[int, Callable[[int], Answer]] = {
            SRST: self._system_reset,
            LEGACY_SHUTDOWN: self._shutdown,
        }
        if any(uarts(vcpu.plan.machine.platform, vcpu.config)):
            self.extensions |= {
                DBCN: self._console,
                LEGACY_PUTCHAR: self._put_character,
                LEGACY_GETCHAR: self._get_character,
            }

    def _system_reset(self, function: int) -> Answer:
        if function != SYSTEM_RESET:
            return UNSUPPORTED
        kind, reason = self._x[A0] & 0xFFFF_FFFF, self._x[A1] & 0xFFFF_FFFF
        if reason not in _REASONS or kind not in _KINDS:
            return INVALID
        if kind == _SHUTDOWN:
            return self._shutdown(function)
        self._vcpu.stop(State.OFF)
        self._vcpu.effects.append(VmReset(self._vcpu.config.index))
        return None

    def _shutdown(self, _function: int) -> Answer:
        self._vcpu.stop(State.OFF)
        self._vcpu.effects.append(VmOff(self._vcpu.config.index, OffCause.SYSTEM_OFF))
        return None

    def _console(self, function: int) -> Answer:
        x = self._x
        if function == CONSOLE_WRITE_BYTE:
            self._cpu.put_output(bytes((x[A0] & 0xFF,)))
            return OK
        if function not in (CONSOLE_WRITE, CONSOLE_READ):
            return UNSUPPORTED
        size, address = min(x[A0], _MOST), x[A1]
        if x[A2] or address + size > MASK64:
            return INVALID
        if not size:
            return OK
        return self._write(address, size) if function == CONSOLE_WRITE else self._read(address, size)

    def _write(self, address: int, size: int) -> Answer:
        data = self._cpu.read_memory(address, size)
        if data is None:
            return INVALID
        self._cpu.put_output(data)
        return SUCCESS, size

    def _read(self, address: int, size: int) -> Answer:
        """Not a character is taken that has no place in memory."""
        if self._cpu.read_memory(address, size) is None:
            return INVALID
        data = self._cpu.take_input(size)
        self._cpu.write_memory(address, data)
        return SUCCESS, len(data)

    def _put_character(self, _function: int) -> Answer:
        self._cpu.put_output(bytes((self._x[A0] & 0xFF,)))
        self._x[A0] = SUCCESS
        return None

    def _get_character(self, _function: int) -> Answer:
        """-1 if there is none."""
        data = self._cpu.take_input(1)
        self._x[A0] = data[0] if data else MASK64
        return None
