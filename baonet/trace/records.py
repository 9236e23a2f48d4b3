"""Trace records: what happened on a pcpu and when, 32 bytes each.

The engine writes most of them natively (``trace.c``), the hypervisor and the actors the rest through ``Core.note``.
``time`` is in cycles of virtual time, or in nanoseconds under the host's clock, since the start of the machine; on one
pcpu it never goes back. The digest of a run is made from the same bytes.
"""

from __future__ import annotations

import struct
from _blake2 import blake2b  # that of hashlib, which would load OpenSSL
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

RECORD: Final = struct.Struct("<QHHIQQ")
"""time, kind, pcpu, a, b, c."""
SEQUENCE_SHIFT: Final = 16
"""SENT and ARRIVED: b is the other pcpu, and the sender's sequence number above this bit."""
ACCESS_WRITE: Final = 0x100


class Kind(IntEnum):
    """What a record tells; the engine has the same numbers (``core.h``)."""

    EXIT = 1
    """a: the reason, of the architecture's; b: PC; c: what ``ArchNames.details`` says of that, else an interrupt."""
    ACCESS = 2
    """An emulated load or store that did not leave the guest. a: size | ACCESS_WRITE; b: IPA; c: value."""
    WAIT = 3
    """The guest waits for an interrupt (WFI). b: PC."""
    WAKE = 4
    """It goes on."""
    RAISED = 5
    """A source is up. a: its interrupt; b: ``InterruptSource``; c: of a timer in virtual time, when it was due."""
    PENDING = 6
    """The hypervisor has made an interrupt pending for this vcpu. a: its number."""
    DELIVERED = 7
    """It is where the guest finds it. a: its number."""
    ACKNOWLEDGED = 8
    """The guest has taken it. a: its number, on Armv8 with a GICv2 SGI's source vcpu in bits 12:10."""
    ENDED = 9
    """The guest is done with it. a: its number."""
    SENT = 10
    """A message leaves. a: its number; b: target pcpu | sequence << 16; c: when it is due, 0 in host time."""
    ARRIVED = 11
    """A message is taken. a: its number; b: source pcpu | sequence << 16; c: when it was due."""
    CONSOLE = 12
    """The guest sent a byte. a: number of the UART in the VM; b: position in the UART's output; c: the byte."""
    INPUT = 13
    """Bytes came for a UART. a: its number; b: how many; c: the first eight, little-endian. A break is one, 0x400."""
    MARK = 14
    """The guest left b here, by an instruction that does nothing else."""
    STATE = 15
    """The vcpu is in another state now. a: ``VcpuState``."""
    FAULT = 16
    """A fault was injected. a: number of the rule; b: ``FaultKind``; c: detail."""
    ENTRY = 17
    """The guest is entered again after an EXIT: what the exit cost has passed."""
    MISSES = 18
    """Where memory takes time, what was missed since the last such record, every 100 us at most. a: lines of code in
    the first-level cache; b: lines of data there | lines in the second-level cache << 32; c: walks of page tables |
    lines that were another CPU's << 32."""
    STALLS = 19
    """And how many cycles that has stalled. a: all; b: for the caches | for memory << 32; c: for others | for walks
    << 32."""


class InterruptSource(IntEnum):
    TIMER = 0  # or the performance monitors of the CPU
    LINE = 1
    CPU = 2  # of another vcpu, or the same: ``ArchNames.ipi``
    IPC = 3


class VcpuState(IntEnum):
    OFF = 0
    RUNNING = 1
    PARKED = 2
    STANDBY = 3
    POWERDOWN = 4
    PAUSED = 5


class FaultKind(IntEnum):
    DROP = 1
    DELAY = 2
    DUPLICATE = 3
    REORDER = 4
    STALL = 5
    CRASH = 6
    FLIP = 7


_LOW: Final = (1 << 32) - 1


def misses_of(a: int, b: int, c: int) -> tuple[int, int, int, int, int]:
    """Of MISSES: lines of code, lines of data, lines in the second level, walks, lines that were another CPU's."""
    return a, b & _LOW, b >> 32, c & _LOW, c >> 32


def stalls_of(a: int, b: int, c: int) -> tuple[int, int, int, int, int]:
    """Of STALLS, cycles: all, for the caches, for memory, for what was there before, for walks."""
    return a, b & _LOW, b >> 32, c & _LOW, c >> 32


def machine_digest(digests: Mapping[int, bytes]) -> str:
    """The digest of a run from those of its pcpus: BLAKE2b, 256 bits, as hexadecimal digits."""
    whole = blake2b(digest_size=32)
    for pcpu, digest in sorted(digests.items()):
        whole.update(struct.pack("<H", pcpu) + digest)
    return whole.hexdigest()
