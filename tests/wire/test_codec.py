"""Messages survive the wire, their bytes stay as they are, and nothing else gets through."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import itertools
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.hyp import messages as hyp
from baonet.hyp.armv8 import psci_messages as psci
from baonet.hyp.armv8 import vgic_messages as vgic
from baonet.hyp.armv8.report import Armv8Report
from baonet.hyp.riscv import irqc_messages as irqc
from baonet.hyp.riscv import sbi_messages as sbi
from baonet.wire import codec, turns
from baonet.wire import messages as wire
from baonet.wire.cluster import ClusterMessage
from baonet.wire.codec import MAX_FRAME, FrameReader, ProtocolError, decode, encode, frame
from baonet.wire.messages import Hello, Stop, Stopped, accepted, every
from baonet.wire.reference import markdown
from baonet.wire.roles import Role
from baonet.wire.turns import Crash, FaultNote, Stall

_BY_TYPE: dict[object, st.SearchStrategy[object]] = {
    int: st.integers(-(2**63), 2**64 - 1),
    bool: st.booleans(),
    str: st.text(max_size=50),
    bytes: st.binary(max_size=200),
    dict[str, int]: st.dictionaries(st.text(max_size=8), st.integers(0, 2**64 - 1), max_size=4),
    dict[int, int]: st.dictionaries(st.integers(0, 2**64 - 1), st.integers(0, 1023), max_size=4),
    str | None: st.none() | st.text(max_size=50),
    tuple[int, ...]: st.lists(st.integers(0, 2**64 - 1), max_size=31).map(tuple),
}


def _messages(module: types.ModuleType) -> list[type]:
    """Those that are made in it."""
    found = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, hyp.HypMessage)]
    return [each for each in found if each.__module__ == module.__name__ and each is not hyp.HypMessage]


FACTS = every()
HYPERVISORS = {kind for module in (hyp, psci, vgic, sbi, irqc) for kind in _messages(module)}
_SMALL = {hyp.IpcNotify, psci.PsciOn, vgic.VgicInject, wire.ConsoleOutput, wire.Start, turns.FaultNote, turns.Crash}
"""What stands for any message inside another."""


def _values(annotation: typing.Any) -> st.SearchStrategy[object]:
    if annotation in _BY_TYPE:
        return _BY_TYPE[annotation]
    if dataclasses.is_dataclass(annotation):
        return _records(typing.cast(type, annotation))
    arguments = typing.get_args(annotation)
    if annotation is hyp.HypMessage:
        arguments = tuple(sorted(HYPERVISORS, key=lambda kind: kind.__name__))
    if typing.get_origin(annotation) is tuple:
        return st.lists(_values(arguments[0]), max_size=3).map(tuple)
    if arguments:
        small = [kind for kind in arguments if kind in _SMALL or kind is hyp.HypMessage]
        return st.sampled_from(small).flatmap(lambda kind: _values(kind) if kind is hyp.HypMessage else _records(kind))
    assert issubclass(annotation, enum.IntEnum)
    return st.sampled_from(list(annotation))


def _records(kind: type, fact: wire.Fact | None = None) -> st.SearchStrategy[object]:
    """Of a message that architectures make different, as one of them does."""
    known = fact or next((fact for fact in FACTS if fact.kind is kind), None)
    hints = {name: known.own(hint) if known else hint for name, hint in typing.get_type_hints(kind).items()}
    return st.builds(kind, **{field.name: _values(hints[field.name]) for field in dataclasses.fields(kind)})


OBEYED = {Role.PCPU: (Role.AGENT,), Role.CONDUCTOR: (Role.AGENT,), Role.CREW: (Role.CONDUCTOR,)}
CHANNELS = {(Role.PCPU, Role.PCPU), (Role.CREW, Role.AGENT), (Role.LEAD, Role.NODE), (Role.NODE, Role.LEAD)} | {
    way for low, highs in OBEYED.items() for high in highs for way in ((low, high), (high, low))
}

messages = st.sampled_from(sorted(FACTS, key=lambda fact: fact.number)).flatmap(lambda fact: _records(fact.kind, fact))


@given(messages)
def test_a_message_comes_back_as_it_was(message: wire.Message) -> None:
    assert decode(encode(message)) == message


@given(st.lists(messages, max_size=6), st.data())
def test_a_stream_may_be_cut_anywhere(sent: list[wire.Message], data: st.DataObject) -> None:
    stream = b"".join(frame(message) for message in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = FrameReader()
    received: list[wire.Message] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += reader.feed(stream[start:end], frozenset(fact.kind for fact in FACTS))
    assert received == sent


@given(st.binary(max_size=80))
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    try:
        message = decode(data)
    except ProtocolError:
        return
    assert decode(encode(message)) == message


@given(messages, st.data())
def test_a_field_of_another_type_is_refused(message: wire.Message, data: st.DataObject) -> None:
    values = typing.cast(list[object], msgpack.unpackb(encode(message)))
    place = data.draw(st.integers(1, len(values)))
    wrong = [*values, 0] if place == len(values) else [*values[:place], 1.5, *values[place + 1 :]]
    with pytest.raises(ProtocolError):
        decode(msgpack.packb(wrong))


def test_a_frame_that_is_too_long_is_refused_before_it_has_come() -> None:
    with pytest.raises(ProtocolError, match=str(MAX_FRAME)):
        list(FrameReader().feed((MAX_FRAME + 1).to_bytes(4, "big"), frozenset()))


REASON = "no handler for abort ec = 0x20"
REPORT = Armv8Report("linux", 1, 0, 2, REASON, "It fetched.", 0x40, 0x40, 0x40, 0x82000007, (1, 2), 0x3C5, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("message", "golden"),
    [
        (wire.Hello(1, 3), "93000103"),
        (wire.Start(), "9101"),
        (wire.ConsoleOutput(1, 0, 7, b"ok\r\n"), "9506010007c4046f6b0d0a"),
        (wire.ConsoleInput(1, b"ls"), "930701c4026c73"),
        (wire.VmOff(0, "system off"), "930900aa73797374656d206f6666"),
        (wire.Statistics(0, {"instructions": 5}), "930e0081ac696e737472756374696f6e7305"),
        (wire.Reached(-1, 5), "9313ff05"),
        (wire.Freeze(), "9142"),
        (wire.Frozen(), "9143"),
        (wire.Thaw(1_000_000), "9244ce000f4240"),
        (wire.RegistersRequest(3), "924503"),
        (wire.Registers(3, {"pc": 0x40000000}), "93460381a27063ce40000000"),
        (wire.StateRequest(), "9147"),
        (wire.PcpuState(3, b"ab", True), "945003c4026162c3"),
        (
            turns.Turn(1, 10_000, -1, (turns.Delivery(500, 0, 7, hyp.IpcNotify(0, 1)),)),
            "951801cd2710ff91 94cd01f40007 93250001".replace(" ", ""),
        ),
        (
            turns.Turned(
                1, 9, True, 2**62, (turns.Post(0, 8, 9, 1, vgic.VgicInject(2, 1)),), (wire.VmOff(0, "x"),), more=False
            ),
            "981901 09 c3 cf4000000000000000 91 95 00080901 93310201 91 930900a178 c2".replace(" ", ""),
        ),
        (turns.Mail(1, (turns.Delivery(500, -1, 7, wire.Start()),)), "931d0191 94cd01f4ff07 9101".replace(" ", "")),
        (
            wire.SharedCache(
                0, (wire.CacheOwner({"lines": 9}, (1, 2, 3)),), {"busy": 4}, (wire.MissedPage(0x1000, 5),)
            ),
            "9554 00 9192 81a56c696e657309 93010203 81a46275737904 9192cd100005".replace(" ", ""),
        ),
        (turns.Collect(1), "921e01"),
        (turns.Collected(1, (wire.ConsoleOutput(1, 0, 7, b"ok"),)), "931f0191 9506010007c4026f6b".replace(" ", "")),
        (psci.PsciOn(0x40000000, 2**64 - 1), "9320ce40000000cfffffffffffffffff"),
        (psci.PsciResult(-4), "9223fc"),
        (psci.PsciState(1, psci.PowerState.OFF), "93240101"),
        (hyp.IpcNotify(0, 1), "93250001"),
        (sbi.SbiHartStart(0x8020_0000, 2**64 - 1), "9328ce80200000cfffffffffffffffff"),
        (sbi.SbiHartStatus(), "9129"),
        (sbi.SbiResult(-6, 0), "932afa00"),
        (sbi.SbiSendIpi(), "912b"),
        (vgic.VgicInject(2, 1), "93310201"),
        (vgic.VgicForward(33, 0xA0, True, True, False), "963221cca0c3c3c2"),
        (hyp.SpiLine(33, True, 9), "943821c309"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_the_bytes_stay_as_they_are(message: wire.Message, golden: str) -> None:
    assert encode(message).hex() == golden
    assert decode(bytes.fromhex(golden)) == message


def test_every_number_is_in_its_group() -> None:
    control, conductors = [*range(24), *range(64, 72), *range(80, 96)], [*range(24, 32), *range(72, 80)]
    groups: dict[str, Sequence[int]] = {"baonet.wire.control": control, "baonet.wire.turns": conductors}
    groups |= {"baonet.hyp.messages": (37, 38, 56), "baonet.wire.cluster": range(96, 128)}
    groups |= {"baonet.hyp.armv8.psci_messages": range(32, 37), "baonet.hyp.armv8.vgic_messages": range(48, 56)}
    groups |= {"baonet.hyp.riscv.sbi_messages": range(40, 48), "baonet.hyp.riscv.irqc_messages": range(57, 64)}
    for fact in FACTS:
        assert fact.number in groups[fact.kind.__module__], fact.kind
    assert len({fact.number for fact in FACTS}) == len(FACTS)
    assert {fact.kind for fact in FACTS} == {
        *get_args(wire.Control),
        *get_args(turns.TurnMessage),
        *get_args(ClusterMessage),
        *HYPERVISORS,
    }


def test_a_report_inside_a_message_survives() -> None:
    assert decode(encode(wire.Parked(REPORT, b"\x1f\x20\x03\xd5"))) == wire.Parked(REPORT, b"\x1f\x20\x03\xd5")


def _shape(annotation: typing.Any) -> str:
    """What is written of it into a message, with what is in records of records."""
    if dataclasses.is_dataclass(annotation):
        hints = typing.get_type_hints(annotation)
        fields = [f"{field.name}: {_shape(hints[field.name])}" for field in dataclasses.fields(annotation)]
        return f"{typing.cast(type, annotation).__name__}({', '.join(fields)})"
    inner = ", ".join(_shape(each) for each in typing.get_args(annotation) if isinstance(each, type))
    return f"{annotation}[{inner}]" if inner else str(annotation)


SHAPES = {5: "8993af080f7113ac9e5c8739b084dcb22dc531e54a69f227ab1b68704fc4bc3b"}
"""A digest of all messages, by the protocol's version."""


