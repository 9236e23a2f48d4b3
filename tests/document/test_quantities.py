"""Sizes, durations, addresses and colours: what people write is read exactly, the rest is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.document import quantities
from baonet.document.quantities import QuantityError, human, human_duration

TIMES = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
LONG = {"m": 60 * 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


@given(count=st.integers(1, (1 << 24) - 1), unit=st.sampled_from(sorted(UNITS)), space=st.sampled_from(["", " "]))
def test_a_size_with_a_unit(count: int, unit: str, space: str) -> None:
    assert quantities.size(f"{count}{space}{unit}") == count * UNITS[unit]


@given(st.integers(1, (1 << 64) - 1))
def test_a_size_written_by_us_is_read_back(value: int) -> None:
    assert quantities.size(human(value).removesuffix(" bytes")) == value


@given(count=st.integers(0, (1 << 34) - 1), unit=st.sampled_from(sorted(TIMES)), space=st.sampled_from(["", " "]))
def test_a_duration_with_a_unit(count: int, unit: str, space: str) -> None:
    assert quantities.duration(f"{count}{space}{unit}") == count * TIMES[unit]


@given(count=st.integers(0, 10**6), unit=st.sampled_from(sorted(LONG)))
def test_a_long_duration(count: int, unit: str) -> None:
    assert quantities.duration(f"{count}{unit}") == count * LONG[unit]


@given(value=st.integers(0, (1 << 64) - 1), unit=st.sampled_from(sorted(TIMES)))
def test_a_duration_with_a_fraction_is_exact(value: int, unit: str) -> None:
    whole, rest = divmod(value, TIMES[unit])
    digits = f"{rest:0{len(str(TIMES[unit])) - 1}}" if TIMES[unit] > 1 else "0"
    assert quantities.duration(f"{whole}.{digits}{unit}") == value


@given(st.integers(0, (1 << 64) - 1))
def test_a_duration_written_by_us_is_read_back(value: int) -> None:
    assert quantities.duration(human_duration(value)) == value


@pytest.mark.parametrize("value", [30, 1, "30", "0x10", "1e9", "1.5"])
def test_a_number_without_a_unit_is_no_duration(value: object) -> None:
    """For some it is seconds, for others nanoseconds."""
    with pytest.raises(QuantityError, match="has no unit") as caught:
        quantities.duration(value)
    assert f"write {value}ns" in caught.value.hint


@pytest.mark.parametrize(
    ("read", "text", "hint"),
    [
        (quantities.integer, "1e9", "write 1000000000"),
        (quantities.integer, "62.5", "it is a whole number: write 62 or 63"),
        (quantities.integer, "-4", "it cannot be negative"),
        (quantities.integer, "four", "write it as 4"),
        (quantities.address, "1.0e9", "write 1000000000"),
        (quantities.size, "1.5GiB", "write 1536MiB"),
        (quantities.size, "1e6", "write 1000000"),
        (quantities.integer, "1e99", "write it as 4"),
        (quantities.integer, "25e-1", "it is a whole number: write 2 or 3"),
        (quantities.integer, "1e-78", "it is a whole number: write 0 or 1"),
    ],
)
def test_a_number_of_another_form_is_told_as_ours(read: Callable[[object], int], text: str, hint: str) -> None:
    with pytest.raises(QuantityError) as caught:
        read(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("1.5", "'1.5' has no unit", "write 1.5ns, 1.5us"),
        ("10 minutes", "'minutes' is not a unit of time", "500ns, 10us"),
        ("10µs", "'µs' is not a unit of time", "write 10us"),
        ("10 US", "'US' is not a unit of time", "write 10 us"),
        ("1.5ns", "1.5ns is not a whole number of nanoseconds", "write 1ns"),
        ("0.0000000001s", "not a whole number of nanoseconds", "write 1ns"),
        ("20000000000s", "does not fit in 64 bits", ""),
        ("033ms", "'033ms' is not a duration", ""),
    ],
)
def test_a_wrong_duration_is_refused_with_what_would_be_right(text: str, message: str, hint: str) -> None:
    with pytest.raises(QuantityError) as caught:
        quantities.duration(text)
    assert message in str(caught.value)
    assert hint in caught.value.hint


@given(st.integers(0, (1 << 64) - 1))
def test_an_address_in_every_form(value: int) -> None:
    for text in (str(value), hex(value), f"{value:#X}".replace("X", "x"), bin(value), f"{value:_}", f"0x{value:_x}"):
        assert quantities.address(text) == value
    assert quantities.address(value) == value


@given(st.sets(st.integers(0, 63)))
def test_colours_as_a_list_and_as_a_bitmap(chosen: set[int]) -> None:
    bitmap = sum(1 << color for color in chosen)
    assert quantities.colors(sorted(chosen)) == bitmap
    assert quantities.colors(bitmap) == bitmap


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=40)
    | st.text("0123456789abxXKMGTiBnums_ .-", max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(anything)
def test_anything_else_is_refused_with_a_reason(value: object) -> None:
    for parse in (quantities.size, quantities.duration, quantities.address, quantities.integer, quantities.colors):
        problem: QuantityError | None = None
        found = 0
        try:
            found = parse(value)
        except QuantityError as error:
            problem = error
        assert problem is None or (str(problem) and problem.hint)
        assert 0 <= found < 1 << 64


@pytest.mark.parametrize("text", ["1" * 5000, "0x" + "f" * 5000, "1" * 5000 + "KiB", "1" * 5000 + "ms"])
def test_numbers_of_no_use_are_refused_quickly(text: str) -> None:
    for parse in (quantities.size, quantities.duration):
        with pytest.raises(QuantityError):
            parse(text)
