"""Samples of one quantity in bounded memory.

All samples are kept up to ``KEPT``; above it, a uniform random choice of that many (Vitter's algorithm R, 1985) with a
fixed seed, so that the same run gives the same choice. Count, sum, least and greatest are always those of all samples.
"""

from __future__ import annotations

import math
import random
import sys
import zlib
from array import array
from typing import final

KEPT = 100_000
_SEED = 1985
_MOST = 1 << 24  # bytes that packed samples can have


@final
class Reservoir:
    __slots__ = ("_capacity", "_random", "count", "greatest", "kept", "least", "total")

    def __init__(self, capacity: int = KEPT) -> None:
        self._capacity = capacity
        self._random = random.Random(_SEED)
        self.kept = array("d")
        self.count = 0
        self.total = 0.0
        self.least = math.inf
        self.greatest = -math.inf

    def add(self, sample: float) -> None:
        self.count += 1
        self.total += sample
        self.least = min(self.least, sample)
        self.greatest = max(self.greatest, sample)
        if len(self.kept) < self._capacity:
            self.kept.append(sample)
            return
        at = self._random.randrange(self.count)
        if at < self._capacity:
            self.kept[at] = sample

    def check(self) -> None:
        """Raises ValueError when the parts of it, which came from elsewhere, contradict each other."""
        if not 0 < len(self.kept) <= self.count:
            raise ValueError(f"{len(self.kept)} samples are kept of {self.count}")
        if not all(map(math.isfinite, (self.total, self.least, self.greatest, *self.kept))):
            raise ValueError("a sample is not a number")
        if min(self.kept) < self.least or max(self.kept) > self.greatest:
            raise ValueError("a sample is beyond the extremes")


def pack(samples: array[float]) -> bytes:
    """Samples as compressed little-endian doubles."""
    return zlib.compress(_little(samples).tobytes(), 6)


def unpack(data: bytes) -> array[float]:
    """The samples of ``pack``. Raises ValueError when the bytes are something else."""
    samples = array("d")
    unpacker = zlib.decompressobj()
    try:
        samples.frombytes(unpacker.decompress(data, _MOST))
    except (zlib.error, ValueError) as error:
        raise ValueError(f"not packed samples: {error}") from None
    if not unpacker.eof:
        raise ValueError("not packed samples: cut short, or more than are ever kept")
    return _little(samples)


def _little(samples: array[float]) -> array[float]:
    if sys.byteorder == "big":
        samples = array("d", samples)
        samples.byteswap()
    return samples
