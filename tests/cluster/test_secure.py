"""Lead, nodes and strangers over real sockets: who is let in, what the others hear, and what a stranger can cost."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import msgpack
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from baonet.cluster import dial, gate
from baonet.cluster.gate import Gate
from baonet.cluster.identity import introduction
from baonet.cluster.keys import KeysError
from baonet.cluster.meeting import Meeting, MeetingError
from baonet.cluster.terms import ClusterError
from baonet.wire.cluster import Peer, Refused
from baonet.wire.codec import FrameReader, encode
from tests.cluster.ends import hostile
from tests.cluster.waiting import WaitingNode
from tests.patience import ANSWER
from tests.system.machine import Background, baonet, pair, write

VIRTUAL = ("--clock", "virtual", "--place", "spread")


@pytest.fixture(scope="module")
def alpha(lead: Path) -> Iterator[WaitingNode]:
    with WaitingNode(lead / "alpha") as node:
        yield node


@pytest.fixture(scope="module")
def beta(lead: Path) -> Iterator[WaitingNode]:
    with WaitingNode(lead / "beta") as node:
        yield node


@pytest.fixture(scope="module")
def keyless() -> Iterator[WaitingNode]:
    with WaitingNode(None) as node:
        yield node


def digest(text: str) -> str:
    found = re.search("digest [0-9a-f]{64}", text)
    assert found is not None, text
    return found[0]


def test_a_run_over_nodes_with_keys_is_that_of_one_host(
    lead: Path, alpha: WaitingNode, beta: WaitingNode, tmp_path: Path
) -> None:
    file = write(tmp_path, pair())
    on = f"{alpha.address},{beta.address}"
    apart = baonet("run", file, *VIRTUAL, "--for", "1ms", "--on", on, "--keys", lead)
    together = baonet("run", file, "--clock", "virtual", "--for", "1ms")
    assert (apart.status, together.status) == (0, 0), apart.err
    assert digest(apart.err) == digest(together.err)


# Who has keys and who has none


def test_addresses_of_ipv6_are_written_so_that_they_can_be_given(tmp_path: Path) -> None:
    """What a node says of where it waits is what ``--on`` takes."""
    with WaitingNode(None, "--listen", "[::1]:0") as one, WaitingNode(None, "--listen", "[::1]:0") as other:
        assert one.address.startswith("[::1]:")
        on = ["--on", f"{one.address},{other.address}", "--place", "spread"]
        found = baonet("run", write(tmp_path, pair()), *on, "--clock", "virtual", "--for", "1ms")
        assert found.status == 0, found.err
        assert one.address in found.err
        assert other.address in found.err


def test_another_program_that_takes_the_call_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "PATIENCE", 0.1)
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        name = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ClusterError, match=rf"^node {name} has said nothing for 0.1 s: is it 'baonet node' that"):
            dial.call(name, None)


def _another_introduction() -> bytes:
    """As a baonet that has one field more there would say it."""
    fields = cast("list[object]", msgpack.unpackb(encode(introduction())))
    body: bytes = msgpack.packb([*fields, 1])
    return struct.pack(">I", len(body)) + body


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2p1\r\n", _another_introduction()], ids=["ssh", "another baonet"])
def test_another_program_that_answers_is_asked_for(said: bytes) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other, ThreadPoolExecutor(1) as answers:
        name = f"127.0.0.1:{other.getsockname()[1]}"

        def answer() -> None:
            with closing(other.accept()[0]) as caller:
                caller.sendall(said)
                caller.recv(1 << 16)

        answered = answers.submit(answer)
        with pytest.raises(
            ClusterError, match=rf"^node {name} does not keep to the protocol: .*, of the same baonet as"
        ):
            dial.call(name, None)
        answered.result()


def test_each_is_told_what_the_other_lacks(lead: Path, alpha: WaitingNode, keyless: WaitingNode) -> None:
    told = baonet("nodes", "--on", alpha.address, "--insecure")
    assert told.status == 1
    assert "has keys, and this lead calls it without: give it --keys DIR" in told.out
    told = baonet("nodes", "--on", keyless.address, "--keys", lead)
    assert told.status == 1
    assert "is not trusted: it does not speak TLS: give it keys, or give --insecure" in told.out


def test_a_run_says_so_in_one_line(lead: Path, alpha: WaitingNode, keyless: WaitingNode, tmp_path: Path) -> None:
    file = write(tmp_path, pair())
    for address, trust in ((alpha.address, ["--insecure"]), (keyless.address, ["--keys", lead])):
        failed = baonet("run", file, *VIRTUAL, "--on", address, *trust)
        assert failed.status == 1
        assert failed.err.startswith(f"baonet run: node {address} ")
        assert len(failed.err.splitlines()) == 1


def test_keys_are_for_hosts_that_are_called(lead: Path, tmp_path: Path) -> None:
    failed = baonet("run", write(tmp_path, pair()), "--clock", "virtual", "--keys", lead)
    assert (failed.status, len(failed.err.splitlines())) == (2, 1)
    assert "give --on HOST:PORT" in failed.err


# Certificates


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("old", "cert.pem has expired, if the clock of this host can be trusted"),
        ("new", "cert.pem is not valid yet"),
        (".", "cert.pem is for the role 'lead', and 'node' is wanted"),
    ],
)
def test_a_node_with_a_bad_certificate_does_not_begin(lead: Path, name: str, why: str) -> None:
    failed = baonet("node", "--listen", "127.0.0.1:0", "--keys", lead / name)
    assert failed.status == 2
    assert why in failed.err
    assert len(failed.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("keys", "why", "hears"),
    [
        ("old", "its certificate has expired", ""),
        ("foreign", "its certificate is not from the CA in ca.pem", ""),
        ("beta", "the certificate of 'beta' is for the role 'node', and 'lead' is wanted", "'lead' is wanted"),
        (None, "it has shown no certificate", ""),
    ],
)
def test_who_calls_a_node_with_a_bad_certificate_is_not_let_in(  # noqa: PLR0917 - fixtures and parameters
    lead: Path, foreign: Path, alpha: WaitingNode, keys: str | None, why: str, hears: str
) -> None:
    directory = None if keys is None else foreign / "alpha" if keys == "foreign" else lead / keys
    context = hostile(ssl.PROTOCOL_TLS_CLIENT, directory)
    with socket.create_connection(("127.0.0.1", alpha.port), timeout=ANSWER) as sock:
        address = "{}:{}".format(*sock.getsockname())
        with context.wrap_socket(sock) as tls:
            said = everything(tls)
    assert why in alpha.says(f"{address} is not let in")
    words = [message.why for message in FrameReader().feed(said, {Refused}) if isinstance(message, Refused)]
    assert all(hears in text for text in words)
    assert bool(words) == bool(hears)


def everything(tls: ssl.SSLSocket) -> bytes:
    said = b""
    with suppress(OSError):
        while data := tls.recv(4096):
            said += data
    return said


@contextmanager
def playing_node(context: ssl.SSLContext) -> Iterator[str]:
    """One that takes a call with whatever it has."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def live() -> None:
            with suppress(OSError):
                come, _ = server.accept()
                with come, context.wrap_socket(come, server_side=True) as tls:
                    tls.recv(100)

        thread = threading.Thread(target=live)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(20)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("old", "its certificate has expired"),
        ("foreign", "its certificate is not from the CA in ca.pem"),
        (".", "the certificate of 'lead' is for the role 'lead', and 'node' is wanted"),
    ],
)
def test_a_lead_that_calls_one_with_a_bad_certificate_says_so(lead: Path, foreign: Path, keys: str, why: str) -> None:
    directory = foreign / "alpha" if keys == "foreign" else lead / keys
    with playing_node(hostile(ssl.PROTOCOL_TLS_SERVER, directory)) as address:
        told = baonet("nodes", "--on", address, "--keys", lead)
    assert told.status == 1
    assert f"{address}  is not trusted: {why}" in told.out


