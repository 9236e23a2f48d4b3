"""What a process that runs guests may still ask of the kernel once its cores are made: a seccomp filter, role by role.

``CALLS`` is the one table. A call that it does not have ends the process with SIGSYS, and the agent tells which it was.
Only reading the file system fails with EPERM instead: Python does that where it describes an error. Nothing is opened,
nothing is started, nobody else is signalled, and no other memory can be executed than what could before: the library's
code buffer is mapped when a core is made. docs/security.md says what that is good for.

The filter is classic BPF over ``struct seccomp_data``: seccomp(2), linux/seccomp.h and linux/bpf_common.h of Linux. The
numbers are those of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import re
import signal
import struct
from collections.abc import Mapping
from enum import Enum
from typing import Final, final

from baonet.core import _node
from baonet.machine.dataclass import dataclass
from baonet.wire.roles import Role

NUMBERS: Final[Mapping[str, int]] = {
    "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "lseek": 8, "mmap": 9,
    "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "ioctl": 16,
    "writev": 20, "access": 21, "sched_yield": 24, "mremap": 25, "madvise": 28, "getpid": 39, "socket": 41,
    "connect": 42, "sendto": 44, "recvfrom": 45, "bind": 49, "clone": 56, "fork": 57, "vfork": 58, "execve": 59,
    "kill": 62, "getcwd": 79, "readlink": 89, "gettimeofday": 96, "ptrace": 101, "prctl": 157, "gettid": 186,
    "futex": 202, "getdents64": 217, "restart_syscall": 219, "clock_gettime": 228, "exit_group": 231,
    "epoll_wait": 232, "epoll_ctl": 233, "tgkill": 234, "openat": 257, "newfstatat": 262, "readlinkat": 267,
    "epoll_pwait": 281, "timerfd_settime": 286, "process_vm_readv": 310, "process_vm_writev": 311, "getrandom": 318,
    "execveat": 322, "statx": 332, "pidfd_open": 434, "clone3": 435, "openat2": 437, "faccessat2": 439,
}  # fmt: skip
"""Of what is in the table, and what the agent can tell by its name."""


class Comparison(Enum):
    """What an argument must be for a call to be allowed: one of some values, none of them, or without some bits."""

    AMONG = "among"
    NOT = "not"
    WITHOUT = "without"


@final
@dataclass(frozen=True, slots=True)
class When:
    """The ``argument``, by its place, passes the test. Its low 32 bits are looked at: an int, flags, a pid."""

    argument: int
    test: Comparison
    values: tuple[int, ...]


_ANY: Final = None
_SELF: Final = -1
"""In the table: the process's own id."""
_STANDARD: Final = When(0, Comparison.AMONG, (2, 1))
"""Standard error, which the agent reads, and output, which is /dev/null."""
_NOT_EXECUTABLE: Final = When(2, Comparison.WITHOUT, (mmap.PROT_EXEC,))

_GUEST: Final[Mapping[str, When | None]] = {
    "sched_yield": _ANY,  # a lock, or maintenance that another vCPU has to do
    "clock_gettime": _ANY,  # where the host has no clock that can be read without
    "gettimeofday": _ANY,
    "getrandom": _ANY,  # RNDR with the host's clock
    "kill": When(1, Comparison.AMONG, (0,)),  # does the process live that holds the lock of a UART?
}
_MEMORY: Final[Mapping[str, When | None]] = {
    "mmap": _NOT_EXECUTABLE,
    "mprotect": _NOT_EXECUTABLE,
    "munmap": _ANY,
    "mremap": _ANY,
    "brk": _ANY,
    "madvise": When(2, Comparison.AMONG, (4, 8, 14)),  # MADV_DONTNEED, _FREE, _HUGEPAGE: what allocators say
}
_FUTEX: Final = (0, 1, 128, 129, 137, 393)
"""Bells between processes: wait, wake. Python's locks: wait, wake, wait until, within the process."""
_CHANNELS: Final[Mapping[str, When | None]] = {
    "epoll_wait": _ANY,
    "epoll_pwait": _ANY,  # the same, by other C libraries
    "recvfrom": _ANY,
    "sendto": _ANY,
    "epoll_ctl": _ANY,
    "close": _ANY,
    "futex": When(1, Comparison.AMONG, _FUTEX),
    "restart_syscall": _ANY,  # the kernel's own, behind a stop
}
_ENDING: Final[Mapping[str, When | None]] = {
    "exit_group": _ANY,
    "write": _STANDARD,
    "writev": _STANDARD,
    "getpid": _ANY,
    "gettid": _ANY,
    "tgkill": When(0, Comparison.AMONG, (_SELF,)),  # abort(), and what describes a crash
    "rt_sigprocmask": _ANY,
    "rt_sigreturn": _ANY,
    "rt_sigaction": When(0, Comparison.NOT, (signal.SIGSYS,)),
}
_ALL: Final = {**_CHANNELS, **_GUEST, **_MEMORY, **_ENDING}
CALLS: Final[Mapping[Role, Mapping[str, When | None]]] = {
    Role.PCPU: {"timerfd_settime": _ANY, **_ALL},  # where it waits for what is no message of a peer
    Role.CONDUCTOR: {"timerfd_settime": _ANY, **_ALL},  # to look again at a channel that was full
    Role.CREW: _ALL,  # waits for its conductor alone
}
"""The frequent ones first: the filter is looked through in this order."""
_READING: Final = When(1, Comparison.WITHOUT, (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_APPEND,))
REFUSED: Final[Mapping[str, When | None]] = {
    **dict.fromkeys(
        (
            *("stat", "fstat", "lstat", "newfstatat", "statx", "access", "faccessat2"),
            *("readlink", "readlinkat", "getcwd", "getdents64", "lseek", "ioctl"),
        ),
        _ANY,
    ),
    "open": _READING,
    "openat": When(2, _READING.test, _READING.values),
}
"""What fails with EPERM."""

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_SYS_SECCOMP: Final = 317
_SET_MODE_FILTER, _GET_ACTION_AVAIL = 1, 2
_ALL_THREADS: Final = 1 << 0
_SPEC_ALLOW: Final = 1 << 2
"""Else kernels before 5.16 slow down every store of the process; what it could find out by that is its own memory."""
_PR_SET_NO_NEW_PRIVS: Final = 38
_KILL, _TRAP, _ERRNO, _ALLOW = 0x8000_0000, 0x0003_0000, 0x0005_0000, 0x7FFF_0000
_X86_64: Final = 0xC000_003E
_X32: Final = 0x4000_0000
_LOAD, _EQUAL, _AT_LEAST, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_TOLD: Final = r"(?m)^seccomp: system call (\d+)\n?"

