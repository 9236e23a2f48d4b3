"""``--pin``: what may be said, what it means, and how it is found out who should share a core of the host."""

from __future__ import annotations

import errno
import os
import re
import signal
from pathlib import Path

import pytest

from baonet.actors.ending import Ending
from baonet.launch.neighbourhood import AGAIN, LOOK, LOSS, OFTEN, Move, Neighbourhood
from baonet.launch.pin import Pin, PinMode, parse
from tests.launch.live import run
from tests.system.machine import Background, pair, vm

CORES = (0, 1)


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        ("auto", Pin(PinMode.AUTO)),
        ("none", Pin(PinMode.NONE)),
        ("spread", Pin(PinMode.SPREAD)),
        ("3", Pin(PinMode.LIST, (3,))),
        ("0,2-4,0", Pin(PinMode.LIST, (0, 2, 3, 4, 0))),
    ],
)
def test_what_may_be_said(text: str, pin: Pin) -> None:
    assert parse(text) == pin


@pytest.mark.parametrize("text", ["", "all", "0,", "-1", "3-1", "0;1", "1-2-3", "123456"])
def test_what_may_not_be_said_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{text!r} is no way to pin: write auto, none, spread, or cores")):
        parse(text)


def test_cores_go_to_processes_in_turn() -> None:
    assert parse("4,2").places((7, 1, 3), {2, 3, 4}) == {1: 4, 3: 2, 7: 4}
    assert parse("spread").places((0, 1, 2, 3), {5, 2, 3}) == {0: 2, 1: 3, 2: 5, 3: 2}
    assert parse("auto").places((0, 1), {0}) == parse("none").places((0, 1), {0}) == {}
    with pytest.raises(
        ValueError, match=r"--pin: cores 1,9 cannot be used: this process may use cores 2,3 of the host"
    ):
        parse("2,9,1").places((0, 1), {3, 2})


class Watched:
    """A host whose messages a second depend on who shares a core."""

    def __init__(self, cores: tuple[int, ...] = CORES) -> None:
        self.hood = Neighbourhood(cores)
        self.now = 100.0
        self.counts = dict.fromkeys(range(6), 0)
        self.by = {0: 1, 1: 0, 2: 0, 3: 4, 4: 5, 5: 3}
        self.where: dict[int, int | None] = dict.fromkeys(range(6))
        self.said: list[str] = []
        self.moved: list[Move] = []
        self.slow: set[int] = set()  # cores on which somebody else computes
        self.awake: set[int] = set()  # who need not be woken
        self.woken = dict.fromkeys(range(6), 0)

    def pass_(self, seconds: float, rates: dict[int, tuple[float, float]]) -> None:
        """``rates``: of a pcpu, messages a second apart and together."""
        until = self.now + seconds
        while self.now < until - LOOK / 2:
            self.now += LOOK
            for pcpu, (apart, together) in rates.items():
                rate = apart if self.where[pcpu] is None or self.where[pcpu] in self.slow else together
                self.counts[pcpu] = (self.counts[pcpu] + round(rate * LOOK)) % (1 << 32)
                if pcpu not in self.awake:
                    self.woken[pcpu] = (self.woken[pcpu] + round(rate * LOOK)) % (1 << 32)
            rung = {pcpu: (self.counts[pcpu], by, self.woken[pcpu]) for pcpu, by in self.by.items()}
            for move in self.hood.look(self.now, rung):
                self.moved.append(move)
                for pcpu in move.pcpus:
                    self.where[pcpu] = move.core
                self.said += [move.why] if move.why is not None else []


def test_two_that_answer_each_other_share_a_core_if_that_is_faster() -> None:
    host = Watched()
    host.counts[0] = host.woken[1] = (1 << 32) - 100
    host.pass_(1, {0: (5000, 20000), 1: (5000, 20000), 2: (3000, 3000)})
    assert host.where[0] == host.where[1] == 0
    assert host.where[2] is None, "it hears much, and answers nobody"
    assert host.said == ["pcpus 0 and 1 share core 0 of the host: 10000 messages a second before, 40000 there"]


def test_who_stays_awake_for_the_answer_shares_no_core() -> None:
    host = Watched()
    host.awake = {0, 1}
    host.pass_(1, {0: (5000, 20000), 1: (5000, 20000)})
    assert host.moved == []
    host.awake = {0}
    host.pass_(1, {0: (5000, 20000), 1: (5000, 20000)})
    assert host.moved == [], "one alone has nobody to share with"
    host.awake = set()
    host.pass_(1, {0: (5000, 20000), 1: (5000, 20000)})
    assert host.where[0] == host.where[1] == 0


