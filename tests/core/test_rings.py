"""The rings themselves: a stream of bytes for each direction, whoever is killed, and a bell that is never missed."""

from __future__ import annotations

import mmap
import os
import random
import signal
import struct
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from baonet.core import _node
from baonet.memory.rings import RingMemory
from tests.examples import examples
from tests.wire.rings import CAPACITY, NEWS, Joined, forked, soon

HEAD, TAIL = 0, 64
"""Where a ring has the count of each end."""


class RingModel(RuleBasedStateMachine):
    """Two rings, of which each end sees what a queue of bytes would show."""

    def __init__(self) -> None:
        super().__init__()
        joined = Joined()
        self.ends = [joined.rings(pcpu) for pcpu in (0, 1)]
        self.queues: list[deque[int]] = [deque(), deque()]  # to each
        self.told = [False, False]
        self.starved = [False, False]
        self.count = 0

    @rule(sender=st.integers(0, 1), size=st.one_of(st.integers(0, 100), st.integers(0, 2 * CAPACITY)))
    def put(self, sender: int, size: int) -> None:
        data = bytes((self.count + place) % 251 for place in range(size))
        self.count += size
        room = CAPACITY - len(self.queues[1 - sender])
        done = self.ends[sender].put(1 - sender, data)
        assert done == min(size, room)
        self.queues[1 - sender].extend(data[:done])
        self.told[1 - sender] |= done > 0
        self.starved[sender] |= done < size

    @rule(receiver=st.integers(0, 1))
    def get(self, receiver: int) -> None:
        assert self.ends[receiver].get(1 - receiver) == bytes(self.queues[receiver])
        if self.queues[receiver]:
            assert self.ends[1 - receiver].called() == self.starved[1 - receiver]
            self.starved[1 - receiver] = False
        self.queues[receiver].clear()

    @rule(receiver=st.integers(0, 1))
    def news(self, receiver: int) -> None:
        assert self.ends[receiver].news() == ([1 - receiver] if self.told[receiver] else [])
        self.told[receiver] = False

    @invariant()
    def who_has_something_does_not_sleep(self) -> None:
        for end, told in zip(self.ends, self.told, strict=True):
            if told:
                assert end.sleep(60)


RingModel.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=40, deadline=None)
TestRingModel = RingModel.TestCase


def test_two_processes_pass_a_stream_through_a_small_ring_both_ways() -> None:
    joined, size = Joined(), 1 << 18
    streams = [random.Random(seed).randbytes(size) for seed in (0, 1)]

    def pump(me: int) -> bool:
        rings, left, came, lengths = joined.rings(me), streams[me], bytearray(), random.Random(me)
        while left or len(came) < size:
            chunk = left[: lengths.choice((1, 7, 60, 5000))]
            left = left[rings.put(1 - me, chunk) :]
            came += rings.get(1 - me) or b""
            if not rings.called() and not rings.news() and not chunk and len(came) < size:
                assert rings.sleep(30), "a wake was lost"
        return came == streams[1 - me]

    verdict = mmap.mmap(-1, 1)
    with forked(lambda: verdict.write_byte(pump(1))):
        assert pump(0)
        deadline = time.monotonic() + 30
        while not verdict[0] and time.monotonic() < deadline:
            time.sleep(0.001)
    assert verdict[0]


def test_no_wake_is_lost_between_two_that_answer_each_other() -> None:
    joined, rounds = Joined(), 3000

    def answer() -> None:
        rings = joined.rings(1)
        while True:
            while not rings.news():
                rings.sleep(60)
            rings.put(0, rings.get(0) or b"")

    with forked(answer):
        rings = joined.rings(0)
        for number in range(rounds):
            rings.put(1, struct.pack("<I", number))
            while not rings.news():
                assert rings.sleep(30), "a wake was lost"
            assert rings.get(1) == struct.pack("<I", number)


@contextmanager
def answered() -> Iterator[Iterator[tuple[int, int]]]:
    """Somebody on another core answers after 20 us: answers so far, and how many of these had to wake who has asked."""
    joined, cores = Joined(), sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("who answers needs another core")

    def answer() -> None:
        os.sched_setaffinity(0, cores[1:])
        rings = joined.rings(1)
        while True:
            while not rings.news():
                rings.sleep(60)
            asked = time.perf_counter()
            while time.perf_counter() - asked < 20e-6:
                pass
            rings.put(0, rings.get(0) or b"")

    def ask() -> Iterator[tuple[int, int]]:
        rings = joined.rings(0)
        while True:
            rings.put(1, b"x")
            while not rings.news():
                rings.sleep(30)
            rings.get(1)
            count, by, woken = _node.rung(joined.slots, 0)
            assert by == 1
            yield count, woken

    with forked(answer):
        os.sched_setaffinity(0, cores[:1])
        try:
            yield ask()
        finally:
            os.sched_setaffinity(0, cores)


