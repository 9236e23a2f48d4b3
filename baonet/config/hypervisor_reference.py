"""The part of docs/configuration.md that tells what is published of each hypervisor, and whence."""

from __future__ import annotations

from collections.abc import Iterator

from baonet.config.hypervisor_preset import HypervisorPreset
from baonet.config.wings import ARCHITECTURES
from baonet.document.quantities import human_duration
from baonet.machine import ExitFootprint, HypervisorFootprint
from baonet.machine.dataclass import fields

TITLE = "Hypervisors that have a name"
_INTRODUCTION = """\
`platform: {costs: xen}` has exits take what they take under another hypervisor, where that is published, and
`platform: {memory_system: {hypervisor: xen}}` has them touch as many lines of the caches. All else stays Bao's: this
compares what exits take, not how often there is one. For an architecture that is not below no figures are known to us.
"""


def section() -> str:
    """In Markdown."""
    lines = [f"## {TITLE}", "", _INTRODUCTION]
    for architecture in ARCHITECTURES.values():
        for name, preset in architecture.hypervisors().items():
            lines += [f"### `{name}`", "", preset.what, "", *_table(preset), ""]
    return "\n".join(lines)


def _table(preset: HypervisorPreset) -> Iterator[str]:
    parts = [each.name for each in fields(ExitFootprint)]
    yield f"| kind | `costs` | {' | '.join(f'`{part}`' for part in parts)} | from |"
    yield "|---" * (len(parts) + 3) + "|"
    for kind in fields(HypervisorFootprint):
        exit_ = getattr(preset.footprint, kind.name)
        values = " | ".join(str(getattr(exit_, part)) for part in parts)
        cost = human_duration(getattr(preset.costs, kind.name))
        yield f"| `{kind.name}` | {cost} | {values} | {preset.sources[kind.name]} |"
