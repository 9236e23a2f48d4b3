"""How long a notification takes from one VM to another."""

from __future__ import annotations

from typing import final

from baonet.hyp.messages import IpcNotify
from baonet.study.metrics.base import Key, Measured, TracedRun
from baonet.trace.order import Row
from baonet.trace.records import SEQUENCE_SHIFT, InterruptSource, Kind
from baonet.wire.messages import NUMBER

_NOTIFY = NUMBER[IpcNotify]
_PCPU = (1 << SEQUENCE_SHIFT) - 1
_UNFOLLOWED = "notifications that no interrupt followed: one was still pending, or nobody listens"


@final
class IpcLatency:
    """One-way latency: from the message's departure until the receiving guest acknowledges the interrupt it stands for.

    The hypervisor of the receiver raises that interrupt, or at least makes it pending, as it takes the message: before
    anything else happens on that pcpu. Notifications that come while one is pending become one interrupt, whose
    acknowledgement ends the wait of all of them.
    """

    kinds = frozenset(
        {Kind.SENT, Kind.ARRIVED, Kind.RAISED, Kind.PENDING, Kind.ACKNOWLEDGED, Kind.EXIT, Kind.ENTRY, Kind.WAKE}
    )

    def __init__(self, run: TracedRun) -> None:
        self._run = run
        self._private = run.architecture.private
        self._bits = run.architecture.names.interrupt_bits
        self._measured = Measured("ns")
        self._under_way: dict[tuple[int, int, int], int] = {}  # (sender, target, sequence): when it left
        # By pcpu, the notification it is looking at: sender, and when it left.
        self._taken: dict[int, tuple[int, int]] = {}
        self._waiting: dict[tuple[str, int], list[tuple[int, int]]] = {}  # (vm, interrupt): until acknowledged

    def take(self, record: Row) -> None:
        time, kind, pcpu, a, b, _ = record
        taken = self._taken.pop(pcpu, None)
        if taken is not None and (
            b == InterruptSource.IPC if kind == Kind.RAISED else kind == Kind.PENDING and a not in self._private
        ):
            waiting = self._waiting.setdefault((self._run.vm(pcpu), a), [])
            self._measured.note("notifications that joined one that was still pending", bool(waiting))
            waiting.append(taken)
            return
        self._measured.note(_UNFOLLOWED, taken is not None)
        if kind == Kind.SENT and a == _NOTIFY:
            self._under_way[pcpu, b & _PCPU, b >> SEQUENCE_SHIFT] = time
        elif kind == Kind.ARRIVED and a == _NOTIFY:
            left = self._under_way.pop((b & _PCPU, pcpu, b >> SEQUENCE_SHIFT), None)
            if left is None:
                self._measured.note("notifications that arrived once more", 1)
            else:
                self._taken[pcpu] = (b & _PCPU, left)
        elif kind == Kind.ACKNOWLEDGED:
            vm = self._run.vm(pcpu)
            for sender, left in self._waiting.pop((vm, a & self._bits), ()):
                key: Key = (self._run.vm(sender), vm)
                self._measured.add(key, self._run.ns(time - left))

    def finish(self, end: int) -> Measured:
        self._measured.note(_UNFOLLOWED, len(self._taken))
        self._measured.note("notifications that were lost, or under way at the end", len(self._under_way))
        never = sum(len(waiting) for waiting in self._waiting.values())
        self._measured.note("notifications whose interrupt was not acknowledged", never)
        return self._measured
