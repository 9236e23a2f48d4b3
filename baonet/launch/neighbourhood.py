"""Pcpus that talk with each other share a core of the host, where that is measured to make them faster.

To wake a process on another core can cost more than all that a message is otherwise, and pcpus that answer each other
take turns anyway; those that compute while they talk, or stay awake for the answer, lose half of it, and on a busy host
the core may be another's.
Which it is shows when it is tried: they share a core for a while, and if no more messages come through another, and go
on to if more do. Pure: who watches says what it has seen and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, final

from baonet.machine.dataclass import dataclass, field

LOOK: Final = 0.05
"""Seconds between two looks."""
OFTEN: Final = 1000.0
"""Messages a second for which a pcpu has to be woken, from which on it is one that talks."""
GAIN: Final = 1.2
"""How many times as many messages must come through for them to go on to share a core."""
LOSS: Final = 0.6
"""Of what came through when it was found good: with less it is tried anew, on another core."""
AGAIN: Final = 5.0
"""Seconds after which what was found is tried again; each time it is found again, twice as long, up to ``MOST``."""
MOST: Final = 160.0
_CORES: Final = 2
"""Cores that are tried one after the other: that of one may be another's."""
_TRIAL: Final = 2
"""Looks that are measured, behind one that has in it how it was before."""
_KNOWN: Final = 1024


@final
@dataclass(frozen=True, slots=True)
class Move:
    """``core``: where these pcpus run from now on; None: where the host likes. ``why``: what the user should know."""

    pcpus: tuple[int, ...]
    core: int | None
    why: str | None = None


@final
@dataclass(slots=True)
class _Group:
    """Pcpus that talk. ``apart`` and ``together``: messages a second, of the looks so far; ``core``: that they share,
    the ``tried``-th.

    ``until``: when it is tried again, once it is judged. ``low``: looks in a row in which too little came through.
    """

    apart: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)
    core: int | None = None
    tried: int = 0
    until: float | None = None
    low: int = 0


@final
@dataclass(slots=True)
class _Past:
    """What came of the last trials of a group."""

    gained: bool
    patience: float = AGAIN


@final
@dataclass(slots=True)
class Neighbourhood:
    """``cores``: those that may be shared."""

    cores: Sequence[int]
    _groups: dict[tuple[int, ...], _Group] = field(default_factory=dict)
    _pasts: dict[tuple[int, ...], _Past] = field(default_factory=dict)
    _counts: dict[int, tuple[int, int]] = field(default_factory=dict)
    _trials: int = 0
    _last: float = 0.0

    def look(self, now: float, rung: Mapping[int, tuple[int, int, int]]) -> list[Move]:
        """``rung``: of each pcpu that runs, how often it was rung, by whom last, and how often it was woken by that.

        Counts are modulo 2**32. ``now``: seconds.
        """
        passed, self._last = max(now - self._last, 1e-9), now
        rates, woken = {}, {}
        for pcpu, (count, _, wakes) in rung.items():
            count_before, wakes_before = self._counts.get(pcpu, (count, wakes))
            rates[pcpu] = (count - count_before) % (1 << 32) / passed
            woken[pcpu] = (wakes - wakes_before) % (1 << 32) / passed
        self._counts = {pcpu: (count, wakes) for pcpu, (count, _, wakes) in rung.items()}
        talking = set(_talking({pcpu: by for pcpu, (_, by, _) in rung.items() if woken[pcpu] >= OFTEN}))
        moves = []
        for pcpus in list(self._groups):
            rate = sum(rates.get(pcpu, 0.0) for pcpu in pcpus)
            moves += self._go_on(pcpus, rate, now, talks=pcpus in talking)
        taken = {pcpu for pcpus in self._groups for pcpu in pcpus}
        for pcpus in sorted(talking):
            if not taken.intersection(pcpus):
                self._groups[pcpus] = _Group()
        return moves

    def _go_on(self, pcpus: tuple[int, ...], rate: float, now: float, *, talks: bool) -> list[Move]:
        group = self._groups[pcpus]
        if group.core is None and group.until is None:  # it is measured as it is
            if not talks:
                return self._forget(pcpus)
            group.apart.append(rate)
            return self._begin(pcpus) if len(group.apart) == _TRIAL else []
        if group.until is None:
            group.together.append(rate)
            return self._judge(pcpus, now) if len(group.together) > _TRIAL else []
        if group.core is not None:
            group.low = group.low + 1 if rate < LOSS * _mean(group.together[1:]) else 0
        return self._forget(pcpus) if now >= group.until or group.low == _TRIAL else []

    def _forget(self, pcpus: tuple[int, ...]) -> list[Move]:
        """If they talk still, it begins from the start."""
        return [] if self._groups.pop(pcpus).core is None else [Move(pcpus, None)]

    def _begin(self, pcpus: tuple[int, ...]) -> list[Move]:
        group = self._groups[pcpus]
        used = [each.core for each in self._groups.values()]
        turned = [*self.cores[self._trials % len(self.cores) :], *self.cores]
        self._trials += 1
        group.core = min(turned, key=used.count)
        group.tried += 1
        group.together.clear()
        return [Move(pcpus, group.core)]

    def _judge(self, pcpus: tuple[int, ...], now: float) -> list[Move]:
        group = self._groups[pcpus]
        apart, together = _mean(group.apart), _mean(group.together[1:])
        gained = together >= apart * GAIN
        if not gained and group.tried < min(_CORES, len(self.cores)):
            return self._begin(pcpus)
        past = self._pasts.get(pcpus)
        news = past is None or past.gained is not gained
        if past is None or news:
            if len(self._pasts) >= _KNOWN:
                self._pasts.clear()
            self._pasts[pcpus] = past = _Past(gained)
        else:
            past.patience = min(past.patience * 2, MOST)
        group.until = now + past.patience
        where = f"share core {group.core}" if gained else "do not share a core"
        said = f"pcpus {_and(pcpus)} {where} of the host"
        why = f"{said}: {apart:.0f} messages a second before, {together:.0f} there" if news else None
        if not gained:
            group.core = None
            return [Move(pcpus, None, why)]
        return [] if why is None else [Move(pcpus, group.core, why)]


def _mean(rates: Sequence[float]) -> float:
    return sum(rates) / len(rates)


def _talking(rung_by: Mapping[int, int]) -> list[tuple[int, ...]]:
    """Those that ring each other, two or more in a circle, by number."""
    found = []
    left = set(rung_by)
    while left:
        path: list[int] = []
        pcpu = min(left)
        while pcpu in left:
            left.discard(pcpu)
            path.append(pcpu)
            pcpu = rung_by[pcpu]
        if pcpu in path and len(circle := path[path.index(pcpu) :]) > 1:
            found.append(tuple(sorted(circle)))
    return found


def _and(pcpus: Iterable[int]) -> str:
    *first, last = map(str, pcpus)
    return f"{', '.join(first)} and {last}"
