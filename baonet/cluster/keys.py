"""The keys of a cluster as a host uses them: mutual TLS 1.3, in which each certificate tells its holder's role.

A directory of keys has ``ca.pem``, the one CA that its host trusts, and its own ``cert.pem`` and ``key.pem``.
The lead's has more, see ``issuing``.
"""

from __future__ import annotations

import enum
import os
import ssl
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, final

from baonet.machine.dataclass import dataclass

ENVIRONMENT: Final = "BAONET_KEYS"
NO_TLS: Final = "it does not speak TLS"
CA: Final = "ca.pem"
CERTIFICATE: Final = "cert.pem"
KEY: Final = "key.pem"

_DEFAULT: Final = Path("~/.config/baonet/keys")
_MAKE: Final = "'baonet keys init' makes keys on the lead, and 'baonet keys node NAME' there what is copied to a node"
_EXPIRED, _NOT_YET = 10, 9
_STRANGE: Final = frozenset({2, 7, 18, 19, 20, 21})
"""OpenSSL's X509_V_ERR_...: nobody has signed it, or somebody whom we do not know."""
_CLOSED: Final = "it has closed the connection in the handshake"
_REASONS: Final = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it has shown no certificate",
    "UNSUPPORTED_PROTOCOL": "it does not speak TLS 1.3",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it does not speak TLS 1.3",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it says that our certificate has expired: compare the clocks of both hosts",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it refuses our certificate: compare the clocks of both hosts",
    "TLSV1_ALERT_UNKNOWN_CA": "it says that our certificate is from another CA than its own",
    "TLSV1_ALERT_DECRYPT_ERROR": "it says that our certificate is from another CA than its own",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a certificate, and we have shown none",
    "UNEXPECTED_EOF_WHILE_READING": _CLOSED,
    "HTTP_REQUEST": "it speaks HTTP",
    "WRONG_VERSION_NUMBER": NO_TLS,
}


class KeysError(Exception):
    """One line: which file or which peer is wrong, and what to do."""


@final
class HostRole(enum.Enum):
    """What a host may be in a cluster. The value is what its certificate says."""

    LEAD = "lead"
    NODE = "node"


@final
@dataclass(frozen=True, slots=True)
class Certificate:
    """Who has which role, and until when."""

    name: str
    role: HostRole
    until: datetime

    @classmethod
    def of(cls, names: list[str], units: list[str], until: datetime) -> Certificate:
        """Of the common names and the units of a certificate's subject. Raises KeysError when they are not of ours."""
        return cls(*holder(names, units), until)


def holder(names: list[str], units: list[str]) -> tuple[str, HostRole]:
    """Who has a certificate, by its subject's common names and units. Raises KeysError when they are not of ours."""
    roles = [role for role in HostRole if [role.value] == units]
    if len(names) != 1 or not roles:
        raise KeysError(f"the certificate of '{', '.join(names)}' has no role: 'baonet keys node NAME' makes one")
    return names[0], roles[0]


def place(given: str | Path | None) -> Path:
    """The directory of this user's keys, whether it is there or not.

    ``given`` is what the command line says; without it $BAONET_KEYS, or ~/.config/baonet/keys. Raises KeysError.
    """
    try:
        return Path(given or os.environ.get(ENVIRONMENT) or _DEFAULT).expanduser()
    except RuntimeError:
        raise KeysError(f"this user has no home directory: give --keys DIR or set {ENVIRONMENT}") from None


def find(given: str | Path | None) -> Path | None:
    """The directory of this host's keys; None when it has none, and nobody said that it had.

    Raises KeysError when ``given`` or $BAONET_KEYS names a directory without keys.
    """
    named = given or os.environ.get(ENVIRONMENT)
    try:
        directory = place(given)
    except KeysError:
        if named:
            raise
        return None
    if has_keys(directory):
        return directory
    if named:
        raise no_keys(directory)
    return None