def test_who_is_to_sleep_stays_awake_for_an_answer_that_comes_soon() -> None:
    deadline = time.monotonic() + 30
    with answered() as answers:
        assert any(woken < count for count, woken in answers if woken < count or time.monotonic() > deadline)


def compute() -> None:
    while True:
        pass


def test_on_a_core_that_others_want_it_sleeps_at_once() -> None:
    """Most of the time: now and then it looks whether they still do."""
    shares = []
    with answered() as answers, forked(compute):  # on its core
        for _ in range(40):
            end, before = time.monotonic() + 0.1, next(answers)
            now = next(each for each in answers if time.monotonic() > end)
            shares.append((now[1] - before[1]) / (now[0] - before[0]))
            if shares[-1] > 0.4:
                break
    assert shares[-1] > 0.4, "it stays awake, and others run in place of it"


def test_what_it_stays_awake_is_of_its_sleep() -> None:
    limit, late = 0.000_06, []
    for _ in range(20):
        rings = Joined().rings(0)  # it stays awake, as it has not done so in vain
        begin = time.perf_counter()
        assert not rings.sleep(limit)
        late.append(time.perf_counter() - begin - limit)
    rested = []
    for _ in range(20):
        begin = time.perf_counter()
        assert not rings.sleep(limit)
        rested.append(time.perf_counter() - begin - limit)
    assert 0 <= min(late) < min(rested) + 30e-6


def test_where_no_answer_comes_it_sleeps_at_once() -> None:
    rings, sleeps = Joined().rings(0), 300
    before = time.process_time()
    for _ in range(sleeps):
        assert not rings.sleep(0.0001)
    assert time.process_time() - before < sleeps * 30e-6, "it stays awake 50 us each time"


def test_a_sender_that_is_killed_at_any_point_leaves_what_it_put_in_and_the_others_go_on() -> None:
    """Three that write without end: one dies; of it comes a beginning of its stream, of the others all."""
    step = 12
    for seed in range(12):
        joined = Joined(4)

        def write(me: int, joined: Joined = joined) -> None:
            rings, number, rest = joined.rings(me), 0, b""
            while True:
                if not rest:
                    rest, number = struct.pack("<III", me, number, number), number + 1
                done = rings.put(3, rest)
                rest = rest[done:]
                if rest:
                    rings.sleep(1)
                    rings.called()

        came = {me: bytearray() for me in range(3)}
        rings = joined.rings(3)

        def read(
            bytes_: int, who: tuple[int, ...], rings: _node.Rings = rings, came: dict[int, bytearray] = came
        ) -> None:
            until = {me: len(came[me]) + bytes_ for me in who}
            while any(len(came[me]) < until[me] for me in who):
                for me in rings.news():
                    came[me] += rings.get(me) or b""
                assert rings.sleep(30)

        with forked(lambda: write(0)), forked(lambda: write(1)), forked(lambda: write(2)) as victim:
            read(random.Random(seed).randrange(1, 3000), (2,))
            os.kill(victim, signal.SIGKILL)
            os.waitid(os.P_PID, victim, os.WEXITED | os.WNOWAIT)
            joined.lost[2] = 1
            assert rings.lost() == [2]
            read(20_000, (0, 1))
            came[2] += rings.get(2) or b""
        for me, data in came.items():
            whole = len(data) // step
            expected = b"".join(struct.pack("<III", me, number, number) for number in range(whole + 1))
            assert bytes(data) == expected[: len(data)]


def test_room_in_a_full_ring_wakes_who_waits_for_it() -> None:
    joined = Joined()
    rings = joined.rings(0)
    assert rings.put(1, bytes(CAPACITY + 5)) == CAPACITY
    assert not rings.sleep(0.001)

    def take() -> None:
        joined.rings(1).get(0)

    with forked(take):
        assert rings.sleep(30)
    assert rings.called()
    assert rings.put(1, bytes(5)) == 5