_Instruction = tuple[int, int, int, int]


def no_new_privileges() -> None:
    """For good: no program that this process starts gets more rights than it has."""
    if _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")


def missing() -> str | None:
    """Why this kernel, or what it runs baonet in, has no such filters; None when it has."""
    action = ctypes.c_uint32(_TRAP)
    if _LIBC.syscall(_SYS_SECCOMP, _GET_ACTION_AVAIL, 0, ctypes.byref(action)):
        return os.strerror(ctypes.get_errno())
    return None


def confine(role: Role) -> None:
    """From now on, for good. Needs ``no_new_privileges``; raises OSError when the kernel refuses."""
    _node.tell_refused_calls()
    instructions = program(role, os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *each) for each in instructions))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(code)))
    refused = _LIBC.syscall(_SYS_SECCOMP, _SET_MODE_FILTER, _ALL_THREADS | _SPEC_ALLOW, head)
    if refused > 0:
        raise OSError(errno.EBUSY, f"seccomp: thread {refused} has a filter of its own")
    if refused:
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")


def told(words: str) -> tuple[str | None, str]:
    """Which call ended a process, from what it wrote last; and the rest of that."""
    found = re.search(_TOLD, words)
    if found is None:
        return None, words
    number = int(found[1])
    names = [name for name, each in NUMBERS.items() if each == number]
    return f"{names[0] if names else 'number'} ({number})", words[: found.start()] + words[found.end() :]


def program(role: Role, pid: int) -> list[_Instruction]:
    """The filter, for the process ``pid``: (operation, to skip if true, to skip if false, operand) of each step."""
    found: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _X86_64),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NR),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
    ]
    for name, when in CALLS[role].items():
        # Nobody installs another handler of SIGSYS, which ends the process behind a call that was refused.
        found += _step(NUMBERS[name], when, _ALLOW, _KILL if name == "rt_sigaction" else _TRAP, pid)
    for name, when in REFUSED.items():
        found += _step(NUMBERS[name], when, _ERRNO | errno.EPERM, _TRAP, pid)
    return [*found, (_RETURN, 0, 0, _TRAP)]


def _step(number: int, when: When | None, then: int, otherwise: int, pid: int) -> list[_Instruction]:
    """For the call ``number``, which is loaded."""
    if when is None:
        return [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, then)]
    test = _BITS if when.test is Comparison.WITHOUT else _EQUAL
    values = [pid if value == _SELF else value for value in when.values]
    passed, failed = (then, otherwise) if when.test is Comparison.AMONG else (otherwise, then)
    body: list[_Instruction] = [(_LOAD, 0, 0, _ARGUMENTS + 8 * when.argument)]
    body += [(test, len(values) - place, 0, value) for place, value in enumerate(values)]
    body += [(_RETURN, 0, 0, failed), (_RETURN, 0, 0, passed)]
    return [(_EQUAL, 0, len(body), number), *body]
