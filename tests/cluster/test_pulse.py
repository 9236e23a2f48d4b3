"""The heartbeat between two processes: who lives is heard, whatever Python does, and who does not is lost in time."""

from __future__ import annotations

import hashlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from baonet.cluster.pulse import BeatKeys, Heartbeat, PulseDoor, dial, lead_keys
from baonet.core import _node
from tests.patience import ANSWER

LIMIT = 0.3
TOKEN = bytes(range(16))
KEYS = lead_keys(TOKEN, 0)


def _over(control: socket.socket, seconds: float) -> float | None:
    """After how long the stream has ended; None: it has not."""
    began = time.monotonic()
    ready, _, _ = select.select([control], [], [], seconds)
    return time.monotonic() - began if ready and not control.recv(1) else None


@pytest.fixture
def pairs() -> Iterator[tuple[socket.socket, socket.socket, socket.socket, socket.socket]]:
    """Both ends of a pulse's stream and of a control stream."""
    pulse, control = socket.socketpair(), socket.socketpair()
    yield *pulse, *control
    for each in (*pulse, *control):
        each.close()


Pairs = tuple[socket.socket, socket.socket, socket.socket, socket.socket]


def test_who_says_nothing_more_is_lost_in_time(pairs: Pairs) -> None:
    """And not before it has said anything: on a host that has much to do it begins late."""
    mine, yours, control, there = pairs
    with closing(Heartbeat(LIMIT)) as heartbeat:
        heartbeat.watch(7, mine, control.fileno(), KEYS)
        assert _over(there, 3 * LIMIT) is None
        yours.sendall(_beat(KEYS.others, 1))
        took = _over(there, 5)
        assert took is not None
        assert took > LIMIT * 0.8
        assert heartbeat.why_lost(7, "has gone") == "has not been heard of for 0.3 s"


def test_two_that_live_keep_each_other(pairs: Pairs) -> None:
    mine, yours, control, there = pairs
    with closing(Heartbeat(LIMIT)) as here, closing(Heartbeat(LIMIT)) as other:
        here.watch(0, mine, control.fileno(), KEYS)
        other.watch(0, yours, there.fileno(), KEYS.others)
        assert _over(there, 4 * LIMIT) is None
        assert here.why_lost(0, "lives") == "lives"
        assert 0 < here.longest()[0] < LIMIT


def _beat(keys: BeatKeys, number: int) -> bytes:
    counted = number.to_bytes(8, "little")
    return counted + hashlib.blake2b(counted, key=keys.says, digest_size=32).digest()[:16]


def _forged(number: int, heard: bytes) -> bytes:
    return number.to_bytes(8, "little") + bytes(16)


FALSE = {
    "by who has no key": _forged,
    "of the end that hears it": lambda number, heard: _beat(KEYS, number),
    "of another node of the run": lambda number, heard: _beat(lead_keys(TOKEN, 1).others, number),
    "of another run": lambda number, heard: _beat(lead_keys(bytes(16), 0).others, number),
    "again": lambda number, heard: _beat(KEYS.others, 1),
    "of another number": lambda number, heard: number.to_bytes(8, "little") + _beat(KEYS.others, 1)[8:],
    "that it said itself": lambda number, heard: heard,
}


@pytest.mark.parametrize("false", FALSE.values(), ids=FALSE)
def test_beats_of_others_keep_nobody_alive(pairs: Pairs, false: Callable[[int, bytes], bytes]) -> None:
    mine, yours, control, there = pairs
    with closing(Heartbeat(LIMIT)) as heartbeat:
        heartbeat.watch(0, mine, control.fileno(), KEYS)
        yours.sendall(_beat(KEYS.others, 1))
        began = time.monotonic()
        yours.settimeout(ANSWER)
        number = 1
        while _over(there, 0) is None and time.monotonic() - began < 5:
            number += 1
            with suppress(OSError):
                yours.sendall(false(number, yours.recv(24)))
        assert LIMIT * 0.8 < time.monotonic() - began < 3 * LIMIT
        assert heartbeat.why_lost(0, "has gone") == "has not been heard of for 0.3 s"


