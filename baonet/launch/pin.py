"""On which cores of the host the processes of pcpus run: what ``--pin`` may say, and what it means for a machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from enum import Enum
from typing import Final, final

from baonet.machine.dataclass import dataclass


class PinMode(Enum):
    """``AUTO``: those that talk with each other share one where that makes them faster. ``NONE``: the host decides."""

    AUTO = "auto"
    NONE = "none"
    SPREAD = "spread"
    LIST = "a list"


@final
@dataclass(frozen=True, slots=True)
class Pin:
    """``cores``: of a LIST, those of the first, second, ... process; from the start again where it is too short."""

    mode: PinMode
    cores: tuple[int, ...] = ()

    def places(self, pcpus: Iterable[int], allowed: Set[int]) -> dict[int, int]:
        """The core of each process, by its lowest pcpu, where that is settled before the run.

        ``allowed``: the cores that this process may use. Raises ValueError for others.
        """
        cores: Sequence[int] = sorted(allowed) if self.mode is PinMode.SPREAD else self.cores
        if beyond := sorted(set(cores) - allowed):
            raise ValueError(
                f"--pin: {_cores(beyond)} cannot be used: this process may use {_cores(sorted(allowed))} of the host "
                "(see taskset -p)"
            )
        return {pcpu: cores[place % len(cores)] for place, pcpu in enumerate(sorted(pcpus))} if cores else {}


_SHOWN: Final = 8
AUTO: Final = Pin(PinMode.AUTO)


def parse(text: str) -> Pin:
    """What the user writes: ``auto``, ``none``, ``spread``, or cores as taskset has them. Raises ValueError."""
    for mode in (PinMode.AUTO, PinMode.NONE, PinMode.SPREAD):
        if text == mode.value:
            return Pin(mode)
    cores: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part)
        if found is None or (found[2] is not None and int(found[2]) < int(found[1])):
            raise ValueError(f"{text!r} is no way to pin: write auto, none, spread, or cores of the host as in 0,2-3")
        cores += range(int(found[1]), int(found[2] or found[1]) + 1)
    return Pin(PinMode.LIST, tuple(cores))


def _cores(numbers: Sequence[int]) -> str:
    shown = [*map(str, numbers[:_SHOWN]), *(["..."] if len(numbers) > _SHOWN else [])]
    return f"core{'' if len(numbers) == 1 else 's'} {','.join(shown)}"
