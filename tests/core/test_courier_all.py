"""A courier under the host's clock with all that there is (rights, rings, time), and a peer that is wrong."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from baonet.core import _node
from tests.core.frames import FRAMES
from tests.core.joined_nodes import PAGE, JoinedNode
from tests.core.test_courier_peers import packed
from tests.core.test_courier_rights import PAGE_FRAME
from tests.core.test_ringing import EVERYBODY, HEAD, SPREAD, exactly, frame, ring, room, until
from tests.examples import examples
from tests.wire.rings import CAPACITY

PAGES = 8
FOUGHT = 4
"""Pages that anybody may have; the others are not touched by processes here."""
READ = 1
RING = FRAMES["RING"]
WANT, GRANT, RECALL, GAVE = (FRAMES[kind] for kind in ("WANT", "GRANT", "RECALL", "GAVE"))
PUT = 1 << 13
"""Of a step (``Wrong.act``): it puts into a ring, from bit 14 on how much, from bit 10 on to whom of the others."""
MUCH = 2047 << 14
IN_GUEST, LANE_PAGE, WANTS = 4, 24, 16


class Wrong:
    """What is said to a node, in the place of its first peer, and done by its processes."""

    def __init__(self, number: int) -> None:
        self.node = JoinedNode(number, SPREAD, pages=PAGES)
        self.streams = self.node.raw(*((1, 2) if number == 0 else (0,)))
        self._rings = {pcpu: self.node.rings(pcpu) for pcpu in self.node.here}
        self._heard = bytearray()
        self._asked = bytes(8)

    def say(self, said: bytes) -> None:
        self.streams[0].sendall(said)

    def tell(self, ahead: int) -> None:
        """What time it is here, which the node has asked some time."""
        while select.select([self.streams[0]], [], [], 0.001)[0] and (more := self.streams[0].recv(1 << 16)):
            self._heard += more
        while len(self._heard) >= HEAD.size:
            length, kind, _ = HEAD.unpack_from(self._heard)
            if len(self._heard) < HEAD.size + length:
                break
            if kind == FRAMES["ASK"]:
                self._asked = bytes(self._heard[HEAD.size : HEAD.size + 8])
            del self._heard[: HEAD.size + length]
        self.say(frame(FRAMES["TELL"], self._asked + struct.pack("<Q", ahead % 2**64)))

    def act(self, step: int) -> None:
        """A process of guests writes into what it has, or ends."""
        pcpu, page = self.node.here[step % len(self.node.here)], step >> 5 & FOUGHT - 1
        lane = _node.LEDGER_SIZE + pcpu * _node.LANE_SIZE
        struct.pack_into("=II", self.node.ledger, lane + LANE_PAGE, page, step >> 7 & 1)
        struct.pack_into("=I", self.node.ledger, lane + WANTS, step >> 2 & 7)
        struct.pack_into("=I", self.node.slots, pcpu * _node.SLOT_SIZE + IN_GUEST, step >> 8 & 1)
        struct.pack_into("=H", self.node.entries, page * 16 + 14, step >> 9 & 7)
        self.node.call(pcpu)
        if step >> 12 & 1:
            self.node.courier.ended(pcpu)
        if step & PUT:
            far = [each for each in range(len(SPREAD)) if each not in self.node.here]
            self._rings[pcpu].put(far[(step >> 10 & 7) % len(far)], os.urandom(step >> 14))

    def serves_the_other(self) -> None:
        """It has a page of it, hears what pcpu 0 says behind all that it has said before, and then of its end."""
        other, said = Other(self.streams[1]), b"still here"
        self.streams[1].sendall(frame(WANT, PAGE_FRAME.pack(PAGES - 1, 0, 0, 1, READ, 0)))
        other.hear(lambda: PAGES - 1 in other.granted)
        while len(said) > (done := self._rings[0].put(3, said)):
            assert done >= 0
            said = said[done:]
            other.hear_more()
        other.hear(lambda: other.said[0, 3].endswith(b"still here"))
        self.node.lose(0)
        other.hear(lambda: 0 in other.lost)

    def tells_of_the_lost(self) -> None:
        """Who has taken all that the lost peer's pcpu had said knows that it is lost, though the other here has not."""
        alive = self._rings[1]

        def is_told() -> bool:
            alive.get(2)
            return 2 in alive.lost()

        until(is_told)

    def close(self) -> None:
        self.node.close()
        for stream in self.streams:
            stream.close()


