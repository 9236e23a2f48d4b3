"""Calls of a guest to which the hypervisor's answer follows from the arguments alone, and that change nothing.

Whoever has the guest run may give such an answer itself, without asking: the core does (``baonet.core``), as it costs a
tenth. ``tests/hyp`` holds every answer against what the hypervisor does when it is asked.
So it is with notifications, which have a fixed answer as well and tell others.
"""

from __future__ import annotations

from typing import NamedTuple

from baonet.hyp.vcpu import MASK64


class RegisterBits(NamedTuple):
    """The bits ``mask`` of a general register are these."""

    register: int
    mask: int
    value: int


class RegisterValue(NamedTuple):
    register: int
    value: int


class FixedAnswer(NamedTuple):
    """Of a list, the first whose ``conditions`` hold: these are the results. None: the hypervisor is to be asked."""

    conditions: tuple[RegisterBits, ...]
    results: tuple[RegisterValue, ...] | None


class Notification(NamedTuple):
    """A call that tells these pcpus that an event of a shared memory object has come, and nothing else (``IpcNotify``).

    ``event``: the register whose lower half is the event's number, before the results are there.
    """

    call: FixedAnswer
    event: int
    shmem: int
    targets: tuple[int, ...]


def whole(register: int, value: int) -> RegisterBits:
    """A register is ``value``."""
    return RegisterBits(register, MASK64, value)


def result(register: int, value: int) -> RegisterValue:
    """A signed number, as a register has it."""
    return RegisterValue(register, value & MASK64)