def test_a_lead_of_another_ca_is_told_whose_mistake_it_is(foreign: Path, alpha: WaitingNode) -> None:
    told = baonet("nodes", "--on", alpha.address, "--keys", foreign)
    assert (
        "its certificate is not from the CA in ca.pem: lead and nodes need keys of one 'baonet keys init'" in told.out
    )


# Nodes among themselves


def test_nodes_that_meet_have_keys_of_one_ca(lead: Path, foreign: Path) -> None:
    assert meet_each_other(lead / "alpha", lead / "beta") == ([1], [0])
    first, second = meet_each_other(lead / "alpha", foreign / "alpha", seconds=1.0)
    assert first == "node 1 has not come in time"
    assert "its certificate is not from the CA" in second
    first, second = meet_each_other(lead / "alpha", None, seconds=1.0)
    assert first == "node 1 has not come in time"
    assert "did not let node 1 in" in second
    _, second = meet_each_other(lead / "alpha", lead, seconds=1.0)
    assert "it has closed the connection" in second  # it plays a node with the certificate of the lead


def meet_each_other(first: Path | None, second: Path | None, seconds: float = 15.0) -> tuple[Any, Any]:
    """What comes of it for node 0 and node 1: whom it has met, or why not."""
    here, there = (Meeting("127.0.0.1", index, b"t" * 16) for index in (0, 1))
    peers = [Peer(0, "127.0.0.1", here.port), Peer(1, "127.0.0.1", there.port)]
    found: dict[int, object] = {}

    def meet(index: int, meeting: Meeting, keys: Path | None) -> None:
        try:
            found[index] = list(meeting.meet([peers[1 - index]], keys, seconds))
        except MeetingError as error:
            found[index] = str(error)

    other = threading.Thread(target=meet, args=(1, there, second))
    other.start()
    meet(0, here, first)
    other.join()
    for meeting in (here, there):
        meeting.close()
    return found[0], found[1]


