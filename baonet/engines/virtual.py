"""What virtual time makes of the configuration: nanoseconds become cycles, and the platform's costs those of a core."""

from __future__ import annotations

from baonet.config.machine import Clock, Latency


def hz(clock: Clock) -> int:
    """Cycles a second."""
    return clock.mhz * 1_000_000


def cycles(clock: Clock, nanoseconds: int) -> int:
    """Rounded up, so that nothing takes less time than it says."""
    return -(-nanoseconds * clock.mhz // 1000)


def latency(clock: Clock) -> Latency:
    """In cycles."""
    given = clock.latency
    return Latency(
        ipi=cycles(clock, given.ipi),
        ipc=cycles(clock, given.ipc),
        spi=cycles(clock, given.spi),
        console=cycles(clock, given.console),
    )
