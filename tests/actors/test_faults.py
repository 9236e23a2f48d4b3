"""What rules do to messages, and what else happens at times that the configuration gives."""

from __future__ import annotations

from collections.abc import Iterable

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.actors.events import chosen_bits
from baonet.actors.faults import MessageFaults
from baonet.hyp.armv8.psci_messages import PsciOn
from baonet.hyp.armv8.vgic_messages import VgicForward
from baonet.hyp.messages import HypMessage, IpcNotify, SpiLine
from baonet.machine import Disturbance, FlipFault, MessageFault, MessageKind
from baonet.machine.saved import StateError
from baonet.trace.records import FaultKind
from baonet.wire import codec
from baonet.wire.turns import NEVER, FaultNote, Post
from tests.examples import examples

VMS = {0: 0, 1: 0, 2: 1, 3: 2}
LATENCY = 10


def posts(count: int, source: int = 0, target: int = 2, message: HypMessage | None = None) -> list[tuple[int, Post]]:
    notify = IpcNotify(0, 0) if message is None else message
    return [(source, Post(target, 100 * n, 100 * n + LATENCY, n, notify)) for n in range(count)]


def fates(rules: Iterable[MessageFault], sent: list[tuple[int, Post]]) -> list[list[int]]:
    """The times at which each is delivered; nanoseconds are cycles here."""
    faults = MessageFaults(rules, VMS, lambda nanoseconds: nanoseconds)
    return [[due for due, note in faults.interfere(source, post) if note is None] for source, post in sent]


def rule(kind: Disturbance, **fields: object) -> MessageFault:
    return MessageFault(kind, **({"message": MessageKind.IPC} | fields))  # type: ignore[arg-type]


def test_what_each_kind_does() -> None:
    sent = posts(2)
    assert fates([rule(Disturbance.DROP)], sent) == [[], []]
    assert fates([rule(Disturbance.DUPLICATE)], sent) == [[10, 10], [110, 110]]
    assert fates([rule(Disturbance.DELAY, by=7)], sent) == [[17], [117]]
    assert fates([rule(Disturbance.REORDER, by=7)], sent) == [[17], [117]]
    assert fates([], sent) == [[10], [110]]


def test_what_comes_behind_a_delayed_message_waits_for_it_but_not_for_one_that_is_overtaken() -> None:
    assert fates([rule(Disturbance.DELAY, by=250, count=1)], posts(4)) == [[260], [260], [260], [310]]
    assert fates([rule(Disturbance.REORDER, by=250, count=1)], posts(4)) == [[260], [110], [210], [310]]


def test_only_messages_of_its_kind_its_vms_and_its_time() -> None:
    drop = Disturbance.DROP
    assert fates([rule(drop, source=1)], posts(1)) == [[10]]
    assert fates([rule(drop, target=1)], posts(1)) == [[]]
    assert fates([rule(drop, source=0, target=2)], posts(1)) == [[10]]
    assert fates([rule(drop, after=100, until=300)], posts(4)) == [[10], [], [], [310]]
    for message, kind in (
        (IpcNotify(0, 0), MessageKind.IPC),
        (PsciOn(0, 0), MessageKind.IPI),
        (SpiLine(33, True, 1), MessageKind.SPI),
        (VgicForward(33, 0, True, True, False), MessageKind.SPI),
        (VgicForward(52, 0, False, True, False), MessageKind.IPI),
    ):
        for each in MessageKind:
            lost = fates([rule(drop, message=each)], posts(1, message=message)) == [[]]
            assert lost is (each is kind)


def test_the_first_rule_that_chooses_a_message_has_it() -> None:
    rules = [rule(Disturbance.DUPLICATE, count=1), rule(Disturbance.DROP, count=1)]
    assert fates(rules, posts(3)) == [[10, 10], [], [210]]


