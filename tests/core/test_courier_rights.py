"""Rights to pages under the host's clock: a process that is killed or stopped keeps no page from VMs on other nodes."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.core import _node
from tests.core.frames import FRAMES
from tests.core.test_courier_peers import HEAD, ISLAND, LANES, PAGE, PAGES, RAM, UART, Peer, packed, small

WANT, GRANT, RECALL, GAVE, MAINTAIN, MAINTAINED = (
    FRAMES[kind] for kind in ("WANT", "GRANT", "RECALL", "GAVE", "MAINTAIN", "MAINTAINED")
)
PAGE_FRAME = struct.Struct("<IHHHBB")
NONE, READ, WRITE = range(3)
WANTS_NOTHING, WANTS_READ, WANTS_USE = 0, 2, 4
ME, SIBLING = 2, 3
IN_GUEST, LOCK = 4, 8
"""Of a slot."""
WANTS, LANE_PAGE = 16, 24
"""Of a lane."""
RECALL_COUNT = 48 + 2 * 24 * 8 + 16
QUIET = 0.1


class Node(Peer):
    """Node 1, of which this is the home: pcpus 2 and 3 are there. Or home, 0, with the others."""

    def __init__(self, here: int = 1) -> None:
        super().__init__(here, free=True)

    def lane(self, pcpu: int, at: int, value: int) -> None:
        struct.pack_into("=I", self.ledger, _node.LEDGER_SIZE + pcpu * _node.LANE_SIZE + at, value)

    def wants(self, pcpu: int) -> int:
        return int(struct.unpack_from("=I", self.ledger, _node.LEDGER_SIZE + pcpu * _node.LANE_SIZE + WANTS)[0])

    def slot(self, pcpu: int, at: int, value: int) -> None:
        struct.pack_into("=I", self.slots, pcpu * _node.SLOT_SIZE + at, value)

    def recalls(self, pcpu: int) -> int:
        return int(struct.unpack_from("=I", self.slots, pcpu * _node.SLOT_SIZE + RECALL_COUNT)[0])

    def call(self, pcpu: int) -> None:
        self.caller.send(pcpu.to_bytes(2, "little"))

    def page(self, kind: int, page: int, right: int, *, segment: int = RAM, carries: bool = False) -> None:
        self.say(kind, PAGE_FRAME.pack(page, segment, 0, 1, right, carries))

    def hear_page(self) -> tuple[int, int, int]:
        """What is said, of which page, and the right."""
        kind, body = self.hear()
        page, _, _, _, right, _ = PAGE_FRAME.unpack(body[: PAGE_FRAME.size])
        return kind, page, right

    def have(self, page: int, pcpu: int = ME) -> None:
        """It wants to read it, and is granted that."""
        self.lane(pcpu, LANE_PAGE, page)
        self.lane(pcpu, LANE_PAGE + 4, RAM)
        self.lane(pcpu, WANTS, WANTS_READ)
        self.call(pcpu)
        assert self.hear_page() == (WANT, page, READ)
        self.page(GRANT, page, READ, carries=True)
        self.until_used(page, pcpu)

    def until_used(self, page: int, pcpu: int) -> None:
        while self.wants(pcpu) != WANTS_USE:
            os.sched_yield()
        struct.pack_into("=H", self.entries, page * 16 + 14, pcpu + 1)

    def silent(self) -> bool:
        """But for that it lives and what time it is."""
        while select.select([self.stream], [], [], QUIET)[0]:
            length, kind, _ = HEAD.unpack(self.stream.recv(HEAD.size))
            if length:
                self.stream.recv(length)
            if kind in (WANT, GAVE, MAINTAINED):
                return False
        return True

    def end(self, pcpu: int) -> None:
        self.courier.ended(pcpu)
        self.call(pcpu)


@pytest.fixture
def node() -> Iterator[Node]:
    made = Node()
    try:
        yield made
    finally:
        made.close()


def test_who_was_killed_in_its_guest_keeps_no_page(node: Node) -> None:
    node.have(5)
    node.slot(ME, IN_GUEST, 1)
    node.lane(ME, WANTS, WANTS_NOTHING)
    node.page(RECALL, 5, NONE)
    assert node.silent()
    node.end(ME)
    assert node.hear_page() == (GAVE, 5, NONE)


def test_who_was_killed_before_it_used_what_it_was_granted_keeps_no_page(node: Node) -> None:
    node.have(5)
    node.page(RECALL, 5, NONE)
    assert node.silent()
    node.end(ME)
    assert node.hear_page() == (GAVE, 5, NONE)


def test_what_was_wanted_by_who_was_killed_goes_when_it_comes(node: Node) -> None:
    node.lane(ME, LANE_PAGE, 5)
    node.lane(ME, WANTS, WANTS_READ)
    node.slot(ME, IN_GUEST, 1)
    node.call(ME)
    assert node.hear_page() == (WANT, 5, READ)
    node.end(ME)
    node.page(GRANT, 5, READ, carries=True)
    node.page(RECALL, 5, NONE)
    assert node.hear_page() == (GAVE, 5, NONE)


def test_who_was_killed_with_the_lock_of_its_slot_keeps_no_page(node: Node) -> None:
    node.have(5)
    node.slot(ME, IN_GUEST, 1)
    node.slot(ME, LOCK, 1)
    node.lane(ME, WANTS, WANTS_NOTHING)
    node.page(RECALL, 5, NONE)
    assert node.silent()
    node.end(ME)
    assert node.hear_page() == (GAVE, 5, NONE)


def test_maintenance_of_who_was_killed_is_done(node: Node) -> None:
    node.slot(ME, IN_GUEST, 1)
    node.say(MAINTAIN, struct.pack("<Q4I", 7, ME, 1, 0, 0) + bytes(24 * 8))
    assert node.silent()
    node.end(ME)
    assert node.hear() == (MAINTAINED, struct.pack("<QII", 7, ME, 0))


def test_who_has_stopped_with_the_lock_of_its_slot_keeps_that_page_alone(node: Node) -> None:
    """Though it may be outside its guest: it goes in again, and has to be told before that."""
    node.have(5)
    node.lane(ME, WANTS, WANTS_NOTHING)
    node.slot(ME, LOCK, 1)
    node.page(RECALL, 5, NONE)
    assert node.silent()
    node.have(6, SIBLING)
    node.slot(ME, LOCK, 0)
    assert node.hear_page() == (GAVE, 5, NONE)
    assert node.recalls(ME) == 1


def test_who_has_stopped_in_the_uart_keeps_the_uart_alone(node: Node) -> None:
    node.lane(ME, LANE_PAGE, 0)
    node.lane(ME, LANE_PAGE + 4, UART)
    node.lane(ME, WANTS, 3)
    node.call(ME)
    assert node.hear_page() == (WANT, 0, WRITE)
    node.page(GRANT, 0, WRITE, segment=UART)
    while node.wants(ME) != WANTS_USE:
        os.sched_yield()
    node.lane(ME, WANTS, WANTS_NOTHING)
    struct.pack_into("=I", node.uart, 0, os.getppid())
    node.page(RECALL, 0, NONE, segment=UART)
    assert node.silent()
    node.have(6, SIBLING)
    struct.pack_into("=I", node.uart, 0, 0)
    assert node.hear_page() == (GAVE, 0, NONE)


@pytest.mark.parametrize("count", [64, 65, 1 << 20, 0xFFFFFFFF])
def test_what_a_process_writes_into_its_slot_is_no_place_to_write_to(node: Node, count: int) -> None:
    node.have(5)
    node.lane(ME, WANTS, WANTS_NOTHING)
    node.slot(ME, RECALL_COUNT, count)
    node.slot(ME, 40, count)  # pages of the TLB
    node.page(RECALL, 5, NONE)
    assert node.hear_page() == (GAVE, 5, NONE)
    node.say(MAINTAIN, struct.pack("<Q4I", 7, ME, 0, 2, 0) + bytes(24 * 8))
    assert node.hear()[0] == MAINTAINED
    assert node.recalls(ME) == count
    node.have(PAGES - 1)


def test_who_asks_for_maintenance_without_end_is_lost_before_memory_is(node: Node) -> None:
    """Of a process that stands amid its guest. What it is asked again and again is kept each time."""
    node.slot(ME, IN_GUEST, 1)
    asked = struct.pack("<Q4I", 7, ME, 1, 0, 0) + bytes(24 * 8)
    frames = (HEAD.pack(len(asked), MAINTAIN, ISLAND) + asked) * 1000
    begin = time.monotonic()
    with suppress(ConnectionError, TimeoutError):
        for _ in range(40):
            node.stream.sendall(frames)
    assert node.lost(wrong=MAINTAIN)
    assert time.monotonic() - begin < 10


# Anything


rights = st.integers(0, 3)
pages = packed(
    "<IHHHBB", small, st.sampled_from([RAM, RAM, UART, 2, 3]), st.sampled_from([0, 0, 0, 1]), small, rights, rights
)
octets = st.sampled_from([b"", b"\0", b"y" * PAGE, b"y" * 100, bytes(PAGE)]) | st.binary(max_size=40)
asked = st.tuples(packed("<QIIII", *[small] * 5), st.binary(min_size=192, max_size=192)).map(b"".join)
times = packed("<QQ", small, small).flatmap(lambda both: st.sampled_from([both, both[:8], both[:3]]))
bodies = {
    9: times,
    10: times,
    11: times,
    WANT: pages,
    GRANT: st.tuples(pages, octets).map(b"".join),
    RECALL: pages,
    GAVE: st.tuples(pages, octets).map(b"".join),
    MAINTAIN: asked,
    MAINTAINED: packed("<QII", small, small, small),
    18: st.tuples(packed("<HH", small, small), octets).map(b"".join),
    19: packed("<HHHH", *[small] * 4),
}
frames = st.sampled_from(list(bodies)).flatmap(lambda kind: st.tuples(st.just(kind), bodies[kind]))
sane = st.tuples(st.sampled_from([WANT, GRANT, RECALL, GAVE]), st.integers(0, 3), st.integers(0, 2), st.booleans()).map(
    lambda each: (each[0], PAGE_FRAME.pack(each[1], RAM, 0, 1, each[2], each[3]))
)
Step = tuple[int, bytes] | int


def withstands(here: int, steps: list[Step]) -> None:
    """Frames, and calls of processes here, whose lanes and slots say anything."""
    other = Node(here)
    try:
        begin = time.monotonic()
        with suppress(ConnectionError):
            for step in steps:
                if isinstance(step, int):
                    pcpu, wants, page = step % LANES, step >> 2 & 7, step >> 5 & 3
                    other.lane(pcpu, LANE_PAGE, page)
                    other.lane(pcpu, WANTS, wants)
                    other.slot(pcpu, IN_GUEST, step >> 7 & 1)
                    struct.pack_into("=H", other.entries, page * 16 + 14, step >> 8 & 0xFFFF)
                    other.call(pcpu)
                    if step >> 24 & 1:
                        other.courier.ended(pcpu)
                else:
                    other.stream.sendall(HEAD.pack(len(step[1]), step[0], ISLAND) + step[1])
            other.stream.shutdown(socket.SHUT_WR)
        assert other.lost()
        assert time.monotonic() - begin < 10
    finally:
        other.close()


anything = st.lists(sane | frames | st.integers(0, 2**25 - 1), max_size=25)


@given(st.integers(0, 1), anything)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_peer_and_processes_say_it_goes_on(here: int, steps: list[Step]) -> None:
    withstands(here, steps)


@pytest.mark.long
@pytest.mark.timeout(0)
@given(st.integers(0, 1), anything)
@settings(max_examples=20_000, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_peer_and_processes_say_for_long(here: int, steps: list[Step]) -> None:
    withstands(here, steps)
