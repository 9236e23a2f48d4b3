"""Who is let in by its certificate, and what a user hears of who is not: real handshakes."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from baonet.cluster import keys
from baonet.cluster.keys import HostRole, KeysError
from tests.cluster.ends import hostile, joined, meet

LEAD, NODE = HostRole.LEAD, HostRole.NODE
SERVER, CLIENT = ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT


def test_lead_and_node_know_each_other_whoever_calls(lead: Path) -> None:
    node = lead / "alpha"
    for_node = meet(keys.server_context(lead, LEAD), keys.client_context(node, NODE), NODE, LEAD)
    assert for_node == (["alpha", "hello"], ["lead", "hello"])
    for_lead = meet(keys.server_context(node, NODE), keys.client_context(lead, LEAD), LEAD, NODE)
    assert for_lead == (["lead", "hello"], ["alpha", "hello"])


def test_nodes_know_each_other(lead: Path) -> None:
    server, client = keys.server_context(lead / "alpha", NODE), keys.client_context(lead / "beta", NODE)
    assert meet(server, client, NODE, NODE) == (["beta", "hello"], ["alpha", "hello"])


def test_what_is_spoken_is_tls_1_3_and_the_peer_has_a_role(lead: Path) -> None:
    called, calling = joined(keys.server_context(lead, LEAD), keys.client_context(lead / "alpha", NODE))
    for end in (calling, called, calling, called):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    assert (called.version(), calling.version()) == ("TLSv1.3", "TLSv1.3")
    assert (keys.peer_role(called), keys.peer_role(calling)) == (NODE, LEAD)


TLS_CHANGE_CIPHER_SPEC, TLS_HANDSHAKE = 20, 22  # types of records (RFC 8446, 5.1)
BAD = [
    ("old", "its certificate has expired, if the clocks of both hosts can be trusted: 'baonet keys node NAME' makes"),
    ("new", "its certificate is not valid yet: look at the clocks of both hosts"),
    ("foreign", "its certificate is not from the CA in ca.pem: lead and nodes need keys of one 'baonet keys init'"),
    ("self-signed", "its certificate is not from the CA in ca.pem"),
    ("made by a node", "its certificate is refused: "),
]


@pytest.fixture
def shown(request: pytest.FixtureRequest, lead: Path, foreign: Path, tmp_path: Path) -> Path:
    """What a bad peer shows."""
    name: str = request.param
    match name:
        case "foreign":
            return foreign / "alpha"
        case "self-signed":
            return forged(tmp_path, None)
        case "made by a node":
            return forged(tmp_path, lead / "beta")
        case _:
            return lead / name


def forged(directory: Path, signer: Path | None) -> Path:
    """Of the lead, by its own words. Signed by who has the keys in ``signer``, or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    units = [(NameOID.ORGANIZATIONAL_UNIT_NAME, "lead"), (NameOID.COMMON_NAME, "lead")]
    subject = issuer = x509.Name([x509.NameAttribute(kind, text) for kind, text in units])
    signing: PrivateKeyTypes = key
    chain = b""
    if signer is not None:
        signing = serialization.load_pem_private_key((signer / "key.pem").read_bytes(), None)
        chain = (signer / "cert.pem").read_bytes()
        issuer = x509.load_pem_x509_certificate(chain).subject
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        .sign(signing, hashes.SHA256())
    )
    (directory / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + chain)
    (directory / "key.pem").write_bytes(pem(key, serialization.NoEncryption()))
    return directory


def pem(key: ec.EllipticCurvePrivateKey, locked: serialization.KeySerializationEncryption) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)


@pytest.mark.parametrize(("shown", "why"), BAD, indirect=["shown"], ids=[each for each, _ in BAD])
def test_who_calls_with_a_bad_certificate_is_refused(lead: Path, shown: Path, why: str) -> None:
    (told,), stranger = meet(keys.server_context(lead, LEAD), hostile(CLIENT, shown), NODE, LEAD)
    assert told.startswith(why)
    assert "hello" not in stranger


