"""Who is let in by a lead that waits for nodes, and what it says of those that do not come."""

from __future__ import annotations

import dataclasses
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.cluster import join
from baonet.cluster.identity import introduction
from baonet.cluster.join import CALLERS, Door
from baonet.cluster.joined import Joined
from baonet.cluster.keys import HostRole, client_context, server_context
from baonet.cluster.starter import Starter, end_all
from baonet.cluster.terms import ClusterError
from baonet.wire.cluster import Beat, Enlist, Image, Introduction
from baonet.wire.codec import FrameReader, frame
from tests.examples import examples
from tests.patience import ANSWER

ENLIST = Enlist(0, (), Image("", 0), (), "process-per-cpu", 0, False, b"", 3000)


def silent(why: str) -> None:
    """Nobody is told, and nothing is ended."""


class Callers:
    """Who calls a door while it waits: one thing is done at each look, as long as there is one."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._stack = ExitStack()
        self.strangers: list[socket.socket] = []
        self.nodes: dict[int, socket.socket] = {}

    def __enter__(self) -> Callers:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def call(self, *said: bytes) -> socket.socket:
        host, _, port = self._door.place.rpartition(":")
        caller = self._stack.enter_context(closing(socket.create_connection((host, int(port)))))
        for each in said:
            caller.sendall(each)
        return caller

    def stranger(self, *said: bytes) -> None:
        self.strangers.append(self.call(*said))

    def node(self, number: int, *, like: Introduction | None = None) -> None:
        met = dataclasses.replace(like or introduction(f"host-{number}"), ticket=self._door.tickets[number])
        if number in self.nodes:
            self.stranger(frame(met))
        else:
            self.nodes[number] = self.call(frame(met))


@pytest.fixture
def cat() -> Iterator[Starter]:
    starter = Starter("cat", ["cat"])
    yield starter
    end_all([starter])


def _dropped(caller: socket.socket) -> bool:
    caller.settimeout(ANSWER)
    try:
        return caller.recv(1) == b""
    except ConnectionResetError:
        return True


SAID = st.sampled_from(
    [
        (b"GET / HTTP/1.1\r\n\r\n",),
        (b"\xff" * 64,),
        (frame(introduction("stranger")),),
        (frame(introduction("stranger", b"\0" * join.TICKET)),),
        (frame(Beat()),),
        (frame(ENLIST),),
        (frame(introduction("stranger"))[:20],),
    ]
) | st.tuples(st.binary(min_size=1, max_size=40))
STEPS = st.lists(st.integers(0, 3) | SAID, max_size=12)


@given(STEPS)
@settings(max_examples=examples(60))
def test_each_node_has_the_number_of_its_ticket_whoever_else_calls(steps: list[int | tuple[bytes, ...]]) -> None:
    starter = Starter("cat", ["cat"])
    door = Door("127.0.0.1", 0, 4)
    with Callers(door) as callers:
        todo = iter([*steps, *range(4)])

        def waiting(why: str) -> None:
            step = next(todo, None)
            if isinstance(step, int):
                if step not in callers.nodes:
                    callers.node(step)
            elif step is not None:
                callers.stranger(*step)

        joined = door.gather(("", "given", "", ""), [starter] * 4, waiting)
        assert [each.name for each in joined] == ["host-0", "given", "host-2", "host-3"]
        assert [each.host for each in joined] == ["127.0.0.1"] * 4
        for number, each in enumerate(joined):
            each.stream.send(Beat())
            assert list(FrameReader().feed(callers.nodes[number].recv(100), {Beat})) == [Beat()]
            each.stream.close()
        assert all(_dropped(each) for each in callers.strangers)
    end_all([starter])


def _gathered(door: Door, starter: Starter, count: int, steps: list[partial[None]]) -> list[Joined]:
    todo = iter(steps)

    def waiting(why: str) -> None:
        if (step := next(todo, None)) is not None:
            step()

    return door.gather(("",) * count, [starter] * count, waiting, patience=5)


def test_a_ticket_is_good_once(cat: Starter) -> None:
    door = Door("127.0.0.1", 0, 2)
    with Callers(door) as callers:
        steps = [partial(callers.node, number) for number in (0, 0, 1)]
        joined = _gathered(door, cat, 2, steps)
        assert _dropped(callers.strangers[0])
        joined[0].stream.send(Beat())
        assert callers.nodes[0].recv(100) == frame(Beat())
        _close(joined)


def test_it_is_told_that_somebody_called_who_does_not_speak_as_a_node_does(cat: Starter) -> None:
    """Which may be the node that has not come, with a baonet that introduces itself in another way."""
    door = Door("127.0.0.1", 0, 1)
    with Callers(door) as callers:
        todo = iter([partial(callers.stranger, b"SSH-2.0-OpenSSH_9.2p1\r\n")])
        with pytest.raises(ClusterError) as failed:
            door.gather(("",), [cat], lambda why: next(todo, partial(silent, ""))(), patience=0.5)
    assert "has not come within 0.5 s" in str(failed.value)
    assert "; who called from 127.0.0.1 does not keep to the protocol: " in str(failed.value)
    assert str(failed.value).endswith("has it the same baonet?")


def test_callers_that_say_nothing_do_not_keep_a_node_out(cat: Starter) -> None:
    door = Door("127.0.0.1", 0, 1)
    with Callers(door) as callers:
        steps = [partial(callers.stranger) for _ in range(CALLERS + 3)]
        joined = _gathered(door, cat, 1, [*steps, partial(callers.node, 0)])
        assert joined[0].name == "host-0"
        assert all(_dropped(each) for each in callers.strangers)
        _close(joined)


def test_those_that_have_come_are_told_that_the_lead_goes_on(cat: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what they answer is not taken for an answer to something else."""
    monkeypatch.setattr(join, "_BEAT", 0.0)
    door = Door("127.0.0.1", 0, 2)
    told = 0

    def answer(node: socket.socket) -> None:
        nonlocal told
        while data := node.recv(1000):
            told += len(data)
            node.sendall(data)

    with Callers(door) as callers:
        helpers: list[threading.Thread] = []

        def come(number: int) -> None:
            callers.node(number)
            helpers.append(threading.Thread(target=answer, args=[callers.nodes[number]]))
            helpers[-1].start()

        joined = _gathered(door, cat, 2, [partial(come, 0), partial(silent, ""), partial(come, 1)])
        assert told
        assert [each.stream.take() for each in joined] == [[], []]
        _close(joined)
        for helper in helpers:
            helper.join()


