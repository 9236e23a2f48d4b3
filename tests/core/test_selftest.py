"""The start-up self-test: it passes here, it tells what went wrong, it cannot hang, and it knows what it may skip."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from baonet.core import selftest
from baonet.core.architecture import Trial
from baonet.core.armv8.testbed import Shared, Side
from baonet.core.armv8.wing import ARMV8
from baonet.core.errors import EngineError, LitmusError
from baonet.core.trial_bed import Part, PartsTrial


def no_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def test_the_engine_holds_here() -> None:
    before = time.monotonic()
    selftest.test(ARMV8.trial())
    assert time.monotonic() - before < selftest.DEADLINE
    assert no_children()


def fail(side: Side, block: int) -> None:
    if side.number:
        raise LitmusError("3, not 4")


def crash(side: Side, block: int) -> None:
    if side.number:
        os.kill(os.getpid(), signal.SIGKILL)


def err(side: Side, block: int) -> None:
    raise ZeroDivisionError


def spin(side: Side, block: int) -> None:
    """Counts 2**64 rounds: a guest that does not come back."""
    if side.number:
        side.go("instructions", block, 0)


def wait(side: Side, block: int) -> None:
    """Nobody comes."""
    signal.pause()


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (fail, "second: 3, not 4"),
        (crash, "second: a process ended with status -9"),
        (err, "ZeroDivisionError"),
        (spin, "second: did not end within 0.5 s of a CPU"),
        (wait, r"second: did not end within 0.5 s\."),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_left(
    run: Callable[[Side, int], None], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = PartsTrial(Shared, Side, (Part("first", lambda side, block: None), Part("second", run)))
    monkeypatch.setattr(selftest, "DEADLINE", 0.5 if run in (spin, wait) else 10)
    monkeypatch.setattr(selftest, "PATIENCE", 1 if run is wait else 10)
    with pytest.raises(EngineError, match=text):
        selftest.test(trial)
    assert no_children()


class Cache:
    """Runs ``ensure`` on a library that the test writes, with a test that only counts."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shared_object = directory / "library"
        self.shared_object.write_bytes(b"library 1")
        self.directory = directory / "cache"
        self.runs = 0
        self.outcome: bool | EngineError = True
        monkeypatch.setenv("XDG_CACHE_HOME", str(self.directory))
        monkeypatch.setenv("HOME", str(directory / "home"))
        monkeypatch.setenv("TMPDIR", str(directory))
        monkeypatch.setattr(selftest, "library_path", lambda: self.shared_object)
        monkeypatch.setattr(selftest, "test", self.test)

    def test(self, trial: Trial) -> bool:
        self.runs += 1
        if isinstance(self.outcome, EngineError):
            raise self.outcome
        return self.outcome

    def runs_of_ensure(self) -> int:
        before = self.runs
        selftest.ensure("armv8")
        return self.runs - before


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    return Cache(tmp_path, monkeypatch)


def test_a_pass_is_kept(cache: Cache) -> None:
    assert [cache.runs_of_ensure() for _ in range(3)] == [1, 0, 0]


def test_a_failure_is_never_kept(cache: Cache) -> None:
    cache.outcome = EngineError("wrong")
    for _ in range(2):
        with pytest.raises(EngineError, match="wrong"):
            selftest.ensure("armv8")
    cache.outcome = True
    assert cache.runs_of_ensure() == 1


def test_a_pass_on_a_busy_host_is_not_kept(cache: Cache) -> None:
    cache.outcome = False
    assert [cache.runs_of_ensure() for _ in range(2)] == [1, 1]


def test_the_same_library_installed_again_is_not_tested_again(cache: Cache) -> None:
    selftest.ensure("armv8")
    copy = cache.shared_object.with_name("copy")
    copy.write_bytes(cache.shared_object.read_bytes())
    copy.replace(cache.shared_object)
    assert cache.runs_of_ensure() == 0


def test_another_library_is_tested_even_with_the_same_size_and_time(cache: Cache) -> None:
    selftest.ensure("armv8")
    status = cache.shared_object.stat()
    time.sleep(0.02)  # the granularity of a file system's clock
    cache.shared_object.write_bytes(b"library 2")
    os.utime(cache.shared_object, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert cache.shared_object.stat().st_size == status.st_size
    assert cache.runs_of_ensure() == 1


def test_another_way_to_link_is_tested(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    selftest.ensure("armv8")
    monkeypatch.setenv("LD_BIND_NOW", "1")
    assert cache.runs_of_ensure() == 1


def test_a_directory_that_others_can_write_to_is_not_trusted(cache: Cache) -> None:
    shared = cache.directory / "baonet"
    shared.mkdir(parents=True)
    shared.chmod(0o777)
    assert [cache.runs_of_ensure() for _ in range(2)] == [1, 0]
    assert not list(shared.iterdir())
    assert list(Path(os.environ["HOME"], ".cache/baonet").iterdir())


def test_nothing_to_write_to_means_a_test_at_every_start(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "HOME", "TMPDIR"):
        monkeypatch.setenv(name, "/proc/none")
    assert [cache.runs_of_ensure() for _ in range(2)] == [1, 1]
