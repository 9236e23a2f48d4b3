"""What the peer of a courier can say costs its stream, and neither memory nor time nor another's pages."""

from __future__ import annotations

import array
import mmap
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.core import _node
from tests.core.frames import FRAMES
from tests.patience import ANSWER

LANES, PAGES, ISLAND = 4, 64, 7
RAM, UART, NONE = 0, 1, 2
"""Segments; of the last nothing is here."""
LOG, ORDER, CAME, GET, PAGES_COME, SAYS, ENDED, BEAT, TOOK, TIME, TIME_ASKED, TIME_TOLD = (
    FRAMES[kind]
    for kind in ("LOG", "ORDER", "CAME", "GET", "PAGES", "SAYS", "ENDED", "BEAT", "TOOK", "TIME", "ASK", "TELL")
)
HEAD = struct.Struct("<IHH")
ASK = struct.Struct("<IHH")
NO_FRAME = 0xFFFF
PAGE = 4096
WINDOW = 1 << 18
"""Bytes of a process that the other node's has not taken."""


class Peer:
    """A courier of node ``here``, and all that it has; this is its peer, node ``1 - here``. Node 0 conducts.

    ``begins``: or whoever made it lets the courier begin. ``free``: under the host's clock.
    """

    def __init__(self, here: int, *, begins: bool = True, free: bool = False) -> None:
        self.here = here
        self.bell, self.caller = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self.told, told = os.pipe2(os.O_NONBLOCK)
        ours, theirs = socket.socketpair()
        relayed, self.process = socket.socketpair()
        relayed.setblocking(False)
        self.stream = theirs
        self.stream.settimeout(ANSWER)
        self._writing = told
        self.courier = courier = _node.Courier(here, self.bell.fileno(), told, 3600.0)
        courier.peer(1 - here)
        nodes = array.array("H", [0, 0, 1, 1])
        places = array.array("H", [each if nodes[each] == here else 0xFFFF for each in range(LANES)])
        self.ledger = ledger = mmap.mmap(-1, _node.LEDGER_SIZE + LANES * _node.LANE_SIZE)
        self.slots = slots = mmap.mmap(-1, LANES * _node.SLOT_SIZE)
        epoch = time.monotonic_ns() if free else None
        courier.island(ISLAND, LANES, 0, ledger, slots, nodes, places, 3, self.caller.fileno(), epoch)
        self.entries, self.data = bytearray(PAGES * 16), bytearray(os.urandom(PAGE) * PAGES)
        self.uart = bytearray(_node.UART_STATE_SIZE + 2 * PAGE)
        courier.table(ISLAND, RAM, PAGES, self.entries, self.data, False)
        courier.table(ISLAND, UART, 1, bytearray(16), self.uart, True)
        courier.relay(ISLAND, 2, 1 - here, relayed.detach())
        courier.connect(1 - here, _node.Link(ours.detach()))
        if begins:
            courier.begin()

    def say(self, kind: int, body: bytes, island: int = ISLAND, length: int | None = None) -> None:
        self.stream.sendall(HEAD.pack(len(body) if length is None else length, kind, island) + body)

    def hear(self) -> tuple[int, bytes]:
        """What it says next, beside that it lives, and of the time."""
        while True:
            length, kind, island = HEAD.unpack(self._exactly(HEAD.size))
            body = self._exactly(length)
            if kind not in (BEAT, TIME, TIME_ASKED, TIME_TOLD):
                assert island == ISLAND
                return kind, body

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.stream.recv(size - len(data))
            assert more
            data += more
        return data

    def lost(self, seconds: float = ANSWER, *, wrong: int | None = None) -> bool:
        """Whether it tells that, and of whom; and that such a frame was ``wrong``."""
        if not select.select([self.told], [], [], seconds)[0]:
            return False
        node, kind = struct.unpack("=HH", os.read(self.told, 64))
        return node == 1 - self.here and wrong in (None, kind)

    def close(self) -> None:
        self.courier.close(self.caller.fileno())
        for each in (self.bell, self.caller, self.stream, self.process):
            each.close()
        os.close(self.told)
        os.close(self._writing)


@contextmanager
def peer(here: int = 0) -> Iterator[Peer]:
    made = Peer(here)
    try:
        yield made
    finally:
        made.close()


def test_a_page_is_given_to_who_asks() -> None:
    """Or what follows would mean nothing."""
    with peer() as other:
        other.say(GET, ASK.pack(5, RAM, 1))
        kind, body = other.hear()
        assert (kind, ASK.unpack(body[:8])) == (PAGES_COME, (5, RAM, 1))
        assert body[8:] == other.data[5 * PAGE : 6 * PAGE]
        other.stream.close()
        assert other.lost(wrong=NO_FRAME)