def test_three_in_a_circle_share_one_and_others_another() -> None:
    host = Watched()
    host.pass_(1, dict.fromkeys(range(6), (4000, 9000)))
    assert host.where == {0: 0, 1: 0, 2: None, 3: 1, 4: 1, 5: 1}


def test_two_that_are_not_faster_go_where_they_like_and_are_tried_ever_more_seldom() -> None:
    host = Watched()
    host.pass_(4 * AGAIN, {0: (10000, 5000), 1: (10000, 5000)})
    assert (host.where[0], host.where[1]) == (None, None)
    assert len(host.said) == 1
    assert host.said[0].startswith("pcpus 0 and 1 do not share a core of the host: 20000 messages a second before")
    trials = [move.core for move in host.moved if move.core is not None]
    assert trials == [0, 1] * 3, "at once, after AGAIN, and after twice that, each time both cores"


def test_a_core_that_is_anothers_is_not_the_last_word() -> None:
    host = Watched()
    host.slow = {0}
    host.pass_(1, {0: (5000, 20000), 1: (5000, 20000)})
    assert host.where[0] == host.where[1] == 1
    assert host.said == ["pcpus 0 and 1 share core 1 of the host: 10000 messages a second before, 40000 there"]


def test_what_was_good_is_tried_anew_on_another_core_when_it_is_not_any_more() -> None:
    host = Watched()
    host.pass_(1, {0: (5000, 20000), 1: (5000, 20000)})
    assert host.where[0] == 0
    busy = 20000 * LOSS - 2000
    host.pass_(0.15, {0: (5000, busy), 1: (5000, busy)})
    assert host.where[0] is None
    host.pass_(0.5, {0: (5000, 20000), 1: (5000, 20000)})
    assert host.where[0] == host.where[1] == 1


def test_who_falls_silent_is_let_go_and_who_says_little_is_left_alone() -> None:
    host = Watched()
    host.pass_(1, {0: (5000, 20000), 1: (5000, 20000)})
    host.pass_(0.2, {})
    assert host.where[0] is host.where[1] is None
    few = OFTEN - 100
    moved = len(host.moved)
    host.pass_(1, {0: (few, 9 * few), 1: (few, 9 * few)})
    assert len(host.moved) == moved


def test_one_that_has_ended_is_not_waited_for() -> None:
    host = Watched()
    host.pass_(1, {0: (5000, 20000), 1: (5000, 20000)})
    del host.by[1]
    host.pass_(1, {0: (5000, 20000)})
    assert host.where[0] is None


def affinities(running: Background) -> list[set[int]]:
    return [os.sched_getaffinity(pid) for pid in running.children()]


def test_the_processes_of_a_run_are_where_they_were_asked_to_be(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    running = Background(tmp_path, {"vms": [vm("flood-forever", cpus=2)]}, "--pin", str(core), "-v")
    running.wait_for("line 3")
    assert affinities(running) == [{core}] * 2
    assert os.sched_getaffinity(running.process.pid) == os.sched_getaffinity(0), "the agent is not of them"
    result = running.end(signal.SIGTERM)
    assert f"baonet: INFO: the process of pcpu 1 runs on core {core} of the host\n" in result.err


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--pin", "4095"], "baonet run: --pin: core 4095 cannot be used: this process may use core"),
        (["--pin", "both"], "baonet run: 'both' is no way to pin: write auto, none, spread, or cores"),
        (["--pin", "spread", "--placement", "one-process"], "baonet run: --pin is of processes of pcpus"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(tmp_path: Path, options: list[str], error: str) -> None:
    result = Background(tmp_path, {"vms": [vm("hello")]}, *options).end()
    assert result.status == 2
    assert result.err.startswith(error)
    assert result.err.count("\n") == 1


def test_a_mistake_with_many_cores_is_told_in_few_words() -> None:
    with pytest.raises(ValueError, match=r"cores 5000,5001,5002,5003,5004,5005,5006,5007,\.\.\. cannot be used"):
        parse("5000-99999").places((0, 1), {0})


def test_a_core_that_is_taken_away_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's cores may change while it runs: a process cannot be moved to one that is no more its own."""
    tried = []

    def refuse(pid: int, cores: set[int]) -> None:
        tried.append(cores)
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(Neighbourhood, "look", lambda *_: [Move((0, 1), 0)])
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    outcome, said = run(tmp_path, pair(), "process-per-cpu")
    assert (outcome.ending, outcome.failures) == (Ending.DONE, [])
    assert "ping: done" in said["ping"]
    assert tried, "no trial: it was over before"
