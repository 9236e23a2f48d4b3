"""Pcpus on different nodes speak as two of one node do, whatever a peer's courier says."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.core import _node
from tests.core.frames import FRAMES
from tests.core.joined_nodes import ISLAND, JoinedNode, joined
from tests.examples import examples
from tests.wire.rings import CAPACITY

SPREAD = [0, 0, 1, 2, 2]
"""The node of each pcpu: home has two, and what the others say to each other it passes on."""
RING, ROOM = FRAMES["RING"], FRAMES["ROOM"]
EVERYBODY = 0xFFFF
HEAD = struct.Struct("<IHH")


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.0005)


def take(rings: _node.Rings, peer: int, size: int) -> bytes:
    """So many bytes of a peer, and it must ring for them."""
    came = b""
    while len(came) < size:
        assert rings.sleep(20), "nobody rings"
        rings.called()
        if peer in rings.news():
            came += rings.get(peer) or b""
    return came


@pytest.mark.parametrize(("one", "other"), [(0, 2), (2, 1), (2, 4)], ids=["from home", "to home", "by home"])
def test_two_answer_each_other(one: int, other: int) -> None:
    with joined(SPREAD) as nodes:
        asks, answers = nodes[SPREAD[one]].rings(one), nodes[SPREAD[other]].rings(other)
        for number in range(200):
            asks.put(other, b"%d" % number)
            assert take(answers, one, 1) == b"%d" % number
            answers.put(one, b"%d" % -number)
            assert take(asks, other, 1) == b"%d" % -number


def test_who_is_on_the_same_node_needs_no_courier() -> None:
    with joined(SPREAD) as nodes:
        nodes[2].rings(3).put(4, bytes(3000))
        assert take(nodes[2].rings(4), 3, 3000) == bytes(3000)
        assert nodes[2].courier.statistics()["bytes"] < 3000


said = st.tuples(st.integers(0, 4), st.integers(0, 4), st.one_of(st.integers(1, 60), st.integers(1, 2 * CAPACITY)))


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(said, st.tuples(st.integers(0, 4), st.integers(0, 4), st.just(0))), max_size=30))
def test_all_that_was_put_in_comes_out_in_order(acts: list[tuple[int, int, int]]) -> None:
    """(who, to whom, bytes), or (who, of whom, 0): takes what is there."""
    count = 0
    with joined(SPREAD) as nodes:
        ends = [nodes[SPREAD[pcpu]].rings(pcpu) for pcpu in range(len(SPREAD))]
        due: dict[tuple[int, int], bytearray] = {}

        def get(source: int, pcpu: int) -> None:
            queue = due.setdefault((source, pcpu), bytearray())
            data = ends[pcpu].get(source) or b""
            assert queue.startswith(data)
            del queue[: len(data)]

        for who, whom, size in acts:
            if who == whom:
                continue
            if not size:
                get(whom, who)
                continue
            data = bytes((count + place) % 251 for place in range(size))
            count += size
            queue = due.setdefault((who, whom), bytearray())
            queue += data[: ends[who].put(whom, data)]
        for (source, pcpu), queue in list(due.items()):
            deadline = time.monotonic() + 20
            while queue and time.monotonic() < deadline:
                get(source, pcpu)
            assert not queue
        assert not any(each.held() for each in nodes.values())


@pytest.mark.parametrize("receiver", [2, 4], ids=["from home", "by home"])
def test_a_slow_receiver_slows_its_senders_alone(receiver: int) -> None:
    """What it does not take is in two rings and one window."""
    sender = 1 if receiver == 2 else 2
    with joined(SPREAD) as nodes:
        rings, slow, kept = nodes[SPREAD[sender]].rings(sender), nodes[SPREAD[receiver]].rings(receiver), bytearray()

        def fill() -> bool:
            data = bytes((len(kept) + place) % 251 for place in range(500))
            done = rings.put(receiver, data)
            kept.extend(data[:done])
            return nodes[SPREAD[receiver]].held() > CAPACITY // 2 and not done

        until(fill)
        before = -1
        while before != len(kept):
            before = len(kept)
            rings.put(3, b"in between")
            assert take(nodes[2].rings(3), sender, 10) == b"in between", "the others are not held up"
            fill()
        assert 2 * CAPACITY < len(kept) <= 3 * CAPACITY
        assert 0 < nodes[SPREAD[receiver]].held() <= CAPACITY
        assert take(slow, sender, len(kept)) == kept
        assert rings.sleep(20)
        assert rings.called(), "there is room"
        until(lambda: nodes[SPREAD[receiver]].held() == 0)


@pytest.mark.parametrize("receiver", [0, 4], ids=["to home", "by home"])
def test_who_lets_go_is_heard_to_the_end(receiver: int) -> None:
    with joined(SPREAD) as nodes:
        leaves, stays = nodes[1].rings(2), nodes[SPREAD[receiver]].rings(receiver)
        leaves.put(receiver, bytes(CAPACITY))
        until(lambda: leaves.put(receiver, b"last") == 4)
        leaves.end(receiver)
        assert take(stays, 2, CAPACITY + 4) == bytes(CAPACITY) + b"last"
        until(lambda: stays.get(2) is None)
        assert stays.put(2, b"x") == -1, "nobody takes it"


def test_who_waits_for_room_hears_that_there_will_be_none() -> None:
    with joined(SPREAD) as nodes:
        waits, leaves = nodes[0].rings(0), nodes[2].rings(4)
        until(lambda: not waits.put(4, bytes(900)) and nodes[2].held() > 0)
        leaves.end(0)
        until(lambda: waits.put(4, b"x") == -1)
        assert waits.called()
        nodes[2].lose(4)
        until(lambda: nodes[0].rings(0).lost() == [4])


def test_who_is_killed_is_lost_on_all_nodes_behind_what_it_said() -> None:
    with joined(SPREAD) as nodes:
        dies, home, far = nodes[1].rings(2), nodes[0].rings(0), nodes[2].rings(3)
        said = bytearray()

        def speak() -> bool:
            data = bytes((len(said) + place) % 251 for place in range(700))
            said.extend(data[: dies.put(3, data)])
            return nodes[2].held() > CAPACITY // 2

        until(speak)
        nodes[1].lose(2)
        came = bytearray()
        while far.lost() != [2]:
            assert home.lost() in ([], [2])
            came += far.get(2) or b""
        came += far.get(2) or b""
        assert came == said
        until(lambda: home.lost() == [2])
        assert nodes[0].rings(1).lost() == [2]


def test_what_a_lost_one_said_is_first_taken_by_who_is_slow() -> None:
    with joined(SPREAD) as nodes:
        dies, home, slow = nodes[1].rings(2), nodes[0].rings(0), nodes[2].rings(3)
        assert dies.put(3, b"a" * CAPACITY) == CAPACITY
        until(lambda: dies.put(3, b"b" * 10) == 10)
        until(lambda: nodes[2].held() == 10)
        nodes[1].lose(2)
        until(lambda: home.lost() == [2])
        home.put(3, b"behind that")
        assert take(slow, 0, 11) == b"behind that"
        assert slow.lost() == []
        assert slow.get(2) == b"a" * CAPACITY
        until(lambda: slow.lost() == [2])
        assert slow.get(2) == b"b" * 10


def test_with_a_node_all_its_pcpus_are_lost() -> None:
    with joined(SPREAD) as nodes:
        home, other = nodes[0].rings(0), nodes[1].rings(2)
        nodes[2].rings(3).put(2, b"last words")
        assert take(other, 3, 10) == b"last words"
        nodes[2].courier.close(nodes[2].caller.fileno())
        assert nodes[0].lost_nodes() == {2}
        until(lambda: home.lost() == other.lost() == [3, 4])
        home.put(2, b"we go on")
        assert take(other, 0, 8) == b"we go on"


def test_with_home_all_that_it_passes_on_is_lost() -> None:
    with joined(SPREAD) as nodes:
        other = nodes[1].rings(2)
        nodes[0].courier.close(nodes[0].caller.fileno())
        until(lambda: other.lost() == [0, 1, 3, 4])


def test_nonsense_in_a_ring_ends_it_for_the_other_and_nothing_else() -> None:
    """A process of guests has it mapped."""
    with joined(SPREAD) as nodes:
        _, _, go, at = nodes[1].memory.ends(2).rings[0]
        bad, good = nodes[1].rings(2), nodes[0].rings(0)
        bad.put(0, b"word")
        assert take(good, 2, 4) == b"word"
        go[at : at + 8] = struct.pack("<Q", 1 << 40)
        nodes[1].call(0)
        bad.end(0)
        until(lambda: good.get(2) is None)
        nodes[1].rings(2).put(1, b"others hear it")
        assert take(nodes[0].rings(1), 2, 14) == b"others hear it"


def test_what_is_not_taken_by_a_peer_is_not_taken_from_rings_without_end() -> None:
    """Of 900 pairs."""
    spread = [0] * 30 + [1] * 30
    node = JoinedNode(0, spread)
    (stream,) = node.raw(1)
    try:
        for pcpu in range(30):
            rings = node.rings(pcpu)
            for peer in range(30, 60):
                assert rings.put(peer, bytes(CAPACITY)) == CAPACITY
        pairs = list(node.memory.pairs())

        def taken() -> int:
            return sum(struct.unpack_from("<Q", node.whole, pair.go + 64)[0] for pair in pairs)

        until(lambda: taken() > 1 << 20)
        node.call(30)
        assert taken() < 2 << 20
        came = 0
        while came < 900 * CAPACITY:
            kind, body = heard(stream)
            assert kind == RING
            came += len(body) - 4
        assert taken() == came == 900 * CAPACITY
    finally:
        node.close()
        stream.close()


# What peers may say


def frame(kind: int, body: bytes) -> bytes:
    return HEAD.pack(len(body), kind, ISLAND) + body


def ring(source: int, to: int, data: bytes = b"") -> bytes:
    return frame(RING, struct.pack("<HH", source, to) + data)


def room(source: int, to: int, size: int) -> bytes:
    return frame(ROOM, struct.pack("<4H", source, to, size, 0))


@contextmanager
def raw(number: int = 0) -> Iterator[tuple[JoinedNode, list[socket.socket]]]:
    """The node; its peers are this test. At home: of node 1, of node 2."""
    node = JoinedNode(number, SPREAD)
    streams = node.raw(*((1, 2) if number == 0 else (0,)))
    try:
        yield node, streams
    finally:
        node.close()
        for each in streams:
            each.close()


def exactly(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = stream.recv(size - len(data))
        assert more
        data += more
    return data


def heard(stream: socket.socket) -> tuple[int, bytes]:
    """What a node says next, beside that it lives and what time it is."""
    while True:
        length, kind, _ = HEAD.unpack(exactly(stream, HEAD.size))
        body = exactly(stream, length)
        if kind in (RING, ROOM):
            return kind, body


WRONG = {
    "of a pcpu of ours": ring(0, 1, b"x"),
    "of a pcpu of a third node": ring(3, 0, b"x"),
    "of no pcpu": ring(9, 0, b"x"),
    "to no pcpu": ring(2, 9, b"x"),
    "to itself": ring(2, 2, b"x"),
    "more than there is room for": ring(2, 0, bytes(CAPACITY + 1)),
    "more in pieces": ring(2, 0, bytes(CAPACITY)) + ring(2, 0, bytes(CAPACITY)),
    "more than another node has room for": ring(2, 3, bytes(CAPACITY)) + ring(2, 3, b"x"),
    "words after the end": ring(2, 0) + ring(2, 0, b"x"),
    "two ends": ring(2, 0) + ring(2, 0),
    "two ends to another node": ring(2, 3) + ring(2, 3),
    "words after the last": ring(2, EVERYBODY) + ring(2, 0, b"x"),
    "words to everybody": ring(2, EVERYBODY, b"x"),
    "room for what was not said": room(0, 2, 1),
    "room for what another node has not said": room(3, 2, 1),
    "room in a ring of ours": room(2, 0, 1),
    "no more room, twice": room(0, 2, 0) * 2,
    "no more room for another node, twice": room(3, 2, 0) * 2,
    "room for everybody": room(2, EVERYBODY, 0),
    "half a frame": frame(RING, b"\2\0"),
    "too long a frame": frame(ROOM, struct.pack("<5H", 0, 2, 1, 0, 0)),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_peer_that_lies_loses_its_connection(wrong: bytes) -> None:
    with raw() as (node, (liar, other)):
        liar.sendall(ring(2, 0, b"before"))
        assert take(node.rings(0), 2, 6) == b"before"
        with suppress(ConnectionError):
            liar.sendall(wrong)
        assert node.lost_nodes() == {1}
        until(lambda: node.rings(0).lost() == [2])
        node.rings(0).put(3, b"and the other hears us")
        while (said := heard(other)) != (RING, struct.pack("<HH", 0, 3) + b"and the other hears us"):
            assert len(said[1]) <= 4 + CAPACITY


def test_home_that_lies_loses_its_connection() -> None:
    """Of a pcpu here; and two pcpus that do not talk with each other cannot, whatever is passed on."""
    with raw(2) as (node, (home,)):
        home.sendall(ring(2, 4, b"passed on") + ring(0, 4, b"its own"))
        assert take(node.rings(4), 0, 7) == b"its own"
        home.sendall(ring(3, 4, b"x"))
        assert node.lost_nodes() == {0}


def test_home_says_no_more_to_a_node_than_it_has_room_for() -> None:
    with raw() as (_, (liar, other)):
        with suppress(ConnectionError):
            for _ in range(300):
                liar.sendall(ring(2, 4, bytes(100)))
        came = b""
        while (said := heard(other))[1] != struct.pack("<HH", 2, EVERYBODY):
            came += said[1][4:]
        assert len(came) <= CAPACITY


pcpus = st.integers(0, 5) | st.just(EVERYBODY)
frames = st.one_of(
    st.builds(ring, pcpus, pcpus, st.binary(max_size=40) | st.integers(0, 2 * CAPACITY).map(bytes)),
    st.builds(room, pcpus, pcpus, st.integers(0, 3) | st.just(CAPACITY)),
    st.binary(max_size=30).map(lambda body: frame(RING, body)),
)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([0, 2]), st.lists(frames, max_size=20))
def test_whatever_a_peer_says_nothing_grows_and_others_are_served(number: int, said: list[bytes]) -> None:
    with raw(number) as (node, streams):
        with suppress(ConnectionError):
            streams[0].sendall(b"".join(said))
            streams[0].shutdown(socket.SHUT_WR)
        assert node.lost_nodes() == {1 if number == 0 else 0}
        assert node.held() <= len(node.here) * CAPACITY * 5
        if number == 0:
            node.rings(0).put(3, b"still here")
            while heard(streams[1]) != (RING, struct.pack("<HH", 0, 3) + b"still here"):
                pass


@pytest.mark.parametrize(
    ("places", "why"),
    [
        (struct.pack("=HHIQQ", 0, 1, 0, 4096, 8192), "no such pair"),
        (struct.pack("=HHIQQ", 0, 9, 0, 4096, 8192), "no such pcpu"),
        (struct.pack("=HHIQQ", 0, 2, 0, 4096, 1 << 40), "no such ring"),
        (struct.pack("=HHIQQ", 0, 2, 0, 4096, 8192) * 2, "in order"),
    ],
)
def test_rings_that_cannot_be_are_refused(places: bytes, why: str) -> None:
    node = JoinedNode(0, SPREAD, carries=False)
    with pytest.raises(ValueError, match=why):
        node.courier.rings(ISLAND, node.whole, places)
    node.close()