WRONG = {
    "no such kind": (99, b""),
    "no such page": (GET, ASK.pack(PAGES, RAM, 1)),
    "the last page and one more": (GET, ASK.pack(PAGES - 1, RAM, 2)),
    "no pages": (GET, ASK.pack(0, RAM, 0)),
    "very many pages": (GET, ASK.pack(0, RAM, 0xFFFF)),
    "no such segment": (GET, ASK.pack(0, 3, 1)),
    "a segment that is not here": (GET, ASK.pack(0, NONE, 1)),
    "half a question": (GET, b"\0" * 7),
    "pages that nobody asked for": (PAGES_COME, ASK.pack(0, RAM, 1) + b"x" * PAGE),
    "an outcome of a core that does not run": (CAME, struct.pack("<QIi4BI", 1, 2, 0, 0, 0, 0, 0, 0)),
    "an outcome of a core of ours": (CAME, struct.pack("<QIi4BI", 1, 0, 0, 0, 0, 0, 0, 0)),
    "an order to who conducts": (ORDER, struct.pack("<QQI4B", 1, 1, 0, 0, 0, 0, 0)),
    "a journal that is not whole": (LOG, struct.pack("<4I", 5, 0, 0, 0)),
    "a journal of billions": (LOG, struct.pack("<4I", 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)),
    "a page that one of ours has taken": (LOG, struct.pack("<4IQI4HI", 1, 0, 0, 0, 0, 1, RAM, 1, 1, 1, 0)),
    "a taker that is no pcpu": (LOG, struct.pack("<4IQI4HI", 1, 0, 0, 0, 0, 1, RAM, 9, 9, 1, 0)),
    "the time of a pcpu of ours": (LOG, struct.pack("<4IQII", 0, 1, 0, 0, 5, 0, 0)),
    "maintenance of no pcpu": (LOG, struct.pack("<4IQ4I", 0, 0, 1, 0, 0, 9, 1, 0, 0) + bytes(24 * 8)),
    "maintenance of very many pages": (LOG, struct.pack("<4IQ4I", 0, 0, 1, 0, 0, 0, 1, 25, 0) + bytes(24 * 8)),
    "words of a process that is not here": (SAYS, struct.pack("<I", 3) + b"hello"),
    "no words": (SAYS, b"\0"),
    "more words than were asked for": (SAYS, struct.pack("<I", 2) + bytes(WINDOW + 1)),
    "words that were never said have been taken": (TOOK, struct.pack("<II", 2, 1)),
    "a process that is not here has taken some": (TOOK, struct.pack("<II", 3, 0)),
}


