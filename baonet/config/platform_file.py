"""From what the user wrote under ``platform:`` to a ``Platform``: what it extends, filled in and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from baonet.config.armv8.gic import windows as gic_windows
from baonet.config.armv8.platforms import CPU_MODELS, TIMER_FREQUENCY, builtin, cortex_a53
from baonet.config.cpus import most_cpus
from baonet.config.platform_models import PlatformGicModel, PlatformModel
from baonet.config.ranges import AddressRange, beyond, overlapping, unaligned
from baonet.document.document import A_MACHINE, A_STUDY, Form, YamlNode, parse
from baonet.document.errors import ConfigError, Problem
from baonet.document.kinds import MappingOf, Model, Reader, UnreadableError, nearest
from baonet.document.quantities import human, listing
from baonet.machine import UNMODELLED, Cache, Platform, PlatformDevice, RamBank
from baonet.machine.armv8 import Armv8Platform, Gic

_PHYSICAL_LIMIT = 1 << 40  # of the Cortex-A53 (PARange), whatever the CPU: who gives more has mistyped it
_MOST_COLORS = 64  # a colour bitmap has 64 bits

_FILE = Form(
    "platform file",
    "start with 'extends: ' and the name of a built-in platform",
    own=frozenset({"ram", "extends"}),
    mistaken=(A_MACHINE, A_STUDY),
)
_BLANK = Platform(
    name="custom",
    cpus=1,
    ram=(),
    arch=cortex_a53(Gic(version=3, gicd=0)),
    devices=(),
    timer_frequency=TIMER_FREQUENCY,
)


def resolve(model: PlatformModel, reader: Reader, within: tuple[Path, ...] = ()) -> Platform | None:
    """The platform, or None after its problems were recorded.

    ``within`` is the chain of platform files that led here, to notice one that extends itself.
    """
    base = None
    if model.extends is not None:
        base = _extended(model.node.at("extends"), model.extends, reader, within)
        if base is None:
            return None
    problems = list(_missing(model, base))
    if problems:
        reader.problems += problems
        return None
    platform = _merged(model, base or _BLANK)
    problems = list(_problems(model, platform))
    reader.problems += problems
    return None if problems else platform


def _extended(node: YamlNode, name: str, reader: Reader, within: tuple[Path, ...]) -> Platform | None:
    known = builtin()
    if name in known:
        return known[name]
    path = Path(node.source.path).parent / name
    if "/" not in name and not name.endswith((".yaml", ".yml")):
        near = nearest(name, list(known))
        others = f"built in are {listing(known)}; the name of a platform file ends in .yaml"
        hint = f"did you mean {near!r}?" if near else others
        reader.problems.append(node.problem(f"there is no platform {name!r}", hint))
        return None
    if path.absolute() in within:
        reader.problems.append(node.problem(f"the platform file {name} extends itself"))
        return None
    try:
        root, problems = parse(path, _FILE)
    except ConfigError as error:
        unread = [each for each in error.problems if not each.line]
        reader.problems += [each for each in error.problems if each.line]
        reader.problems += [node.problem(f"the platform file {each.path} {each.message}") for each in unread]
        return None
    reader.problems += problems
    reader.files.append(path)
    inner = Reader()
    try:
        found = MappingOf(PlatformModel).read(root, inner)
    except UnreadableError:
        return None
    finally:
        reader.problems += inner.problems
    if inner.broken:
        return None  # a list in it lacks an item
    platform = resolve(found, reader, (*within, path.absolute()))
    return platform if platform is None or found.name else replace(platform, name=path.stem)


def _missing(model: PlatformModel, base: Platform | None) -> Iterator[Problem]:
    if base is None:
        extend = "or start from a built-in platform with 'extends'"
        if model.cpus is None:
            yield model.node.problem("'cpus' is missing", f"cpus: the number of physical CPUs; {extend}")
        if model.ram is None:
            example = "[{base: 0x40000000, size: 1GiB}]"
            yield model.node.problem("'ram' is missing", f"ram: a list of banks, {example}; {extend}")
        if model.gic is None:
            example = "{version: 3, gicd: ..., gicr: ...}"
            yield model.node.problem("'gic' is missing", f"gic: the interrupt controller, {example}; {extend}")
    if model.gic is not None:
        yield from _missing_of_gic(model.gic, Armv8Platform.of(base).gic if base else None)


def _missing_of_gic(model: PlatformGicModel, base: Gic | None) -> Iterator[Problem]:
    if model.gicd is None and base is None:
        yield model.node.problem("'gicd' is missing", "gicd: the address of the distributor")
    version = model.version or (base.version if base else None)
    if version is None:
        yield model.node.problem("'version' is missing", "version: 2 or 3")
        return
    own, other = ("gicc", "gicr") if version == 2 else ("gicr", "gicc")
    if getattr(model, own) is None and (base is None or getattr(base, own) is None):
        yield model.node.problem(f"{own!r} is missing", f"a GIC of version {version} has a {own}")
    if getattr(model, other) is not None:
        yield model.node.at(other).key_problem(
            f"a GIC of version {version} has no {other}", f"remove it, or set version: {5 - version}"
        )


def _given(model: Model, *names: str) -> dict[str, Any]:
    """The fields of these names that were given."""
    return {name: value for name in names if (value := getattr(model, name)) is not None}


def _merged(model: PlatformModel, base: Platform) -> Platform:
    """``base`` with everything that ``model`` gives."""
    values = _given(model, "name", "cpus", "timer_frequency", "standby", "powerdown")
    arch = _given(model, "cpu_model", "midr", "state_type_bit")
    if model.cpu_model is not None:
        arch.setdefault("midr", CPU_MODELS[model.cpu_model])
    if model.ram is not None:
        values["ram"] = tuple(RamBank(bank.base, bank.size) for bank in model.ram)
    if model.devices is not None:
        values["devices"] = tuple(PlatformDevice(d.name, d.kind, d.pa, d.size, d.interrupt or 0) for d in model.devices)
    if model.cache is not None:
        values["cache"] = Cache(**_given(model.cache, "llc_size", "llc_ways", "l1_size", "l1_ways"))
    if model.gic is not None:
        given = _given(model.gic, "version", "gicd", "gicc", "gicr", "interrupts", "list_registers", "maintenance")
        gic = replace(Armv8Platform.of(base).gic, **given)
        arch["gic"] = replace(gic, gicr=None) if gic.version == 2 else replace(gic, gicc=None)
    if model.costs is not None:
        given = _given(model.costs, "hypercall", "access", "interrupt", "direct")
        values["costs"] = replace(base.costs, **given)
    return replace(base, arch=replace(Armv8Platform.of(base), **arch), **values)


def _problems(model: PlatformModel, platform: Platform) -> Iterator[Problem]:
    physical = Armv8Platform.of(platform).gic
    most = most_cpus(physical.version)
    if platform.cpus > most:
        message = f"a GIC of version {physical.version} serves at most {most} CPUs"
        yield model.node.at("cpus").problem(message, f"use {most} or fewer, or a GICv3")
    if model.gic is not None:
        gic = model.gic.node
        if physical.interrupts % 32:
            lines = physical.interrupts // 32
            hint = f"use {max(1, lines) * 32} or {lines * 32 + 32}"
            yield gic.at("interrupts").problem(f"{physical.interrupts} is not a multiple of 32", hint)
        yield from unaligned(gic.at("gicd"), physical.gicd)
        yield from unaligned(gic.at("gicc"), physical.gicc)
        yield from unaligned(gic.at("gicr"), physical.gicr, 0x10000)
    windows = []
    for i, bank in enumerate(platform.ram):
        node = model.node if model.ram is None else model.ram[i].node
        yield from unaligned(node.at("base"), bank.base)
        yield from unaligned(node.at("size"), bank.size)
        windows.append(AddressRange(bank.base, bank.base + bank.size, "the bank of RAM", node.at("base")))
    for i, device in enumerate(platform.devices):
        node = model.node if model.devices is None else model.devices[i].node
        yield from unaligned(node.at("pa"), device.pa)
        yield from unaligned(node.at("size"), device.size)
        windows.append(AddressRange(device.pa, device.pa + device.size, f"device '{device.name}'", node.at("pa")))
        if not device.interrupt and device.kind != UNMODELLED:
            yield node.problem("'interrupt' is missing", "interrupt: the INTID of its interrupt, an SPI")
        for other in platform.devices[:i]:
            if other.name == device.name:
                yield node.at("name").problem(f"two devices are named {device.name!r}", "give each its own name")
            if other.interrupt == device.interrupt != 0:
                yield node.at("interrupt").problem(
                    f"interrupt {device.interrupt} is given twice", f"device '{other.name}' has it already"
                )
        if device.interrupt >= physical.interrupts:
            yield node.at("interrupt").problem(
                f"the GIC has no interrupt {device.interrupt}", f"its INTIDs end at {physical.interrupts - 1}"
            )
    node = model.node if model.gic is None else model.gic.node
    found = gic_windows(physical, platform.cpus)
    own = [AddressRange(start, end, what, node.at(field)) for field, start, end, what in found]
    for window in (*own, *windows):
        yield from beyond(window, _PHYSICAL_LIMIT)
    yield from overlapping([*windows, *own] if model.gic is not None else [*own, *windows])
    if model.cache is not None:
        yield from _cache(model, platform)


def _cache(model: PlatformModel, platform: Platform) -> Iterator[Problem]:
    """Bao takes the pages of one way of each cache; their quotient is the number of colours."""
    cache = platform.cache
    assert cache is not None
    assert model.cache is not None
    for level, size, ways in (("llc", cache.llc_size, cache.llc_ways), ("l1", cache.l1_size, cache.l1_ways)):
        if size % (ways * 0x1000):
            yield model.cache.node.at(f"{level}_size").problem(
                f"{human(size)} in {ways} ways are not whole pages a way", f"use a multiple of {human(ways * 0x1000)}"
            )
    colors = cache.llc_size // cache.llc_ways // max(1, cache.l1_size // cache.l1_ways)
    if colors > _MOST_COLORS:
        yield model.cache.node.at("llc_size").problem(
            f"these caches make {colors} colours", f"a colour bitmap has {_MOST_COLORS} bits"
        )
