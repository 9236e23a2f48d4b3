"""baonet check FILE"""

from __future__ import annotations

import argparse
import sys

from baonet.cli.common import Subparsers, load_machine
from baonet.hyp.memory import PlacementError
from baonet.hyp.vmm import plan


def add(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "check",
        help="tell every error of a machine file, or which CPU runs what",
        description="Check a machine file completely, without running it. Exit status 2 when it has errors.",
    )
    parser.add_argument("file", metavar="FILE", help="machine file (YAML)")
    parser.set_defaults(command=check)


def check(options: argparse.Namespace) -> int:
    machine = load_machine(options.file)
    if machine is None:
        return 2
    try:
        placed = plan(machine)
    except PlacementError as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 2
    pcpus, mappings = placed.describe()
    for pcpu in pcpus:
        role = "powered down" if pcpu.vm is None else f"{pcpu.vm} vcpu {pcpu.vcpu}{', master' if pcpu.master else ''}"
        print(f"pcpu {pcpu.pcpu}: {role}")
    for mapping in mappings:
        parts = f" in {mapping.extents} parts" if mapping.extents > 1 else ""
        print(f"{mapping.vm}: {mapping.kind:6} {mapping.ipa:#012x} {mapping.size:#x} bytes at {mapping.pa:#x}{parts}")
    return 0