@pytest.mark.parametrize(("shown", "why"), BAD, indirect=["shown"], ids=[each for each, _ in BAD])
def test_who_is_called_and_has_a_bad_certificate_is_refused(lead: Path, shown: Path, why: str) -> None:
    stranger, (told,) = meet(hostile(SERVER, shown), keys.client_context(lead / "beta", NODE), NODE, LEAD)
    assert told.startswith(why)
    assert "hello" not in stranger


def test_who_has_another_role_is_refused(lead: Path) -> None:
    """A node that plays the lead, on either end, and another lead where a node should be."""
    alpha, beta = lead / "alpha", lead / "beta"
    plays = "the certificate of 'alpha' is for the role 'node', and 'lead' is wanted: copy the keys of its host to it"
    (told,), _ = meet(keys.server_context(beta, NODE), keys.client_context(alpha, NODE), LEAD, NODE)
    assert told == plays
    _, (told,) = meet(keys.server_context(alpha, NODE), keys.client_context(beta, NODE), NODE, LEAD)
    assert told == plays
    (told,), _ = meet(keys.server_context(lead, LEAD), keys.client_context(lead, LEAD), NODE, LEAD)
    assert told.startswith("the certificate of 'lead' is for the role 'lead', and 'node' is wanted")


def test_who_calls_without_a_certificate_is_refused(lead: Path) -> None:
    (told,), stranger = meet(keys.server_context(lead, LEAD), hostile(CLIENT), NODE, LEAD)
    assert told == "it has shown no certificate"
    assert stranger[-1] == "it wants a certificate, and we have shown none"


@pytest.mark.parametrize("protocol", [SERVER, CLIENT], ids=["called", "calls"])
def test_who_does_not_speak_tls_1_3_is_refused(lead: Path, protocol: ssl._SSLMethod) -> None:
    old = hostile(protocol, lead / "alpha", ssl.TLSVersion.TLSv1_2)
    if protocol is CLIENT:
        (told,), stranger = meet(keys.server_context(lead, LEAD), old, NODE, LEAD)
    else:
        stranger, (told,) = meet(old, keys.client_context(lead, LEAD), LEAD, NODE)
    assert told == "it does not speak TLS 1.3"
    assert stranger == ["it does not speak TLS 1.3"]


def test_who_is_refused_hears_why(lead: Path, foreign: Path) -> None:
    """In the handshake who is called; who calls by its first read, when it believes that all is well."""
    _, said = meet(keys.server_context(lead, LEAD), keys.client_context(foreign / "alpha", NODE), NODE, LEAD)
    assert said == ["its certificate is not from the CA in ca.pem: lead and nodes need keys of one 'baonet keys init'"]
    server = keys.server_context(lead, LEAD)
    _, said = meet(server, hostile(CLIENT, foreign / "alpha"), NODE, LEAD)
    assert said[-1] == "it says that our certificate is from another CA than its own"
    _, said = meet(server, hostile(CLIENT, lead / "old"), NODE, LEAD)
    assert said[-1] == "it says that our certificate has expired: compare the clocks of both hosts"


def test_who_comes_back_shows_its_certificate_again(lead: Path) -> None:
    """A session that is resumed would outlive the certificate."""
    server, client = keys.server_context(lead, LEAD), keys.client_context(lead / "alpha", NODE)
    session = None
    for _ in range(2):
        there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
        called, calling = server.wrap_bio(there, back, server_side=True), client.wrap_bio(back, there, session=session)
        for end in (calling, called, calling, called):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
        called.write(b"x")
        assert calling.read(1) == b"x"  # after what tickets there might be
        assert (called.session_reused, calling.session_reused) == (False, False)
        session = calling.session


# Sockets


