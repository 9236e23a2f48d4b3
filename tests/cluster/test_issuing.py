"""What is made: files, their modes, and what a certificate says. Nothing that is there is written over."""

from __future__ import annotations

import errno
import ipaddress
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from baonet.cluster import issuing, keys
from baonet.cluster.keys import Certificate, HostRole, KeysError

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def modes(directory: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.iterdir())}


def test_what_is_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "keys"
    before = os.umask(0)
    try:
        issuing.init(directory)
        issuing.issue(directory, "alpha")
    finally:
        os.umask(before)
    files = {"ca.pem": 0o644, "cert.pem": 0o644, "key.pem": 0o600}
    assert modes(directory) == files | {"keys": 0o700, "ca-key.pem": 0o600, "alpha": 0o700}
    assert modes(directory / "alpha") == files | {"alpha": 0o700}


def test_who_has_which_role_and_until_when(tmp_path: Path) -> None:
    lead = issuing.init(tmp_path, NOW)
    alpha = issuing.issue(tmp_path, "alpha", now=NOW)
    beta = issuing.issue(tmp_path, "beta", 30, NOW)
    assert lead == Certificate("lead", HostRole.LEAD, NOW + 3650 * DAY)
    assert alpha == Certificate("alpha", HostRole.NODE, NOW + 730 * DAY)
    assert beta == Certificate("beta", HostRole.NODE, NOW + 30 * DAY)
    assert issuing.listed(tmp_path) == [lead, alpha, beta]
    assert issuing.listed(tmp_path / "beta") == [beta]


@pytest.mark.parametrize("days", [3650, 3651, 10**12])
def test_nothing_outlives_the_ca(tmp_path: Path, days: int) -> None:
    issuing.init(tmp_path, NOW)
    assert issuing.issue(tmp_path, "late", days, NOW + 3000 * DAY).until == NOW + 3650 * DAY
    with pytest.raises(KeysError, match=r"ca.pem has ended on 2039-12-30: all hosts need keys of a new"):
        issuing.issue(tmp_path, "later", days, NOW + 3650 * DAY)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("alpha", x509.DNSName("alpha")),
        ("a-1.example.org", x509.DNSName("a-1.example.org")),
        ("10.0.0.7", x509.IPAddress(ipaddress.ip_address("10.0.0.7"))),
        ("::1", x509.IPAddress(ipaddress.ip_address("::1"))),
        ("my_node", None),
        ("a..b", None),
    ],
)
def test_a_name_that_is_a_hosts_is_told_to_other_tools(
    tmp_path: Path, name: str, said: x509.GeneralName | None
) -> None:
    issuing.init(tmp_path)
    issuing.issue(tmp_path, name)
    made = x509.load_pem_x509_certificate((tmp_path / name / "cert.pem").read_bytes())
    found = [
        each for one in made.extensions if isinstance(one.value, x509.SubjectAlternativeName) for each in one.value
    ]
    assert found == [said] * (said is not None)
    assert keys.own(tmp_path / name).name == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-a", "a b", "a\n", "ä", "x" * 65, "a\0"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    issuing.init(tmp_path)
    with pytest.raises(KeysError, match="is no name of a node: 1 to 64 letters, digits and"):
        issuing.issue(tmp_path, name)


def test_a_node_does_not_have_the_leads_name(tmp_path: Path) -> None:
    issuing.init(tmp_path)
    with pytest.raises(KeysError, match="'lead' is the name of the lead's own certificate"):
        issuing.issue(tmp_path, "lead")


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_nothing_is_written_over(tmp_path: Path) -> None:
    issuing.init(tmp_path)
    issuing.issue(tmp_path, "alpha")
    before = contents(tmp_path)
    with pytest.raises(KeysError, match="has keys already"):
        issuing.init(tmp_path)
    with pytest.raises(KeysError, match="alpha is there already: remove it to make other keys"):
        issuing.issue(tmp_path, "alpha")
    with pytest.raises(KeysError, match=r"key\.pem is there already"):
        issuing.issue(tmp_path, "key.pem")
    assert contents(tmp_path) == before


def test_keys_have_a_directory_of_their_own(tmp_path: Path) -> None:
    """Whose mode is changed: a home directory given by mistake keeps its own."""
    tmp_path.chmod(0o755)
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(KeysError, match="has other files: keys get a directory of their own"):
        issuing.init(tmp_path)
    assert modes(tmp_path)[tmp_path.name] == 0o755
    for path in (tmp_path / "letter", tmp_path / "letter" / "keys"):
        with pytest.raises(KeysError, match=r"letter.* is no directory"):
            issuing.init(path)


def test_a_node_makes_no_certificates(tmp_path: Path) -> None:
    issuing.init(tmp_path)
    issuing.issue(tmp_path, "alpha")
    with pytest.raises(
        KeysError, match=r"alpha has no ca-key\.pem: certificates are made where 'baonet keys init' was run"
    ):
        issuing.issue(tmp_path / "alpha", "beta")
    with pytest.raises(KeysError, match=r"none has no cert\.pem"):
        issuing.issue(tmp_path / "none", "beta")


def test_a_ca_that_is_damaged_makes_none(tmp_path: Path) -> None:
    issuing.init(tmp_path)
    key = tmp_path / "ca-key.pem"
    key.chmod(0o644)
    with pytest.raises(KeysError, match=f"ca-key.pem may be read by others, so it is no secret: chmod 600 {key}"):
        issuing.issue(tmp_path, "alpha")
    key.chmod(0o600)
    for other in ((tmp_path / "key.pem").read_bytes(), b"garbage"):
        key.write_bytes(other)
        with pytest.raises(KeysError, match=r"ca-key.pem is not the key of ca.pem beside it"):
            issuing.issue(tmp_path, "alpha")
    (tmp_path / "ca.pem").write_bytes(b"garbage")
    with pytest.raises(KeysError, match=r"ca.pem is no certificate"):
        issuing.issue(tmp_path, "alpha")
    assert not (tmp_path / "alpha").exists()


def test_what_cannot_be_written_whole_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issuing.init(tmp_path / "keys")
    before = contents(tmp_path)
    open_ = os.open

    def full(path: Any, *rest: int) -> int:
        if Path(path).name == "cert.pem":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return open_(path, *rest)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(OSError, match="No space left"):
        issuing.issue(tmp_path / "keys", "alpha")
    with pytest.raises(OSError, match="No space left"):
        issuing.init(tmp_path / "other")
    assert contents(tmp_path) == before
    assert not (tmp_path / "keys" / "alpha").exists()
    monkeypatch.undo()
    issuing.issue(tmp_path / "keys", "alpha")
    issuing.init(tmp_path / "other")
