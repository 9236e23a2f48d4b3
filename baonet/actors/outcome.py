"""What came of a run."""

from __future__ import annotations

from typing import final

from baonet.actors.awaited import AwaitedText
from baonet.actors.ending import Ending
from baonet.actors.island import Deliveries
from baonet.hyp.condition import VcpuCondition
from baonet.machine.dataclass import dataclass, field
from baonet.trace.records import machine_digest
from baonet.wire.control import SharedCache


@final
@dataclass(slots=True)
class Outcome:
    ending: Ending
    vms: dict[str, str] = field(default_factory=dict)
    parked: dict[tuple[int, int], int] = field(default_factory=dict)
    """How often a guest did what Bao stops it for, by VM and vcpu."""
    started: bool = False
    """Whether all pcpus had come, so that guests ran."""
    missing: list[AwaitedText] = field(default_factory=list)
    """What was to be printed and was not."""
    conditions: dict[int, VcpuCondition] = field(default_factory=dict)
    """How the vcpus of the pcpus that answered were at the end."""
    failures: list[str] = field(default_factory=list)
    statistics: dict[int, dict[str, int]] = field(default_factory=dict)
    time: int = 0
    """Cycles, in virtual time; and then also the digests of the pcpus, and how many messages were late."""
    digests: dict[int, bytes] = field(default_factory=dict)
    caches: dict[int, SharedCache] = field(default_factory=dict)
    """Of each cluster whose memory takes time, by its number."""
    deliveries: Deliveries = field(default_factory=Deliveries)
    whole: bool = False
    """There are the digests of all pcpus."""

    @property
    def digest(self) -> str | None:
        """Of the whole run; None in host time, and when a pcpu's is missing."""
        return machine_digest(self.digests) if self.whole else None
