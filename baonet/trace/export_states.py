"""What a pcpu does, as slices that follow each other: its guest runs, an exit, it waits, it is off.

A slice is written when the next one begins. What takes no time is not worth one, but for exits and waits: there is
exactly one for each that the trace has.
"""

from __future__ import annotations

from typing import Final, final

from baonet.trace.export_packets import GUEST, HYPERVISOR, IDLE, Arguments, Packets
from baonet.trace.records import VcpuState

COUNT_EVERY: Final = 100_000
"""Nanoseconds between two values of the counter of exits."""


@final
class StateTracks:
    """Of one pcpu. Times are nanoseconds."""

    def __init__(self, packets: Packets, track: int, counter: int) -> None:
        self._packets = packets
        self._track = track
        self._counter = counter
        self._name = ""
        self._category = 0
        self._begin = 0
        self._arguments: Arguments = ()
        self._always = False
        self._outside = False
        self._exits = 0
        self._counted = -COUNT_EVERY

    def _change(self, time: int, name: str, category: int, arguments: Arguments = (), always: bool = False) -> None:
        if self._name and (self._always or time > self._begin):
            self._packets.slice(self._begin, time, self._track, self._name, self._category, arguments=self._arguments)
        self._name, self._category, self._begin = name, category, time
        self._arguments, self._always = arguments, always

    def exit(self, time: int, name: str, pc: int) -> None:
        self._outside = True
        self._change(time, name, HYPERVISOR, (("pc", pc),), always=True)
        self._exits += 1
        if time - self._counted >= COUNT_EVERY:
            self._packets.count(time, self._counter, self._exits)
            self._counted = time

    def entry(self, time: int) -> None:
        self._outside = False
        if self._category != GUEST:
            self._change(time, "guest", GUEST)

    def wait(self, time: int, pc: int) -> None:
        self._change(time, "waiting", IDLE, (("pc", pc),), always=True)

    def wake(self, time: int) -> None:
        """After an exit out of the wait, it is the entry that tells that the guest goes on."""
        if self._name == "waiting":
            self._change(time, "guest", GUEST)

    def state(self, time: int, state: int, name: str) -> None:
        if state != VcpuState.RUNNING:
            self._change(time, name, IDLE)
        elif self._outside:
            self._change(time, "hypervisor", HYPERVISOR)
        else:
            self._change(time, "guest", GUEST)

    def finish(self, time: int) -> None:
        self._change(max(time, self._begin), "", 0)
        self._packets.count(max(time, self._counted), self._counter, self._exits)