def test_sockets_that_wait(lead: Path) -> None:
    server, client = keys.server_context(lead, LEAD), keys.client_context(lead / "alpha", NODE)
    ours, theirs = socket.socketpair()

    def call() -> tuple[str, bytes]:
        with client.wrap_socket(theirs, do_handshake_on_connect=False) as tls:
            name = keys.handshake(tls, LEAD)
            tls.sendall(b"x" * 100_000)
            return name, tls.recv(10)

    with (
        ThreadPoolExecutor(1) as pool,
        server.wrap_socket(ours, server_side=True, do_handshake_on_connect=False) as tls,
    ):
        called = pool.submit(call)
        assert keys.handshake(tls, NODE) == "alpha"
        left = 100_000
        while left:
            left -= len(tls.recv(left))
        tls.sendall(b"all")
        assert called.result() == ("lead", b"all")


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "half a record"])
def test_who_goes_away_or_says_no_more_has_not_shaken_hands(lead: Path, sent: bytes) -> None:
    server = keys.server_context(lead, LEAD)
    for gone, why in (
        (True, "it has closed the connection in the handshake"),
        (False, "it has not finished the hands"),
    ):
        ours, theirs = socket.socketpair()
        with closing(theirs), server.wrap_socket(ours, server_side=True, do_handshake_on_connect=False) as tls:
            theirs.sendall(sent)
            if gone:
                theirs.shutdown(socket.SHUT_WR)
            tls.settimeout(None if gone else 0.05)
            with pytest.raises(KeysError, match=why):
                keys.handshake(tls, NODE)


# Strangers who say anything


