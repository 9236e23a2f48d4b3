"""From what a user wrote under ``memory_system`` to a ``MemorySystem``, and whether such a one can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from baonet.config.architecture import Architecture
from baonet.config.hypervisor_preset import unknown
from baonet.config.memory_models import OFF, PRESETS, HypervisorFootprintModel, MemorySystemModel
from baonet.config.palette import Palette
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.models import Model, described
from baonet.document.quantities import human, listing
from baonet.machine import Cache, HypervisorFootprint, MemorySystem, Platform
from baonet.machine.memory_system import LINE

_CACHES: Final = ("l1i", "l1d", "l2")
_TABLES: Final = ("tlb", "walk_cache", "ipa_cache")
_MOST_COLORS: Final = 64  # a colour bitmap has 64 bits


def missing(model: MemorySystemModel, base: MemorySystem | None, architecture: Architecture) -> Iterator[Problem]:
    """What has to be given before anything else can be said."""
    if model.hypervisor is not None:
        yield from unknown(model.hypervisor.node, model.hypervisor.preset, architecture)
    own = list(architecture.memory_presets())
    if model.preset is None and base is None:
        hint = f"preset: {own[0]}; what stands beside it changes a part" if own else f"{architecture.name} has none"
        yield model.node.problem("'preset' is missing", hint)
    elif model.preset not in (None, OFF, *own):
        assert model.preset is not None
        message = f"{model.preset} is of {PRESETS[model.preset].name}, and the platform is {architecture.name}"
        yield _of_preset(model).problem(message, f"it can be {listing([*own, OFF], 'or')}")
    elif model.preset == OFF:
        for each in described(MemorySystemModel):
            if each.name != "preset" and getattr(model, each.name) is not None:
                hint = "remove it, or 'preset: off'"
                yield model.node.at(each.name).key_problem("there is no memory system that it would be of", hint)


def _of_preset(model: MemorySystemModel) -> YamlNode:
    """Where it stands: it may be all that stands there."""
    return model.node.child("preset") or model.node


def merged(model: MemorySystemModel, base: MemorySystem | None, architecture: Architecture) -> MemorySystem | None:
    """The preset, or ``base``, with everything that is given. ``missing`` has found nothing."""
    if model.preset == OFF:
        return None
    start = base if model.preset is None else architecture.memory_presets()[model.preset].system
    assert start is not None
    given: dict[str, Any] = dict(model.values())
    if model.hypervisor is not None:
        preset = model.hypervisor.preset
        known = start.hypervisor if preset is None else architecture.hypervisors()[preset].footprint
        given["hypervisor"] = _footprint(model.hypervisor, known or HypervisorFootprint())
    return replace(start, **given)


def _footprint(model: HypervisorFootprintModel, base: HypervisorFootprint) -> HypervisorFootprint:
    kinds = {}
    for kind in described(type(model)):
        given = getattr(model, kind.name)
        if isinstance(given, Model):
            fields = given.given(*(each.name for each in described(type(given))))
            kinds[kind.name] = replace(getattr(base, kind.name), **fields)
    return replace(base, **kinds)


def cache_of(system: MemorySystem) -> Cache:
    """From which Bao computes page colours, as it would read it from these caches."""
    return Cache(system.l2_size, system.l2_ways, system.l1d_size, system.l1d_ways)


def problems(model: MemorySystemModel, platform: Platform, cache: YamlNode | None) -> Iterator[Problem]:
    """``cache``: where a file gives the caches of page colours for itself."""
    system = platform.memory_system
    if system is None:
        return
    wrong = False
    for name in _CACHES:
        size, ways = getattr(system, f"{name}_size"), getattr(system, f"{name}_ways")
        for problem in _cache(model, name, size, ways):
            wrong = True
            yield problem
    for name in _TABLES:
        entries, ways = getattr(system, f"{name}_entries"), getattr(system, f"{name}_ways")
        if not _power(entries, ways):
            message = f"{entries} entries in {ways} ways are no power of two of sets"
            hint = f"use {ways} times a power of two: {_near(entries, ways)}"
            yield _place(model, name, "entries").problem(message, hint)
    if wrong:
        return
    found = cache_of(system)
    colors = Palette.of(found).number
    if colors > _MOST_COLORS:
        message = f"these caches make {colors} colours"
        yield _place(model, "l2", "size").problem(message, f"a colour bitmap has {_MOST_COLORS} bits")
    if cache is not None and platform.cache != found:
        message = f"the memory system has {_told(found)}, and here {_told(platform.cache)} are said to make the colours"
        yield cache.key_problem(message, "remove 'cache': it is taken from the memory system")


def _told(cache: Cache | None) -> str:
    assert cache is not None
    first = f"{human(cache.l1_size)} of L1D in {cache.l1_ways} ways"
    return f"{human(cache.llc_size)} of L2 in {cache.llc_ways} ways and {first}"


def _cache(model: MemorySystemModel, name: str, size: int, ways: int) -> Iterator[Problem]:
    if not _power(size, ways * LINE):
        message = f"{human(size)} in {ways} ways of {LINE} bytes are no power of two of sets"
        hint = f"use {ways} times a power of two of lines: {_near(size, ways * LINE, human)}"
        yield _place(model, name, "size").problem(message, hint)


def _power(size: int, each: int) -> bool:
    """Whether ``size`` is ``each`` times a power of two."""
    count, rest = divmod(size, each)
    return not rest and count > 0 and not count & count - 1


def _near(size: int, each: int, told: Any = str) -> str:
    """The two that are right around one that is wrong."""
    below = 1 << max(1, size // each).bit_length() - 1
    return listing([told(each * below), told(2 * each * below)], "or")


def _place(model: MemorySystemModel, group: str, key: str) -> YamlNode:
    """Where a parameter is given, or what took it from elsewhere and changed another."""
    node = model.node.child(group)
    if node is None:
        return _of_preset(model)
    return node.child(key) or node.child("ways") or node