@pytest.mark.parametrize(("kind", "body"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_costs_the_stream(kind: int, body: bytes) -> None:
    with peer() as other:
        before = bytes(other.data)
        other.say(kind, body)
        assert other.lost(wrong=kind)
        assert other.data == before


@pytest.mark.parametrize("island", [0, 0xFFFF])
def test_an_island_that_is_not_here_costs_the_stream(island: int) -> None:
    with peer() as other:
        other.say(GET, ASK.pack(0, RAM, 1), island)
        assert other.lost()


def test_a_frame_that_is_too_long_is_not_waited_for() -> None:
    with peer() as other:
        other.say(GET, b"", length=(1 << 20) + 1)
        assert other.lost(wrong=GET)


def test_a_core_is_ordered_once() -> None:
    order = struct.pack("<QQI4B", 1000, 2**64 - 1, 2, 1, 0, 0, 0)
    with peer(here=1) as other:
        other.say(ORDER, order)
        other.say(ORDER, order)
        assert other.lost()
    with peer(here=1) as other:
        other.say(ORDER, struct.pack("<QQI4B", 1000, 2**64 - 1, 1, 1, 0, 0, 0))  # that one is elsewhere
        assert other.lost()


def test_a_frame_that_comes_by_and_by_keeps_nobody() -> None:
    """Another frame could not come before it; but the courier goes on, and knows when the stream has ended."""
    with peer() as other:
        whole = HEAD.pack(ASK.size, GET, ISLAND) + ASK.pack(5, RAM, 1)
        for octet in whole:
            other.stream.sendall(bytes([octet]))
        assert other.hear()[0] == PAGES_COME
        other.stream.sendall(whole[:3])
        assert other.courier.statistics()["given"] == 1
        other.stream.shutdown(socket.SHUT_WR)
        assert other.lost()


def test_who_asks_and_does_not_take_is_lost_before_memory_is() -> None:
    """Each question of 16 bytes has an answer of 128 KiB."""
    with peer() as other:
        question = HEAD.pack(ASK.size, GET, ISLAND) + ASK.pack(0, RAM, 32)
        with suppress(ConnectionError, TimeoutError):
            for _ in range(100):
                other.stream.sendall(question * 64)
        assert other.lost()
        assert other.courier.statistics()["given"] < 32 * 64 * 100


def test_who_has_a_process_flooded_is_lost_before_memory_is() -> None:
    """The process takes nothing: no more is kept than the other node may be ahead, and its socket has room for."""
    words = struct.pack("<I", 2) + bytes(PAGE)
    with peer() as other:
        room = other.process.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        with suppress(ConnectionError, TimeoutError):
            for _ in range(2 * (WINDOW + room) // PAGE):
                other.say(SAYS, words)
        assert other.lost()


def test_what_a_process_says_waits_for_the_one_that_it_is_for() -> None:
    """And comes whole, when that takes it."""
    said = os.urandom(5 * WINDOW)
    with peer() as other, ThreadPoolExecutor(1) as speaker:
        speaking = speaker.submit(other.process.sendall, said)
        heard, ahead = b"", 0
        while len(heard) < len(said):
            while ahead < min(WINDOW, len(said) - len(heard) + ahead):
                kind, body = other.hear()
                assert (kind, body[:4]) == (SAYS, struct.pack("<I", 2))
                heard += body[4:]
                ahead += len(body) - 4
            assert ahead <= WINDOW
            assert not select.select([other.stream], [], [], 0.05)[0]
            other.say(TOOK, struct.pack("<II", 2, ahead))
            ahead = 0
        assert heard == said
        speaking.result(20)


def test_a_node_is_told_what_a_process_has_taken() -> None:
    """So who goes by that can say as much as he likes to one that is slow."""
    said = os.urandom(5 * WINDOW)
    with peer() as other:
        got, sent, ahead = b"", 0, 0
        while sent < len(said):
            piece = said[sent : sent + min(PAGE, WINDOW - ahead)]
            if piece:
                other.say(SAYS, struct.pack("<I", 2) + piece)
                sent, ahead = sent + len(piece), ahead + len(piece)
                continue
            ready: list[socket.socket] = []
            while other.stream not in ready:
                ready = select.select([other.stream, other.process], [], [], ANSWER)[0]
                assert ready
                if other.process in ready:
                    got += other.process.recv(10_000)
            kind, body = other.hear()
            assert kind == TOOK
            ahead -= struct.unpack("<II", body)[1]
        other.process.settimeout(ANSWER)
        while len(got) < len(said):
            got += other.process.recv(1 << 20)
        assert got == said


def test_who_has_gone_keeps_nobody_that_speaks_to_it() -> None:
    with peer() as other:
        other.process.close()
        assert other.hear() == (ENDED, struct.pack("<I", 2))
        other.say(SAYS, struct.pack("<I", 2) + bytes(WINDOW // 2))
        assert other.hear() == (TOOK, struct.pack("<II", 2, WINDOW // 2))


def test_the_last_words_of_a_process_wait_as_the_others_do() -> None:
    """It has ended, and takes nothing any more; that costs the courier no time until they are asked for."""
    with peer() as other, ThreadPoolExecutor(1) as speaker:
        speaking = speaker.submit(other.process.sendall, bytes(WINDOW) + b"last words")
        ahead = 0
        while ahead < WINDOW:
            ahead += len(other.hear()[1]) - 4
        speaking.result(20)
        other.process.close()
        other.say(SAYS, struct.pack("<I", 2) + bytes(WINDOW // 2))
        assert other.hear() == (TOOK, struct.pack("<II", 2, WINDOW // 2))
        before = time.process_time()
        assert not select.select([other.stream], [], [], 0.2)[0]
        assert time.process_time() - before < 0.1
        other.say(TOOK, struct.pack("<II", 2, WINDOW))
        assert other.hear() == (SAYS, struct.pack("<I", 2) + b"last words")
        assert other.hear() == (ENDED, struct.pack("<I", 2))


def test_pages_that_are_here_are_not_overwritten() -> None:
    """One was asked for: others come with it that nobody wanted, and one of them is ours."""
    taken = struct.pack("<4IQI4HI", 1, 0, 0, 0, 0, 3, RAM, 3, 3, 1, 0)  # its pcpu 2 takes page 3
    with peer() as other:
        before = bytes(other.data)
        other.say(LOG, taken)
        other.say(GET, ASK.pack(3, RAM, 1))  # and asks us for it, so we ask it
        assert other.hear() == (GET, ASK.pack(3, RAM, 1))
        other.say(PAGES_COME, ASK.pack(3, RAM, 2) + b"x" * 2 * PAGE)
        kind, body = other.hear()
        assert (kind, body[8:]) == (PAGES_COME, b"x" * PAGE)
        assert other.data[4 * PAGE :] == before[4 * PAGE :]


def test_questions_that_nobody_answers_are_not_kept_for_ever() -> None:
    taken = struct.pack("<4IQI4HI", 1, 0, 0, 0, 0, 3, RAM, 3, 3, 1, 0)
    with peer() as other:
        other.say(LOG, taken)
        for _ in range(LANES + 1):
            other.say(GET, ASK.pack(3, RAM, 1))
        assert other.lost()


def test_a_process_of_guests_neither_ends_the_courier_nor_garbles_the_calls_of_others() -> None:
    """It has the socket of calls as all have. Numbers of no pcpu, half a number, and several at once."""
    with peer() as other:
        for call in (b"\xfe\xff", b"\xff\xff", b"\x01", b"\x00\x01\x02\x03\x04", b"\x09\x00"):
            other.caller.send(call)
        other.say(GET, ASK.pack(5, RAM, 1))
        assert other.hear()[0] == PAGES_COME


# Anything


small = st.integers(0, 5) | st.sampled_from([PAGES - 1, PAGES, 0xFFFF, 0xFFFFFFFF, 2**63])


def packed(form: str, *fields: st.SearchStrategy[int]) -> st.SearchStrategy[bytes]:
    """Fields that fit are themselves, others are cut."""
    struct_ = struct.Struct(form)
    sizes = [struct.calcsize("<" + code) for code in form[1:].replace("4B", "BBBB").replace("4H", "HHHH")]

    def pack(values: tuple[int, ...]) -> bytes:
        return struct_.pack(*(value % (1 << 8 * size) for value, size in zip(values, sizes, strict=True)))

    return st.tuples(*fields).map(pack)


asks = packed("<IHH", small, small, small)
orders = packed("<QQI4B", *[small] * 7)
outcomes = packed("<QIIBBBBI", *[small] * 8)
entries = packed("<QIHHHHI", *[small] * 7)
times = packed("<QII", *[small] * 3)
jobs = st.tuples(packed("<IIII", *[small] * 4), st.binary(min_size=192, max_size=192)).map(b"".join)


@st.composite
def journals(draw: st.DrawFn) -> bytes:
    parts = [draw(st.lists(each, max_size=3)) for each in (entries, times, jobs)]
    counts = struct.pack("<4I", *map(len, parts), 0)
    return counts + b"".join(b"".join(each) for each in parts)


bodies = {
    LOG: journals(),
    ORDER: orders,
    CAME: outcomes,
    GET: asks,
    PAGES_COME: st.tuples(asks, st.sampled_from([b"", b"y" * PAGE, b"y" * 2 * PAGE, b"y" * 100])).map(b"".join),
    SAYS: st.tuples(packed("<I", small), st.binary(max_size=50)).map(b"".join),
    ENDED: packed("<I", small),
    TOOK: packed("<II", small, small),
}
good = st.sampled_from(list(bodies)).flatmap(lambda kind: st.tuples(st.just(kind), bodies[kind]))
bad = st.tuples(st.integers(0, 9), st.binary(max_size=300))


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Frames, of which some are cut, longer or damaged."""
    stream = bytearray()
    for kind, body in draw(st.lists(good | bad, max_size=12)):
        stream += HEAD.pack(len(body), kind, ISLAND) + body
    for at, value in draw(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=3)):
        if at < len(stream):
            stream[at] = value
    return bytes(stream)


def withstands(here: int, stream: bytes) -> None:
    with peer(here) as other:
        begin = time.monotonic()
        with suppress(ConnectionError):
            other.stream.sendall(stream)
            other.stream.shutdown(socket.SHUT_WR)
        assert other.lost()
        assert time.monotonic() - begin < 10
        assert other.courier.statistics()["brought"] <= 32


@given(st.integers(0, 1), streams())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_peer_says_it_is_lost_and_nothing_else(here: int, stream: bytes) -> None:
    withstands(here, stream)


@pytest.mark.slow
@given(st.integers(0, 1), streams())
@settings(max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_peer_says_for_a_while(here: int, stream: bytes) -> None:
    withstands(here, stream)


@pytest.mark.long
@pytest.mark.timeout(0)
@given(st.integers(0, 1), streams())
@settings(max_examples=20_000, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_peer_says_for_long(here: int, stream: bytes) -> None:
    withstands(here, stream)
