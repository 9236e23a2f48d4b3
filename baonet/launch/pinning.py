"""Has the processes of a node run on the cores that ``--pin`` says, or on those where they are found to be fast."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from mmap import mmap
from typing import final

from baonet.core.cpu import rung
from baonet.launch.pin import Pin, PinMode


@final
class Pinning:
    """Of the processes of these pcpus. ``tell`` gets what was chosen. Raises ValueError for a core that cannot be."""

    def __init__(self, pin: Pin, pcpus: Iterable[int], tell: Callable[[str], None]) -> None:
        self._mode = pin.mode
        self._tell = tell
        self._allowed = os.sched_getaffinity(0)
        self._places = pin.places(pcpus, self._allowed)

    def begin(self, pids: Mapping[int, int]) -> None:
        """They exist: ``pids`` by pcpu."""
        for pcpu, core in self._places.items():
            _move(pids, pcpu, {core})
            self._tell(f"the process of pcpu {pcpu} runs on core {core} of the host")

    async def serve(self, slots: mmap, pids: Mapping[int, int]) -> None:
        """While they run, if it is to be found out; they ring each other's bells in ``slots``."""
        if self._mode is not PinMode.AUTO or len(self._allowed) < 2:
            return
        import trio  # noqa: PLC0415 - a run's first words come before there is a loop

        from baonet.launch.neighbourhood import LOOK, Neighbourhood  # noqa: PLC0415 - as above

        cores = sorted(self._allowed)
        first = os.getpid() % len(cores)  # two runs beside each other should not begin with the same
        neighbourhood = Neighbourhood([*cores[first:], *cores[:first]])
        while len(pids) > 1:
            await trio.sleep(LOOK)
            for move in neighbourhood.look(trio.current_time(), {pcpu: rung(slots, pcpu) for pcpu in pids}):
                try:
                    for pcpu in move.pcpus:
                        _move(pids, pcpu, self._allowed if move.core is None else {move.core})
                except OSError as error:
                    self._let_go(pids, error)
                    return
                if move.why is not None:
                    self._tell(move.why)

    def _let_go(self, pids: Mapping[int, int], why: OSError) -> None:
        """The cores are other ones than they were at the start: a container may be given others while it runs."""
        self._tell(f"the host's cores have changed: the processes of CPUs run where it likes ({why.strerror})")
        for pcpu in pids:
            with suppress(OSError):
                _move(pids, pcpu, os.sched_getaffinity(0))


def _move(pids: Mapping[int, int], pcpu: int, cores: set[int]) -> None:
    """Raises OSError when none of the cores can be had."""
    if pcpu in pids:
        with suppress(ProcessLookupError):
            os.sched_setaffinity(pids[pcpu], cores)
