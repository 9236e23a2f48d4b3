"""The launchers that ``--on`` can name: each has one node started a host, and the lead waits for them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final

from baonet.cluster import ray, route, slurm, ssh
from baonet.cluster.join import Door
from baonet.cluster.lead import Joined
from baonet.cluster.starter import Awaiting, Launching, Starter, end_all
from baonet.cluster.where import Where, WhereKind

_LAUNCHERS: Final = (WhereKind.SSH, WhereKind.SLURM, WhereKind.RAY)

_HASTE: Final = 0.3
"""Seconds in which what has nothing to run yet ends by itself."""


def launched(where: Where, launching: Launching, waiting: Awaiting, stack: ExitStack) -> list[Joined]:
    """The nodes, by their numbers. What started them ends with ``stack``. Raises ClusterError, OSError."""
    assert where.kind in _LAUNCHERS
    starters: list[Starter] = []
    stack.callback(end_all, starters)
    queued = False
    if where.kind is WhereKind.SSH:
        names = where.names
        door = _door(launching, ssh.addresses(names), len(names), stack)
        starters += ssh.start(names, door.tickets, door.place, launching.command)
    elif where.kind is WhereKind.SLURM:
        queued = not slurm.allocated()
        names = ("",) * slurm.count(where.count)
        door = _door(launching, slurm.addresses(), len(names), stack)
        starters += [slurm.start(door.tickets, door.place, launching.command)] * len(names)
    else:
        starters.append(ray.start(where.address))
        addresses = ray.addresses(starters[0], waiting)
        names = ("",) * len(addresses)
        starters *= len(names)
        door = _door(launching, addresses, len(names), stack)
        ray.go_on(starters[0], door.tickets, door.place, launching.command)
    try:
        return door.gather(names, starters, waiting, queued=queued)
    except BaseException:
        end_all(starters, _HASTE)  # one that is not connected yet looks at nothing else
        raise


def _door(launching: Launching, hosts: Iterable[str], count: int, stack: ExitStack) -> Door:
    address = route.here(hosts) if launching.address is None else launching.address
    door = Door(address, launching.port, count)
    stack.callback(door.close)
    return door