def has_keys(directory: Path) -> bool:
    """Whether there are any. Raises KeysError when we may not look."""
    try:
        return (directory / CERTIFICATE).exists()
    except OSError as error:
        raise KeysError(f"{directory} cannot be looked into by the user who runs baonet: {error.strerror}") from None


def no_keys(directory: Path) -> KeysError:
    """What is wrong with a directory that has none."""
    return KeysError(f"{directory} has no {CERTIFICATE}: {_MAKE}")


def own(directory: Path) -> Certificate:
    """What this host's certificate says, after its own CA has been asked. Raises KeysError."""
    return _contexts(directory)[2]


def server_context(directory: Path, role: HostRole) -> ssl.SSLContext:
    """For connections that others have opened to us. ``role`` is our own.

    Raises KeysError when a file is missing or is not what it should be, or when our certificate has expired or is for
    another role: before anybody has been called.
    """
    return _contexts(directory, role)[0]


def client_context(directory: Path, role: HostRole) -> ssl.SSLContext:
    """For connections that we open. ``role`` is our own. Raises as ``server_context``.

    In TLS 1.3 the handshake of who calls is over before the other has looked at its certificate: that it is refused
    comes as an error of the first read, which ``refusal`` puts into words.
    """
    return _contexts(directory, role)[1]


def handshake(ssl_object: ssl.SSLObject | ssl.SSLSocket, wanted: HostRole) -> str:
    """Shake hands and look who it is: the peer's name. Raises KeysError.

    With a socket that does not wait, or an object without one, raises SSLWantReadError until it is done.
    """
    try:
        ssl_object.do_handshake()
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        raise
    except OSError as error:
        raise refusal(error) from error
    return check_peer(ssl_object, wanted)


def check_peer(ssl_object: ssl.SSLObject | ssl.SSLSocket, wanted: HostRole) -> str:
    """The name of a peer whose certificate has passed the handshake. Raises KeysError when its role is another."""
    found = _holder(ssl_object)
    refuse_role(found.name, found.role, wanted)
    return found.name


def refuse_role(name: str, found: HostRole, wanted: HostRole) -> None:
    """Raises KeysError when ``name``, a peer, has another role than the one that is wanted."""
    _refuse_role(found, wanted, f"the certificate of '{name}'", "copy the keys of its host to it")


