"""Whether runs that must be equal are: in virtual time a run is a function of its configuration and its seed.

Where CPUs run does not belong to the configuration, so points that differ in placement alone must agree too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import final

from baonet.machine.dataclass import dataclass
from baonet.study.plan import places
from baonet.study.store import Store, StoredPoint, StoredRun


@final
@dataclass(frozen=True, slots=True)
class Disagreement:
    """Different digests where there must be one; ``points`` are the labels of those concerned."""

    points: tuple[str, ...]
    seed: int
    digests: tuple[str, ...]

    def __str__(self) -> str:
        digests = ", ".join(digest[:12] for digest in self.digests)
        return f"{' = '.join(self.points)}, seed {self.seed}: runs of one configuration differ: digests {digests}"


def disagreements(store: Store) -> list[Disagreement]:
    return compare({point.number: point for point in store.points()}, [row for _, row in store.runs()])


def compare(points: Mapping[int, StoredPoint], rows: Iterable[StoredRun]) -> list[Disagreement]:
    """Runs under the host's clock differ as they please, and are not compared."""
    groups: dict[tuple[str, int], dict[str, dict[str, None]]] = {}
    for row in rows:
        if row.done and row.digest and row.facts.get("mode") == "virtual":
            settings = {path: value for path, value in points[row.point].settings.items() if not places(path)}
            group = groups.setdefault((json.dumps(settings, sort_keys=True), row.seed), {})
            group.setdefault(row.digest, {})[points[row.point].label] = None
    return [
        Disagreement(tuple(dict.fromkeys(label for labels in group.values() for label in labels)), seed, tuple(group))
        for (_, seed), group in groups.items()
        if len(group) > 1
    ]
