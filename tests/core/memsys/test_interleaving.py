"""Windows against an exact interleaving: who asks first goes first, through one second level and one channel."""

from __future__ import annotations

from array import array

import pytest

from baonet.core import _memsys

BASES = 0x1000_0000, 0x2000_0000, 0x3000_0000
COLORS = 8
PAGES_A_WAY = 16  # of the second level: each colour has two
WARM, UNTIL = 2_400_000, 14_400_000
"""Cycles: what is before the first is not looked at."""


def place(base: int, offset: int, colors: range) -> int:
    """An offset into memory of which only pages of these colours are used."""
    page, within = divmod(offset, 4096)
    mine = [n for n in range(PAGES_A_WAY) if n * COLORS // PAGES_A_WAY in colors]
    return base + (page // len(mine) * PAGES_A_WAY + mine[page % len(mine)]) * 4096 + within


def reads_at_random(base: int, size: int, colors: range) -> array[int]:
    seed, trace = 1, array("Q")
    for _ in range(1 << 16):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        trace.append(6 << 56 | place(base, (seed >> 33) * 64 % size, colors))
    return trace


def writes_and_reads(base: int, size: int, colors: range) -> array[int]:
    """The neighbour of published measurements: writes a word a line, then reads it."""
    lines = [place(base, offset, colors) for offset in range(0, size, 64)]
    return array("Q", [4 << 56 | store << 55 | line for store in (1, 0) for line in lines])


class Running:
    def __init__(self, parameters: dict[str, int], window: int, trace: array[int]) -> None:
        self.pcpu, self.trace = _memsys.Pcpu(parameters, window), trace
        self.clock = self.position = 0
        self.warm: tuple[int, int] | None = None

    @property
    def player(self) -> tuple[_memsys.Pcpu, array[int], int, int]:
        return self.pcpu, self.trace, self.clock, self.position

    def went(self, clock: int, position: int) -> None:
        self.clock, self.position = clock, position
        if not self.warm and clock >= WARM:
            self.warm = clock, position

    @property
    def pace(self) -> float:
        """Cycles an access."""
        assert self.warm
        return (self.clock - self.warm[0]) / (self.position - self.warm[1])


def begin(parameters: dict[str, int], neighbours: int, colored: bool, window: int) -> list[Running]:
    mine, theirs = (range(4), range(4, 8)) if colored else (range(8), range(8))
    traces = [
        reads_at_random(BASES[0], 512 << 10, mine),
        *(writes_and_reads(base, 1 << 20, theirs) for base in BASES[1 : 1 + neighbours]),
    ]
    return [Running(parameters, window, trace) for trace in traces]


def exactly(parameters: dict[str, int], neighbours: int, colored: bool) -> list[float]:
    running = begin(parameters, neighbours, colored, 0)
    cluster = _memsys.Cluster(parameters, [])
    for each in running:
        each.pcpu.share(cluster)
    for until in (WARM, UNTIL):
        for each, went in zip(running, _memsys.play([each.player for each in running], until), strict=True):
            each.went(*went)
            each.warm = each.warm or went
    return [each.pace for each in running]


def by_windows(parameters: dict[str, int], neighbours: int, colored: bool, length: int) -> tuple[list[float], float]:
    """And the channel's use."""
    running = begin(parameters, neighbours, colored, length)
    cluster = _memsys.Cluster(parameters, [(BASES[0], 0x3000_0000)])
    charges = [0] * len(running)
    for end in range(length, UNTIL + 1, length):
        for each, charge in zip(running, charges, strict=True):
            each.clock += charge
            each.pcpu.adopt(cluster)
            each.pcpu.begin(each.clock)
            each.went(*_memsys.play([each.player], end)[0])
        outcomes = cluster.merge([each.pcpu for each in running], list(range(len(running))), length)
        charges = [outcome[0] for outcome in outcomes]
    told = cluster.counters()
    for owner, row in zip(told["owners"], told["missed"], strict=True):
        assert sum(row) == owner["l2_misses"]
    by_others = sum(told["missed"][0][1 : len(running)])
    assert by_others == 0 if colored else by_others > 0
    return [each.pace for each in running], told["busy"] / UNTIL


@pytest.mark.parametrize(
    "colored", [pytest.param(False, id="shared"), pytest.param(True, id="coloured", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(("line", "streams", "neighbours"), [(22, 0, 1), (10, 2, 1), (12, 0, 2)])
def test_as_an_exact_interleaving(line: int, streams: int, neighbours: int, colored: bool) -> None:
    parameters = {"dram_line": line, "prefetch_streams": streams}
    exact = exactly(parameters, neighbours, colored)
    for length in (1200, 12_000, 120_000):
        paces, use = by_windows(parameters, neighbours, colored, length)
        assert use < 0.8
        assert paces[0] == pytest.approx(exact[0], rel=0.02), (length, use)
        assert paces == pytest.approx(exact, rel=0.04), (length, use)  # neighbours are in mid-pass at the end
