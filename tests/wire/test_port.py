"""All kinds of port behave alike: in order, without loss, and they tell when a peer has gone."""

from __future__ import annotations

import socket
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
import trio
import trio.testing

from baonet.launch.process import alone
from baonet.wire.codec import frame
from baonet.wire.memory_port import MemoryPort, Switch
from baonet.wire.messages import ConsoleInput, Hello, Message, Start, Stop, accepted, every
from baonet.wire.port import CONGESTED, GONE, Channel, Port, SocketPort, SolePort
from baonet.wire.roles import Role
from tests.patience import ANSWER
from tests.wire.rings import Joined, forked, soon

Pair = tuple[Port, Port]
ANYTHING = frozenset(fact.kind for fact in every())


def memory_pair() -> Pair:
    switch = Switch()
    return MemoryPort(0, switch), MemoryPort(1, switch)


def socket_pair() -> Pair:
    left, right = socket.socketpair()
    return SocketPort({1: Channel(left, ANYTHING)}), SocketPort({0: Channel(right, ANYTHING)})


def sole_pair() -> tuple[SolePort, SolePort]:
    left, right = socket.socketpair()
    return SolePort({1: Channel(left, ANYTHING)}), SolePort({0: Channel(right, ANYTHING)})


def ring_pair() -> Pair:
    joined = Joined()
    return joined.port(0), joined.port(1)


between_processes = pytest.mark.parametrize("make", [socket_pair, sole_pair, ring_pair])


