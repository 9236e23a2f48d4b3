"""What Bao would print about a guest, which can make any amount of it: each kind is told a few times, then counted.

Bounded in everything that a guest decides: a kind is a text without its numbers, and there are few of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, final

from baonet.hyp.effects import Info, Warn
from baonet.wire.messages import Notice

TOLD: Final = 5
"""Notices of a kind that a pcpu tells."""
KINDS: Final = 64
"""Kinds that it tells apart; all others are one."""
MOST: Final = 2 * (KINDS + 1) * (TOLD + 1)
"""Notices of a pcpu that the agent tells, whatever they are: a pcpu's own, and as many of its resets or faults."""
_NUMBER = r"\b(0x[0-9a-f]+|\d+)\b"
_OTHER = "others"


@final
class Notices:
    """Those of one pcpu."""

    def __init__(self, pcpu: int) -> None:
        self._pcpu = pcpu
        self._came: Counter[tuple[str, str]] = Counter()

    def tell(self, effect: Warn | Info) -> Notice | None:
        """What the agent is told now."""
        level = "WARNING" if isinstance(effect, Warn) else "INFO"
        kind = (level, re.sub(_NUMBER, "...", effect.text))
        if kind not in self._came and len(self._came) >= KINDS:
            kind = (level, _OTHER)
        self._came[kind] += 1
        if self._came[kind] > TOLD:
            return None
        more = " (more of these are counted)" if self._came[kind] == TOLD else ""
        return Notice(self._pcpu, level, effect.text + more)

    def rest(self) -> Iterator[Notice]:
        """At the end: how many more there were."""
        for (level, kind), count in self._came.items():
            if count > TOLD:
                yield Notice(self._pcpu, level, f"{kind}: {count - TOLD} more")

    def save(self) -> list[Any]:
        """How many of each kind came."""
        return [[level, kind, count] for (level, kind), count in self._came.items()]

    def load(self, saved: list[Any]) -> None:
        self._came = Counter({(level, kind): count for level, kind, count in saved})
