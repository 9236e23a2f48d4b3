"""What each pcpu spends its time on."""

from __future__ import annotations

from typing import final

from baonet.study.metrics.base import Measured, TracedRun
from baonet.trace.order import Row
from baonet.trace.records import Kind, VcpuState

GUEST, HYPERVISOR, WAITING, OFF = "guest", "hypervisor", "waiting", "off"
SHARES = (GUEST, HYPERVISOR, WAITING, OFF)
_OF_STATE = {VcpuState.RUNNING: GUEST, VcpuState.STANDBY: WAITING, VcpuState.PAUSED: HYPERVISOR}


@final
class TimeShare:
    """The part of the run that each pcpu spent in its guest, in the hypervisor, waiting, and off.

    Keys are (vm, pcpu, share); the four of a pcpu make 1. Waiting for another pcpu's answer counts as hypervisor: the
    guest cannot go on; so do emulated loads and stores. Before its first record a pcpu is off.
    """

    kinds = frozenset({Kind.ACCESS, Kind.EXIT, Kind.ENTRY, Kind.WAIT, Kind.WAKE, Kind.STATE})

    def __init__(self, run: TracedRun) -> None:
        self._run = run
        self._spent: dict[int, dict[str, int]] = {pcpu: dict.fromkeys(SHARES, 0) for pcpu in run.vms}
        self._now: dict[int, tuple[str, int]] = dict.fromkeys(run.vms, (OFF, 0))

    def take(self, record: Row) -> None:
        time, kind, pcpu, a, _, _ = record
        if pcpu not in self._now:
            self._now[pcpu] = (OFF, 0)
            self._spent[pcpu] = dict.fromkeys(SHARES, 0)
        if kind == Kind.ACCESS:
            self._spent[pcpu][GUEST] -= self._run.access
            self._spent[pcpu][HYPERVISOR] += self._run.access
            return
        share, since = self._now[pcpu]
        if kind == Kind.EXIT:
            following = HYPERVISOR
        elif kind == Kind.WAIT:
            following = WAITING
        elif kind == Kind.ENTRY:
            following = GUEST
        elif kind == Kind.WAKE:
            # An exit ends the wait before its WAKE is written: what comes until the ENTRY is the hypervisor's.
            following = HYPERVISOR if share == HYPERVISOR else GUEST
        else:
            following = _OF_STATE.get(VcpuState(a), OFF)
        self._spent[pcpu][share] += time - since
        self._now[pcpu] = (following, time)

    def finish(self, end: int) -> Measured:
        measured = Measured("")
        for pcpu, (share, since) in sorted(self._now.items()):
            spent = self._spent[pcpu]
            spent[share] += max(0, end - since)
            whole = sum(spent.values()) or 1
            for name in SHARES:
                measured.values[self._run.vm(pcpu), str(pcpu), name] = spent[name] / whole
        return measured
