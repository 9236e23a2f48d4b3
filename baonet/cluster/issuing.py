"""The keys of a cluster as they are made, on the lead: a small CA, the lead's own certificate, and those of nodes.

The lead's directory has, beside what each host has (``keys``), ``ca-key.pem``, and for each node a directory, which is
what is copied to that host.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from baonet.cluster.keys import (
    CA,
    CERTIFICATE,
    KEY,
    Certificate,
    HostRole,
    KeysError,
    has_keys,
    no_keys,
    read,
    read_key,
)
from baonet.machine.dataclass import dataclass

LEAD: Final = "lead"
"""The name of the lead's own certificate."""
DAYS: Final = 730
"""How long a node's certificate is good, if nobody says otherwise."""

_CA_KEY: Final = "ca-key.pem"
_CA_DAYS: Final = 3650
_BEFORE: Final = timedelta(hours=1)
"""A certificate is good from that long before it was made: clocks of hosts differ."""
_NAME: Final = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:_-]{0,63}")
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@final
@dataclass(frozen=True, slots=True)
class _Issuer:
    """The CA."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def init(directory: Path, now: datetime | None = None) -> Certificate:
    """Make a CA in a new or an empty directory, and the lead's own certificate, which is good as long as the CA.

    ``now``: when it is made. Raises KeysError when something is there, OSError when it cannot be written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise KeysError(
            f"{error.filename} is no directory: keys get a directory of their own, --keys names one"
        ) from None
    if (directory / CA).exists():
        raise KeysError(f"{directory} has keys already: nodes that have theirs from it need it; --keys names another")
    if any(directory.iterdir()):
        raise KeysError(f"{directory} has other files: keys get a directory of their own, --keys names another")
    directory.chmod(0o700)
    now = now or datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([_attribute(NameOID.ORGANIZATION_NAME, "baonet"), _attribute(NameOID.COMMON_NAME, "baonet CA")])
    usage = _usage(key_cert_sign=True)
    builder = _builder(name, name, key.public_key(), now, now + timedelta(days=_CA_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    ca = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    certificate, files = _issued(_Issuer(ca, key), LEAD, HostRole.LEAD, now, now + timedelta(days=_CA_DAYS))
    _write(directory, {_CA_KEY: _private(key)} | files)
    return certificate


def issue(directory: Path, name: str, days: int = DAYS, now: datetime | None = None) -> Certificate:
    """Make a node's certificate, in a new directory ``name`` of the CA's, for ``days`` or until the CA ends.

    ``now``: when it is made. Raises KeysError, and OSError when it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise KeysError(
            f"'{name}' is no name of a node: 1 to 64 letters, digits and : . _ -, none of the last three first"
        )
    if name == LEAD:
        raise KeysError(f"'{LEAD}' is the name of the lead's own certificate: give the node another")
    now = now or datetime.now(UTC)
    ca = _issuer(directory)
    end = ca.certificate.not_valid_after_utc
    if end <= now:
        raise KeysError(
            f"{directory / CA} has ended on {end:%Y-%m-%d}: all hosts need keys of a new 'baonet keys init'"
        )
    until = min(now + timedelta(days=min(days, _CA_DAYS)), end)
    certificate, files = _issued(ca, name, HostRole.NODE, now, until)
    own = directory / name
    try:
        own.mkdir(mode=0o700)
    except FileExistsError:
        raise KeysError(f"{own} is there already: remove it to make other keys for '{name}'") from None
    try:
        _write(own, files)
    except BaseException:
        own.rmdir()
        raise
    return certificate


def listed(directory: Path) -> list[Certificate]:
    """Who has which role by this directory: its own certificate, and on the lead those of nodes. Raises KeysError."""
    if not has_keys(directory):
        raise no_keys(directory)
    return [_told(directory / CERTIFICATE), *map(_told, sorted(directory.glob(f"*/{CERTIFICATE}")))]


def _issuer(directory: Path) -> _Issuer:
    """Raises KeysError."""
    path = directory / _CA_KEY
    if not has_keys(directory):
        raise no_keys(directory)
    if not path.exists():
        raise KeysError(f"{directory} has no {_CA_KEY}: certificates are made where 'baonet keys init' was run")
    try:
        key = serialization.load_pem_private_key(read_key(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    ca = _parsed(directory / CA)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != ca.public_key():
        raise KeysError(f"{path} is not the key of {CA} beside it: put back what 'baonet keys init' wrote")
    return _Issuer(ca, key)


def _parsed(path: Path) -> x509.Certificate:
    """Raises KeysError."""
    try:
        return x509.load_pem_x509_certificate(read(path))
    except ValueError:
        raise KeysError(f"{path} is no certificate: put back what was there, or make it again") from None


def _told(path: Path) -> Certificate:
    """Raises KeysError."""
    parsed = _parsed(path)
    try:
        names = [
            [str(each.value) for each in parsed.subject.get_attributes_for_oid(kind)]
            for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME)
        ]
        return Certificate.of(names[0], names[1], parsed.not_valid_after_utc)
    except (KeysError, ValueError) as error:
        raise KeysError(f"{path}: {error}") from None


def _issued(
    ca: _Issuer, name: str, role: HostRole, now: datetime, until: datetime
) -> tuple[Certificate, dict[str, bytes]]:
    """A certificate, and the files of its holder."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            _attribute(NameOID.ORGANIZATION_NAME, "baonet"),
            _attribute(NameOID.ORGANIZATIONAL_UNIT_NAME, role.value),
            _attribute(NameOID.COMMON_NAME, name),
        ]
    )
    # Either may call the other, so each may be either end of TLS; who is who tells the role.
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    builder = _builder(subject, ca.certificate.subject, key.public_key(), now, until)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(digital_signature=True), critical=True)
    builder = builder.add_extension(both, critical=False).add_extension(issuer, critical=False)
    alternative = _alternative(name)
    if alternative is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    made = builder.sign(ca.key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    files = {KEY: _private(key), CERTIFICATE: made.public_bytes(pem), CA: ca.certificate.public_bytes(pem)}
    return Certificate(name, role, made.not_valid_after_utc), files


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _attribute(kind: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(kind, value)


def _usage(key_cert_sign: bool = False, digital_signature: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName | None:
    """For other tools that look at the certificate: we let in whom the CA has signed, wherever he calls from."""
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name) if _HOST.fullmatch(name) else None


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    """All of them or none, and over nothing. Keys are for their owner alone from the first byte on. Raises OSError."""
    written: list[Path] = []
    try:
        for name, data in files.items():
            path = directory / name
            mode = 0o600 if name in (KEY, _CA_KEY) else 0o644
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            written.append(path)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
