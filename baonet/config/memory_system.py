"""From what a user wrote under ``memory_system`` to a ``MemorySystem``, and whether such a one can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Final

from baonet.config.architecture import Architecture
from baonet.config.clock_models import ClockModel
from baonet.config.hypervisor_preset import unknown
from baonet.config.memory_models import (
    MOST_AHEAD,
    MOST_ENTRIES,
    OFF,
    PRESETS,
    HypervisorFootprintModel,
    MemorySystemModel,
)
from baonet.config.palette import Palette
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.models import Model, described
from baonet.document.quantities import human, human_duration, listing
from baonet.machine import PAGE_SIZE, Cache, Clock, ClockMode, HypervisorFootprint, MemorySystem, Platform
from baonet.machine.dataclass import replace
from baonet.machine.memory_system import (
    IN_NANOSECONDS,
    LINE,
    LONGEST_WINDOW,
    MOST_CYCLES,
    MOST_CYCLES_OF_A_WINDOW,
    MOST_PACE,
)

_LARGEST_WAY: Final = 32 << 10
_LARGEST_FIRST: Final = 64 << 10
_LARGEST_SECOND: Final = 64 << 20
"""As much as the model has room for."""
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
    if model.cpi is not None:
        yield from _pace(model.node.at("cpi"), model.cpi)
    wrong = [
        *_first_level(model, "l1i", system.l1i_size, system.l1i_ways),
        *_first_level(model, "l1d", system.l1d_size, system.l1d_ways),
        *_second_level(model, system),
    ]
    yield from wrong
    for name in _TABLES:
        entries, ways = getattr(system, f"{name}_entries"), getattr(system, f"{name}_ways")
        if not _power(entries, ways):
            message = f"{entries} entries in {_ways(ways)} are no power of two of sets"
            hint = f"use {ways} times a power of two: {_near(entries, ways, MOST_ENTRIES[name])}"
            yield _place(model, name, "entries").problem(message, hint)
    ahead = system.prefetch_streams * system.prefetch_lines
    if ahead > MOST_AHEAD:
        message = f"{system.prefetch_streams} streams that are {system.prefetch_lines} lines ahead are {ahead} lines"
        yield _place(model, "prefetch", "lines").problem(message, f"use fewer: at most {MOST_AHEAD} together")
    first, second = system.streaming_l1, system.streaming_l2
    if first > second > 0:
        message = f"{first} lines in a row before the first level is passed by, and {second} before the second"
        hint = "what passes by the second has passed by the first: give the second as many or more, or 0 for never"
        yield _place(model, "streaming", "l1").problem(message, hint)
    if not wrong:
        yield from _colors(model, platform, cache)


def _pace(node: YamlNode, cpi: Fraction) -> Iterator[Problem]:
    """Cycles for instructions, each a number that is not too large."""
    if not _is_pace(cpi):
        message = f"{node.value} are {cpi.numerator} cycles for {cpi.denominator} instructions"
        near = next(each for places in (5, 4, 3, 2, 1, 0) if _is_pace(each := Fraction(round(cpi, places))))
        yield node.problem(message, f"use {float(near):g}: each can be at most {MOST_PACE}")


def _is_pace(cpi: Fraction) -> bool:
    return max(cpi.numerator, cpi.denominator) <= MOST_PACE


def _colors(model: MemorySystemModel, platform: Platform, cache: YamlNode | None) -> Iterator[Problem]:
    """What the caches make of page colours."""
    assert platform.memory_system is not None
    found = cache_of(platform.memory_system)
    colors = Palette.of(found).number
    if colors > _MOST_COLORS:
        message, most = f"these caches make {colors} colours", found.llc_size * _MOST_COLORS // colors
        hint = f"a colour bitmap has {_MOST_COLORS} bits: use {human(most)} or less, or more ways"
        yield _place(model, "l2", "size").problem(message, hint)
    elif cache is not None and platform.cache != found:
        message = f"the memory system has {_told(found)}, and here {_told(platform.cache)} are said to make the colours"
        yield cache.key_problem(message, "remove 'cache': it is taken from the memory system")


def in_time(system: MemorySystem, model: ClockModel) -> Iterator[Problem]:
    """Whether memory can take this time by such a clock."""
    clock, mhz = Clock(mhz=model.mhz).cycles, model.mhz
    for name in sorted(IN_NANOSECONDS):
        cycles = clock.ticks(getattr(system, name))
        if cycles > MOST_CYCLES:
            what = f"'{name.replace('_', ': {', 1)}}}' of the memory system"
            message = f"at {mhz} MHz {human_duration(getattr(system, name))} of {what} are {cycles} cycles"
            hint = f"use a slower clock, or a shorter time: at most {MOST_CYCLES} cycles"
            yield model.node.at("mhz").problem(message, hint)
    if model.mode != ClockMode.VIRTUAL.value:
        message = "with a memory system each access takes its time, and the host's clock goes on as it likes"
        yield model.node.at("mode").problem(message, "use 'mode: virtual', or no 'memory_system'")
        return
    node, told, cycles = model.node.at("window"), human_duration(model.window), clock.ticks(model.window)
    if model.window > LONGEST_WINDOW:
        hint = (
            f"use {human_duration(LONGEST_WINDOW)} or less: within a window each CPU sees the cache that others share "
            "with it as it was when the window began, and what comes of that errs over longer ones"
        )
        yield node.problem(f"{told} is too long with a memory system", hint)
    elif cycles > MOST_CYCLES_OF_A_WINDOW:
        hint = f"use a slower clock, or a shorter window: at most {MOST_CYCLES_OF_A_WINDOW} cycles"
        yield node.problem(f"at {mhz} MHz {told} are {cycles} cycles", hint)
    elif 0 < cycles * system.instructions < system.cycles:
        cpi = system.cycles / system.instructions
        least = human_duration(clock.first_ns(-(-system.cycles // system.instructions)))
        message = f"at {mhz} MHz and {cpi:g} cycles each {told} is less than one instruction"
        yield node.problem(message, f"use {least} or more: a window has many instructions")


def _told(cache: Cache | None) -> str:
    assert cache is not None
    first = f"{human(cache.l1_size)} of L1D in {_ways(cache.l1_ways)}"
    return f"{human(cache.llc_size)} of L2 in {_ways(cache.llc_ways)} and {first}"


def _first_level(model: MemorySystemModel, name: str, size: int, ways: int) -> Iterator[Problem]:
    node, least, most = _place(model, name, "size"), ways * PAGE_SIZE, min(ways * _LARGEST_WAY, _LARGEST_FIRST)
    if not _power(size, ways * LINE):
        yield _uneven(node, size, ways, most)
    elif not least <= size <= ways * _LARGEST_WAY:
        message = f"{human(size)} in {_ways(ways)} are {human(size // ways)} a way"
        span = f"{human(least)} to {human(most)}" if least < most else human(least)
        hint = f"a way can have from {human(PAGE_SIZE)} to {human(_LARGEST_WAY)}: use {span}"
        yield node.problem(message, hint)
    elif size > _LARGEST_FIRST:
        yield node.problem(f"{human(size)} are too much for a first level", f"use {human(_LARGEST_FIRST)} or less")


def _second_level(model: MemorySystemModel, system: MemorySystem) -> Iterator[Problem]:
    node, size, ways = _place(model, "l2", "size"), system.l2_size, system.l2_ways
    most = min(_LARGEST_SECOND, ways * PAGE_SIZE * _MOST_COLORS * Palette.of(cache_of(system)).size)
    if not _power(size, ways * LINE):
        yield _uneven(node, size, ways, most)
    elif size // ways < PAGE_SIZE:
        message = f"{human(size)} in {_ways(ways)} are {human(size // ways)} a way"
        yield node.problem(message, f"a way has at least {human(PAGE_SIZE)}: use {human(ways * PAGE_SIZE)} or more")
    elif size > _LARGEST_SECOND:
        yield node.problem(f"{human(size)} are too much for a second level", f"use {human(most)} or less")


def _uneven(node: YamlNode, size: int, ways: int, most: int) -> Problem:
    message = f"{human(size)} in {_ways(ways)} of {LINE} bytes a line are no power of two of sets"
    near = _near(size, ways * LINE, most, human, PAGE_SIZE // LINE)
    return node.problem(message, f"use {ways} times a power of two of lines: {near}")


def _ways(number: int) -> str:
    return "1 way" if number == 1 else f"{number} ways"


def _power(size: int, each: int) -> bool:
    """Whether ``size`` is ``each`` times a power of two."""
    count, rest = divmod(size, each)
    return not rest and count > 0 and not count & count - 1


def _near(size: int, each: int, most: int, told: Callable[[int], str] = str, least: int = 1) -> str:
    """What is right around one that is wrong: ``each`` times a power of two, at least ``least``, and up to ``most``."""
    below = 1 << max(least, min(size, most) // each).bit_length() - 1
    return listing([told(found) for found in (each * below, 2 * each * below) if found <= most], "or")


def _place(model: MemorySystemModel, group: str, key: str) -> YamlNode:
    """Where a parameter is given, or what took it from elsewhere and changed another of its group."""
    node = model.node.child(group)
    if node is None:
        return _of_preset(model)
    others = node.value.values() if isinstance(node.value, dict) else ()
    return node.child(key) or next(iter(others), node)