@pytest.mark.parametrize("kind", Disturbance)
def test_what_is_told_of_it_is_saved_as_it_is(kind: Disturbance) -> None:
    """A name that equals its number is another thing beside it, and comes back as the number."""
    faults = MessageFaults([rule(kind)], VMS, lambda n: n)
    ((source, post),) = posts(1)
    (note,) = (note for _, note in faults.interfere(source, post) if note is not None)
    assert repr(codec.load(FaultNote, msgpack.unpackb(msgpack.packb(codec.dump(note))))) == repr(note)


def test_the_trace_is_told_of_the_rule_and_the_message() -> None:
    faults = MessageFaults([rule(Disturbance.DROP, target=0), rule(Disturbance.DROP)], VMS, lambda n: n)
    ((source, post),) = posts(1)
    ((due, note),) = faults.interfere(source, post)
    assert due == NEVER
    assert note is not None
    assert (note.rule, note.kind, note.detail) == (1, FaultKind.DROP, 0)


@given(st.integers(0, 1 << 32), st.sampled_from([0.1, 0.5, 0.9]))
def test_chance_repeats_with_its_seed_and_comes_near_its_probability(seed: int, probability: float) -> None:
    rules = [rule(Disturbance.DROP, probability=probability, seed=seed)]
    once, again = fates(rules, posts(600)), fates(rules, posts(600))
    assert once == again
    lost = sum(not fate for fate in once) / 600
    assert abs(lost - probability) < 0.15


def test_rules_with_one_seed_do_not_choose_alike() -> None:
    rules = [rule(Disturbance.DROP, probability=0.5), rule(Disturbance.DUPLICATE, probability=0.5)]
    seen = {len(fate) for fate in fates(rules, posts(200))}
    assert seen == {0, 1, 2}


@given(st.integers(1, 64), st.integers(0, 1000), st.data())
def test_flipped_bits_are_different_and_in_the_object(size: int, seed: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8 * size))
    bits = chosen_bits(0, FlipFault(0, at=0, count=count, seed=seed), size)
    assert len(set(bits)) == count
    assert all(0 <= bit < 8 * size for bit in bits)
    assert bits == chosen_bits(0, FlipFault(0, at=0, count=count, seed=seed), size)


@pytest.mark.parametrize(("offset", "bit", "count"), [(5, None, 8), (None, 3, 16), (5, 3, 1)])
def test_a_place_that_is_given_is_kept(offset: int | None, bit: int | None, count: int) -> None:
    bits = chosen_bits(0, FlipFault(0, at=0, offset=offset, bit=bit, count=count), 16)
    assert len(set(bits)) == count
    assert offset is None or {each // 8 for each in bits} == {offset}
    assert bit is None or {each % 8 for each in bits} == {bit}


RULES = st.lists(
    st.builds(
        rule,
        st.sampled_from(Disturbance),
        by=st.integers(1, 300),
        probability=st.sampled_from([0.2, 0.5, 1.0]),
        count=st.none() | st.integers(1, 4),
        seed=st.integers(0, 3),
    ),
    max_size=3,
)


@settings(max_examples=examples(60))
@given(RULES, st.integers(0, 12))
def test_chances_that_were_saved_go_on(rules: list[MessageFault], after: int) -> None:
    sent = posts(12)
    first, second = (MessageFaults(rules, VMS, lambda nanoseconds: nanoseconds) for _ in range(2))
    before = [first.interfere(*each) for each in sent[:after]]
    second.load(msgpack.unpackb(msgpack.packb(first.save())))
    whole = MessageFaults(rules, VMS, lambda nanoseconds: nanoseconds)
    assert before + [second.interfere(*each) for each in sent[after:]] == [whole.interfere(*each) for each in sent]


def test_the_chances_of_other_rules_are_refused() -> None:
    faults = MessageFaults([rule(Disturbance.DROP)], VMS, lambda n: n)
    with pytest.raises(StateError, match="the faults of messages is damaged: 0 rules, where there are 1"):
        faults.load(MessageFaults([], VMS, lambda n: n).save())
