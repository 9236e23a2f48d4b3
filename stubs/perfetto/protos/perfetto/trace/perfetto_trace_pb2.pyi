from collections.abc import Iterator
from typing import ClassVar, Generic, TypeVar

_T = TypeVar("_T")

class _Repeated(Generic[_T]):
    def add(self, **fields: object) -> _T: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[_T]: ...

class _Scalars(Generic[_T]):
    def append(self, value: _T) -> None: ...
    def __iter__(self) -> Iterator[_T]: ...

class _Message:
    def HasField(self, name: str) -> bool: ...  # noqa: N802
    def ParseFromString(self, data: bytes) -> int: ...  # noqa: N802
    def SerializeToString(self) -> bytes: ...  # noqa: N802

class _Interned:
    iid: int
    name: str

class InternedData:
    event_names: _Repeated[_Interned]
    event_categories: _Repeated[_Interned]
    debug_annotation_names: _Repeated[_Interned]

class DebugAnnotation:
    name_iid: int
    int_value: int
    pointer_value: int

class TrackEvent:
    TYPE_SLICE_BEGIN: ClassVar[int]
    TYPE_SLICE_END: ClassVar[int]
    TYPE_INSTANT: ClassVar[int]
    TYPE_COUNTER: ClassVar[int]
    type: int
    track_uuid: int
    name_iid: int
    name: str
    counter_value: int
    double_counter_value: float
    category_iids: _Scalars[int]
    flow_ids: _Scalars[int]
    debug_annotations: _Repeated[DebugAnnotation]
    def HasField(self, name: str) -> bool: ...  # noqa: N802

class ProcessDescriptor:
    pid: int
    process_name: str

class ThreadDescriptor:
    pid: int
    tid: int
    thread_name: str

class CounterDescriptor:
    unit_name: str

class TrackDescriptor(_Message):
    uuid: int
    parent_uuid: int
    name: str
    process: ProcessDescriptor
    thread: ThreadDescriptor
    counter: CounterDescriptor

class TracePacket(_Message):
    SEQ_INCREMENTAL_STATE_CLEARED: ClassVar[int]
    SEQ_NEEDS_INCREMENTAL_STATE: ClassVar[int]
    timestamp: int
    trusted_packet_sequence_id: int
    sequence_flags: int
    interned_data: InternedData
    track_event: TrackEvent
    track_descriptor: TrackDescriptor

class Trace(_Message):
    packet: _Repeated[TracePacket]
