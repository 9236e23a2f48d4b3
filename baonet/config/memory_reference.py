"""The part of docs/configuration.md that tells each named memory system, value by value, and whence."""

from __future__ import annotations

from collections.abc import Iterator

from baonet.config.memory_preset import MemoryPreset
from baonet.config.memory_told import parameters, told_value
from baonet.config.wings import ARCHITECTURES
from baonet.machine import ExitFootprint, HypervisorFootprint
from baonet.machine.dataclass import fields

TITLE = "Memory systems that have a name"


def section() -> str:
    """In Markdown."""
    lines = [f"## {TITLE}", "", "What says *estimate* has no source: it is to be measured, as for any other core.", ""]
    for architecture in ARCHITECTURES.values():
        for name, preset in architecture.memory_presets().items():
            lines += [f"### `{name}`", "", preset.what, "", *_parameters(preset), "", *_footprint(preset), ""]
    return "\n".join(lines)


def _parameters(preset: MemoryPreset) -> Iterator[str]:
    yield "| field | value | from |"
    yield "|---|---|---|"
    system = preset.system
    for key, name in parameters():
        yield f"| `{key}` | {told_value(system, name)} | {preset.sources[name]} |"


def _footprint(preset: MemoryPreset) -> Iterator[str]:
    names = [each.name for each in fields(ExitFootprint)]
    yield f"| `hypervisor.` | {' | '.join(f'`{name}`' for name in names)} | from |"
    yield "|---" * (len(names) + 2) + "|"
    assert preset.system.hypervisor is not None
    for kind in fields(HypervisorFootprint):
        exit_ = getattr(preset.system.hypervisor, kind.name)
        values = " | ".join(str(getattr(exit_, name)) for name in names)
        yield f"| `{kind.name}` | {values} | {preset.hypervisor[kind.name]} |"
