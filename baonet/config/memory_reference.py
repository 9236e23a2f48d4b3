"""The part of docs/configuration.md that tells each named memory system, value by value, and whence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from baonet.config.memory_models import MemorySystemModel
from baonet.config.memory_preset import MemoryPreset
from baonet.config.wings import ARCHITECTURES
from baonet.document.models import Model, described
from baonet.document.quantities import human, human_duration
from baonet.machine import ExitFootprint, HypervisorFootprint
from baonet.machine.memory_system import IN_NANOSECONDS

TITLE = "Memory systems that have a name"


def section() -> str:
    """In Markdown."""
    lines = [f"## {TITLE}", "", "What says *estimate* has no source: it is to be measured, as for any other core.", ""]
    for architecture in ARCHITECTURES.values():
        for name, preset in architecture.memory_presets().items():
            lines += [f"### `{name}`", "", preset.what, "", *_parameters(preset), "", *_footprint(preset), ""]
    return "\n".join(lines)


def parameters() -> Iterator[tuple[str, str]]:
    """The keys of a file, from ``memory_system`` on, and the parameter that each is."""
    for group in described(MemorySystemModel):
        kind = group.metadata["kind"]
        model = getattr(kind, "model", None)
        if group.name == "cpi":
            yield "cpi", "cpi"
        elif model is not None and group.name != "hypervisor":
            assert issubclass(model, Model)
            yield from ((f"{group.name}.{each.name}", f"{group.name}_{each.name}") for each in described(model))


def _parameters(preset: MemoryPreset) -> Iterator[str]:
    yield "| field | value | from |"
    yield "|---|---|---|"
    system = preset.system
    for key, name in parameters():
        value = f"{system.cycles / system.instructions:g}" if name == "cpi" else _told(name, getattr(system, name))
        yield f"| `{key}` | {value} | {preset.sources[name]} |"


def _told(name: str, value: int) -> str:
    if name in IN_NANOSECONDS:
        return human_duration(value)
    if name == "l2_on_eviction":
        return str(bool(value)).lower()
    return human(value) if name.endswith("_size") else str(value)


def _footprint(preset: MemoryPreset) -> Iterator[str]:
    names = [each.name for each in fields(ExitFootprint)]
    yield f"| `hypervisor.` | {' | '.join(f'`{name}`' for name in names)} | from |"
    yield "|---" * (len(names) + 2) + "|"
    assert preset.system.hypervisor is not None
    for kind in fields(HypervisorFootprint):
        exit_ = getattr(preset.system.hypervisor, kind.name)
        values = " | ".join(str(getattr(exit_, name)) for name in names)
        yield f"| `{kind.name}` | {values} | {preset.hypervisor[kind.name]} |"