def peer_role(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> HostRole:
    """The role of a peer whose certificate has passed the handshake. Raises KeysError when it has none."""
    return _holder(ssl_object).role


def refusal(error: OSError) -> KeysError:
    """What went wrong in a handshake, or in the first read after it, in words that stand behind the peer's address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _refusal(error.reason, error.verify_code, error.verify_message)
    reason = getattr(error, "reason", None)
    if isinstance(error, TimeoutError):
        return KeysError("it has not finished the handshake in time")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError):
        return KeysError(_CLOSED)
    if isinstance(error, ssl.SSLError):
        return _refusal(reason or str(error))
    return KeysError(f"the connection failed in the handshake: {error.strerror or error}")


def native_refusal(error: ValueError) -> KeysError:
    """Of a ``Link``, in the same words."""
    reason, verify = error.args
    return (
        _refusal(reason.upper().replace(" ", "_"), verify, f"OpenSSL's error {verify}")
        if reason
        else KeysError(_CLOSED)
    )


def _refusal(reason: str, verify: int = 0, message: str = "") -> KeysError:
    if verify:
        return KeysError(f"its certificate {_fault(verify, message)}")
    return KeysError(_REASONS.get(reason, f"it does not shake hands as baonet does: {reason}"))


def read_key(path: Path) -> bytes:
    """A private key's file. Raises KeysError, also when others may read it."""
    data = read(path)
    found = path.stat()
    # As ssh does it: the group matters where the file is our own. Kubernetes lends a secret by its group.
    ours = found.st_uid == os.geteuid()
    if stat.S_IMODE(found.st_mode) & (0o077 if ours else 0o007):
        raise KeysError(f"{path} may be read by others, so it is no secret: chmod 600 {path}")
    return data


def read(path: Path) -> bytes:
    """A file of keys. Raises KeysError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise KeysError(f"{path} is missing: {_MAKE}") from None
    except PermissionError:
        raise KeysError(f"{path} may not be read by the user who runs baonet: give it to him with chown") from None
    except OSError as error:
        raise KeysError(f"{path} cannot be read: {error.strerror}") from None


def _contexts(directory: Path, role: HostRole | None = None) -> tuple[ssl.SSLContext, ssl.SSLContext, Certificate]:
    """For who is called, for who calls, and who we are. They shake hands once, so what is wrong here is told here.

    Raises KeysError, also when our role is not ``role``.
    """
    for name in (CA, CERTIFICATE):
        read(directory / name)
    read_key(directory / KEY)
    server = _context(ssl.PROTOCOL_TLS_SERVER, directory)
    server.num_tickets = 0  # who comes back shows its certificate again
    client = _context(ssl.PROTOCOL_TLS_CLIENT, directory)
    try:
        ours = _with_itself(server, client)
    except ssl.SSLCertVerificationError as error:
        fault = _fault(error.verify_code, error.verify_message, "the clock of this host")
        raise KeysError(f"{directory / CERTIFICATE} {fault}") from None
    except ssl.SSLError as error:
        raise KeysError(f"{directory / CERTIFICATE} cannot be used: {error.reason or error}") from None
    if role is not None:
        _refuse_role(ours.role, role, str(directory / CERTIFICATE), "copy the keys of this host to it")
    return server, client, ours


def _context(protocol: int, directory: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # nodes are called as they are reached; who is let in, the CA decides
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        context.load_verify_locations(directory / CA)
    except ssl.SSLError:
        raise KeysError(f"{directory / CA} is no certificate: copy it again") from None
    try:
        # With an empty password OpenSSL does not ask the terminal for one.
        context.load_cert_chain(directory / CERTIFICATE, directory / KEY, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            what = "do not belong together: copy both from one directory"
        else:
            what = "are not a certificate and a key without a password: copy them again"
        raise KeysError(f"{directory / CERTIFICATE} and {KEY} {what}") from None
    return context


def _with_itself(server: ssl.SSLContext, client: ssl.SSLContext) -> Certificate:
    """Raises SSLError."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    calling = client.wrap_bio(back, there)
    called = server.wrap_bio(there, back, server_side=True)
    for end in (calling, called, calling, called):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    return _holder(calling)


def _holder(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> Certificate:
    """Raises KeysError."""
    shown = ssl_object.getpeercert()
    if not shown:
        raise KeysError(_REASONS["PEER_DID_NOT_RETURN_A_CERTIFICATE"])
    # The role is the subject's unit and no extension of our own: the standard library tells the subject of a peer's
    # certificate, and for an extension whoever takes a connection would have to parse what a stranger sends.
    parts: Any = shown.get("subject", ())
    subject = [pair for part in parts for pair in part]
    names = [value for kind, value in subject if kind == "commonName"]
    units = [value for kind, value in subject if kind == "organizationalUnitName"]
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
    return Certificate.of(names, units, until)


def _refuse_role(found: HostRole, wanted: HostRole, which: str, hint: str) -> None:
    if found is not wanted:
        raise KeysError(f"{which} is for the role '{found.value}', and '{wanted.value}' is wanted: {hint}")


def _fault(verify: int, message: str, clocks: str = "the clocks of both hosts") -> str:
    if verify == _EXPIRED:
        return f"has expired, if {clocks} can be trusted: 'baonet keys node NAME' makes another"
    if verify == _NOT_YET:
        return f"is not valid yet: look at {clocks}"
    if verify in _STRANGE:
        return f"is not from the CA in {CA}: lead and nodes need keys of one 'baonet keys init'"
    return f"is refused: {message}"
