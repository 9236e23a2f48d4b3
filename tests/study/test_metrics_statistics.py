"""Reservoirs, percentiles and their intervals."""

from __future__ import annotations

import random
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.study.percentiles import estimate, rank
from baonet.study.reservoir import Reservoir, pack, unpack

numbers = st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=200)
percents = st.sampled_from([0, 1, 25, 50, 90, 99, 99.9, 100])


def test_nearest_rank() -> None:
    assert [rank(10, percent) for percent in (0, 10, 11, 50, 99.9, 100)] == [1, 1, 2, 5, 10, 10]
    assert rank(1000, 99.9) == 999


@given(numbers, percents)
def test_a_percentile_is_a_sample_inside_its_interval(samples: list[float], percent: float) -> None:
    ordered = sorted(samples)
    found = estimate(ordered, percent, redraws=200)
    assert found.value in ordered
    assert ordered[0] <= found.low <= found.high <= ordered[-1]
    at_most = sum(each <= found.value for each in samples)
    below = sum(each < found.value for each in samples)
    assert at_most >= percent / 100 * len(samples) - 1e-9
    assert below <= percent / 100 * len(samples) or below == 0


@given(numbers, percents)
def test_the_same_samples_give_the_same_interval(samples: list[float], percent: float) -> None:
    assert estimate(sorted(samples), percent, redraws=100) == estimate(sorted(samples), percent, redraws=100)


@given(numbers)
def test_percentiles_go_up(samples: list[float]) -> None:
    values = [estimate(sorted(samples), percent, redraws=10).value for percent in (0, 1, 50, 99, 100)]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (min(samples), max(samples))


@settings(max_examples=30)
@given(st.integers(2, 60), st.integers(0, 1000), st.sampled_from([25, 50, 90]))
def test_the_short_way_agrees_with_redrawing_everything(count: int, seed: int, percent: float) -> None:
    """Quantiles of the redrawn percentile, from one Beta each and from whole samples, differ by chance alone."""
    source = random.Random(seed)
    ordered = [float(n) for n in range(count)]
    at = rank(count, percent)
    redrawn = sorted(sorted(source.choices(ordered, k=count))[at - 1] for _ in range(1000))
    found = estimate(ordered, percent, redraws=4000)
    for bound, part in ((found.low, 25), (found.high, 975)):
        assert redrawn[max(0, part - 20)] <= bound + 1
        assert bound - 1 <= redrawn[min(999, part + 20)]


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    source = random.Random(1)
    covered = 0
    for _ in range(200):
        found = estimate(sorted(source.random() for _ in range(100)), 50, redraws=400)
        covered += found.low <= 0.5 <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        estimate([], 50)


@given(st.lists(st.floats(0, 1e6), max_size=300), st.integers(1, 50))
def test_a_reservoir_keeps_what_it_has_room_for(samples: list[float], capacity: int) -> None:
    reservoir = Reservoir(capacity)
    for each in samples:
        reservoir.add(each)
    assert reservoir.count == len(samples)
    assert len(reservoir.kept) == min(capacity, len(samples))
    assert set(reservoir.kept) <= set(samples)
    if samples:
        assert (reservoir.least, reservoir.greatest) == (min(samples), max(samples))
        assert reservoir.total == pytest.approx(sum(samples))
    if len(samples) <= capacity:
        assert list(reservoir.kept) == samples


def test_a_reservoir_chooses_evenly_and_always_alike() -> None:
    chosen = []
    for _ in range(2):
        reservoir = Reservoir(1000)
        for n in range(10_000):
            reservoir.add(n)
        chosen.append(reservoir.kept)
    assert chosen[0] == chosen[1]
    assert 4700 < sum(chosen[0]) / 1000 < 5300


@given(st.lists(st.floats(allow_nan=False)))
def test_packing_is_exact(samples: list[float]) -> None:
    assert list(unpack(pack(array("d", samples)))) == samples


@pytest.mark.parametrize("data", [b"", b"no", pack(array("d", [1.0]))[:-3]])
def test_what_is_not_packed_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"packed|size"):
        unpack(data)
