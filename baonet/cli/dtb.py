"""baonet dtb FILE --vm NAME [-o OUT]"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from baonet.cli.common import Subparsers, UsageError, add_set, find_vm, load_machine
from baonet.cli.outputs import Outputs
from baonet.config.devicetree import blob


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "dtb",
        help=brief,
        description="Write the generated device tree blob of one VM, to a file or to standard output.",
        epilog="example: baonet dtb linux.yaml --vm linux | dtc -I dtb -O dts",
    )
    parser.add_argument("file", metavar="FILE", help="machine file (YAML); - is standard input")
    parser.add_argument("--vm", metavar="NAME", required=True, help="the VM")
    add_set(parser)
    parser.add_argument("-o", "--output", metavar="OUT", default="-", help="file to write (default: standard output)")
    parser.set_defaults(command=dtb)


def dtb(options: argparse.Namespace) -> int:
    machine = load_machine(options.file, options.set)
    if machine is None:
        return 2
    try:
        data = blob(machine, find_vm(machine, options.vm))
        with Outputs(map(Path, machine.files)) as outputs:
            outputs.whole(options.output).finish(data)
    except UsageError as error:
        print(f"baonet dtb: {error}", file=sys.stderr)
        return 2
    return 0
