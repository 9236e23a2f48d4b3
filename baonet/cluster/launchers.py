"""The launchers that ``--on`` can name: each has one node started a host, and the lead waits for them."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final, final

from baonet.cluster import ray, route, slurm, ssh
from baonet.cluster.join import Door
from baonet.cluster.joined import Joined
from baonet.cluster.starter import Starter, end_all, node_words
from baonet.cluster.terms import Awaiting, Launching
from baonet.cluster.where import Where, WhereKind

_HASTE: Final = 0.3
"""Seconds in which what has nothing to run yet ends by itself."""


@final
class Launcher:
    """``waiting`` is told while nodes are waited for. ``context``: of a lead with keys, which nodes have to have too.

    ``insecure``: the lead was told to use none, and tells nodes.
    """

    def __init__(
        self, launching: Launching, waiting: Awaiting, context: ssl.SSLContext | None = None, *, insecure: bool = False
    ) -> None:
        self._launching = launching
        self._waiting = waiting
        self._context = context
        self._insecure = insecure

    def launched(self, where: Where, stack: ExitStack) -> list[Joined]:
        """The nodes, by their numbers. What started them ends with ``stack``. Raises ClusterError, OSError."""
        assert where.launched
        starters: list[Starter] = []
        stack.callback(end_all, starters)
        command = self._launching.command
        queued = False
        if where.kind is WhereKind.SSH:
            names = where.names
            door = self._door(ssh.addresses(names), len(names), stack)
            starters += ssh.start(names, door.tickets, self._words(door), command)
        elif where.kind is WhereKind.SLURM:
            queued = not slurm.allocated()
            names = ("",) * slurm.count(where.count)
            door = self._door(slurm.addresses(), len(names), stack)
            starters += [slurm.start(door.tickets, self._words(door), command)] * len(names)
        else:
            starters.append(ray.start(where.address))
            addresses = ray.addresses(starters[0], self._waiting)
            names = ("",) * len(addresses)
            starters *= len(names)
            door = self._door(addresses, len(names), stack)
            ray.go_on(starters[0], door.tickets, self._words(door), command)
        try:
            return door.gather(names, starters, self._waiting, queued=queued)
        except BaseException:
            end_all(starters, _HASTE)  # one that is not connected yet looks at nothing else
            raise

    def _door(self, hosts: Iterable[str], count: int, stack: ExitStack) -> Door:
        address = route.here(hosts) if self._launching.address is None else self._launching.address
        door = Door(address, self._launching.port, count, self._context)
        stack.callback(door.close)
        return door

    def _words(self, door: Door) -> list[str]:
        return node_words(door.place, insecure=self._insecure)
