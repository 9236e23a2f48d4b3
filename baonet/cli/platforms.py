"""baonet platforms [NAME]"""

from __future__ import annotations

import argparse
import dataclasses
import textwrap
from collections.abc import Iterator

from baonet.cli.common import Subparsers
from baonet.config.armv8.platforms import CORTEX_A53_COSTS, COST_SOURCES, builtin, description
from baonet.config.palette import Palette
from baonet.document.quantities import human, human_duration
from baonet.machine import Platform
from baonet.machine.armv8 import Armv8Platform

_WIDTH = 100


def add(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "platforms",
        help="list the built-in platforms, or show one of them whole",
        description="List the built-in platforms and what each has; with a NAME, everything about that one: the "
        "interrupt controller, the timer, the caches, and what the hypervisor costs, with the sources.",
        epilog="example: baonet platforms zcu104",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", choices=list(builtin()), help="one of them")
    parser.set_defaults(command=platforms)


def platforms(options: argparse.Namespace) -> int:
    for name, platform in builtin().items():
        if options.name in (None, name):
            print("\n".join(_brief(name, platform)))
    if options.name is not None:
        print("\n".join(_rest(builtin()[options.name])))
    return 0


def _brief(name: str, platform: Platform) -> Iterator[str]:
    arch = Armv8Platform.of(platform)
    yield f"{name}: {platform.cpus} CPUs ({arch.cpu_model}), GICv{arch.gic.version}"
    yield textwrap.fill(description(name), _WIDTH, initial_indent="    ", subsequent_indent="    ")
    for bank in platform.ram:
        yield f"    RAM {bank.base:#x}, {bank.size >> 20} MiB"
    for device in platform.devices:
        yield f"    {device.kind} '{device.name}' at {device.pa:#x}, interrupt {device.interrupt}"


def _rest(platform: Platform) -> Iterator[str]:
    arch = Armv8Platform.of(platform)
    gic = arch.gic
    frame = f"redistributors {gic.gicr:#x}" if gic.gicr is not None else f"CPU interface {gic.gicc:#x}"
    yield f"    GIC distributor {gic.gicd:#x}, {frame}"
    yield f"    {gic.interrupts} INTIDs, {gic.list_registers} list registers, maintenance interrupt {gic.maintenance}"
    yield f"    timer {platform.timer_frequency} Hz: virtual timer 27, EL1 physical timer 30"
    yield f"    MIDR_EL1 {arch.midr:#010x}"
    if platform.cache is not None:
        cache, palette = platform.cache, Palette.of(platform.cache)
        yield (
            f"    L1D {human(cache.l1_size)} in {cache.l1_ways} ways, last level {human(cache.llc_size)} in "
            f"{cache.llc_ways} ways: {palette.number} colours of {palette.size} pages"
        )
    states = [name for name in ("standby", "powerdown") if getattr(platform, name)]
    bit = f", bit {arch.state_type_bit} selects powerdown" if arch.state_type_bit else ""
    yield f"    CPU_SUSPEND has {' and '.join(states) or 'no state'}{bit}"
    yield "    what the hypervisor's work takes, in virtual time:"
    for name, value in dataclasses.asdict(platform.costs).items():
        same = getattr(CORTEX_A53_COSTS, name) == value
        text = f"{name} {human_duration(value)}" + (f": {COST_SOURCES[name].replace('*', '')}" if same else "")
        yield textwrap.fill(text, _WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 12)
    yield "    Measured on a ZCU104 at 1.2 GHz: J. Martins and S. Pinto, RTAS 2023; docs/configuration.md has it whole."
