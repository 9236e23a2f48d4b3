"""The Perfetto export, parsed with Perfetto's own protocol buffers."""

from __future__ import annotations

import io
import resource
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

from baonet.hyp.armv8.cpu import Exit
from baonet.trace.export_perfetto import export
from baonet.trace.order import Row
from baonet.trace.reader import TraceReader
from baonet.trace.records import InterruptSource, Kind, VcpuState
from tests.trace.traces import HEADER, any_rows, write

PING, PONG, FORWARD = 0, 1, 2  # pcpus
NOTIFY = 37


@dataclass
class Picture:
    """What a viewer would show. Tracks are the names from the VM down; slices and instants are in the file's order."""

    tracks: dict[int, tuple[str, ...]] = field(default_factory=dict)
    slices: dict[tuple[str, ...], list[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(list))
    instants: dict[tuple[str, ...], list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    counters: dict[tuple[str, ...], list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    flows: dict[int, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    details: list[tuple[str, dict[str, int]]] = field(default_factory=list)


def picture(data: bytes) -> Picture:
    """Checks on the way that what has a number was named before, and that slices of a track do not overlap."""
    trace = Trace()
    trace.ParseFromString(data)
    made = Picture()
    names: dict[int, str] = {}
    keys: dict[int, str] = {}
    categories: dict[int, str] = {}
    processes: dict[int, str] = {}
    open_: dict[int, tuple[int, str]] = {}
    ends: dict[int, int] = defaultdict(int)
    for packet in trace.packet:
        assert packet.trusted_packet_sequence_id
        names.update((each.iid, each.name) for each in packet.interned_data.event_names)
        keys.update((each.iid, each.name) for each in packet.interned_data.debug_annotation_names)
        categories.update((each.iid, each.name) for each in packet.interned_data.event_categories)
        if packet.HasField("track_descriptor"):
            track = packet.track_descriptor
            assert track.uuid not in made.tracks
            if track.HasField("process"):
                processes[track.process.pid] = track.process.process_name
                made.tracks[track.uuid] = (track.process.process_name,)
            elif track.HasField("thread"):
                made.tracks[track.uuid] = (processes[track.thread.pid], track.thread.thread_name)
                assert track.thread.tid not in processes
            else:
                made.tracks[track.uuid] = (*made.tracks[track.parent_uuid], track.name)
        elif packet.HasField("track_event"):
            event = packet.track_event
            where = made.tracks[event.track_uuid]
            name = event.name or names.get(event.name_iid, "")
            assert all(category in categories for category in event.category_iids)
            if event.type == TrackEvent.TYPE_SLICE_BEGIN:
                assert event.track_uuid not in open_
                assert packet.timestamp >= ends[event.track_uuid]
                assert name
                open_[event.track_uuid] = packet.timestamp, name
            elif event.type == TrackEvent.TYPE_SLICE_END:
                begin, name = open_.pop(event.track_uuid)
                assert packet.timestamp >= begin
                ends[event.track_uuid] = packet.timestamp
                made.slices[where].append((begin, packet.timestamp, name))
            elif event.type == TrackEvent.TYPE_COUNTER:
                whole = event.HasField("counter_value")
                value = event.counter_value if whole else event.double_counter_value
                made.counters[where].append((packet.timestamp, value))
            else:
                assert name
                made.instants[where].append((packet.timestamp, name))
                for flow in event.flow_ids:
                    made.flows[flow].append((packet.timestamp, name))
            if event.debug_annotations:
                arguments = {keys[each.name_iid]: each.pointer_value for each in event.debug_annotations}
                made.details.append((name, arguments))
    assert not open_
    return made


def drawn(rows: Sequence[Row], size: int = 2048, **options: object) -> Picture:
    out = io.BytesIO()
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "t.bnt", rows, size=size, **options)  # type: ignore[arg-type]
        with TraceReader(path) as trace:
            export(trace, out, lambda done, total: None)
    return picture(out.getvalue())


THREAD = ("ping", "pcpu 0")


def test_a_pcpu_runs_exits_and_waits() -> None:
    made = drawn(
        [
            (0, Kind.STATE, 0, VcpuState.RUNNING, 0, 0),
            (100, Kind.EXIT, 0, Exit.HVC, 0x4000, 0xC400_0003),
            (400, Kind.ENTRY, 0, 0, 0, 0),
            (500, Kind.WAIT, 0, 0, 0x5000, 0),
            (900, Kind.WAKE, 0, 0, 0, 0),
            (950, Kind.WAIT, 0, 0, 0x5000, 0),
            (1000, Kind.EXIT, 0, Exit.INTERRUPT, 0x5000, 27),
            (1700, Kind.WAKE, 0, 0, 0, 0),
            (1700, Kind.ENTRY, 0, 0, 0, 0),
            (1800, Kind.EXIT, 0, Exit.SMC, 0x6000, 0x8400_0008),
            (1800, Kind.STATE, 0, VcpuState.OFF, 0, 0),
            (2000, Kind.FAULT, 0, 1, 6, 0),
        ]
    )
    assert made.slices[THREAD] == [
        (0, 100, "guest"),
        (100, 400, "HVC PSCI_CPU_ON"),
        (400, 500, "guest"),
        (500, 900, "waiting"),
        (900, 950, "guest"),
        (950, 1000, "waiting"),
        (1000, 1700, "interrupt 27 (virtual timer)"),
        (1700, 1800, "guest"),
        (1800, 1800, "SMC PSCI_SYSTEM_OFF"),
        (1800, 2000, "off"),
    ]
    assert made.instants[THREAD] == [(2000, "crash (rule 1)")]
    assert ("HVC PSCI_CPU_ON", {"pc": 0x4000}) in made.details
    assert made.counters[(*THREAD, "exits of pcpu 0")] == [(100, 1), (2000, 3)]


def test_a_pcpu_that_asks_another_is_paused_outside_its_guest() -> None:
    made = drawn(
        [
            (0, Kind.STATE, 0, VcpuState.RUNNING, 0, 0),
            (100, Kind.EXIT, 0, Exit.DATA_ABORT, 0x4000, 0x0800_0104),
            (400, Kind.STATE, 0, VcpuState.PAUSED, 0, 0),
            (1400, Kind.STATE, 0, VcpuState.RUNNING, 0, 0),
            (1450, Kind.ENTRY, 0, 0, 0, 0),
            (1500, Kind.MARK, 0, 0, 0xBEEF, 0),
        ]
    )
    assert made.slices[THREAD] == [
        (0, 100, "guest"),
        (100, 400, "data abort GICD_ISENABLER1"),
        (400, 1400, "paused"),
        (1400, 1450, "hypervisor"),
        (1450, 1500, "guest"),
    ]
    assert made.details[-1] == ("mark", {"value": 0xBEEF})


def test_the_life_of_an_interrupt() -> None:
    made = drawn(
        [
            (120, Kind.RAISED, 0, 27, InterruptSource.TIMER, 100),
            (200, Kind.PENDING, 0, 27, 0, 0),
            (210, Kind.DELIVERED, 0, 27, 0, 0),
            (300, Kind.ACKNOWLEDGED, 0, 27, 0, 0),
            (310, Kind.PENDING, 0, 27, 0, 0),
            (400, Kind.ENDED, 0, 27, 0, 0),
            (410, Kind.DELIVERED, 0, 27, 0, 0),
            (420, Kind.ACKNOWLEDGED, 0, 27, 0, 0),
            (500, Kind.MARK, 0, 0, 0, 0),
        ]
    )
    track = (*THREAD, "interrupt 27 (virtual timer)")
    assert sorted(made.slices[track]) == [
        (100, 200, "raised"),
        (200, 210, "pending"),
        (210, 300, "delivered"),
        (300, 400, "active"),
        (310, 410, "pending"),
        (410, 420, "delivered"),
        (420, 500, "active"),
    ]
    assert sum(name == track for name in made.tracks.values()) == 3
    assert made.instants[THREAD][0] == (120, "27 (virtual timer) raised by timer")


def test_an_sgi_begins_at_its_sender_and_a_shared_interrupt_belongs_to_the_vm() -> None:
    made = drawn(
        [
            (100, Kind.RAISED, PONG, 3, InterruptSource.CPU, 0),
            (100, Kind.SENT, PONG, 49, FORWARD | 1 << 16, 600),
            (100, Kind.RAISED, PONG, 84, InterruptSource.LINE, 0),
            (600, Kind.ARRIVED, FORWARD, 49, PONG | 1 << 16, 600),
            (610, Kind.PENDING, FORWARD, 3, 0, 0),
            (620, Kind.ACKNOWLEDGED, FORWARD, 3, 0, 0),
            (700, Kind.PENDING, FORWARD, 84, 0, 0),
            (800, Kind.ACKNOWLEDGED, FORWARD, 84, 0, 0),
            (900, Kind.ENDED, FORWARD, 84, 0, 0),
            (900, Kind.ENDED, FORWARD, 3, 0, 0),
        ]
    )
    vm = "pong, the other"
    assert made.slices[vm, "pcpu 2", "SGI 3"] == [(100, 610, "raised"), (610, 620, "pending"), (620, 900, "active")]
    assert not made.slices[vm, "pcpu 1", "SGI 3"]
    assert made.slices[vm, "interrupt 84"] == [(100, 700, "raised"), (700, 800, "pending"), (800, 900, "active")]


def test_an_interrupt_whose_end_is_not_seen_is_never_active() -> None:
    """The timer of a RISC-V hart; a source of its controller is, from claim to completion."""
    rows = [
        (120, Kind.RAISED, 0, 1029, InterruptSource.TIMER, 100),
        (200, Kind.ACKNOWLEDGED, 0, 1029, 0, 0),
        (300, Kind.RAISED, 0, 10, InterruptSource.LINE, 0),
        (310, Kind.PENDING, 0, 10, 0, 0),
        (400, Kind.ACKNOWLEDGED, 0, 10, 0, 0),
        (500, Kind.ENDED, 0, 10, 0, 0),
        (600, Kind.RAISED, 0, 1029, InterruptSource.TIMER, 600),
        (650, Kind.ACKNOWLEDGED, 0, 1029, 0, 0),
    ]
    vm = {"name": "ping", "pcpus": [0], "irqc": {"plic": 0x0C00_0000}, "regions": []}
    made = drawn(rows, header={**HEADER, "architecture": "riscv", "vms": [vm]})
    assert made.slices[*THREAD, "interrupt timer"] == [(100, 200, "raised"), (600, 650, "raised")]
    assert made.slices["ping", "interrupt 10"] == [(300, 310, "raised"), (310, 400, "pending"), (400, 500, "active")]


def test_arrows_lead_from_message_to_message() -> None:
    made = drawn(
        [
            (10, Kind.SENT, PING, NOTIFY, PONG | 1 << 16, 1010),
            (10, Kind.SENT, PONG, NOTIFY, PING | 1 << 16, 1010),
            (20, Kind.SENT, PING, NOTIFY, PONG | 2 << 16, 1020),
            (1010, Kind.ARRIVED, PING, NOTIFY, PONG | 1 << 16, 1010),
            (1010, Kind.ARRIVED, PONG, NOTIFY, PING | 1 << 16, 1010),
        ]
    )
    assert sorted(made.flows.values()) == [
        [(10, "IpcNotify to pcpu 0"), (1010, "IpcNotify from pcpu 1")],
        [(10, "IpcNotify to pcpu 1"), (1010, "IpcNotify from pcpu 0")],
        [(20, "IpcNotify to pcpu 1")],
    ]


def test_the_console_shows_lines() -> None:
    text = "hi, wörld\r\n\nlogin: ".encode()
    rows = [(10 * place, Kind.CONSOLE, 1 + place % 2, 0, place, byte) for place, byte in enumerate(text)]
    rows.append((1000, Kind.INPUT, 1, 0, 9, int.from_bytes(b"root\n123", "little")))
    made = drawn(rows)
    assert made.instants["pong, the other", "console of UART 0"] == [
        (110, "hi, wörld"),
        (1000, r"input: 'root\n123' and 1 more"),
        (1000, "login: "),
    ]


def test_a_long_line_is_broken() -> None:
    made = drawn([(n, Kind.CONSOLE, 0, 0, n, ord("x")) for n in range(3000)])
    assert [len(text) for _, text in made.instants["ping", "console of UART 0"]] == [1024, 1024, 952]


def test_a_killed_run_ends_with_its_last_record() -> None:
    rows = [(0, Kind.STATE, 0, VcpuState.RUNNING, 0, 0), (70, Kind.WAIT, 0, 0, 0, 0), (90, Kind.MARK, 1, 0, 0, 0)]
    assert drawn(rows, end=None).slices[THREAD] == [(0, 70, "guest"), (70, 90, "waiting")]


@given(rows=any_rows())
def test_whatever_is_recorded_makes_a_picture(rows: list[Row]) -> None:
    """``picture`` checks what Perfetto asks for; every exit, wait and message is there."""
    made = drawn(rows, size=3)
    of = Counter(row[1] for row in rows)
    shown = Counter(name for slices in made.slices.values() for _, _, name in slices)
    assert shown["waiting"] == of[Kind.WAIT]
    counted = [values[-1][1] for values in made.counters.values()]
    assert sum(counted) == of[Kind.EXIT]
    assert sum(map(len, made.flows.values())) == of[Kind.SENT] + of[Kind.ARRIVED]


def test_many_records_need_no_more_memory_than_some(tmp_path: Path) -> None:
    """Of the process: what protocol buffers hold is not Python's."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    path = write(tmp_path / "t.bnt", [(n, Kind.EXIT, n % 3, Exit.HVC, 0, n % 7) for n in range(60_000)])
    levels = []
    with TraceReader(path) as trace, (tmp_path / "out").open("wb") as out:
        export(trace, out, lambda done, total: levels.append(resident()))
    assert max(levels) - levels[len(levels) // 4] < 2 << 20


def test_what_memory_takes_is_told_of_the_time_in_which_it_came() -> None:
    """As counters of the CPU: misses a microsecond, and per cent of the time; a long wait has none."""
    missed = [(200_000, Kind.MISSES, 0, 20, 400 | 100 << 32, 10), (300_000, Kind.MISSES, 0, 0, 100 | 50 << 32, 0)]
    stalled = [(200_000, Kind.STALLS, 0, 150_000, 50_000 | 60_000 << 32, 30_000 | 10_000 << 32)]
    rest = [
        (350_000, Kind.WAIT, 0, 0, 0x5000, 0),
        (800_000, Kind.STALLS, 0, 25_000, 0, 0),
        (900_000, Kind.WAKE, 0, 0, 0, 0),
    ]
    counters = drawn(sorted([*missed, *stalled, *rest])).counters
    found = {name[-1].removesuffix(" of pcpu 0"): values for name, values in counters.items() if name[1] == "pcpu 0"}
    assert found["L1I misses"] == [(0, 0.1), (200_000, 0), (300_000, 0)]
    assert found["L1D misses"] == [(0, 2), (200_000, 1), (300_000, 0)]
    assert found["L2 misses"] == [(0, 0.5), (200_000, 0.5), (300_000, 0)]
    assert found["table walks"][0] == (0, 0.05)
    assert found["stalled"] == [(0, 75), (200_000, 0), (300_000, 50), (350_000, 0)]
    assert found["stalled for contention"][0] == (0, 15)
    assert found["stalled for coherence and other"] == [(0, 0), (200_000, 0), (300_000, 50), (350_000, 0)]
    without = drawn([(0, Kind.WAIT, 0, 0, 0, 0)]).counters
    assert all(name[-1].startswith("exits of") for name in without)
