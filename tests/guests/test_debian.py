"""Fetching of third-party guests, without a network."""

from __future__ import annotations

import gzip
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.guests import debian, initramfs


def _entries(archive: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Name, mode and data of each entry of a cpio "newc" archive."""
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = archive[at + 110 : at + 110 + name_size - 1].decode()
        at += (110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            return
        yield name, mode, archive[at : at + size]
        at += (size + 3) & ~3


def test_initramfs_holds_a_shell_and_its_console() -> None:
    archive = initramfs.build(b"\x7fELF-not-really")
    entries = {name: (mode, data) for name, mode, data in _entries(gzip.decompress(archive))}
    assert entries["bin/busybox"] == (stat.S_IFREG | 0o755, b"\x7fELF-not-really")
    assert entries["bin/sh"] == (stat.S_IFLNK | 0o777, b"busybox")
    assert stat.S_ISCHR(entries["dev/console"][0])
    assert initramfs.READY in entries["etc/shrc"][1].decode()
    for name in entries:  # a directory is made before what is in it
        parents = [entry for entry in entries if name.startswith(f"{entry}/")]
        assert all(list(entries).index(parent) < list(entries).index(name) for parent in parents)


def test_initramfs_depends_on_nothing_but_busybox() -> None:
    assert initramfs.build(b"same") == initramfs.build(b"same")
    assert initramfs.build(b"same") != initramfs.build(b"other")


def test_a_complete_cache_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = {"package": "p", "version": "1", "package_sha256": "", "sha256": "", "recipe": str(debian.RECIPE)}
    (tmp_path / "manifest.json").write_text(json.dumps({guest.name: record for guest in debian.GUESTS}))
    for guest in debian.GUESTS:
        (tmp_path / guest.name).touch()

    def no_apt(_state: Path, _architecture: str) -> NoReturn:
        pytest.fail("apt was asked")

    monkeypatch.setattr(debian, "Apt", no_apt)
    assert set(debian.fetch(tmp_path)) == {guest.name for guest in debian.GUESTS}


def test_no_network_has_an_exit_status_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(_cache: Path, *, refresh: bool) -> NoReturn:
        raise debian.NoNetworkError("no route to deb.debian.org")

    monkeypatch.setenv("BAONET_GUESTS", str(tmp_path))
    monkeypatch.setattr(debian, "fetch", unreachable)
    monkeypatch.setattr("sys.argv", ["fetch"])
    assert debian.main() == debian.NO_NETWORK == 75
    assert "no network" in capsys.readouterr().err