@pytest.fixture(params=[memory_pair, socket_pair, sole_pair, ring_pair], ids=["memory", "socket", "sole", "ring"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    make: Callable[[], Pair] = request.param
    made = make()
    yield made
    for port in made:
        port.close()


async def collect(port: Port, count: int) -> list[tuple[int, Message]]:
    taken: list[tuple[int, Message]] = []
    with trio.fail_after(ANSWER):
        while len(taken) < count:
            await port.wait(None)
            taken += port.take()
    return taken


async def test_messages_come_in_order(pair: Pair) -> None:
    sent = [Hello(1, number) for number in range(500)]
    for message in sent:
        pair[0].send(1, message)
    received: list[tuple[int, Message]] = []
    with trio.fail_after(ANSWER):
        while len(received) < len(sent):
            assert pair[0].take() == []  # moves what the socket did not take at once
            await pair[1].wait(0.01)
            received += pair[1].take()
    assert received == [(0, message) for message in sent]


async def test_nothing_to_take_is_nothing(pair: Pair) -> None:
    assert pair[0].take() == []
    with trio.fail_after(ANSWER):
        await pair[0].wait(0.001)
        await pair[0].wait(0)
    assert pair[0].take() == []


async def test_a_message_ends_a_wait_with_a_limit(pair: Pair) -> None:
    pair[0].send(1, Start())
    with trio.fail_after(ANSWER):
        await pair[1].wait(60)
    assert pair[1].take() == [(0, Start())]


async def ends_in_time(wait: Callable[[float], Awaitable[None]], seconds: float = 0.0003) -> None:
    """Never early, and not later than by half a millisecond once, whenever the host has a core for it."""
    late, end = [1.0], time.perf_counter() + ANSWER
    while min(late) >= 0.0005 and time.perf_counter() < end:
        start = time.perf_counter()
        await wait(seconds)
        late.append(time.perf_counter() - start - seconds)
    assert 0 <= min(late) < 0.0005


@pytest.mark.parametrize("make", [socket_pair, sole_pair])
async def test_a_wait_for_sockets_ends_to_the_fraction_of_a_millisecond(make: Callable[[], Pair]) -> None:
    left, right = make()
    await ends_in_time(left.wait)
    left.close()
    right.close()


async def test_a_wait_for_rings_ends_to_the_fraction_of_a_millisecond() -> None:
    left, right = ring_pair()
    await ends_in_time(left.wait)
    left.close()
    right.close()


async def test_a_wait_for_a_switch_ends_to_the_fraction_of_a_millisecond() -> None:
    switch = Switch()
    await ends_in_time(lambda seconds: switch.wait(trio.current_time() + seconds))
    switch.close()


async def test_a_message_ends_the_wait_for_a_switch() -> None:
    switch = Switch()
    sender, receiver = MemoryPort(0, switch), MemoryPort(1, switch)
    with trio.fail_after(ANSWER):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(switch.wait, trio.current_time() + 60)
            await trio.testing.wait_all_tasks_blocked()
            sender.send(1, Start())
    assert receiver.ready
    switch.close()


@between_processes
async def test_a_peer_that_does_not_read_blocks_nobody(make: Callable[[], Pair]) -> None:
    left, right = make()
    sent = [ConsoleInput(0, bytes([number % 256]) * 20_000) for number in range(200)]
    for message in sent:
        left.send(1, message)
    received: list[tuple[int, Message]] = []
    with trio.fail_after(ANSWER):
        while len(received) < len(sent):
            left.take()
            await right.wait(0.01)
            received += right.take()
    assert [message for _, message in received] == sent
    left.close()
    right.close()


@between_processes
async def test_a_peer_that_goes_is_told_after_its_last_message(make: Callable[[], Pair]) -> None:
    left, right = make()
    left.send(1, Start())
    left.close()
    assert await collect(right, 1) == [(0, Start())]
    with trio.fail_after(ANSWER):
        await right.wait(None)
    assert right.take() == []
    assert right.closed() == [(0, GONE)]
    right.send(0, Start())
    assert right.closed() == []
    right.close()


@between_processes
async def test_what_a_peer_said_is_read_though_it_can_be_told_nothing_more(make: Callable[[], Pair]) -> None:
    left, right = make()
    right.send(0, Start())
    left.send(1, Hello(1, 5))
    left.close()  # with something unread
    for number in range(3):
        right.send(0, Hello(1, number))
    assert right.closed() == []
    assert await collect(right, 1) == [(0, Hello(1, 5))]
    with trio.fail_after(ANSWER):
        await right.wait(None)
    assert right.take() == []
    assert right.closed() == [(0, GONE)]
    right.close()


async def flushed(port: Port) -> None:
    """While others go on: a port of a task that is alone does not give them their turn."""
    if type(port) is SocketPort:
        await port.flush(1)
    else:
        await trio.to_thread.run_sync(alone, port.flush(1))


@between_processes
async def test_a_port_is_congested_until_its_peer_takes(make: Callable[[], Pair]) -> None:
    left, right = make()
    message = ConsoleInput(0, bytes(CONGESTED // 4))
    sent = 0
    while not left.congested:
        assert sent < 100
        left.send(1, message)
        sent += 1
    received: list[tuple[int, Message]] = []
    with trio.fail_after(ANSWER):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(flushed, left)
            while len(received) < sent:
                await trio.lowlevel.checkpoint()
                await right.wait(0.01)
                received += right.take()
    assert not left.congested
    left.close()
    right.close()


@between_processes
async def test_a_flush_waits_for_its_peer_as_long_as_there_is_one(make: Callable[[], Pair]) -> None:
    left, right = make()
    for _ in range(20):
        left.send(1, ConsoleInput(0, bytes(CONGESTED)))
    await left.flush(1, 0.01)
    assert left.congested
    right.close()
    with trio.fail_after(ANSWER):
        await left.flush(1)
    assert not left.congested
    left.close()


async def test_the_last_words_of_a_peer_are_all_that_it_sent() -> None:
    """More than one ``take`` reads, and nothing else of it comes later."""
    left, right = socket_pair()
    sent = [ConsoleInput(0, bytes([number]) * (CONGESTED // 8)) for number in range(12)]
    for message in sent:
        left.send(1, message)
    await left.flush(1)
    left.close()
    received = right.take()
    assert len(received) < len(sent) - 1
    assert received + right.last_words(0) == [(0, message) for message in sent]
    assert right.take() == []
    assert right.closed() == [(0, GONE)]
    right.close()


def test_a_call_ends_the_wait_of_who_is_alone() -> None:
    left, right = sole_pair()
    for _ in range(2):
        with forked(soon(right.call)):
            alone(right.wait(None))
        assert right.take() == []
    left.send(1, Start())
    alone(right.wait(None))
    assert right.take() == [(0, Start())]
    left.close()
    right.close()


async def test_others_get_their_turn_while_there_is_always_something_to_take() -> None:
    left, right = socket_pair()
    turns = 0

    async def other() -> None:
        nonlocal turns
        while turns < 3:
            await trio.lowlevel.checkpoint()
            turns += 1

    with trio.fail_after(ANSWER):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            while turns < 3:
                left.send(1, Start())
                await right.wait(None)
                right.take()
    left.close()
    right.close()


@pytest.mark.parametrize(
    ("data", "error"), [(b"\x00\x00\x00\x02\x91\x7f", "number 127"), (frame(Stop()), "Stop is not its to say")]
)
async def test_a_peer_that_breaks_the_protocol_loses_its_channel(data: bytes, error: str) -> None:
    left, right = socket.socketpair()
    port = SocketPort({7: Channel(right, accepted(Role.PCPU, Role.PCPU))})
    left.sendall(data)
    with trio.fail_after(ANSWER):
        await port.wait(None)
    assert port.take() == []
    (peer, why), *rest = port.closed()
    assert (peer, rest) == (7, [])
    assert error in why
    port.close()
    left.close()


async def test_a_port_in_memory_is_congested_until_its_peer_takes() -> None:
    left, right = memory_pair()
    message = ConsoleInput(0, bytes(CONGESTED // 4))
    for _ in range(6):
        left.send(1, message)
    assert left.congested
    assert not right.congested, "it can take, and does"
    assert len(right.take()) == 6
    assert not left.congested
    left.close()
    right.close()


async def test_who_is_held_is_not_heard_and_keeps_its_order(pair: Pair) -> None:
    left, right = pair
    message = ConsoleInput(0, bytes(CONGESTED // 4))
    left.send(1, Start())
    right.hold({0})
    with trio.fail_after(ANSWER):
        while not left.congested:
            left.send(1, message)
            left.take()
        await right.wait(0.01)  # nothing of it ends this
        assert right.take() == []
        right.send(0, Start())
        await left.wait(None)
        assert left.take() == [(1, Start())], "it hears"
        right.hold(frozenset())
        received = await collect(right, 1)
        while left.congested or len(received) < 2:
            await right.wait(0.01)
            received += right.take()
            left.take()
    assert received[0] == (0, Start())
    assert {each for _, each in received[1:]} == {message}


async def test_in_memory_only_who_is_held_is_congested() -> None:
    switch = Switch()
    left, right, agent = (MemoryPort(address, switch) for address in range(3))
    agent.hold({0})
    for port in (left, right):
        for _ in range(6):
            port.send(2, ConsoleInput(0, bytes(CONGESTED // 4)))
    assert {source for source, _ in agent.take()} == {1}
    assert (left.congested, right.congested) == (True, False)
    assert {source for source, _ in agent.last_words(0)} == {0}
    assert not left.congested


async def test_a_peer_that_ends_while_it_is_held_leaves_its_last_words_and_takes_no_time() -> None:
    left, right = socket_pair()
    right.hold({0})
    left.send(1, Start())
    right.send(0, Start())
    left.close()
    with trio.fail_after(ANSWER):
        began = time.process_time()
        await right.wait(0.2)
        assert time.process_time() - began < 0.1
        assert right.take() == []
        assert right.last_words(0) == [(0, Start())]
    assert right.closed() == [(0, GONE)]
    right.close()


@pytest.mark.parametrize("make", [memory_pair, socket_pair, ring_pair])
async def test_nobody_waits_for_one_that_has_gone(make: Callable[[], Pair]) -> None:
    sender, receiver = make()
    while not sender.congested:
        sender.send(1, Start())
    receiver.close()
    sender.take()
    for _ in range(2 * CONGESTED):
        sender.send(1, Start())
    assert not sender.congested
    sender.close()
