"""What a user gives of a platform that is Armv8-A's: filled in, and checked."""

from __future__ import annotations

from collections.abc import Iterator

from baonet.config.architecture import MOST_CPUS, AddressWindow
from baonet.config.armv8 import gic
from baonet.config.armv8.models import Armv8PlatformModel, PlatformGicModel
from baonet.config.armv8.platforms import CPU_MODELS
from baonet.config.ranges import unaligned
from baonet.document.errors import Problem
from baonet.document.models import Model
from baonet.machine import Platform
from baonet.machine.armv8 import Armv8Platform, Gic
from baonet.machine.dataclass import replace

MOST_CPUS_GICV2 = 8
"""A GICv2 has eight CPU interfaces."""


def most_cpus(platform: Platform) -> int:
    return MOST_CPUS_GICV2 if Armv8Platform.of(platform).gic.version == 2 else MOST_CPUS


def missing(part: Model, base: Platform | None, extend: str) -> Iterator[Problem]:
    model = Armv8PlatformModel.of(part)
    if model.gic is not None:
        yield from _missing_of_gic(model.gic, Armv8Platform.of(base).gic if base else None)
    elif base is None:
        example = "{version: 3, gicd: ..., gicr: ...}"
        yield model.node.problem("'gic' is missing", f"gic: the interrupt controller, {example}; {extend}")


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


def merged(part: Model, base: Platform) -> Platform:
    """``base`` with everything that is given."""
    model = Armv8PlatformModel.of(part)
    arch = model.given("cpu_model", "midr", "state_type_bit")
    if model.cpu_model is not None:
        arch.setdefault("midr", CPU_MODELS[model.cpu_model])
    own = Armv8Platform.of(base)
    if model.gic is not None:
        names = ("version", "gicd", "gicc", "gicr", "interrupts", "list_registers", "maintenance")
        gic = replace(own.gic, **model.gic.given(*names))
        arch["gic"] = replace(gic, gicr=None) if gic.version == 2 else replace(gic, gicc=None)
    return replace(base, arch=replace(own, **arch), **model.given("standby", "powerdown"))


def problems(part: Model, platform: Platform) -> Iterator[Problem]:
    model = Armv8PlatformModel.of(part)
    gic, most = Armv8Platform.of(platform).gic, most_cpus(platform)
    if platform.cpus > most:
        message = f"a GIC of version {gic.version} serves at most {most} CPUs"
        yield model.node.at("cpus").problem(message, f"use {most} or fewer, or a GICv3")
    if model.gic is not None:
        node = model.gic.node
        if gic.interrupts % 32:
            lines = gic.interrupts // 32
            hint = f"use {max(1, lines) * 32} or {lines * 32 + 32}"
            yield node.at("interrupts").problem(f"{gic.interrupts} is not a multiple of 32", hint)
        yield from unaligned(node.at("gicd"), gic.gicd)
        yield from unaligned(node.at("gicc"), gic.gicc)
        yield from unaligned(node.at("gicr"), gic.gicr, 0x10000)


def windows(platform: Platform) -> Iterator[AddressWindow]:
    return gic.windows(Armv8Platform.of(platform).gic, platform.cpus)


def unconnected(platform: Platform, intid: int) -> tuple[str, str] | None:
    """(what is wrong with a device's interrupt, what would be right)."""
    lines = Armv8Platform.of(platform).gic.interrupts
    return (f"the GIC has no interrupt {intid}", f"its INTIDs end at {lines - 1}") if intid >= lines else None


def brief(platform: Platform) -> str:
    arch = Armv8Platform.of(platform)
    return f"({arch.cpu_model}), GICv{arch.gic.version}"


def in_full(platform: Platform) -> Iterator[str]:
    arch = Armv8Platform.of(platform)
    gic = arch.gic
    frame = f"redistributors {gic.gicr:#x}" if gic.gicr is not None else f"CPU interface {gic.gicc:#x}"
    yield f"GIC distributor {gic.gicd:#x}, {frame}"
    yield f"{gic.interrupts} INTIDs, {gic.list_registers} list registers, maintenance interrupt {gic.maintenance}"
    yield f"timer {platform.timer_frequency} Hz: virtual timer 27, EL1 physical timer 30"
    yield f"MIDR_EL1 {arch.midr:#010x}"


def suspends(platform: Platform) -> str:
    """What CPU_SUSPEND can do (Arm DEN 0022, 5.4)."""
    states = [name for name in ("standby", "powerdown") if getattr(platform, name)]
    chosen = Armv8Platform.of(platform).state_type_bit
    bit = f", bit {chosen} selects powerdown" if chosen else ""
    return f"CPU_SUSPEND has {' and '.join(states) or 'no state'}{bit}"


def in_short(platform: Platform) -> str:
    gic = Armv8Platform.of(platform).gic
    frame = f"GICR {gic.gicr:#x}" if gic.gicr is not None else f"GICC {gic.gicc:#x}"
    return f"GICv{gic.version}: GICD {gic.gicd:#x}, {frame}, {gic.interrupts} INTIDs"