@given(st.binary(max_size=2000), st.booleans())
@example(b"GET / HTTP/1.1\r\n\r\n", True)
@example(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", True)
def test_any_bytes_are_refused_or_more_is_awaited(lead: Path, said: bytes, called: bool) -> None:
    end, heard, _ = before_flight(lead, 0 if called else 1)
    heard.write(said)
    assert said_by(end) in ("waits", "refuses")


def meant(flight: bytes) -> list[bytes]:
    """Its records, without the version at the head of those in the clear, which is to be ignored (RFC 8446, 5.1)."""
    records = []
    while flight:
        kind, length = flight[0], int.from_bytes(flight[3:5])
        clear = kind in (TLS_HANDSHAKE, TLS_CHANGE_CIPHER_SPEC)
        records.append(flight[:1] + (b"" if clear else flight[1:3]) + flight[3 : 5 + length])
        flight = flight[5 + length :]
    return records


@given(st.sampled_from([0, 1, 2]), st.integers(0, 5000), st.binary(min_size=1, max_size=4), st.booleans())
@example(1, 1, b"\x03\x00", False)
def test_a_flight_that_is_damaged_lets_nobody_in(lead: Path, flight: int, where: int, new: bytes, cut: bool) -> None:
    end, heard, good = before_flight(lead, flight)
    where %= len(good)
    bad = good[:where] + new + (b"" if cut else good[where + len(new) :])
    heard.write(bad)
    heard.write_eof()
    assert meant(bad)[: len(meant(good))] == meant(good) or said_by(end) == "refuses"


def test_a_flight_that_is_not_damaged_is_taken(lead: Path) -> None:
    """Or the test before this one would mean nothing."""
    for flight, then in ((0, "waits"), (1, "lead"), (2, "alpha")):
        end, heard, good = before_flight(lead, flight)
        heard.write(good)
        assert said_by(end) == then


def before_flight(lead: Path, number: int) -> tuple[ssl.SSLObject, ssl.MemoryBIO, bytes]:
    """Who is to hear the flight of that number, by what, and the flight: the caller's hello, what it is answered, and
    the caller's certificate.
    """
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    called = keys.server_context(lead, LEAD).wrap_bio(there, back, server_side=True)
    calling = keys.client_context(lead / "alpha", NODE).wrap_bio(back, there)
    for speaks in (calling, called, calling)[: number + 1]:
        with suppress(ssl.SSLWantReadError):
            speaks.do_handshake()
    hears, heard = (called, there) if number in (0, 2) else (calling, back)
    return hears, heard, heard.read()


def said_by(end: ssl.SSLObject) -> str:
    """The peer's name; or that it waits or refuses."""
    try:
        return keys.handshake(end, LEAD if not end.server_side else NODE)
    except ssl.SSLWantReadError:
        return "waits"
    except KeysError as error:
        return "refuses" if len(str(error).splitlines()) == 1 else "says more than a line"


# Files


@pytest.fixture
def copied(lead: Path, tmp_path: Path) -> Path:
    """A node's directory, to be damaged."""
    return Path(shutil.copytree(lead / "alpha", tmp_path / "copied"))


def refused(directory: Path) -> str:
    with pytest.raises(KeysError) as caught:
        keys.client_context(directory, NODE)
    assert str(directory) in str(caught.value)
    return str(caught.value).replace(f"{directory}/", "")


@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_a_file_that_is_missing_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    told = refused(copied)
    assert told.startswith(f"{name} is missing: 'baonet keys init' makes keys on the lead")
    (copied / name).mkdir()
    assert refused(copied) == f"{name} cannot be read: Is a directory"


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "none").startswith("ca.pem is missing: 'baonet keys init' makes")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_may_read_is_refused(copied: Path, mode: int) -> None:
    (copied / "key.pem").chmod(mode)
    assert refused(copied) == "key.pem may be read by others, so it is no secret: chmod 600 key.pem"
    (copied / "key.pem").chmod(0o400)
    keys.client_context(copied, NODE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_key_that_may_not_be_read_is_named(copied: Path) -> None:
    (copied / "key.pem").chmod(0)
    assert refused(copied).startswith("key.pem may not be read by the user who runs baonet")
    copied.chmod(0)
    with pytest.raises(KeysError, match="copied cannot be looked into by the user who runs baonet: Permission denied"):
        keys.find(copied)
    copied.chmod(0o700)


@pytest.mark.parametrize("content", [b"", b"not a key", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_a_file_that_is_something_else_is_named(copied: Path, name: str, content: bytes) -> None:
    (copied / name).write_bytes(content)
    told = refused(copied)
    assert name in told
    assert "copy " in told


def test_a_key_with_a_password_asks_nobody(copied: Path) -> None:
    locked = pem(ec.generate_private_key(ec.SECP256R1()), serialization.BestAvailableEncryption(b"x"))
    (copied / "key.pem").write_bytes(locked)
    assert refused(copied) == "cert.pem and key.pem are not a certificate and a key without a password: copy them again"


def test_files_of_two_directories_do_not_go_together(copied: Path, lead: Path, foreign: Path) -> None:
    shutil.copy(lead / "beta" / "key.pem", copied)
    assert refused(copied) == "cert.pem and key.pem do not belong together: copy both from one directory"
    shutil.copy(lead / "beta" / "cert.pem", copied)
    assert keys.own(copied).name == "beta"
    shutil.copy(foreign / "ca.pem", copied)
    assert refused(copied).startswith("cert.pem is not from the CA in ca.pem")


def test_our_own_certificate_is_looked_at_first(lead: Path) -> None:
    assert refused(lead) == "cert.pem is for the role 'lead', and 'node' is wanted: copy the keys of this host to it"
    assert refused(lead / "old").startswith("cert.pem has expired, if the clock of this host can be trusted: ")
    assert refused(lead / "new") == "cert.pem is not valid yet: look at the clock of this host"


# Where they are


def test_where_keys_are_looked_for(lead: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BAONET_KEYS", raising=False)
    assert keys.find(None) is None
    default = tmp_path / ".config" / "baonet" / "keys"
    assert keys.place(None) == default
    shutil.copytree(lead / "alpha", default)
    assert keys.find(None) == default
    assert keys.find("~/.config/baonet/keys") == default
    monkeypatch.setenv("BAONET_KEYS", str(lead))
    assert keys.find(None) == lead
    assert keys.find(lead / "beta") == lead / "beta"


def test_keys_that_somebody_named_have_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeysError, match=r"none has no cert\.pem"):
        keys.find(tmp_path / "none")
    monkeypatch.setenv("BAONET_KEYS", str(tmp_path / "other"))
    with pytest.raises(KeysError, match=r"other has no cert\.pem"):
        keys.find(None)


def test_a_user_without_a_home_has_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BAONET_KEYS", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    assert keys.find(None) is None
    with pytest.raises(KeysError, match="no home directory: give --keys DIR or set BAONET_KEYS"):
        keys.place(None)


def test_who_only_uses_keys_does_not_load_what_makes_them() -> None:
    code = "import sys, baonet.cluster.keys; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
