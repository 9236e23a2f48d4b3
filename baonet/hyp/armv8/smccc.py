"""HVC and SMC, which Bao treats alike (SMCCC, Arm DEN0028; Bao's ``aborts.c`` syscall_handler and ``hypercall.c``).

The function id is in w0: Bao looks at the lower half of x0, so a sign-extended id is as good. Only x0 is written. Bao's
own hypercalls are the function numbers of the vendor hypervisor service: 1 is IPC, 2 is remote I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from baonet.hyp.answers import FixedAnswer, Notification, RegisterBits, whole
from baonet.hyp.armv8.psci import FUNCTION_ID, SMC32, SMC64, Psci, answer, constant
from baonet.hyp.effects import Info, Warn
from baonet.hyp.ipc import SUCCESS, Ipc
from baonet.hyp.vcpu import Vcpu

HYPERCALL_32: Final = 0x8600_0000
HYPERCALL_64: Final = 0xC600_0000
HYPERCALL_IPC: Final = 1
HYPERCALL_REMIO: Final = 2

NOT_SUPPORTED: Final = -1
INVALID_ID: Final = -2
INVALID_ARGUMENTS: Final = -3

_EVENT = 2  # x2
_NUMBER_MASK = 0xFFFF
_BEYOND_PSCI = 0xFFE0  # a standard service number with one of these bits is not PSCI's


def _ipc(convention: int, index: int | None, value: int | None) -> FixedAnswer:
    function = convention | HYPERCALL_IPC
    indexed = () if index is None else (whole(1, index),)
    if value is None:
        return FixedAnswer((RegisterBits(0, FUNCTION_ID, function), *indexed), None)
    return constant(function, value, *indexed)


@final
class Smccc:
    """``calls`` maps the function ids that do something; ``unknown`` answers all others.

    ``answers``: to those that change nothing; ``notifications``: those that tell others of an event.
    """

    __slots__ = ("_psci", "_vcpu", "answers", "calls", "notifications")

    def __init__(self, vcpu: Vcpu, psci: Psci, ipc: Ipc) -> None:
        self._vcpu = vcpu
        self._psci = psci
        self.calls: dict[int, Callable[[], None]] = {
            **psci.calls,
            HYPERCALL_32 | HYPERCALL_IPC: ipc.hypercall,
            HYPERCALL_64 | HYPERCALL_IPC: ipc.hypercall,
            HYPERCALL_32 | HYPERCALL_REMIO: self._remio,
            HYPERCALL_64 | HYPERCALL_REMIO: self._remio,
        }
        hypercalls: list[FixedAnswer] = []
        for convention in (HYPERCALL_32, HYPERCALL_64):
            hypercalls += (_ipc(convention, index, value) for index, value in ipc.constants)
            hypercalls.append(constant(convention | HYPERCALL_REMIO, INVALID_ARGUMENTS))
        self.answers: tuple[FixedAnswer, ...] = (*psci.answers, *hypercalls)
        self.notifications: tuple[Notification, ...] = tuple(
            Notification(_ipc(convention, index, SUCCESS), _EVENT, shmem, pcpus)
            for convention in (HYPERCALL_32, HYPERCALL_64)
            for index, shmem, pcpus in ipc.notifications
        )

    def _remio(self) -> None:
        """No VM has remote I/O devices, so every device index is a bad one."""
        answer(self._vcpu, INVALID_ARGUMENTS)

    def unknown(self) -> None:
        vcpu = self._vcpu
        function = vcpu.cpu.x[0] & FUNCTION_ID
        service, number = function & ~_NUMBER_MASK, function & _NUMBER_MASK
        if service in (SMC32, SMC64):
            if number & _BEYOND_PSCI:
                vcpu.effects.append(Info(f"unknown smc_fid {function:#x}"))
                answer(vcpu, NOT_SUPPORTED)
            else:
                self._psci.unknown(function)
        elif service in (HYPERCALL_32, HYPERCALL_64):
            vcpu.effects.append(Warn(f"Unknown hypercall id {number}"))
            answer(vcpu, INVALID_ID)
        else:
            vcpu.effects.append(Warn(f"Unknown system call fid {function:#x}"))
            answer(vcpu, NOT_SUPPORTED)
