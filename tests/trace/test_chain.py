"""The digest of a pcpu follows from its records and from nothing else, and from all of them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from itertools import groupby, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from baonet.trace.chain import LINK_RECORDS, Chain
from baonet.trace.records import RECORD

U64 = st.integers(0, 2**64 - 1)
WINDOWS = st.sampled_from([1, 7, 1000, 10_000, 10**12])
STEPS = st.sampled_from([0, 0, 1, 6, 999, 1000, 1001, 54_321])
CUTS = st.lists(st.integers(0, 40), max_size=8)


@st.composite
def some_records(draw: st.DrawFn, least: int = 0) -> list[bytes]:
    """Of one pcpu, in the order of time."""
    time = draw(st.sampled_from([0, 999, 123_456, 2**63]))
    made = []
    for step in draw(st.lists(STEPS, min_size=least, max_size=40)):
        time += step
        made.append(RECORD.pack(time, draw(st.integers(1, 17)), 3, draw(st.integers(0, 5)), draw(U64), draw(U64)))
    return made


def marks(times: Sequence[int]) -> bytes:
    return b"".join(RECORD.pack(time, 14, 0, 0, number, 0) for number, time in enumerate(times))


def whole(window: int, records: bytes) -> bytes:
    chain = Chain(window)
    chain.add(records)
    return chain.digest()


@given(WINDOWS, some_records(), CUTS)
def test_it_does_not_depend_on_chunks(window: int, records: list[bytes], cuts: list[int]) -> None:
    chain, resumed = Chain(window), Chain(window)
    for begin, end in pairwise(sorted({0, *cuts, len(records)} - {cut for cut in cuts if cut > len(records)})):
        chunk = b"".join(records[begin:end])
        chain.add(chunk)
        resumed.add(chunk)
        assert chain.digest() == whole(window, b"".join(records[:end])), "to ask for it changes nothing"
        again = Chain(window)
        again.resume(*resumed.state())
        resumed = again
    assert chain.digest() == resumed.digest() == whole(window, b"".join(records))


@given(WINDOWS, some_records())
def test_a_link_is_of_the_one_before_it_and_a_window(window: int, records: list[bytes]) -> None:
    link = b"baonet records 2".ljust(24, b"\0") + window.to_bytes(8, "little")
    for _, group in groupby(records, lambda record: int.from_bytes(record[:8], "little") // window):
        link = hashlib.blake2b(link + b"".join(group), digest_size=32).digest()
    assert whole(window, b"".join(records)) == link


def test_the_digest_of_some_records() -> None:
    """The same as ever: who changes this counts the version in the name and of the trace up."""
    assert whole(1000, marks(range(0, 5000, 300))).hex() == (
        "9f60cc6175e9f60df7be396d42372502fafc9ba30380ff52a2710b9c9f25b8b7"
    )


@pytest.mark.parametrize("chunk", [1, 100, 2047, 2048, 2049, 7000])
def test_a_window_of_many_records_has_several_links(chunk: int) -> None:
    """So that what is kept of the open one has a bound."""
    times = [5] * (LINK_RECORDS - 1) + [6] * (2 * LINK_RECORDS) + [1000] * 10
    records = marks(times)
    chain = Chain(1000)
    for at in range(0, len(times), chunk):
        chain.add(records[RECORD.size * at : RECORD.size * (at + chunk)])
        assert len(chain.state()[1]) <= RECORD.size * LINK_RECORDS
    link = struct.pack("<24sQ", b"baonet records 2", 1000)
    for begin, end in pairwise([0, LINK_RECORDS, 2 * LINK_RECORDS, 3 * LINK_RECORDS - 1, len(times)]):
        link = hashlib.blake2b(link + records[RECORD.size * begin : RECORD.size * end], digest_size=32).digest()
    assert chain.digest() == link


@given(WINDOWS, some_records(least=1), st.data())
def test_any_other_byte_order_number_or_window_shows(window: int, records: list[bytes], data: st.DataObject) -> None:
    digest = whole(window, b"".join(records))
    place = data.draw(st.integers(0, len(records) - 1))
    changed = bytearray(records[place])
    changed[data.draw(st.integers(0, RECORD.size - 1))] ^= data.draw(st.integers(1, 255))
    assert whole(window, b"".join([*records[:place], bytes(changed), *records[place + 1 :]])) != digest
    assert whole(window, b"".join(records[:place] + records[place + 1 :])) != digest
    assert whole(window, b"".join([*records[: place + 1], *records[place:]])) != digest
    assert whole(window + 1, b"".join(records)) != digest
    other = data.draw(st.integers(0, len(records) - 1))
    assume(records[place] != records[other])
    swapped = list(records)
    swapped[place], swapped[other] = records[other], records[place]
    assert whole(window, b"".join(swapped)) != digest


@pytest.mark.parametrize(
    ("link", "records"),
    [
        (b"short", b""),
        (bytes(33), b""),
        (bytes(32), bytes(31)),
        (bytes(32), marks([999, 1000])),
        (bytes(32), marks([0] * (LINK_RECORDS + 1))),
    ],
)
def test_what_is_no_state_is_refused(link: bytes, records: bytes) -> None:
    chain = Chain(1000)
    chain.add(marks([1, 2, 3, 4000]))
    before = chain.digest()
    with pytest.raises(ValueError, match=r"no link of 32 bytes|part of a record|not those of one link"):
        chain.resume(link, records)
    assert chain.digest() == before
