"""``baonet keys``: what a user sees, and where it is written."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from baonet.cli.main import main
from baonet.cluster import issuing, keys

DATE = r"\d{4}-\d\d-\d\d"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("BAONET_KEYS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".config" / "baonet" / "keys"


def test_from_nothing_to_two_hosts(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "init"]) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(
        rf"wrote {home}: a CA, and this host's certificate as lead, until {DATE}\n"
        r"next, for each other host: baonet keys node NAME\n",
        out,
    )
    assert main(["keys", "node", "alpha"]) == 0
    out = capsys.readouterr().out
    assert re.match(rf"wrote {home}/alpha: the certificate of node 'alpha', until {DATE}\n", out)
    assert "copy the directory to that host, as ~/.config/baonet/keys or to where $BAONET_KEYS says there" in out
    assert keys.own(home / "alpha").name == "alpha"
    assert main(["keys", "show"]) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(rf"lead   lead  until {DATE}\nalpha  node  until {DATE}\n", out)


def test_the_directory_can_be_named(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there, other = tmp_path / "there", tmp_path / "other"
    monkeypatch.setenv("BAONET_KEYS", str(there))
    assert main(["keys", "init"]) == 0
    assert main(["keys", "init", "--keys", str(other)]) == 0
    assert main(["keys", "node", "alpha", "--keys", str(other)]) == 0
    assert (there / "ca-key.pem").exists()
    assert not home.exists()
    capsys.readouterr()
    assert main(["keys", "show"]) == 0
    assert "alpha" not in capsys.readouterr().out
    assert main(["keys", "show", "--keys", str(other)]) == 0
    assert "alpha" in capsys.readouterr().out


def test_how_long_a_certificate_is_good(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    issuing.init(home, datetime(2026, 1, 1, tzinfo=UTC))
    issuing.issue(home, "old", now=datetime(2020, 1, 1, tzinfo=UTC))
    assert main(["keys", "node", "brief", "--days", "1"]) == 0
    assert keys.own(home / "brief").until.timestamp() - datetime.now(UTC).timestamp() == pytest.approx(86400, abs=60)
    capsys.readouterr()
    assert main(["keys", "show"]) == 0
    out = capsys.readouterr().out
    assert "lead   lead  until 2035-12-30\n" in out
    assert "old    node  ended on 2021-12-31\n" in out


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (
            "node alpha",
            "{home} has no cert.pem: 'baonet keys init' makes keys on the lead, and 'baonet keys node NAME'",
        ),
        ("show", "{home} has no cert.pem: 'baonet keys init' makes"),
        ("show --keys none", "none has no cert.pem"),
        ("node alpha --days 0", "argument --days: '0' is no whole number from 1 on"),
        ("node alpha --days soon", "argument --days: 'soon' is no whole number from 1 on"),
        ("node", "the following arguments are required: NAME"),
        ("", "the following arguments are required: COMMAND"),
        ("init --keys /dev/null", "/dev/null is no directory"),
    ],
)
def test_mistakes_before_there_are_keys(home: Path, line: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", *line.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert why.format(home=home) in err
    assert err.splitlines()[-1].startswith("baonet keys")
    assert not home.exists()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("init", "{home} has keys already: nodes that have theirs from it need it; --keys names another"),
        ("node alpha", "{home}/alpha is there already: remove it to make other keys for 'alpha'"),
        ("node a/b", "'a/b' is no name of a node: 1 to 64 letters, digits and : . _ -, none of the last three first"),
        ("node lead", "'lead' is the name of the lead's own certificate: give the node another"),
        (
            "node beta --keys {home}/alpha",
            "{home}/alpha has no ca-key.pem: certificates are made where 'baonet keys init'",
        ),
    ],
)
def test_mistakes_with_keys_that_are_there(home: Path, line: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    issuing.init(home)
    issuing.issue(home, "alpha")
    assert main(["keys", *line.format(home=home).split()]) == 2
    assert capsys.readouterr().err.startswith(f"baonet keys: {why.format(home=home)}")


def test_a_certificate_that_is_none_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    issuing.init(home)
    (home / "alpha").mkdir()
    (home / "alpha" / "cert.pem").write_text("?")
    assert main(["keys", "show"]) == 2
    assert capsys.readouterr().err.startswith(f"baonet keys: {home}/alpha/cert.pem is no certificate")
    (home / "alpha" / "cert.pem").write_bytes((home / "ca.pem").read_bytes())
    assert main(["keys", "show"]) == 2
    told = f"baonet keys: {home}/alpha/cert.pem: the certificate of 'baonet CA' has no role"
    assert capsys.readouterr().err.startswith(told)


def test_a_place_that_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "init", "--keys", "/proc/keys-of-mine"]) == 1
    assert capsys.readouterr().err == "baonet: /proc/keys-of-mine: No such file or directory\n"
