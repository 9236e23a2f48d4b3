"""What virtual time makes of the configuration: nanoseconds become cycles, and the platform's costs those of a core."""

from __future__ import annotations

from baonet.machine import Clock, MessageKind


def hz(clock: Clock) -> int:
    """Cycles a second."""
    return clock.mhz * 1_000_000


def cycles(clock: Clock, nanoseconds: int) -> int:
    """Rounded up, so that nothing takes less time than it says."""
    return -(-nanoseconds * clock.mhz // 1000)


def latency(clock: Clock) -> dict[MessageKind, int]:
    """In cycles."""
    given = clock.latency
    return {
        MessageKind.IPI: cycles(clock, given.ipi),
        MessageKind.IPC: cycles(clock, given.ipc),
        MessageKind.SPI: cycles(clock, given.spi),
    }
