"""baonet platforms"""

from __future__ import annotations

import argparse
import textwrap

from baonet.cli.common import Subparsers
from baonet.config.platforms import builtin, description


def add(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "platforms", help="list the built-in platforms", description="List the built-in platforms and what each has."
    )
    parser.set_defaults(command=platforms)


def platforms(options: argparse.Namespace) -> int:
    for name, platform in builtin().items():
        print(f"{name}: {platform.cpus} CPUs ({platform.cpu_model}), GICv{platform.gic.version}")
        print(textwrap.fill(description(name), 100, initial_indent="    ", subsequent_indent="    "))
        for bank in platform.ram:
            print(f"    RAM {bank.base:#x}, {bank.size >> 20} MiB")
        for device in platform.devices:
            print(f"    {device.kind} '{device.name}' at {device.pa:#x}, interrupt {device.interrupt}")
    return 0
