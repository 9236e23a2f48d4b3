"""No instruction word ends the process, keeps it for ever, makes the count wrong, or ends otherwise in another run."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.core.fuzzing import findings_of
from tests.core.riscv.bench import HZ
from tests.core.riscv.fuzz import Level, Victim, every_csr, every_short_word, words

EACH_LEVEL = pytest.mark.parametrize("level", Level, ids=lambda level: level.name)


def check(level: Level, tried: Iterable[int], hz: int = 0, seed: int = 0) -> None:
    found = findings_of(lambda: Victim(level, hz), list(tried), seed)
    assert not found, "\n".join(map(str, found[:40]))


@EACH_LEVEL
@pytest.mark.parametrize("hz", [0, HZ], ids=["host", "virtual"])
def test_random_words(level: Level, hz: int) -> None:
    check(level, words(level, 400, 0), hz)


@EACH_LEVEL
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_short_word(level: Level) -> None:
    check(level, every_short_word(), HZ)


@EACH_LEVEL
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_csr(level: Level) -> None:
    check(level, every_csr(), HZ)


@EACH_LEVEL
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("hz", [0, HZ], ids=["host", "virtual"])
def test_thousands_of_random_words(level: Level, hz: int) -> None:
    check(level, words(level, 10_000, 1), hz, 1)


@EACH_LEVEL
@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", [2, 3])
def test_millions_of_random_words(level: Level, seed: int) -> None:
    check(level, words(level, 1_000_000, seed), HZ, seed)
