"""From what the user wrote under ``platform:`` to a ``Platform``: what it extends, filled in and checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from baonet.config import wings
from baonet.config.architecture import AddressWindow, Architecture
from baonet.config.hypervisor_preset import unknown
from baonet.config.platform_models import PlatformModel
from baonet.config.platforms import builtin
from baonet.config.ranges import AddressRange, beyond, overlapping, room_above, unaligned
from baonet.document.document import A_MACHINE, A_STUDY, Form, YamlNode, parse
from baonet.document.errors import ConfigError, Problem
from baonet.document.kinds import Reader, UnreadableError, nearest
from baonet.document.models import MappingOf
from baonet.document.quantities import human, listing
from baonet.machine import UNMODELLED, Cache, Costs, Platform, PlatformDevice, RamBank
from baonet.machine.dataclass import fields, replace

_ROOM = 1 << 20  # where something is proposed: whatever it is, it is aligned
_MOST_COLORS = 64  # a colour bitmap has 64 bits

_LONGEST_CHAIN = 16
"""Platform files that extend each other, as far as anybody looks for an architecture."""

_FILE = Form(
    "platform file",
    "start with 'extends: ' and the name of a built-in platform",
    own=frozenset({"ram", "extends"}),
    mistaken=(A_MACHINE, A_STUDY),
)


def resolve(model: PlatformModel, reader: Reader) -> Platform | None:
    """The platform, or None after its problems were recorded."""
    uncharged: list[YamlNode] = []
    platform = _resolve(model, reader, (), uncharged)
    if platform is not None and not _charges(platform):
        message = "exits take what they touch in the memory system, and none of these costs"
        hint = "remove 'costs', or give what an exit executes and touches: 'memory_system: {hypervisor: ...}'"
        reader.doubts += [node.key_problem(message, hint) for node in uncharged]
    return platform


def _charges(platform: Platform) -> bool:
    """Whether exits take what its costs say."""
    return platform.charged == platform.costs


def _resolve(
    model: PlatformModel, reader: Reader, within: tuple[Path, ...], uncharged: list[YamlNode]
) -> Platform | None:
    """As ``resolve``.

    ``within`` is the chain of platform files that led here, to notice one that extends itself. ``uncharged``: to which
    costs are added that are given where there is already a memory system that has what comes of exits.
    """
    base = None
    if model.extends is not None:
        base = _extended(model.node.at("extends"), model.extends, reader, within, uncharged)
        if base is None:
            return None
    architecture = wings.of(base) if base is not None else wings.meant(model.node)
    problems = list(wings.strangers(architecture, model.node, lambda each: each.platform_part))
    problems += _missing(model, base, architecture)
    if problems:
        reader.problems += problems
        return None
    platform = _merged(model, base or architecture.blank, architecture)
    problems = list(_problems(model, platform, architecture))
    reader.problems += problems
    if model.costs is not None and not _charges(platform):
        uncharged.append(model.costs.node)
    return None if problems else platform


def meant(node: YamlNode) -> Architecture:
    """The architecture of a value of ``platform``, through the platform files that it extends.

    What cannot be read is passed over: ``resolve`` tells it.
    """
    for _ in range(_LONGEST_CHAIN):
        name = node.value if isinstance(node.value, str) else node.at("extends").value
        keys = (each.key for each in wings.ARCHITECTURES.values())
        if not isinstance(name, str) or name in builtin() or any(node.child(key) for key in keys):
            break
        try:
            node, _ = parse(Path(node.source.path).parent / name, _FILE)
        except ConfigError:
            break
    return wings.meant(node)


def _extended(
    node: YamlNode, name: str, reader: Reader, within: tuple[Path, ...], uncharged: list[YamlNode]
) -> Platform | None:
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
    platform = _resolve(found, reader, (*within, path.absolute()), uncharged)
    return platform if platform is None or found.name else replace(platform, name=path.stem)


def _missing(model: PlatformModel, base: Platform | None, architecture: Architecture) -> Iterator[Problem]:
    extend = "or start from a built-in platform with 'extends'"
    if base is None:
        if model.cpus is None:
            yield model.node.problem("'cpus' is missing", f"cpus: the number of physical CPUs; {extend}")
        if model.ram is None:
            example = "[{base: 0x40000000, size: 1GiB}]"
            yield model.node.problem("'ram' is missing", f"ram: a list of banks, {example}; {extend}")
    yield from architecture.missing(model.part(architecture.platform_part), base, extend)
    if model.costs is not None:
        yield from unknown(model.costs.node, model.costs.preset, architecture)
    if model.memory_system is not None:
        from baonet.config import memory_system  # noqa: PLC0415 - few machines have one

        yield from memory_system.missing(
            model.memory_system, None if base is None else base.memory_system, architecture
        )


def _merged(model: PlatformModel, base: Platform, architecture: Architecture) -> Platform:
    """``base`` with everything that ``model`` gives."""
    values = model.given("name", "cpus", "timer_frequency", "clusters")
    if model.ram is not None:
        values["ram"] = tuple(RamBank(bank.base, bank.size) for bank in model.ram)
    if model.devices is not None:
        values["devices"] = tuple(PlatformDevice(d.name, d.kind, d.pa, d.size, d.interrupt or 0) for d in model.devices)
    if model.cache is not None:
        values["cache"] = Cache(**model.cache.given("llc_size", "llc_ways", "l1_size", "l1_ways"))
    if model.costs is not None:
        preset = model.costs.preset
        costs = base.costs if preset is None else architecture.hypervisors()[preset].costs
        values["costs"] = replace(costs, **model.costs.given(*(each.name for each in fields(Costs))))
    if model.cpus is not None and model.clusters is None:
        values["clusters"] = ()  # those of other CPUs
    if model.memory_system is not None:
        from baonet.config import memory_system  # noqa: PLC0415 - as above

        system = memory_system.merged(model.memory_system, base.memory_system, architecture)
        values["memory_system"] = system
        if system is not None:
            values.setdefault("cache", memory_system.cache_of(system))
    return architecture.platform(model.part(architecture.platform_part), replace(base, **values))


def _problems(model: PlatformModel, platform: Platform, architecture: Architecture) -> Iterator[Problem]:
    yield from architecture.platform_problems(model.part(architecture.platform_part), platform)
    if model.clusters is not None and sum(model.clusters) != platform.cpus:
        message = f"these clusters have {sum(model.clusters)} CPUs, and the platform has {platform.cpus}"
        yield model.node.at("clusters").problem(
            message, f"such as {list(map(len, replace(platform, clusters=()).clustered))}"
        )
    if model.memory_system is not None:
        from baonet.config import memory_system  # noqa: PLC0415 - as above

        yield from memory_system.problems(
            model.memory_system, platform, None if model.cache is None else model.cache.node
        )
    elif platform.memory_system is not None and model.cache is not None:
        message = "the platform that it extends has a memory system, of which the caches are"
        yield model.cache.node.key_problem(message, "give 'memory_system: {l1d: ..., l2: ...}' instead")
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
            yield node.problem("'interrupt' is missing", architecture.words.interrupt_missing)
        for other in platform.devices[:i]:
            if other.name == device.name:
                yield node.at("name").problem(f"two devices are named {device.name!r}", "give each its own name")
            if other.interrupt == device.interrupt != 0:
                yield node.at("interrupt").problem(
                    f"interrupt {device.interrupt} is given twice", f"device '{other.name}' has it already"
                )
        lines = architecture.lines
        if device.interrupt and device.interrupt not in lines:
            hint = f"on {architecture.name} it can be from {lines.start} to {lines.stop - 1}"
            yield node.at("interrupt").problem(f"{device.interrupt} is no interrupt of a device", hint)
        elif (wrong := architecture.unconnected(platform, device.interrupt)) is not None:
            yield node.at("interrupt").problem(*wrong)
    controller = model.node.child(architecture.key)
    node = model.node if controller is None else controller
    found = list(architecture.platform_windows(platform))
    own = [AddressRange(each.start, each.end, each.what, node.at(each.key)) for each in found]
    for window in (*own, *windows):
        yield from beyond(window, architecture.address_limit)
    if controller is None and model.cpus is not None:
        outgrown = list(_outgrown(model.node.at("cpus"), found, [*own, *windows], architecture))
        if outgrown:
            yield from outgrown
            return
    yield from overlapping([*windows, *own] if controller is not None else [*own, *windows])
    if model.cache is not None:
        yield from _cache(model, platform)


def _outgrown(
    node: YamlNode, own: Sequence[AddressWindow], windows: Sequence[AddressRange], architecture: Architecture
) -> Iterator[Problem]:
    """What the interrupt controller has for each CPU reaches into something else, and nobody has said where it is."""
    for each in own:
        others = [other for other in windows if other.what != each.what and other.meets(each.start, each.end)]
        if others:
            window = next(other for other in windows if other.what == each.what)
            free = room_above(others[-1].end, each.end - each.start, windows, _ROOM, skip=window)
            message = f"with so many CPUs {each.what} at {window} and {others[0].what} at {others[0]} overlap"
            yield node.problem(message, f"there is room: '{architecture.key}: {{{each.key}: {free:#x}}}'")


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