class Other:
    """A peer that keeps to the rules: of what it is said in rings it makes room for more."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self.granted: set[int] = set()
        self.said: defaultdict[tuple[int, int], bytearray] = defaultdict(bytearray)
        self.lost: set[int] = set()

    def hear_more(self) -> None:
        kind, body = heard(self._stream)
        if kind == GRANT:
            self.granted.add(PAGE_FRAME.unpack_from(body)[0])
        if kind != RING:
            return
        speaker, hearer = struct.unpack_from("<HH", body)
        if hearer == EVERYBODY:
            self.lost.add(speaker)
        elif len(body) > 4:
            self.said[speaker, hearer] += body[4:]
            self._stream.sendall(room(speaker, hearer, len(body) - 4))

    def hear(self, enough: Callable[[], bool]) -> None:
        while not enough():
            self.hear_more()


def heard(stream: socket.socket) -> tuple[int, bytes]:
    length, kind, _ = HEAD.unpack(exactly(stream, HEAD.size))
    return kind, exactly(stream, length)


few = st.integers(0, 5)
any_number = few | st.sampled_from([0xFFFF, 0xFFFFFFFF, 2**62 - 1, 2**62, 2**63, 2**64 - 1])
octets = st.sampled_from([b"", b"y" * PAGE, bytes(PAGE), b"y" * (PAGE + 1)]) | st.binary(max_size=40)
rights = st.integers(0, 2)
page_kinds = st.sampled_from([WANT, GRANT, RECALL, GAVE])
sane = st.builds(
    lambda kind, page, right, carries, data: frame(
        kind, PAGE_FRAME.pack(page, 0, 0, 1, right, carries) + (data if carries and kind in (GRANT, GAVE) else b"")
    ),
    *(page_kinds, st.integers(0, PAGES - 1), rights, st.booleans(), st.sampled_from([b"", b"y" * PAGE])),
)
pages = packed(
    "<IHHHBB", any_number, few, st.sampled_from([0, 0, 0, 1]), any_number, st.integers(0, 3), st.integers(0, 3)
)
pcpus = few | st.just(0xFFFF)
maintenance = st.tuples(packed("<QIIII", *[any_number] * 5), st.binary(min_size=192, max_size=192)).map(b"".join)
frames = st.one_of(
    sane,
    sane,
    st.builds(ring, pcpus, pcpus, st.integers(0, CAPACITY + 1).map(bytes)),
    st.builds(room, pcpus, pcpus, few | st.just(CAPACITY)),
    st.builds(lambda kind, head, data: frame(kind, head + data), page_kinds, pages, octets),
    maintenance.map(lambda body: frame(FRAMES["MAINTAIN"], body)),
    packed("<QII", any_number, any_number, any_number).map(lambda body: frame(FRAMES["MAINTAINED"], body)),
    st.builds(
        frame, st.sampled_from([FRAMES["TIME"], FRAMES["ASK"]]), packed("<Q", any_number) | st.binary(max_size=9)
    ),
    st.builds(frame, st.integers(0, len(FRAMES)), octets),
)
Step = bytes | int | tuple[str, int]
steps = st.lists(frames | st.integers(0, 2**25 - 1) | st.tuples(st.just("tell"), any_number), max_size=25)


def withstands(number: int, said: list[Step]) -> None:
    wrong = Wrong(number)
    try:
        begin = time.monotonic()
        with suppress(ConnectionError):
            for step in said:
                match step:
                    case bytes():
                        wrong.say(step)
                    case int():
                        wrong.act(step)
                    case _:
                        wrong.tell(step[1])
            wrong.streams[0].shutdown(socket.SHUT_WR)
        assert wrong.node.lost_nodes() == {1 if number == 0 else 0}
        assert wrong.node.held() <= len(wrong.node.here) * CAPACITY * 5
        if number == 0:
            wrong.serves_the_other()
            wrong.tells_of_the_lost()
        assert time.monotonic() - begin < 10
    finally:
        wrong.close()


@given(st.sampled_from([0, 2]), steps)
@example(0, [MUCH | PUT | 1 << 10] * 2).via("more for the other than may be on the way: it makes room")
@example(0, [MUCH | PUT] * 2).via("more for the lost one: it does not hide the end of its speaker")
@example(0, [ring(2, 0, bytes(CAPACITY))] * 2).via("more of the lost one than is taken: others hear of its end")
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_peer_says_it_is_lost_and_others_are_served(number: int, said: list[Step]) -> None:
    withstands(number, said)


@pytest.mark.long
@pytest.mark.timeout(0)
@given(st.sampled_from([0, 2]), steps)
@settings(max_examples=20_000, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_peer_says_for_long(number: int, said: list[Step]) -> None:
    withstands(number, said)