def test_beats_that_come_in_pieces_are_heard_and_those_that_are_lost_not_missed(pairs: Pairs) -> None:
    mine, yours, control, there = pairs
    with closing(Heartbeat(LIMIT)) as heartbeat:
        heartbeat.watch(0, mine, control.fileno(), KEYS)
        yours.settimeout(ANSWER)
        for number in range(10, 200, 10):
            beat = _beat(KEYS.others, number)
            yours.sendall(beat[:7])
            assert yours.recv(24) == _beat(KEYS, number // 10)
            yours.sendall(beat[7:])
        assert _over(there, 0) is None


def test_the_end_of_a_stream_is_no_silence_and_leaves_time_for_last_words(pairs: Pairs) -> None:
    mine, yours, control, there = pairs
    with closing(Heartbeat(10.0)) as heartbeat:
        heartbeat.watch(0, mine, control.fileno(), KEYS)
        yours.close()
        there.send(b"last words")
        took = _over(there, 5)
        assert control.recv(64) == b"last words"
        assert took is not None
        assert heartbeat.why_lost(0, "has gone") == "has gone"


def test_a_process_whose_python_is_busy_lives(pairs: Pairs) -> None:
    mine, yours, control, there = pairs
    with closing(Heartbeat(LIMIT)) as here, closing(Heartbeat(LIMIT)) as other:
        here.watch(0, mine, control.fileno(), KEYS)
        other.watch(0, yours, there.fileno(), KEYS.others)
        end = time.monotonic() + 3 * LIMIT
        while time.monotonic() < end:  # a call that keeps the GIL
            pow(3, 1 << 18, (1 << 4096) - 1)
        assert not select.select([there], [], [], 0)[0]


def test_a_node_does_not_outlive_its_lead(pairs: Pairs) -> None:
    mine, yours, control, _ = pairs
    yours.sendall(_beat(KEYS.others, 1))
    pid = os.fork()
    if pid == 0:
        heartbeat = Heartbeat(LIMIT, ends=True)
        heartbeat.watch(-1, mine, control.fileno(), KEYS)
        signal.pause()  # whatever keeps it from ending by itself
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def test_who_was_stopped_itself_blames_nobody(pairs: Pairs) -> None:
    """Both were, as when a whole host sleeps: each has its time anew."""
    mine, yours, control, there = pairs
    pids = []
    for stream, end, keys in ((mine, control, KEYS), (yours, there, KEYS.others)):
        pid = os.fork()
        if pid == 0:
            heartbeat = Heartbeat(LIMIT)
            heartbeat.watch(0, stream, end.fileno(), keys)
            time.sleep(60)
            os._exit(0)
        pids.append(pid)
    assert _over(there, LIMIT) is None
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(2 * LIMIT)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    assert _over(there, 2 * LIMIT) is None
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_door_takes_who_knows_the_token_alone(pairs: Pairs) -> None:
    with closing(PulseDoor("127.0.0.1", 3, TOKEN)) as door:
        stranger = socket.create_connection(("127.0.0.1", door.port))
        stranger.sendall(bytes(32))
        wrong = dial("127.0.0.1", door.port, TOKEN, 2)
        streams: list[socket.socket] = []
        friend = threading.Timer(0.05, lambda: streams.append(dial("127.0.0.1", door.port, TOKEN, 3)))
        friend.start()
        come = door.come(pairs[2].fileno(), 5)
        friend.join()
        assert come.getpeername() != stranger.getsockname()
        assert stranger.recv(1) == wrong.recv(1) == b""
        for each in (stranger, wrong, come, *streams):
            each.close()


def test_a_door_waits_so_long_alone_and_for_a_lead_that_is_there(pairs: Pairs) -> None:
    _, _, control, there = pairs
    with closing(PulseDoor("127.0.0.1", 0, TOKEN)) as door:
        there.send(b"the lead may say something meanwhile")
        with pytest.raises(TimeoutError):
            door.come(control.fileno(), 0.05)
        there.close()
        with pytest.raises(ConnectionError, match="the lead has gone"):
            door.come(control.fileno(), 5)


def test_what_cannot_be_is_refused() -> None:
    for limit in (0.0, -1.0, float("nan"), 1e9):
        with pytest.raises(ValueError, match="no such time"):
            _node.Pulse(limit, 0)
    with closing(_node.Pulse(1.0, 0)) as pulse:
        with pytest.raises(OSError, match="Bad file descriptor"):
            pulse.watch(-1, 0, KEYS.says, KEYS.hears)
        with pytest.raises(ValueError, match="a key has 32 bytes"):
            pulse.watch(0, 0, KEYS.says, b"short")
        with pytest.raises(IndexError):
            pulse.silent(0)
