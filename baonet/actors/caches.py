"""What VMs did to each other in a second-level cache that they share, as the conductor of their island tells it."""

from __future__ import annotations

from collections.abc import Iterator

from baonet.actors.island import Island
from baonet.hyp.vmm import Plan
from baonet.machine.clusters import clusters
from baonet.wire.control import CacheOwner, MissedPage, SharedCache


def shared_caches(plan: Plan, island: Island) -> Iterator[SharedCache]:
    """Of each cluster of the island, where memory takes time: all since the start."""
    here = set(island.pcpus)
    numbers = [cluster.number for cluster in clusters(plan.machine) if not here.isdisjoint(cluster.pcpus)]
    for number, (owners, missed, channel, pages) in zip(numbers, island.memory_counts(), strict=True):
        yield SharedCache(
            number,
            tuple(CacheOwner(counts, tuple(by)) for counts, by in zip(owners, missed, strict=True)),
            channel,
            tuple(MissedPage(address, misses) for address, misses in pages),
        )
