"""The counters of a pcpu, as ``--stats`` writes them: of its core, of its hypervisor and of its messages."""

from __future__ import annotations

from baonet.core.cpu import Core
from baonet.hyp.pcpu import Pcpu
from baonet.machine.clusters import COUNTS


def counters(core: Core, hypervisor: Pcpu, sent: int, received: int) -> dict[str, int]:
    """All since the start of the pcpu."""
    statistics = hypervisor.statistics()
    counted = {"messages_sent": sent, "messages_received": received}
    counted |= {"messages_dropped": statistics.dropped, "questions": statistics.asked, "resets": statistics.lives}
    counted |= {f"sent_{name}": count for name, count in statistics.sent.items() if count}
    counted |= {f"received_{name}": count for name, count in statistics.received.items() if count}
    for name, value in core.statistics().items():
        if isinstance(value, int):
            counted[name] = value
        else:
            for reason, count in zip(hypervisor.architecture.exits, value, strict=False):
                counted[f"exits_{reason.name.lower()}"] = count
    counted |= {COUNTS + name: count for name, count in core.memory_counts().items()}
    return counted
