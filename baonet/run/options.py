"""What is asked of a run, beside its machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from baonet.actors.awaited import AwaitedText
from baonet.cluster.terms import FOUND, HEARTBEAT, Launching
from baonet.launch.crews import Placement
from baonet.launch.pin import Pin
from baonet.machine import ClockMode
from baonet.machine.dataclass import dataclass

if TYPE_CHECKING:
    from baonet.cluster.where import Where
    from baonet.run.saved_run import SavedRun

STEP: Final = 10_000_000
"""Nanoseconds of virtual time between two moments at which a run can end by what its guests do."""
DEFAULT_PLACEMENT: Final = {
    ClockMode.HOST: Placement.PROCESS_PER_CPU,
    ClockMode.VIRTUAL: Placement.PROCESS_PER_ISLAND,
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """``placement``: where pcpus run, None for what is usual with the machine's clock.

    ``until``: the run ends well when guests have printed all of these. ``limit``: it ends well after so many
    nanoseconds of virtual time. ``timeout``: it ends as ``Ending.TIMEOUT`` after so many seconds of the host.
    ``threads``: in virtual time, how many run guests at the same time; None: as many as there are cores of the host.
    ``interactive``: somebody may type, so that virtual time waits for the host's. ``standing``: in virtual time the
    machine stands, at 0, until its agent is told to go on. ``pin``: on which cores of the host, None for what is usual.
    ``on``: which nodes run it, None for this host alone. ``heartbeat``: seconds after which a node that says nothing is
    lost. ``launching``: how launched ones reach this. ``keys``: the directory of the lead's keys, None for the usual
    one if there is one; ``insecure``: nodes are called without. ``state``: in virtual time, where the machine goes on
    from. ``preload``: with processes of pcpus, this one has the machine's engine too, as it runs no other machine.
    """

    placement: Placement | None = None
    until: tuple[AwaitedText, ...] = ()
    limit: int | None = None
    timeout: float | None = None
    threads: int | None = None
    interactive: bool = False
    pin: Pin | None = None
    standing: bool = False
    on: Where | None = None
    heartbeat: float = HEARTBEAT
    launching: Launching = FOUND
    keys: Path | None = None
    insecure: bool = False
    state: SavedRun | None = None
    preload: bool = True
