"""The nodes of a run, and what they have of its machine. A run on this host has none, and does not load this."""

from __future__ import annotations

from typing import final

from baonet.cluster.gather import NodeGroup
from baonet.cluster.lead import Cluster
from baonet.cluster.remote_memory import RemoteMemory
from baonet.cluster.terms import Awaiting
from baonet.cluster.where import Where
from baonet.hyp.vmm import Plan
from baonet.launch.crews import Placement
from baonet.run.audience import Audience
from baonet.run.options import RunOptions
from baonet.run.traffic import NodeTraffic, traffic


@final
class RunNodes:
    """Those of ``where``, which have come when this has been made; ``waiting`` is told while they are waited for.

    Raises ClusterError when one cannot take part, OSError when the host refuses something.
    """

    def __init__(self, where: Where, plan: Plan, options: RunOptions, waiting: Awaiting) -> None:
        self._plan = plan
        self._options = options
        self._cluster: Cluster | None = None
        launching, keys, insecure = options.launching, options.keys, options.insecure
        self._group = NodeGroup(where, plan, launching, waiting, keys=keys, insecure=insecure)

    def start(self, placement: Placement, audience: Audience, *, tracing: bool) -> Cluster:
        """Have them run their parts. Raises ClusterError, and ValueError for what nodes do not have."""
        if self._options.pin is not None:
            raise ValueError("--pin is of the cores of this host: leave it away, or leave away --on")
        self._cluster = self._group.start(
            placement,
            threads=self._options.threads,
            tracing=tracing,
            heartbeat=self._options.heartbeat,
            warn=lambda text: audience.notice("WARNING", text),
            state=None if self._options.state is None else self._options.state.state,
        )
        if self._cluster.weakness is not None:
            audience.notice("WARNING", self._cluster.weakness)
        return self._cluster

    @property
    def memory(self) -> RemoteMemory:
        """That of the machine, when it has been started."""
        assert self._cluster is not None
        return self._cluster.memory

    async def settle(self) -> None:
        """When the machine has ended."""
        assert self._cluster is not None
        await self._cluster.settle()

    @property
    def traffic(self) -> NodeTraffic:
        """What has gone between them, at the end."""
        return traffic(self._plan.machine, self._group.joined)

    def close(self) -> None:
        """Leave no process, when the machine's part has been closed."""
        self._group.close()