def test_a_node_that_speaks_before_it_is_asked_is_named(cat: Starter) -> None:
    door = Door("127.0.0.1", 0, 2)
    with Callers(door) as callers:
        steps = [partial(callers.node, 0), partial(silent, ""), partial(_say, callers, 0)]
        with pytest.raises(ClusterError, match=r"^node host-0 speaks before it is asked$"):
            _gathered(door, cat, 2, steps)


def _say(callers: Callers, number: int) -> None:
    callers.nodes[number].sendall(frame(introduction("again")))


def _close(joined: list[Joined]) -> None:
    for each in joined:
        each.stream.close()


def test_a_node_that_differs_is_named(cat: Starter) -> None:
    door = Door("127.0.0.1", 0, 2)
    with Callers(door) as callers:
        other = dataclasses.replace(introduction("old"), version="0.0.1")
        with pytest.raises(ClusterError, match=r"^node old has baonet 0\.0\.1 .*: install the same on all hosts$"):
            _gathered(door, cat, 2, [partial(callers.node, 0), partial(callers.node, 1, like=other)])
        assert _dropped(callers.nodes[0])


def test_a_node_that_goes_before_the_others_come_is_named(cat: Starter) -> None:
    door = Door("127.0.0.1", 0, 2)
    with Callers(door) as callers:
        steps = [partial(callers.node, 0), partial(silent, ""), partial(_leave, callers, 0)]
        with pytest.raises(ClusterError, match=r"^node host-0 has gone while others had not come$"):
            _gathered(door, cat, 2, steps)


def _leave(callers: Callers, number: int) -> None:
    callers.nodes[number].close()


@pytest.mark.parametrize(
    ("count", "here", "who"),
    [
        (2, [0], "node b has not come"),
        (2, [], "nodes a and b have not come"),
        (8, [1], "nodes a, c, d, e and 3 others have not come"),
    ],
)
def test_who_has_not_come_is_told_with_what_its_starter_said(count: int, here: list[int], who: str) -> None:
    code = "import sys; print('one\\ntwo\\n\\x1b[2Jthree\\nfour', flush=True); sys.stdin.read()"
    starter = Starter("python", [sys.executable, "-c", code])
    door = Door("127.0.0.1", 0, count)
    names = tuple("abcdefgh"[:count])
    with Callers(door) as callers:
        for number in here:
            callers.node(number)
        heard: set[str] = set()
        while not starter.words:
            pass
        with pytest.raises(ClusterError) as raised:
            door.gather(names, [starter] * count, heard.add, patience=0.2)
        said = r"python says 'two / \x1b[2Jthree / four'"
        assert str(raised.value).startswith(f"{who} within 0.2 s: {said} (127.0.0.1:")
        assert f"{who}: {said}" in heard
    end_all([starter])


def test_a_starter_that_has_ended_is_not_waited_for() -> None:
    starter = Starter("sh", ["sh", "-c", "echo no such host; exit 7"])
    door = Door("127.0.0.1", 0, 1)
    with pytest.raises(ClusterError, match=r"^node a has not come: sh has ended with status 7: no such host$"):
        door.gather(("a",), [starter], silent)
    end_all([starter])


def test_an_address_that_is_not_here() -> None:
    with pytest.raises(
        ClusterError, match=r"^nodes cannot be waited for at \[::2\]:7471: Cannot assign .*--lead-address"
    ):
        Door("::2", 7471, 1)


def test_a_lead_with_keys_lets_in_who_has_some_of_its_ca(cat: Starter, lead: Path, foreign: Path) -> None:
    """Whoever says nothing, no TLS, or shows another certificate, is not waited for, and not let in with a ticket."""
    door = Door("127.0.0.1", 0, 1, server_context(lead, HostRole.LEAD))
    met = frame(dataclasses.replace(introduction("host-0"), ticket=door.tickets[0]))

    def secured(caller: socket.socket, directory: Path) -> None:
        tls = client_context(directory, HostRole.NODE).wrap_socket(caller, do_handshake_on_connect=False)
        with tls, suppress(OSError):
            tls.do_handshake()
            tls.sendall(met)
            heard.append(tls.recv(100))
            tls.sendall(heard[-1])
            tls.recv(100)

    heard: list[bytes] = []
    threads: list[threading.Thread] = []
    with Callers(door) as callers:

        def call(directory: Path) -> None:
            threads.append(threading.Thread(target=secured, args=[callers.call(), directory]))
            threads[-1].start()

        silence = [partial(callers.stranger) for _ in range(CALLERS + 3)]
        others = [partial(callers.stranger, met), partial(call, foreign / "alpha")]
        joined = _gathered(door, cat, 1, [*silence, *others, partial(call, lead / "alpha")])
        assert joined[0].name == "host-0"
        assert all(_dropped(each) for each in callers.strangers)
        _close(joined)
        for thread in threads:
            thread.join()
        assert heard == [frame(Beat())]
