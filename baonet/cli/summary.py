"""What a run in virtual time comes to: for the user, and for ``--stats``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baonet.actors.outcome import Outcome
from baonet.machine import Clock
from baonet.machine.rate import in_seconds

if TYPE_CHECKING:
    from baonet.run.traffic import NodeTraffic


def seconds(clock: Clock, at: int) -> str:
    """A cycle as seconds with nanoseconds."""
    return f"{in_seconds(clock.cycles.ns(at))} s"


def summary(clock: Clock, outcome: Outcome) -> str:
    """One line: virtual time, the digest, and how messages were delivered."""
    deliveries = outcome.deliveries
    late = f", {deliveries.late} late (at most {clock.cycles.ns(deliveries.latest)} ns)" if deliveries.late else ""
    return (
        f"{seconds(clock, outcome.time)} of virtual time; digest {outcome.digest}; "
        f"{deliveries.exact} messages delivered on time{late}"
    )


def between_nodes(traffic: NodeTraffic) -> str:
    """One line: what has gone between nodes, and the page that they fought for most."""
    most = f"; most often {traffic.pages[0]}" if traffic.pages else ""
    size = traffic.total("bytes") / (1 << 20)
    return f"between nodes {traffic.total('pages')} pages, {traffic.total('orders')} stays, {size:.1f} MiB{most}"


def virtual_outcome(clock: Clock, outcome: Outcome) -> dict[str, object]:
    """Times are in nanoseconds."""
    return {
        "time": clock.cycles.ns(outcome.time),
        "digest": outcome.digest,
        "deliveries": {
            "exact": outcome.deliveries.exact,
            "late": outcome.deliveries.late,
            "latest": clock.cycles.ns(outcome.deliveries.latest),
        },
    }
