"""Under the host's clock an island on several nodes has one time, that of its home, and no guest sees it go back."""

from __future__ import annotations

import array
import itertools
import mmap
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

import pytest

from baonet.core import _node
from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import FREQUENCY, RAM, SIZE, Memory, address
from tests.core.frames import FRAMES
from tests.core.guests_code import CODE
from tests.core.virtual import HVC, ISB, read
from tests.patience import ANSWER

HEAD, TIME, ASKED = struct.Struct("<IHH"), struct.Struct("<Q"), struct.Struct("<QQ")
SAYS, BEAT, TOLD, ASK, TELL = FRAMES["SAYS"], FRAMES["BEAT"], FRAMES["TIME"], FRAMES["ASK"], FRAMES["TELL"]
LANES, ISLAND = 3, 7
MILLISECOND = 1_000_000
LIMIT = 3600.0
CNTVCT = (3, 3, 14, 0, 2)
EXACT = 200 * 1000
"""Nanoseconds in which something is read that is told here."""


class Node:
    """The courier of a node, whose cores have pcpus 1 and 2 unless it is home, with the stream to its peer."""

    def __init__(self, here: int, epoch: int, ours: socket.socket, limit: float = LIMIT) -> None:
        self.epoch = epoch
        self.ledger = mmap.mmap(-1, _node.LEDGER_SIZE + LANES * _node.LANE_SIZE)
        self.memory = Memory(LANES)
        self.bell, self.caller = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self.told, self._telling = os.pipe2(os.O_NONBLOCK)
        self.courier = courier = _node.Courier(here, self.bell.fileno(), self._telling, limit)
        courier.peer(1 - here)
        nodes = array.array("H", [0, 1, 1])
        places = array.array("H", [each if nodes[each] == here else 0xFFFF for each in range(LANES)])
        caller = self.caller.fileno()
        courier.island(ISLAND, LANES, 0, self.ledger, self.memory.slots, nodes, places, 1, caller, epoch)
        relayed, self.process = socket.socketpair()
        relayed.setblocking(False)
        courier.relay(ISLAND, 2, 1 - here, relayed.detach())
        courier.connect(1 - here, _node.Link(ours.detach()))
        courier.begin()

    def clock(self) -> int:
        """Of this node alone."""
        return time.monotonic_ns() - self.epoch

    def core(self, index: int = 1) -> native.Core:
        made = native.Core(
            model=3,
            midr=0x410F_D034,
            mpidr=index,
            frequency=FREQUENCY,
            epoch=self.epoch,
            gic_version=3,
            list_registers=4,
            timers=(27, 30),
            slots=self.memory.slots,
            index=index,
            siblings=(3 - index,),
            code_map=self.memory.code_map,
            translations=self.memory.translations,
            ledger=self.ledger,
        )
        made.map_ram(RAM, SIZE, self.memory.ram, 0)
        made.reset(RAM, 0)
        return made

    def lost(self, seconds: float = ANSWER) -> bool:
        return bool(select.select([self.told], [], [], seconds)[0])

    def close(self) -> None:
        self.courier.close(self.caller.fileno())
        for each in (self.bell, self.caller, self.process):
            each.close()
        os.close(self.told)
        os.close(self._telling)


class Home:
    """What a node has for its home: it tells what time it is there, ``ahead`` of the node's own."""

    def __init__(self, epoch: int, stream: socket.socket, ahead: int) -> None:
        self.epoch, self.ahead, self.rate, self.answers = epoch, ahead, 0.0, 0
        self._stream = stream
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def say(self, kind: int, body: bytes) -> None:
        self._stream.sendall(HEAD.pack(len(body), kind, ISLAND) + body)

    def clock(self) -> int:
        own = time.monotonic_ns() - self.epoch
        return own + self.ahead + int(own * self.rate)

    def set(self, ahead: int) -> None:
        """Returns when the node has asked again, and has made of it what it does before it asks."""
        self.ahead = ahead
        self.answered(self.answers + 2)

    def answered(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: self.answers >= count, 20)

    def _live(self) -> None:
        with suppress(ConnectionError):  # its test is over
            self._answer(self._stream.makefile("rb"))

    def _answer(self, file: IO[bytes]) -> None:
        while len(head := file.read(HEAD.size)) == HEAD.size:
            length, kind, _ = HEAD.unpack(head)
            body = file.read(length)
            if kind == ASK:
                with self._more:
                    self.say(TELL, body + TIME.pack(self.clock()))
                    self.answers += 1
                    self._more.notify_all()

    def close(self) -> None:
        self._stream.shutdown(socket.SHUT_RDWR)
        self._thread.join(20)
        self._stream.close()


