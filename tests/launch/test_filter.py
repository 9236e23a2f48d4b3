"""The seccomp filter, evaluated as the kernel does: what each role may call, with which arguments."""

from __future__ import annotations

import errno
import mmap
import os
import signal
import struct

import pytest

from baonet.launch.confinement import CALLS, NUMBERS, REFUSED, When, program
from baonet.wire.roles import Role

X86_64, I386 = 0xC000003E, 0x40000003
KILL, TRAP, ALLOW, REFUSE = 0x80000000, 0x30000, 0x7FFF0000, 0x50000 | errno.EPERM
PID = 4711


def verdict(role: Role, number: int, *arguments: int, architecture: int = X86_64) -> int:
    """What the filter of the process PID answers. The program must be one that the kernel takes."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    steps = program(role, PID)
    accumulator = place = 0
    while True:
        operation, if_true, if_false, operand = steps[place]
        assert max(if_true, if_false) < 256
        place += 1
        match operation:
            case 0x20:
                assert operand % 4 == 0
                (accumulator,) = struct.unpack_from("<I", data, operand)
            case 0x15:
                place += if_true if accumulator == operand else if_false
            case 0x35:
                place += if_true if accumulator >= operand else if_false
            case 0x45:
                place += if_true if accumulator & operand else if_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(hex(operation))


@pytest.mark.parametrize("role", CALLS)
def test_every_call_that_is_not_in_the_table_ends_the_process(role: Role) -> None:
    known = {NUMBERS[name] for name in (*CALLS[role], *REFUSED)}
    assert {number for number in range(1024) if verdict(role, number) != TRAP} <= known
    for name, when in CALLS[role].items():
        if when is None:
            assert verdict(role, NUMBERS[name], *[0xFFFFFFFF] * 6) == ALLOW, name
    for name, when in REFUSED.items():
        if when is None:
            assert verdict(role, NUMBERS[name], *[0xFFFFFFFF] * 6) == REFUSE, name
    for number in NUMBERS.values():
        assert verdict(role, number, architecture=I386) == KILL
        assert verdict(role, number | 0x40000000) == KILL


READ_WRITE, EXECUTE = mmap.PROT_READ | mmap.PROT_WRITE, mmap.PROT_READ | mmap.PROT_EXEC


@pytest.mark.parametrize("role", CALLS)
@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("mmap", (0, 4096, READ_WRITE), ALLOW),
        ("mmap", (0, 4096, EXECUTE), TRAP),
        ("mprotect", (0, 4096, READ_WRITE), ALLOW),
        ("mprotect", (0, 4096, mmap.PROT_EXEC), TRAP),
        ("madvise", (0, 4096, mmap.MADV_DONTNEED), ALLOW),
        ("madvise", (0, 4096, mmap.MADV_REMOVE), TRAP),
        ("futex", (0, 129), ALLOW),  # FUTEX_WAKE | FUTEX_PRIVATE_FLAG
        ("futex", (0, 12), TRAP),  # FUTEX_CMP_REQUEUE_PI
        ("write", (1,), ALLOW),
        ("write", (2,), ALLOW),
        ("write", (3,), TRAP),
        ("writev", (2,), ALLOW),
        ("writev", (0,), TRAP),
        ("kill", (1, 0), ALLOW),
        ("kill", (PID, signal.SIGTERM), TRAP),
        ("tgkill", (PID, PID, signal.SIGABRT), ALLOW),
        ("tgkill", (PID + 1, PID, 0), TRAP),
        ("rt_sigaction", (signal.SIGABRT,), ALLOW),
        ("rt_sigaction", (signal.SIGSYS,), KILL),
        ("open", (0, os.O_RDONLY | os.O_CLOEXEC), REFUSE),
        ("open", (0, os.O_WRONLY), TRAP),
        ("openat", (0, 0, os.O_RDONLY | os.O_DIRECTORY), REFUSE),
        ("openat", (0, 0, os.O_RDONLY | os.O_CREAT), TRAP),
        ("openat", (0, 0, os.O_RDWR), TRAP),
        ("openat", (0, 0, os.O_RDONLY | os.O_TRUNC), TRAP),
    ],
)
def test_arguments_decide(role: Role, name: str, arguments: tuple[int, ...], answer: int) -> None:
    assert verdict(role, NUMBERS[name], *arguments) == answer


@pytest.mark.parametrize("role", CALLS)
def test_bells_between_processes_may_be_waited_at_and_rung(role: Role) -> None:
    """Of rings by the host's clock, of an island's ledger in virtual time. No other call wakes anybody elsewhere."""
    FUTEX_WAIT, FUTEX_WAKE, last = 0, 1, 16  # noqa: N806 - linux/futex.h
    allowed = [each for each in range(last) if verdict(role, NUMBERS["futex"], 0, each) == ALLOW]
    assert allowed == [FUTEX_WAIT, FUTEX_WAKE]


def test_every_condition_of_the_table_is_tried() -> None:
    tried = {
        "mmap",
        "mprotect",
        "madvise",
        "futex",
        "write",
        "writev",
        "kill",
        "tgkill",
        "rt_sigaction",
        "open",
        "openat",
    }
    table = [*(calls for calls in CALLS.values()), REFUSED]
    assert {name for calls in table for name, when in calls.items() if isinstance(when, When)} == tried


def test_no_role_may_start_open_or_reach_anything() -> None:
    never = {"execve", "execveat", "fork", "vfork", "clone", "clone3", "socket", "connect", "bind", "ptrace", "prctl"}
    for role in CALLS:
        assert not never & {*CALLS[role], *REFUSED}
        assert not CALLS[role].keys() & REFUSED.keys()
