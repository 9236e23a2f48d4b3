"""A memory system in the words of a machine file: the preset that it is nearest to, and in what it is another."""

from __future__ import annotations

from collections.abc import Iterator

from baonet.config.architecture import Architecture
from baonet.config.memory_models import MemorySystemModel
from baonet.document.models import Model, described
from baonet.document.quantities import human, human_duration
from baonet.machine import ExitFootprint, HypervisorFootprint, MemorySystem
from baonet.machine.dataclass import fields
from baonet.machine.memory_system import IN_NANOSECONDS, ToldMemory


def told_memory(system: MemorySystem, architecture: Architecture) -> ToldMemory:
    """Of an architecture that has presets."""
    changed = {
        name: _changes(system, preset.system, architecture) for name, preset in architecture.memory_presets().items()
    }
    preset = min(changed, key=lambda name: len(changed[name]))
    return ToldMemory(preset, changed[preset])


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


def told_value(system: MemorySystem, name: str) -> str:
    """Of one of ``parameters``, as a file would have it."""
    if name == "cpi":
        return f"{system.cycles / system.instructions:g}"
    value = getattr(system, name)
    if name in IN_NANOSECONDS:
        return human_duration(value)
    if name == "l2_on_eviction":
        return str(bool(value)).lower()
    return human(value) if name.endswith("_size") else str(value)


def _changes(system: MemorySystem, preset: MemorySystem, architecture: Architecture) -> dict[str, str]:
    changes = {
        key: value for key, name in parameters() if (value := told_value(system, name)) != told_value(preset, name)
    }
    if system.hypervisor != preset.hypervisor:
        changes |= dict(_footprint(system.hypervisor, preset.hypervisor or HypervisorFootprint(), architecture))
    return changes


def _footprint(
    hypervisor: HypervisorFootprint | None, preset: HypervisorFootprint, architecture: Architecture
) -> Iterator[tuple[str, str]]:
    if hypervisor is None:
        yield "hypervisor", "none"
        return
    for name, known in architecture.hypervisors().items():
        if known.footprint == hypervisor:
            yield "hypervisor", name
            return
    for kind in fields(HypervisorFootprint):
        own, other = getattr(hypervisor, kind.name), getattr(preset, kind.name)
        for part in fields(ExitFootprint):
            if getattr(own, part.name) != getattr(other, part.name):
                yield f"hypervisor.{kind.name}.{part.name}", str(getattr(own, part.name))
