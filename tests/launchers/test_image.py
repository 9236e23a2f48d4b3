"""The Dockerfile, built by buildah on a stand-in for its base, and nodes of the image on hosts that are namespaces."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.launchers.machines import TALK, same
from tests.launchers.namespaces import ROOT, hosts
from tests.launchers.waiting import within

BASE = "docker.io/library/python:3.11-slim"
"""In its place there is Debian's own Python of the same version, with all that the Dockerfile asks for."""
SUITE, PACKAGES = "bookworm", "python3-dev,python3-pip,python3-venv,ca-certificates"
STAND_IN = """\
FROM scratch
ADD base.tar /
COPY ca.crt /etc/ssl/certs/ca-certificates.crt
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
RUN ln -sf python3 /usr/bin/python && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
"""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    *(
        pytest.mark.skipif(shutil.which(tool) is None, reason=f"there is no {tool} here")
        for tool in ("buildah", "mmdebstrap")
    ),
]


class Image:
    """The words before a command in a container of it."""

    def __init__(self, directory: Path) -> None:
        store = ["--storage-driver", "vfs", "--root", str(directory / "store"), "--runroot", str(directory / "run")]
        self._buildah = ["buildah", *store]
        base = directory / "base"
        base.mkdir()
        _said("mmdebstrap", "--quiet", "--variant=apt", f"--include={PACKAGES}", SUITE, str(base / "base.tar"))
        shutil.copy(CERTIFICATES, base / "ca.crt")
        (base / "Containerfile").write_text(STAND_IN)
        self._build(base, BASE)
        self._build(ROOT, "baonet")
        self.container = self._said("from", "--pull-never", "baonet").strip()
        self.words = [*self._buildah, "run", "--isolation", "chroot", self.container, "--", "baonet"]

    def _said(self, *words: str) -> str:
        return _said(*self._buildah, *words)

    def _build(self, directory: Path, name: str) -> None:
        self._said("bud", "--isolation", "chroot", "--pull-never", "--tag", name, str(directory))


def _said(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    directory = tmp_path_factory.mktemp("image")
    yield Image(directory)
    shutil.rmtree(directory)


def test_a_container_runs_a_machine_alone(image: Image) -> None:
    done = subprocess.run([*image.words, "run", "configs/ping-pong.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ping | ping: done" in done.stdout


def test_containers_are_nodes_of_a_lead_in_one(image: Image) -> None:
    with hosts(2) as there:
        places = [f"{address}:7470" for address in there.addresses]
        for number, place in enumerate(places):
            there.start(number, *image.words, "node", "--listen", place, "--insecure")
        words = [*image.words, *TALK, "--on", ",".join(places)]
        try:
            within(30, lambda: "cannot be reached" not in there.execute(words).err)
            for _ in range(2):
                same(there.execute(words))
        finally:
            for number in range(len(places)):
                for pid in there.processes(number):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