def test_messages_that_change_have_another_version() -> None:
    """Whoever has the version before is told that, and not that a field is wrong."""
    shapes = sorted(f"{fact.number} {_shape(fact.kind)}" for fact in FACTS)
    found = hashlib.sha256("\n".join(shapes).encode()).hexdigest()
    assert {wire.VERSION: found} == SHAPES, "count VERSION up, once between two releases, and write this here"


def test_what_is_prepared_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_forms", {})
    codec.prepare((Hello, Stopped))
    prepared = codec._forms.copy()
    hello = Hello(wire.VERSION, 3)
    assert decode(encode(hello)) == hello
    assert codec._forms == prepared
    assert len(prepared) == 2


def test_the_page_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "protocol.md"
    assert page.read_text() == markdown(), "run: make docs"


def test_who_may_say_what() -> None:
    """Pcpus say to each other what their hypervisors do; what is only in a conductor's turns comes by no channel."""
    assert accepted(Role.PCPU, Role.PCPU) == HYPERVISORS
    assert {fact.kind for fact in FACTS if not fact.ways} == {FaultNote, Stall, Crash}
    for source, target in itertools.product(Role, Role):
        takes = accepted(source, target)
        assert bool(takes) == ((source, target) in CHANNELS)
        assert (Hello in takes) == (Stopped in takes) == (target in OBEYED.get(source, ()))
        assert (Stop in takes) == (source in OBEYED.get(target, ()))
