"""What only a port with rings has: two kinds of channel behind one face, a sleep outside Trio, peers that die."""

from __future__ import annotations

import os
import time

import pytest
import trio

from baonet.hyp.messages import IpcNotify
from baonet.wire import ring_port
from baonet.wire.codec import frame
from baonet.wire.messages import AGENT, ConsoleInput, Hello, Message, Start, Stop, accepted
from baonet.wire.port import CONGESTED, GONE
from baonet.wire.ring_port import NAP, RingPort
from baonet.wire.roles import Role
from tests.patience import ANSWER
from tests.wire.rings import CAPACITY, NEWS, Joined, forked, soon

PCPUS = accepted(Role.PCPU, Role.PCPU)


async def collect(port: RingPort, count: int) -> list[tuple[int, Message]]:
    taken: list[tuple[int, Message]] = []
    with trio.fail_after(ANSWER):
        while len(taken) < count:
            await port.wait(None)
            taken += port.take()
    return taken


async def test_what_the_agent_says_ends_the_sleep_at_once() -> None:
    joined = Joined()
    port, agent = joined.port_and_agent(0)
    with forked(soon(lambda: agent.send(0, Start()))):
        began = time.monotonic()
        assert await collect(port, 1) == [(AGENT, Start())]
        assert time.monotonic() - began < NAP / 2
    port.send(AGENT, Hello(1, 0))
    with trio.fail_after(ANSWER):
        await agent.wait(None)
    assert agent.take() == [(0, Hello(1, 0))]
    port.close()
    agent.close()


async def test_what_the_agents_socket_took_only_later_is_not_slept_over() -> None:
    joined = Joined()
    port, agent = joined.port_and_agent(0)
    sent = [ConsoleInput(0, bytes(CONGESTED)) for _ in range(20)]
    for message in sent:
        agent.send(0, message)
    received: list[tuple[int, Message]] = []
    with trio.fail_after(ANSWER):
        began = time.monotonic()
        while len(received) < len(sent):
            await port.wait(None)
            received += port.take()
            agent.take()
    assert time.monotonic() - began < NAP
    assert [message for _, message in received] == sent
    port.close()
    agent.close()


async def test_a_backlog_to_the_agent_moves_though_nobody_rings() -> None:
    port, agent = Joined().port_and_agent(0)
    for _ in range(20):
        port.send(AGENT, ConsoleInput(0, bytes(CONGESTED)))
    assert port.congested
    received: list[tuple[int, Message]] = []
    with trio.fail_after(ANSWER):
        while len(received) < 20:
            await port.wait(0.001)
            port.take()
            received += agent.take()
        await port.flush(AGENT)
    assert not port.congested
    port.close()
    agent.close()


async def test_two_that_fill_each_others_rings_go_on() -> None:
    joined, count = Joined(), 2000
    ports = [joined.port(0), joined.port(1)]
    for number in range(count):
        for me, port in enumerate(ports):
            port.send(1 - me, Hello(number, me))
    received: list[list[tuple[int, Message]]] = [[], []]
    with trio.fail_after(ANSWER):
        while any(len(each) < count for each in received):
            for me, port in enumerate(ports):
                await port.wait(0.001)
                received[me] += port.take()
    for me in (0, 1):
        assert received[me] == [(1 - me, Hello(number, 1 - me)) for number in range(count)]
        ports[me].close()


async def test_the_last_words_of_one_that_was_killed_are_taken_and_nobody_waits_for_it() -> None:
    joined = Joined(3)
    port = joined.port(0)

    def speak() -> None:
        speaker = joined.rings(1)
        speaker.put(0, frame(Hello(1, 1)) + frame(Start())[:3])
        time.sleep(60)

    with forked(speak) as pid:
        assert await collect(port, 1) == [(1, Hello(1, 1))]
        while not port.congested:
            port.send(1, ConsoleInput(0, bytes(CONGESTED)))
        os.kill(pid, 9)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 - it was killed
    joined.lost[1] = joined.lost[2] = 1
    with trio.fail_after(ANSWER):
        closed: list[tuple[int, str]] = []
        while len(closed) < 2:
            await port.wait(0.001)
            assert port.take() == []
            closed += port.closed()
    assert sorted(closed) == [(1, GONE), (2, GONE)]
    assert not port.congested
    port.send(1, Start())
    port.close()


