"""baonet platforms [NAME]"""

from __future__ import annotations

import argparse
import dataclasses
import textwrap
from collections.abc import Iterator

from baonet.cli.common import Subparsers
from baonet.config import wings
from baonet.config.palette import Palette
from baonet.config.platforms import builtin, description
from baonet.document.quantities import human, human_duration, listing
from baonet.machine import Platform

_WIDTH = 100


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "platforms",
        help=brief,
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
    yield f"{name}: {platform.cpus} CPUs {wings.of(platform).brief(platform)}"
    yield textwrap.fill(description(name), _WIDTH, initial_indent="    ", subsequent_indent="    ")
    for bank in platform.ram:
        yield f"    RAM {bank.base:#x}, {bank.size >> 20} MiB"
    for device in platform.devices:
        yield f"    {device.kind} '{device.name}' at {device.pa:#x}, interrupt {device.interrupt}"


def _rest(platform: Platform) -> Iterator[str]:
    architecture = wings.of(platform)
    for line in architecture.in_full(platform):
        yield f"    {line}"
    if platform.cache is not None:
        cache, palette = platform.cache, Palette.of(platform.cache)
        yield (
            f"    L1D {human(cache.l1_size)} in {cache.l1_ways} ways, last level {human(cache.llc_size)} in "
            f"{cache.llc_ways} ways: {palette.number} colours of {palette.size} pages"
        )
    sizes = ", ".join(str(len(cluster)) for cluster in platform.clustered)
    systems = listing(architecture.memory_presets(), "or")
    yield f"    clusters of {sizes} CPUs; memory takes no time, or that of a memory system: {systems}"
    yield f"    {architecture.suspends(platform)}"
    costs = architecture.costs
    yield "    what the hypervisor's work takes, in virtual time:"
    for name, value in dataclasses.asdict(platform.costs).items():
        same = getattr(costs.costs, name) == value
        text = f"{name} {human_duration(value)}" + (f": {costs.sources[name].replace('*', '')}" if same else "")
        yield textwrap.fill(text, _WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 12)
    yield f"    {costs.origin}"