def test_a_call_ends_a_sleep_or_the_next_one() -> None:
    joined = Joined()
    rings = joined.rings(0)
    _node.call(joined.slots, 0)
    assert rings.sleep(60)
    assert rings.sleep(60), "until it is answered"
    assert rings.called()
    assert not rings.called()
    with forked(soon(lambda: _node.call(joined.slots, 0))):
        assert rings.sleep(30)


def test_a_sleep_that_nobody_ends_is_as_long_as_it_is_to_be() -> None:
    rings = Joined().rings(0)
    late = []
    with forked(lambda: None):
        for _ in range(20):
            began = time.perf_counter()
            assert not rings.sleep(0.0003)
            late.append(time.perf_counter() - began - 0.0003)
    assert 0 <= min(late) < 0.0005


def test_a_signal_ends_a_sleep_when_its_handler_has_run() -> None:
    rings, came, me = Joined().rings(0), [], os.getpid()
    before = signal.signal(signal.SIGUSR1, lambda number, frame: came.append(number))
    try:
        with forked(soon(lambda: os.kill(me, signal.SIGUSR1))):
            while not came:
                rings.sleep(30)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_who_lets_go_is_told_apart_from_who_is_silent() -> None:
    joined = Joined(3)
    one, other, third = (joined.rings(pcpu) for pcpu in range(3))
    one.put(1, b"last")
    one.end(1)
    with pytest.raises(IndexError, match="no ring to pcpu 1"):
        one.put(1, b"more")
    assert other.news() == [0]
    assert (other.get(0), other.get(0)) == (b"last", None)
    assert other.put(0, b"x") == -1, "nobody takes it"
    assert (other.get(2), third.get(0), third.news()) == (b"", b"", [])


def test_nonsense_that_a_peer_writes_is_found() -> None:
    """It has the page mapped: the count of the other end is what a stranger says."""
    joined = Joined()
    rings, (come, at, go, to) = joined.rings(0), joined._memory.ends(0).rings[1]
    come[at + HEAD : at + HEAD + 8] = struct.pack("<Q", CAPACITY + 1)
    with pytest.raises(ValueError, match="the ring of pcpu 1 has a count that cannot be"):
        rings.get(1)
    assert rings.put(1, b"abc") == 3
    go[to + TAIL : to + TAIL + 8] = struct.pack("<Q", 4)
    assert rings.put(1, b"d") == -1
    joined.slots[NEWS : NEWS + 512] = b"\xff" * 512
    assert rings.news() == [1], "the others have no ring to here"


@pytest.mark.parametrize("wrong", ["slots", "lost", "index", "readonly", "ring"])
def test_memory_that_does_not_fit_is_refused(wrong: str) -> None:
    slots = bytes(2 * _node.SLOT_SIZE) if wrong == "readonly" else bytearray((wrong != "slots") * 2 * _node.SLOT_SIZE)
    lost = bytes(5000 if wrong == "lost" else 2)

    def make() -> None:
        made = _node.Rings(slots, 2 if wrong == "index" else 0, lost)
        made.join(1, bytearray(_node.RING_SIZE), 1, bytearray(_node.RING_SIZE), 0)

    with pytest.raises(TypeError if wrong == "readonly" else IndexError):
        make()


def test_a_ring_is_in_the_memory_of_its_two_ends_and_of_their_vms_alone() -> None:
    groups, peers = [(0, 2), (1,), (3,)], {0: {1, 2}, 2: {0, 1}, 1: {0, 2, 3}, 3: {1}}
    memory = RingMemory(groups, peers, _node.RING_SIZE)
    found = {pcpu: memory.ends(pcpu) for pcpu in peers}
    for pcpu, ends in found.items():
        assert ends.rings.keys() == peers[pcpu]
        for peer, (_, _, go, to) in ends.rings.items():
            assert not any(go[to : to + _node.RING_SIZE]), "nobody else's"
            go[to : to + 2] = bytes((pcpu + 1, peer + 1))
    for pcpu, ends in found.items():
        for peer, (come, at, _, _) in ends.rings.items():
            assert come[at : at + 2] == bytes((peer + 1, pcpu + 1))
    sizes = {
        pcpu: sum(map(len, {id(each): each for come, _, go, _ in ends.rings.values() for each in (come, go)}.values()))
        for pcpu, ends in found.items()
    }
    assert {pcpu: size // _node.RING_SIZE for pcpu, size in sizes.items()} == {0: 7, 2: 7, 1: 7, 3: 3}
    with pytest.raises(TypeError):
        found[0].lost[0] = 1
    memory.close()
