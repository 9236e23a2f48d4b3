"""baonet check FILE"""

from __future__ import annotations

import argparse
import sys

from baonet.cli import on_nodes
from baonet.cli.common import Subparsers, UsageError, add_clock, add_set, changes, load_machine
from baonet.cli.layout import layout
from baonet.cli.place import add_place, placed
from baonet.config import wings
from baonet.document.errors import Problem
from baonet.document.quantities import human
from baonet.document.standard_input import given
from baonet.hyp.vmm import plan

EPILOG = """\
exit status:
  0    the machine can run; warnings, if any, are on standard error
  1    with --strict: there are warnings
  2    the file has errors; all of them are on standard error, each with its line and what would be right; or
       the command line has one

examples:
  baonet check machine.yaml --map
  baonet check machine.yaml --colors --set hypervisor.colors=[7]
  baonet check machine.yaml --set platform.memory_system=cortex-a53 --set platform.memory_system.l2.size=2MiB
  baonet check machine.yaml --strict --set vms.0.cpus=2
  baonet check machine.yaml --on local:2 --place linux=0:0:1:1
  baonet check machine.yaml --on ssh:host-a,host-b --cores 8
"""


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "check",
        help=brief,
        description="Check a machine file completely, without running it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="machine file (YAML); - is standard input")
    parser.add_argument("--strict", action="store_true", help="end with status 1 when there are warnings")
    parser.add_argument("--map", action="store_true", help="show where everything lands in each VM's address space")
    parser.add_argument(
        "--colors",
        action="store_true",
        help="show which sets of the shared cache each VM and the hypervisor have by their page colours",
    )
    on_nodes.add_on(parser)
    add_place(parser)
    add_set(parser)
    add_clock(parser)
    parser.set_defaults(command=check)


def check(options: argparse.Namespace) -> int:
    warnings: list[Problem] = []
    machine = load_machine(options.file, changes(options), warnings)
    if machine is None:
        return 2
    try:
        nodes = on_nodes.nodes(options)
        for text in options.place:
            machine = placed(machine, text)
        planned = plan(machine)
        table, split = on_nodes.told(planned, nodes) if nodes else ([], [])
    except UsageError as error:
        print(f"baonet check: {error}", file=sys.stderr)
        return 2
    pcpus, mappings = planned.describe()
    for pcpu in pcpus:
        role = "powered down" if pcpu.vm is None else f"{pcpu.vm} vcpu {pcpu.vcpu}{', master' if pcpu.master else ''}"
        print(f"pcpu {pcpu.pcpu}: {role}")
    for mapping in mappings:
        parts = f" in {mapping.extents} parts" if mapping.extents > 1 else ""
        print(f"{mapping.vm}: {mapping.kind:6} {mapping.ipa:#012x} {mapping.size:#x} bytes at {mapping.pa:#x}{parts}")
    system = machine.platform.memory_system
    if system is not None:
        from baonet.config.memory_told import told_memory  # noqa: PLC0415 - few machines have one

        print(f"memory system: {told_memory(system, wings.of(machine.platform))}")
    if planned.memory.hypervisor is not None:
        sizes = planned.memory.hypervisor.sizes()
        parts = ", ".join(f"{human(size)} for {what}" for what, size in sizes.items())
        print(f"hypervisor: {human(sum(sizes.values()))}: {parts}")
    if options.map:
        for vm in machine.vms:
            print()
            print("\n".join(layout(machine, vm)))
    if options.colors:
        from baonet.cli.color_map import color_map  # noqa: PLC0415 - only who asks for it

        print()
        print("\n".join(color_map(planned)))
    if table:
        print()
        print("\n".join(table))
    for line in split:
        print(f"{given(options.file)}: warning: {line}", file=sys.stderr)
    return 1 if (warnings or split) and options.strict else 0
