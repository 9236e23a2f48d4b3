"""The native pass over records, as hashlib has it; ``tests/trace/test_chain.py`` has what it is for."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.core import _node

RECORD = 32
FAR = 1 << 40


def blake2b(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


@given(st.binary(min_size=32, max_size=32), st.integers(0, 20), st.integers(0, 20))
def test_a_link_is_blake2b(link: bytes, older: int, newer: int) -> None:
    """Whatever its length, and wherever it was cut: with its blocks of 128 bytes the older records are not in step."""
    bodies = [bytes([n]) * (RECORD - 8) for n in range(older + newer)]
    records = b"".join(bytes(8) + body for body in bodies)
    after = FAR.to_bytes(8, "little") + bytes(RECORD - 8)
    found = _node.chain(FAR, 1000, link, records[: RECORD * older], records[RECORD * older :] + after)
    assert found == (blake2b(link + records) if records else link, after)


def test_the_last_window_of_time_has_no_end() -> None:
    records = b"\xff" * RECORD * 3
    assert _node.chain(1000, 10, bytes(32), b"", records) == (bytes(32), records)
    assert _node.chain(2**64 - 1, 10, bytes(32), b"", records) == (bytes(32), records)


@pytest.mark.parametrize(
    ("window", "most", "link", "older", "newer"),
    [
        (0, 1, bytes(32), b"", b""),
        (1, 0, bytes(32), b"", b""),
        (1, -1, bytes(32), b"", b""),
        (1, 1, bytes(31), b"", b""),
        (1, 1, bytes(32), bytes(33), b""),
        (1, 1, bytes(32), b"", bytes(31)),
    ],
)
def test_what_makes_no_sense_is_refused(window: int, most: int, link: bytes, older: bytes, newer: bytes) -> None:
    with pytest.raises(ValueError, match="no window, no link of 32 bytes or a part of a record"):
        _node.chain(window, most, link, older, newer)
