"""How much memory the engine needs for what the processes of a node share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import final

from baonet.machine import Machine
from baonet.machine.clusters import CpuCluster
from baonet.machine.dataclass import dataclass


def _no_size(machine: Machine, cluster: CpuCluster) -> int:
    raise ValueError("nobody has told what a cluster takes")


@final
@dataclass(frozen=True, slots=True)
class Sizes:
    """What the engine needs, in bytes: a pcpu's slot, an island's ledger, what that has for each pcpu of the machine,
    and the state of a device by its kind; a device of any other kind has none. ``cluster``: what a cluster takes whose
    memory takes time.
    """

    slot: int
    ledger: int
    lane: int
    devices: Mapping[str, int]
    cluster: Callable[[Machine, CpuCluster], int] = _no_size