@contextmanager
def away(ahead: int = 0, limit: float = LIMIT) -> Iterator[tuple[Node, Home]]:
    """A node that knows its home's time."""
    epoch = time.monotonic_ns()
    ours, theirs = socket.socketpair()
    with ExitStack() as stack:
        home = Home(epoch, theirs, ahead)
        stack.callback(home.close)
        node = Node(1, epoch, ours, limit)
        stack.callback(node.close)
        home.answered(9)
        assert node.courier.synchronised()
        yield node, home


def counter(core: native.Core) -> int:
    """Nanoseconds, to the tick."""
    core.pc = RAM
    while (reason := core.run(1000)) != Exit.HVC:
        assert reason in (Exit.BUDGET, Exit.KICKED, Exit.INTERRUPT)
    return core.x[0] * 10**9 // FREQUENCY


def load(node: Node, *code: int) -> None:
    node.memory.load(RAM, b"".join(word.to_bytes(4, "little") for word in code))


def eventually(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end


# What time it is


@pytest.mark.parametrize("ahead", [0, 5_000_000_000, -5_000_000_000])
def test_two_couriers_agree_what_time_it_is(ahead: int) -> None:
    """Their nodes have begun at different moments."""
    epoch = time.monotonic_ns() - 10**10
    one, other = socket.socketpair()
    with ExitStack() as stack:
        home = Node(0, epoch - ahead, one)
        stack.callback(home.close)
        assert home.courier.synchronised()
        node = Node(1, epoch, other)
        stack.callback(node.close)
        eventually(node.courier.synchronised)
        ((island, offset, drift, error),) = node.courier.clocks()
        assert island == ISLAND
        assert abs(offset - ahead) <= error < 10 * MILLISECOND
        assert abs(drift) <= 1_001_000
        assert home.courier.clocks() == []


def test_a_core_shows_the_time_at_home() -> None:
    with away(ahead=7_000_000_000) as (node, home):
        core = node.core()
        load(node, read(CNTVCT, 0), HVC)
        before = home.clock()
        shown = counter(core)
        error = node.courier.clocks()[0][3]
        assert before - error - 16 <= shown <= home.clock() + error


def test_whoever_is_told_anything_is_told_the_time_before_it() -> None:
    epoch = time.monotonic_ns()
    ours, theirs = socket.socketpair()
    with ExitStack() as stack:
        node = Node(0, epoch, ours)
        stack.callback(node.close)
        stack.callback(theirs.close)
        before = node.clock()
        node.process.sendall(b"hello")
        kinds, file = [], stack.enter_context(theirs.makefile("rb"))
        while SAYS not in kinds:
            length, kind, _ = HEAD.unpack(file.read(HEAD.size))
            body = file.read(length)
            if kind != BEAT:
                kinds.append(kind)
            if kind == TOLD:
                assert before <= TIME.unpack(body)[0] <= node.clock()
        assert kinds == [TOLD, SAYS]


def test_in_virtual_time_nobody_asks_and_all_is_known() -> None:
    one, bell = socket.socketpair()
    with one, bell:
        courier = _node.Courier(1, bell.fileno(), 1, LIMIT)
        courier.peer(0)
        nodes, places = array.array("H", [0, 1]), array.array("H", [0xFFFF, 1])
        ledger = mmap.mmap(-1, _node.LEDGER_SIZE + 2 * _node.LANE_SIZE)
        courier.island(ISLAND, 2, 0, ledger, bytearray(2 * _node.SLOT_SIZE), nodes, places, 1, bell.fileno())
        assert courier.synchronised()
        assert courier.clocks() == []


# It does not go back


def test_what_comes_from_another_node_is_not_from_later_than_a_guest_sees() -> None:
    """Time stands until the clock has caught up."""
    with away() as (node, home):
        cores = node.core(1), node.core(2)
        load(node, read(CNTVCT, 0), HVC)
        floor = home.clock() + 100 * MILLISECOND
        home.say(TOLD, TIME.pack(floor))
        eventually(lambda: counter(cores[0]) >= floor - 16)
        assert counter(cores[0]) <= floor
        assert counter(cores[1]) == counter(cores[0])
        eventually(lambda: counter(cores[1]) > floor)
        assert home.clock() >= floor


def test_a_clock_that_is_set_back_has_time_stand() -> None:
    with away() as (node, home):
        core = node.core()
        load(node, read(CNTVCT, 0), HVC)
        seen = [counter(core)]
        for ahead in (30, 0, 20, -20):
            home.set(ahead * MILLISECOND)
            seen.append(counter(core))
        assert seen == sorted(seen)
        eventually(lambda: counter(core) > seen[-1])
        assert abs(counter(core) - home.clock()) < 10 * MILLISECOND


@pytest.mark.parametrize("rate", [500e-6, -500e-6])
def test_a_clock_that_drifts_is_followed(rate: float) -> None:
    with away() as (node, home):
        core = node.core()
        load(node, read(CNTVCT, 0), HVC)
        home.rate = rate
        seen, end = 0, time.monotonic() + 0.5
        while time.monotonic() < end:
            before = home.clock()
            now = counter(core)
            assert now >= seen
            seen = now
            assert before - 10 * MILLISECOND < now < home.clock() + 10 * MILLISECOND
        home.answered(home.answers + 2)
        before, now, error = home.clock(), counter(core), node.courier.clocks()[0][3]
        assert before - error - EXACT < now < home.clock() + error + EXACT


# x10, x11: pages of this core and the other, each with a sequence number and a reading; x12: the number to wait for.
# x13: how often a reading was ahead; x14: how many there were.
HAND_OVER = (
    0xC8DFFD41,  # 0: ldar x1, [x10]
    0xEB0C003F,  # cmp x1, x12
    0x54FFFFC1,  # b.ne 0
    0xF9400542,  # ldr x2, [x10, #8]
    ISB,
    read(CNTVCT, 3),
    0xEB02007F,  # cmp x3, x2
    0x9A8D25AD,  # cinc x13, x13, lo
    ISB,
    read(CNTVCT, 4),
    0xF9000564,  # str x4, [x11, #8]
    0x91000585,  # add x5, x12, #1
    0xC89FFD65,  # stlr x5, [x11]
    0x9100098C,  # add x12, x12, #2
    0x910005CE,  # add x14, x14, #1
    0x17FFFFF1,  # b 0
)


ENOUGH = 1000


def hand_over(node: Node, index: int, until: float) -> tuple[int, int]:
    """How many readings, and how many of them were ahead of the counter here."""
    core = node.core(index)
    core.x[10], core.x[11] = (RAM + 0x1000 * each for each in (index, 3 - index))
    core.x[12] = index
    while time.monotonic() < until or core.x[14] < ENOUGH:
        assert core.run(1_000_000) in (Exit.BUDGET, Exit.KICKED)
    return core.x[14], core.x[13]


def test_cores_of_a_node_agree_while_the_clock_is_set_to_and_fro() -> None:
    """Two of them, each in a process, hand readings to each other, 200 000 a second."""
    with away() as (node, home):
        load(node, *HAND_OVER)
        node.memory.write(RAM + 0x1000, 1, 0)
        until = time.monotonic() + 1.0
        results, wrote = os.pipe()
        children = []
        for index in (1, 2):
            if not (child := os.fork()):
                status = 1
                try:
                    os.write(wrote, struct.pack("=QQ", *hand_over(node, index, until)))
                    status = 0
                finally:
                    os._exit(status)
            children.append(child)
        for ahead in itertools.cycle((8, 0, 0, 2, -3, 0)):
            home.set(ahead * MILLISECOND // 10)
            if time.monotonic() >= until:
                break
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
        told = struct.unpack("=4Q", os.read(results, 32))
        os.close(results)
        os.close(wrote)
        assert (told[1], told[3]) == (0, 0)


# Timers


@contextmanager
def with_timer() -> Iterator[tuple[Node, Home, native.Core, Callable[..., int]]]:
    with away() as (node, home):
        core = node.core()
        node.memory.load(RAM, CODE)

        def call(routine: str, *arguments: int) -> int:
            for number, value in enumerate(arguments):
                core.x[number] = value
            core.pc = address(routine)
            assert core.run(1 << 40) == Exit.HVC
            return core.x[3]

        yield node, home, core, call


def ticks(nanoseconds: int) -> int:
    return nanoseconds * FREQUENCY // 10**9


def arm(call: Callable[..., int], at: int) -> None:
    call("timer_set_cval", 0, ticks(at))
    call("timer_set_ctl", 0, 1)


def test_a_timer_that_time_from_elsewhere_has_passed_is_due() -> None:
    with with_timer() as (node, home, core, call):
        rings = _node.Rings(node.memory.slots, 1, bytearray(LANES))
        arm(call, home.clock() + 3600 * 10**9)
        assert not rings.sleep(0)
        home.say(TOLD, TIME.pack(home.clock() + 3600 * 10**9))
        assert rings.sleep(20), "whoever sleeps until then is woken"
        assert core.deadline() == 0
        core.pc = address("spin")
        assert core.run(1 << 40) == Exit.INTERRUPT


def test_a_timer_is_due_when_home_is_set_forward() -> None:
    with with_timer() as (node, home, core, call):
        rings = _node.Rings(node.memory.slots, 1, bytearray(LANES))
        arm(call, home.clock() + 3600 * 10**9)
        assert core.deadline() > 3599 * 10**9
        home.set(3601 * 10**9)
        assert rings.sleep(20)
        assert core.deadline() == 0


def test_while_time_stands_a_timer_is_waited_for_by_the_clock() -> None:
    """Not again and again for the little that is left by the time that stands."""
    with with_timer() as (_, home, core, call):
        floor = home.clock() + 200 * MILLISECOND
        arm(call, floor + MILLISECOND)
        home.say(TOLD, TIME.pack(floor))
        eventually(lambda: core.visible >= floor)
        before = home.clock()
        rest = core.deadline()
        error = EXACT + home.clock() - before
        assert abs(before + rest - floor - MILLISECOND) < error + 10 * MILLISECOND
        time.sleep(rest * 1e-9)
        core.pc = address("spin")
        assert core.run(1 << 40) == Exit.INTERRUPT
        assert home.clock() >= floor


# A machine that stands


def test_what_comes_while_a_core_stands_is_not_time_of_its_guest() -> None:
    with away() as (node, home):
        core = node.core()
        load(node, read(CNTVCT, 0), HVC)
        core.stand()
        began, shown = time.monotonic_ns(), core.visible
        home.say(TOLD, TIME.pack(home.clock() + 40 * MILLISECOND))
        home.set(MILLISECOND)
        assert core.visible == core.time == shown
        stood = time.monotonic_ns() - began
        core.fall_behind(stood)
        assert shown <= counter(core) < shown + 41 * MILLISECOND + (time.monotonic_ns() - began - stood)
        eventually(lambda: core.time > shown + 50 * MILLISECOND)
        assert abs(core.time + stood - home.clock()) < 10 * MILLISECOND


# Who lies


def test_a_time_that_is_too_far_ahead_costs_the_stream() -> None:
    with away(limit=2.0) as (node, home):
        home.say(TOLD, TIME.pack(home.clock() + 10**9))
        core = node.core()
        eventually(lambda: core.visible >= 10**9)
        assert not node.lost(0)
        home.say(TOLD, TIME.pack(home.clock() + 4 * 10**9))
        assert node.lost()
        assert core.visible < 4 * 10**9


@pytest.mark.parametrize(
    ("kind", "body"),
    {
        "an answer that nobody asked for": (TELL, ASKED.pack(1, 1)),
        "half an answer": (TELL, TIME.pack(1)),
        "half a time": (TOLD, b"1234"),
        "a time after the end of all": (TOLD, TIME.pack(1 << 63)),
        "a question to who is not home": (ASK, TIME.pack(1)),
    }.values(),
)
def test_what_cannot_be_said_of_time_costs_the_stream(kind: int, body: bytes) -> None:
    with away() as (node, home):
        home.say(kind, body)
        assert node.lost()


def test_who_is_home_is_told_no_time_by_another() -> None:
    epoch = time.monotonic_ns()
    for kind, body in ((TELL, ASKED.pack(1, 1)), (TOLD, TIME.pack(2 * 3600 * 10**9)), (ASK, b"")):
        ours, theirs = socket.socketpair()
        with ExitStack() as stack:
            node = Node(0, epoch, ours)
            stack.callback(node.close)
            stack.callback(theirs.close)
            theirs.sendall(HEAD.pack(len(body), kind, ISLAND) + body)
            assert node.lost()
