"""A trace for Perfetto: a process for each VM, a thread for each pcpu, arrows from message to message.

docs/tracing.md says what is shown where. Timestamps are nanoseconds of the trace's clock, from 0.
"""

from __future__ import annotations

from typing import BinaryIO, final

from baonet.trace.export_console import ConsoleTracks
from baonet.trace.export_interrupts import InterruptTracks
from baonet.trace.export_memory import MemoryTracks
from baonet.trace.export_packets import FAULT, GUEST, INTERRUPT, MARKER, MESSAGE, Arguments, Packets
from baonet.trace.export_states import StateTracks
from baonet.trace.head import Header
from baonet.trace.names import PCPU, Names
from baonet.trace.order import Row, batches
from baonet.trace.reader import Progress, TraceReader
from baonet.trace.records import SEQUENCE_SHIFT, InterruptSource, Kind

_FIRST_THREAD = 1000
"""Processes and threads have numbers of one kind."""


def export(trace: TraceReader, out: BinaryIO, progress: Progress) -> None:
    """Raises TraceError, and OSError when ``out`` takes no more. ``progress`` gets the number of records."""
    picture = _Picture(trace.header, trace.pcpus, out)
    done = last = 0
    for batch in batches(trace):
        for row in batch:
            picture.take(row)
        last = batch[-1][0]
        done += len(batch)
        progress(done, trace.records)
    picture.finish(last if trace.footer is None else max(last, trace.footer.time))


@final
class _Picture:
    def __init__(self, header: Header, pcpus: tuple[int, ...], out: BinaryIO) -> None:
        self._ns = header.rate.ns
        self._names = Names(header)
        self._interrupt_bits = header.architecture.names.interrupt_bits
        self._packets = packets = Packets(out)
        self._threads: dict[int, int] = {}
        self._homes: dict[int, int] = {}
        self._states: dict[int, StateTracks] = {}
        self._memory: dict[int, MemoryTracks] = {}
        first = max(_FIRST_THREAD, len(header.vms) + 2)
        idle = tuple(pcpu for pcpu in pcpus if pcpu not in header.names())
        groups = [(vm.name, vm.pcpus) for vm in header.vms] + ([("no VM", idle)] if idle else [])
        for pid, (name, members) in enumerate(groups, 1):
            process = packets.process(pid, name)
            for pcpu in members:
                self._homes[pcpu] = process
                self._threads[pcpu] = thread = packets.thread(pid, first + pcpu, f"pcpu {pcpu}")
                counter = packets.counter(thread, f"exits of pcpu {pcpu}", "exits")
                self._states[pcpu] = StateTracks(packets, thread, counter)
                self._memory[pcpu] = MemoryTracks(packets, thread, pcpu, header.rate)
        self._interrupts = InterruptTracks(packets, self._threads, self._homes, header.architecture)
        self._consoles = ConsoleTracks(packets, self._homes)

    def take(self, row: Row) -> None:
        ticks, kind, pcpu, a, b, c = row
        time = self._ns(ticks)
        match kind:
            case Kind.EXIT:
                self._memory[pcpu].goes(time)
                self._states[pcpu].exit(time, self._names.of(row), b)
            case Kind.ENTRY:
                self._states[pcpu].entry(time)
            case Kind.WAIT:
                self._memory[pcpu].wait(time)
                self._states[pcpu].wait(time, b)
            case Kind.WAKE:
                self._memory[pcpu].goes(time)
                self._states[pcpu].wake(time)
            case Kind.STATE:
                self._states[pcpu].state(time, a, self._names.of(row))
            case Kind.RAISED:
                began = self._ns(c) if b == InterruptSource.TIMER and c else time
                self._instant(time, row, INTERRUPT)
                self._interrupts.take(min(began, time), kind, pcpu, a & self._interrupt_bits)
            case Kind.PENDING | Kind.DELIVERED | Kind.ACKNOWLEDGED | Kind.ENDED:
                self._instant(time, row, INTERRUPT)
                self._interrupts.take(time, kind, pcpu, a & self._interrupt_bits)
            case Kind.SENT:
                self._message(time, row, pcpu)
            case Kind.ARRIVED:
                self._message(time, row, b & PCPU)
                self._interrupts.arrived(pcpu, b & PCPU)
            case Kind.CONSOLE:
                self._consoles.byte(time, pcpu, a, c)
            case Kind.INPUT:
                self._consoles.input(time, pcpu, a, b, c)
            case Kind.ACCESS:
                self._instant(time, row, GUEST, (("address", b), ("value", c)))
            case Kind.MARK:
                self._instant(time, row, MARKER, (("value", b),))
            case Kind.MISSES:
                self._memory[pcpu].misses(time, a, b, c)
            case Kind.STALLS:
                self._memory[pcpu].stalls(time, a, b, c)
            case Kind.FAULT:
                self._instant(time, row, FAULT, (("detail", c),))
            case _:
                self._instant(time, row, MARKER, (("a", a), ("b", b), ("c", c)))

    def _instant(self, time: int, row: Row, category: int, arguments: Arguments = ()) -> None:
        self._packets.instant(time, self._threads[row[2]], self._names.of(row), category, arguments=arguments)

    def _message(self, time: int, row: Row, sender: int) -> None:
        """The sender's number of a message is its own, so both together are the arrow's."""
        flow = row[4] >> SEQUENCE_SHIFT << SEQUENCE_SHIFT | sender
        self._packets.instant(time, self._threads[row[2]], self._names.of(row), MESSAGE, flow=flow)

    def finish(self, ticks: int) -> None:
        time = self._ns(ticks)
        for states in self._states.values():
            states.finish(time)
        for memory in self._memory.values():
            memory.finish()
        self._interrupts.finish(time)
        self._consoles.finish(time)
        self._packets.flush()
