"""A node that takes part in a run, as its lead has it."""

from __future__ import annotations

from typing import final

from baonet.cluster.stream import Stream
from baonet.machine.dataclass import dataclass
from baonet.wire import cluster


@final
@dataclass(slots=True)
class Joined:
    """A node that takes part. ``host``: the address at which others reach it. ``cores``: that guests have there."""

    stream: Stream
    name: str
    host: str
    cores: int
    lost: str | None = None
    traffic: cluster.Traffic | None = None
