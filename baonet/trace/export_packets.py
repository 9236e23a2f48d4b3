"""Writes Perfetto's trace packets as they come: tracks, slices, instants, counters.

Protobuf's encoding of a trace is that of its parts one after another, so a few packets at a time are made, written and
forgotten. Names are interned: each is written once and has a number from then on. Times are nanoseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Final, TypeAlias, final

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TracePacket, TrackDescriptor, TrackEvent

_AT_ONCE: Final = 2048
_SEQUENCE: Final = 1
CATEGORIES: Final = ("guest", "hypervisor", "idle", "interrupt", "message", "console", "marker", "fault")
GUEST, HYPERVISOR, IDLE, INTERRUPT, MESSAGE, CONSOLE, MARKER, FAULT = range(1, len(CATEGORIES) + 1)

Arguments: TypeAlias = Sequence[tuple[str, int]]
"""What a slice or instant tells besides its name; shown in hexadecimal digits."""


@final
class Packets:
    """``flush`` at the end. Tracks are numbered by who makes them; 0 is none."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._trace = Trace()
        self._names: dict[str, int] = {}
        self._arguments: dict[str, int] = {}
        self._tracks = self._held = 0
        first = self._packet()
        first.sequence_flags = TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
        for number, name in enumerate(CATEGORIES, 1):
            category = first.interned_data.event_categories.add()
            category.iid, category.name = number, name

    def _packet(self) -> TracePacket:
        if self._held == _AT_ONCE:
            self.flush()
        self._held += 1
        return self._trace.packet.add(trusted_packet_sequence_id=_SEQUENCE)

    def flush(self) -> None:
        """Raises OSError."""
        self._out.write(self._trace.SerializeToString())
        self._trace = Trace()  # one that is cleared keeps all the memory it ever had
        self._held = 0

    def _descriptor(self) -> TrackDescriptor:
        self._tracks += 1
        descriptor = self._packet().track_descriptor
        descriptor.uuid = self._tracks
        return descriptor

    def process(self, pid: int, name: str) -> int:
        """A new track; returns its number, as the next three do."""
        descriptor = self._descriptor()
        descriptor.process.pid, descriptor.process.process_name = pid, name
        return descriptor.uuid

    def thread(self, pid: int, tid: int, name: str) -> int:
        descriptor = self._descriptor()
        thread = descriptor.thread
        thread.pid, thread.tid, thread.thread_name = pid, tid, name
        return descriptor.uuid

    def track(self, parent: int, name: str) -> int:
        """Tracks of one parent and the same name are shown as one."""
        descriptor = self._descriptor()
        descriptor.parent_uuid, descriptor.name = parent, name
        return descriptor.uuid

    def counter(self, parent: int, name: str, unit: str) -> int:
        descriptor = self._descriptor()
        descriptor.parent_uuid, descriptor.name, descriptor.counter.unit_name = parent, name, unit
        return descriptor.uuid

    def _event(self, time: int, track: int, kind: int) -> tuple[TracePacket, TrackEvent]:
        packet = self._packet()
        packet.timestamp, packet.sequence_flags = time, TracePacket.SEQ_NEEDS_INCREMENTAL_STATE
        event = packet.track_event
        event.type, event.track_uuid = kind, track
        return packet, event

    def _name(self, packet: TracePacket, name: str) -> int:
        number = self._names.get(name)
        if number is None:
            number = self._names[name] = len(self._names) + 1
            interned = packet.interned_data.event_names.add()
            interned.iid, interned.name = number, name
        return number

    def _tell(self, packet: TracePacket, event: TrackEvent, arguments: Arguments) -> None:
        for name, value in arguments:
            number = self._arguments.get(name)
            if number is None:
                number = self._arguments[name] = len(self._arguments) + 1
                interned = packet.interned_data.debug_annotation_names.add()
                interned.iid, interned.name = number, name
            annotation = event.debug_annotations.add()
            annotation.name_iid, annotation.pointer_value = number, value

    def slice(self, begin: int, end: int, track: int, name: str, category: int, *, arguments: Arguments = ()) -> None:
        """Slices of a track lie one after another, or within another that was given before."""
        packet, event = self._event(begin, track, TrackEvent.TYPE_SLICE_BEGIN)
        event.name_iid = self._name(packet, name)
        event.category_iids.append(category)
        if arguments:
            self._tell(packet, event, arguments)
        self._event(end, track, TrackEvent.TYPE_SLICE_END)

    def instant(
        self, time: int, track: int, name: str, category: int, *, arguments: Arguments = (), flow: int | None = None
    ) -> None:
        """``flow``: an arrow leads here from the instant before with the same number."""
        packet, event = self._event(time, track, TrackEvent.TYPE_INSTANT)
        event.name_iid = self._name(packet, name)
        event.category_iids.append(category)
        if arguments:
            self._tell(packet, event, arguments)
        if flow is not None:
            event.flow_ids.append(flow)

    def line(self, time: int, track: int, text: str) -> None:
        """An instant with a name of its own: what the guest has printed."""
        _, event = self._event(time, track, TrackEvent.TYPE_INSTANT)
        event.name = text
        event.category_iids.append(CONSOLE)

    def count(self, time: int, track: int, value: float) -> None:
        _, event = self._event(time, track, TrackEvent.TYPE_COUNTER)
        if isinstance(value, int):
            event.counter_value = value
        else:
            event.double_counter_value = value