@pytest.mark.parametrize("keys", [True, False], ids=["keys", "clear"])
def test_strangers_do_not_keep_nodes_apart(lead: Path, keys: bool) -> None:
    """More of them than a node bears at once, who say nothing, half of something, or nonsense."""
    here, there = (Meeting("127.0.0.1", index, b"t" * 16) for index in (0, 1))
    strangers = [socket.create_connection(("127.0.0.1", here.port)) for _ in range(100)]
    for number, stranger in enumerate(strangers):
        stranger.sendall((b"", b"\x16\x03\x01", b"bao1" + b"x" * 60, os.urandom(500))[number % 4])
    found = {}

    def meet() -> None:
        directory = lead / "beta" if keys else None
        found.update(there.meet([Peer(0, "127.0.0.1", here.port)], directory))

    other = threading.Thread(target=meet)
    begin = time.monotonic()
    other.start()
    assert list(here.meet([Peer(1, "127.0.0.1", there.port)], lead / "alpha" if keys else None)) == [1]
    other.join()
    assert list(found) == [0]
    assert time.monotonic() - begin < 10
    for stranger in strangers:
        stranger.close()
    here.close()
    there.close()


def test_keys_between_nodes_that_are_no_keys(lead: Path, tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem"):
        (tmp_path / name).write_bytes((lead / "alpha" / name).read_bytes())
    (tmp_path / "key.pem").write_bytes((lead / "beta" / "key.pem").read_bytes())
    (tmp_path / "key.pem").chmod(0o600)
    with closing(Meeting("127.0.0.1", 0, b"t" * 16)) as meeting, pytest.raises(KeysError, match="key values mismatch"):
        meeting.meet([Peer(1, "127.0.0.1", 1)], tmp_path, 0.1)


# What a stranger costs


def test_garbage_while_a_run_goes_on_costs_nothing_but_its_connections(
    lead: Path, alpha: WaitingNode, beta: WaitingNode, tmp_path: Path
) -> None:
    over = threading.Event()
    calls = 0

    def shout() -> None:
        nonlocal calls
        for _ in range(10):  # where the host has much else to do, a run would not end among ever more of them
            for data in (b"", b"GET / HTTP/1.1\r\n\r\n", os.urandom(3000), b"\x16\x03\x01\x02\x00\x01\x00"):
                with suppress(OSError), socket.create_connection(("127.0.0.1", alpha.port), timeout=5) as sock:
                    sock.sendall(data)
                    calls += 1
                if over.wait(0.05):
                    return

    shouting = threading.Thread(target=shout)
    shouting.start()
    try:
        on = f"{alpha.address},{beta.address}"
        whole = baonet("run", write(tmp_path, pair()), *VIRTUAL, "--for", "1ms", "--on", on, "--keys", lead)
    finally:
        over.set()
        shouting.join()
    assert (whole.status, calls > 3) == (0, True), whole.err


def test_silent_callers_make_room(lead: Path, beta: WaitingNode) -> None:
    """More than it takes at once, who say nothing and stay."""
    silent = [socket.create_connection(("127.0.0.1", beta.port), timeout=ANSWER) for _ in range(80)]
    begin = time.monotonic()
    told = baonet("nodes", "--on", beta.address, "--keys", lead)
    assert told.status == 0, told.out
    assert time.monotonic() - begin < gate.PATIENCE
    for each in silent:
        each.close()


def test_who_does_not_finish_the_handshake_is_not_waited_for(lead: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it says a byte now and then."""
    monkeypatch.setattr(gate, "PATIENCE", 0.5)
    monkeypatch.setattr(gate, "_FAREWELL", 0.1)
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def drip() -> None:
        with suppress(BrokenPipeError):
            for octet in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(400):
                if over.wait(0.05):
                    return
                theirs.sendall(bytes([octet]))

    dripping = threading.Thread(target=drip)
    dripping.start()
    begin = time.monotonic()
    assert Gate(lead / "alpha").pass_through(ours, "somebody") is None
    assert time.monotonic() - begin < 5
    over.set()
    dripping.join()
    theirs.close()


# Guests


def test_processes_of_guests_have_neither_keys_nor_streams(
    lead: Path, alpha: WaitingNode, beta: WaitingNode, tmp_path: Path
) -> None:
    secret = serialization.load_pem_private_key((lead / "alpha" / "key.pem").read_bytes(), None)
    assert isinstance(secret, ec.EllipticCurvePrivateKey)
    number = secret.private_numbers().private_value
    forms = [number.to_bytes(32, "big"), number.to_bytes(32, "little")]
    on = f"{alpha.address},{beta.address}"
    run = Background(tmp_path, pair(), *VIRTUAL, "--on", on, "--keys", str(lead), "--for", "300s")
    try:
        run.wait_for("met the other VM")
        (node,) = children(alpha.process.pid)
        family = children(node)
        having = [pid for pid in (node, *family) if has(pid, forms)]
        guests = [pid for pid in family if "Seccomp:\t2" in Path(f"/proc/{pid}/status").read_text()]
        assert len(guests) == 1
        assert node in having  # or the search would mean nothing
        assert not has(alpha.process.pid, forms)
        assert guests[0] not in having
        assert internet(node)
        assert not internet(guests[0])
    finally:
        run.end(signal.SIGINT)


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def has(pid: int, forms: list[bytes]) -> bool:
    """Whether one of these is in the memory of a process."""
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            begin, end = (int(each, 16) for each in line.split()[0].split("-"))
            if "rw-p" not in line or end - begin > 1 << 27:
                continue  # what is shared is RAM of VMs, and the like
            with suppress(OSError, ValueError):
                memory.seek(begin)
                data = memory.read(end - begin)
                if any(form in data for form in forms):
                    return True
    return False


def internet(pid: int) -> bool:
    """Whether it has a connection to another host."""
    inodes = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]}
    links = [os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()]
    return any(link.startswith("socket:") and link[8:-1] in inodes for link in links)