async def test_what_was_said_before_the_death_comes_first() -> None:
    joined = Joined()
    one, other = joined.port(0), joined.port(1)
    one.send(1, Hello(1, 0))
    joined.lost[0] = 1
    with trio.fail_after(ANSWER):
        await other.wait(None)
    assert other.take() == [(0, Hello(1, 0))]
    assert other.closed() == [(0, GONE)]
    one.close()
    other.close()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x00\x00\x00\x02\x91\x7f", "number 127"),
        (frame(Stop()), "Stop is not its to say"),
        (b"\x7f\xff\xff\xff", "a message of 2147483647 bytes"),
        (frame(IpcNotify(0, 1)) + b"\x00\x00\x00\x01\xc1", "not msgpack"),
    ],
)
async def test_a_peer_that_breaks_the_protocol_loses_its_channel_and_no_other(data: bytes, error: str) -> None:
    joined = Joined(3)
    port, bad, good = joined.port(0, PCPUS), joined.rings(1), joined.port(2)
    bad.put(0, data)
    good.send(0, IpcNotify(0, 0))
    taken = await collect(port, 1)
    assert (2, IpcNotify(0, 0)) in taken
    ((peer, why),) = port.closed()
    assert peer == 1
    assert why.startswith("does not keep to the protocol: ")
    assert error in why
    assert bad.put(0, frame(IpcNotify(0, 0))) == -1
    port.close()
    good.close()


async def test_a_count_that_cannot_be_ends_the_channel() -> None:
    joined = Joined()
    port = joined.port(0)
    (come, at, _, _) = joined._memory.ends(0).rings[1]
    joined.rings(1).put(0, b"\0")
    come[at : at + 8] = (CAPACITY + 1).to_bytes(8, "little")
    port.take()
    assert port.closed() == [(1, "does not keep to the protocol: the ring of pcpu 1 has a count that cannot be")]
    port.close()


async def test_the_same_bytes_are_the_same_message_whatever_comes_around_them() -> None:
    """What comes again is not decoded again: neither in pieces, nor behind a part of another."""
    joined = Joined()
    port, rings = joined.port(0, PCPUS), joined.rings(1)
    data = frame(IpcNotify(3, 4))
    other = frame(IpcNotify(1, 2))
    got: list[Message] = []
    for piece in (data, data, data[:5], data[5:], data + data, data, other + data[:2], data[2:] + other, data):
        rings.put(0, piece)
        got += [message for _, message in port.take()]
    a, b = IpcNotify(3, 4), IpcNotify(1, 2)
    assert got == [a, a, a, a, a, a, b, a, b, a]
    rings.put(0, other[:4])
    assert port.take() == []
    rings.put(0, data)
    assert port.take() == []
    assert "not msgpack" in port.closed()[0][1] or "due" in port.closed()[0][1]
    port.close()


@pytest.fixture
def short_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_port, "NAP", 0.05)


@pytest.mark.usefixtures("short_naps")
async def test_the_last_words_of_one_who_says_what_another_said_before_are_taken() -> None:
    joined = Joined(3)
    port, one, other = joined.port(0), joined.rings(1), joined.rings(2)
    for rings in (one, one, other):
        rings.put(0, frame(Hello(1, 1)))
        assert len(port.take()) == 1
    other.put(0, frame(Hello(2, 2)))
    joined.slots[NEWS : NEWS + 8] = bytes(8)
    joined.lost[2] = 1
    with trio.fail_after(ANSWER):
        assert await collect(port, 1) == [(2, Hello(2, 2))]
    assert port.closed() == [(2, GONE)]
    port.close()


@pytest.mark.usefixtures("short_naps")
async def test_news_that_somebody_has_wiped_out_come_all_the_same() -> None:
    joined = Joined()
    port, other = joined.port(0), joined.port(1)
    other.send(0, Hello(1, 1))
    assert await collect(port, 1) == [(1, Hello(1, 1))]
    other.send(0, Hello(2, 1))
    joined.slots[NEWS : NEWS + 8] = bytes(8)
    assert port.take() == []
    with trio.fail_after(ANSWER):
        assert await collect(port, 1) == [(1, Hello(2, 1))]
    port.close()
    other.close()


def test_what_was_checked_is_known_by_its_bytes_but_not_amid_another() -> None:
    joined = Joined()
    port, peer = joined.port(0), joined.rings(1)
    message, data = IpcNotify(0, 1), frame(IpcNotify(0, 1))
    assert port.hears(1, data) is None, "nobody has said it yet"
    peer.put(0, data)
    assert (port.take(), port.hears(1, data), port.framed(message)) == ([(1, message)], message, data)
    port.hold({1})
    assert port.hears(1, data) is None
    port.hold(frozenset())
    peer.put(0, data[:3])
    assert (port.take(), port.hears(1, data)) == ([], None)
    peer.put(0, data[3:])
    assert (port.take(), port.hears(1, data)) == ([(1, message)], message)
    port.close()


def test_it_is_idle_when_nothing_waits_that_there_is_no_news_of() -> None:
    joined = Joined()
    port, peer = joined.port(0), joined.port(1)
    assert port.idle
    for _ in range(CAPACITY // len(frame(IpcNotify(0, 1))) + 1):
        port.send(1, IpcNotify(0, 1))
    assert not port.idle
    peer.take()
    port.take()
    assert port.idle
    peer.send(0, IpcNotify(0, 1))
    port.hold({1})
    assert (port.take(), port.idle) == ([], False)
    port.close()
    peer.close()
