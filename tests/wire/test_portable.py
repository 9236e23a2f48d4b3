"""A machine goes to another host as it is, and whatever else comes there is refused."""

from __future__ import annotations

import dataclasses
import enum
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.config.loader import load
from baonet.hyp.wings import ARCHITECTURES
from baonet.machine import (
    ArchPlatform,
    ArchVm,
    Disturbance,
    LoadSegment,
    Machine,
    MessageFault,
    MessageKind,
    NodePlacement,
    NodePolicy,
    StallFault,
    Stamp,
    VmNodes,
)
from baonet.wire import portable
from baonet.wire.codec import ProtocolError
from baonet.wire.portable import MAX_MACHINE, dump_machine, load_machine, machine_digest
from tests.contents import WRONG, places, replaced
from tests.hyp import machines

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
ARMV8 = ARCHITECTURES["armv8"]
_PLAIN: dict[object, st.SearchStrategy[object]] = {
    int: st.integers(-(2**63), 2**64 - 1),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(st.characters(), max_size=8),
    bytes: st.binary(max_size=8),
}


def values(annotation: typing.Any) -> st.SearchStrategy[typing.Any]:
    """Of a field's type."""
    annotation = {ArchPlatform: ARMV8.platform_part, ArchVm: ARMV8.vm_part}.get(annotation, annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is tuple:
        if arguments[-1] is Ellipsis:
            return st.lists(values(arguments[0]), max_size=2).map(tuple)
        return st.tuples(*map(values, arguments))
    if arguments:
        return st.one_of(*map(values, arguments))
    if annotation is types.NoneType:
        return st.none()
    if issubclass(annotation, enum.Enum):
        return st.sampled_from(annotation)
    hints = typing.get_type_hints(annotation)
    fields = dataclasses.fields(annotation)
    return st.builds(annotation, **{field.name: values(hints[field.name]) for field in fields})


def types_of(annotation: typing.Any) -> Iterator[object]:
    """All that values of it are made of."""
    annotation = {ArchPlatform: ARMV8.platform_part, ArchVm: ARMV8.vm_part}.get(annotation, annotation)
    yield typing.get_origin(annotation) or annotation
    for each in typing.get_args(annotation):
        yield from types_of(each)
    if dataclasses.is_dataclass(annotation):
        hints = typing.get_type_hints(annotation)
        for field in dataclasses.fields(annotation):
            yield from types_of(hints[field.name])


def small() -> Machine:
    """With something at every place."""
    segments = (
        LoadSegment(0x4000_0000, 4, data=b"text", unpacked="Image.gz"),
        LoadSegment(0x4000_1000, 4, path="/x", offset=8),
    )
    faults = (StallFault(0, 5, 6), MessageFault(Disturbance.DROP, MessageKind.SPI, probability=0.5))
    made = machines.machine(machines.vm(0, segments=segments, initrd=(1, 2), device_tree=5), cache=machines.A53_CACHE)
    placement = NodePlacement(NodePolicy.SPREAD, (VmNodes("vm0", (1, "host:22")),))
    return replace(made, faults=faults, files=("/x",), placement=placement)


SMALL = dump_machine(small())
TREE = typing.cast(list[typing.Any], msgpack.unpackb(SMALL))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_ready_machine_comes_back_as_it_was(path: Path, tmp_path: Path) -> None:
    """Where a guest of somebody else is not here, with an image in its place."""
    text = path.read_text()
    cache = path.parent.parent / "tests" / "guests" / "cache"
    if "guests/cache" in text and not cache.exists():
        stand_in = tmp_path / "guest"
        stand_in.write_bytes(b"\x14\0\0\x14" * 1024)
        path = tmp_path / path.name
        path.write_text(re.sub(r"\.\./tests/guests/cache/[^,}\s]+", str(stand_in), text))
    machine = load(path)
    data = dump_machine(machine)
    again = load_machine(data)
    assert again == machine
    assert dump_machine(again) == data
    assert machine_digest(data) == machine_digest(dump_machine(load(path)))


@given(values(Machine))
def test_any_machine_comes_back_as_it_was(machine: Machine) -> None:
    data = dump_machine(machine)
    again = load_machine(data)
    assert again == machine
    assert dump_machine(again) == data


def test_equal_machines_have_equal_bytes() -> None:
    """And one digest: what a host knows of its file is not in them, nor as what a number was written."""
    with_stamp, other_stamp = (
        replace(small(), vms=(machines.vm(0, segments=(LoadSegment(1, 2, "/x", stamp=stamp),)),))
        for stamp in (Stamp(1, 2, 3, 4), None)
    )
    assert with_stamp == other_stamp
    assert dump_machine(with_stamp) == dump_machine(other_stamp)
    assert load_machine(dump_machine(with_stamp)).vms[0].segments[0].stamp is None
    for one, other in ((1, 1.0), (0.0, -0.0), (1.0, True)):
        left, right = (
            replace(small(), hypervisor_colors=int(value), faults=(StallFault(typing.cast(int, value == 1), 0, 0),))
            for value in (one, other)
        )
        assert dump_machine(left) == dump_machine(right)
        left, right = (
            replace(small(), faults=(MessageFault(Disturbance.DROP, MessageKind.IPI, probability=value),))
            for value in (one, other)
        )
        assert left == right
        assert dump_machine(left) == dump_machine(right)
    assert machine_digest(SMALL) != machine_digest(dump_machine(replace(small(), hypervisor_colors=1)))


def test_no_field_of_a_machine_has_an_order_that_equality_does_not_see() -> None:
    """So that equal machines have equal bytes."""
    assert not {dict, set, frozenset} & set(types_of(Machine))


@given(st.data())
def test_bytes_that_were_changed_are_refused_or_are_a_machine(data: st.DataObject) -> None:
    changed = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(changed)))
        changed[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    same_or_refused(bytes(changed))


_WRONG = [each for each in WRONG if each != 1 << 70]  # which is not packed


@given(st.sampled_from(places(TREE)), st.sampled_from([*_WRONG, 1.5, float("nan"), [[]], ["StallFault"], -(2**63)]))
def test_a_value_of_another_type_is_refused(place: tuple[typing.Any, ...], wrong: object) -> None:
    same_or_refused(msgpack.packb(replaced(TREE, place, wrong)))


@given(st.binary(max_size=64))
def test_bytes_that_are_no_machine_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        load_machine(data)


def same_or_refused(data: bytes) -> None:
    machine, refused = None, ""
    try:
        machine = load_machine(data)
    except ProtocolError as error:
        refused = str(error)
    assert len(refused.splitlines()) <= 1
    assert len(refused) < 400
    if machine is None:
        return
    assert type(machine) is Machine
    assert load_machine(dump_machine(machine)) == machine, "a field of another type cannot be written again"


def with_head(place: int, value: object) -> bytes:
    return msgpack.packb([*TREE[:place], value, *TREE[place + 1 :]])


def with_records(**records: object) -> bytes:
    return with_head(3, sorted(([name, names] for name, names in (dict(TREE[3]) | records).items() if names)))


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"\xc1", "these bytes are no machine: "),
        (msgpack.packb([1, 2]), "these bytes are no machine"),
        (SMALL[:-1], "these bytes are no machine: "),
        (with_head(1, 2), "the machine has form 2, and this baonet reads form 1: give all hosts the same baonet"),
        (with_head(2, "m68k"), "the machine is of the architecture 'm68k', which this baonet does not have: give all"),
        (
            with_records(Vm=["index"]),
            "the Vm records of the machine have other fields: 'arch', 'colors', 'command_line'",
        ),
        (with_records(Vw=["index"]), "the machine has 'Vw' records, which this baonet does not know: give all hosts"),
        (with_records(Vm=[]), "the machine has no Vm records, which this baonet needs: give all hosts the same baonet"),
        (msgpack.packb(TREE[:-1]), "the machine has 4 parts where 5 are due"),
        (msgpack.packb(replaced(TREE, (4, 5), "test.yaml")), "Machine.vms: 'test.yaml' where a list is due"),
        (
            msgpack.packb(replaced(TREE, (4, 8, 0, 0), "Fall")),
            "Machine.faults: 'Fall' where one of MessageFault, StallFault",
        ),
        (
            msgpack.packb(replaced(TREE, (4, 10, 1, 0, 1, 0), 1.5)),
            "Machine.placement: NodePlacement.given: VmNodes.nodes: 1.5 where one of int, str is due",
        ),
        (msgpack.packb(replaced(TREE, (4, 3), "lax")), "Machine.faithful: 'lax' where one of Faithful is due"),
        (msgpack.packb([[]] * (1 << 20) + [1]), "these bytes are no machine: "),
        (msgpack.packb([[0] * (1 << 20)] * 5), "a machine has at most 4194304 values"),
        (msgpack.packb([{}]), "these bytes are no machine"),
    ],
    ids=lambda value: value.replace(" ", "-")[:60] if isinstance(value, str) else "",
)
def test_what_is_wrong_is_told_in_one_line(data: bytes, line: str) -> None:
    with pytest.raises(ProtocolError, match=f"^{line}") as caught:
        load_machine(data)
    assert "\n" not in str(caught.value)


def test_a_machine_that_is_too_large_is_refused_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(MAX_MACHINE + 1)
    with pytest.raises(ProtocolError, match=f"{MAX_MACHINE + 1} bytes: at most {MAX_MACHINE}"):
        load_machine(data)
    monkeypatch.setattr(portable, "MAX_MACHINE", len(SMALL) - 1)
    with pytest.raises(ProtocolError, match=f"a machine of {len(SMALL)} bytes"):
        dump_machine(small())
