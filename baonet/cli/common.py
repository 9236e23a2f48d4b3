"""What the subcommands share: loading a machine file, and saying what is wrong with it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final, TextIO

from baonet.config.loader import load
from baonet.document.errors import ConfigError, Problem
from baonet.document.standard_input import given
from baonet.hyp.vmm import plan
from baonet.machine import Machine, Vm
from baonet.machine.dataclass import replace

Subparsers = argparse._SubParsersAction
HOST: Final = r"(?:\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?\]|[^:\[\]]+)"
"""A host's name or address in front of a port, that of IPv6 in brackets."""


def rewrites(stream: TextIO) -> bool:
    """Whether it is a terminal where a line can be written over: one that TERM calls dumb cannot."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def colors(stream: TextIO) -> bool:
    """Whether it is a terminal that shows colours, and its user wants them (https://no-color.org)."""
    return rewrites(stream) and not os.environ.get("NO_COLOR")


class UsageError(Exception):
    """The user's mistake, in one line."""


def positive(text: str) -> int:
    """Of an argument: how many."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from 1 on")
    return int(text)


def load_machine(path: str, overrides: Sequence[str] = (), warnings: list[Problem] | None = None) -> Machine | None:
    """The machine of a file, with ``PATH=VALUE`` in place of fields; None when it has errors, which are on stderr.

    What is doubtful is on stderr too, and added to ``warnings``.
    """
    doubtful: list[Problem] = []
    try:
        return load(given(path), overrides, doubtful, plan)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return None
    finally:
        for each in doubtful:
            print(replace(each, message=f"warning: {each.message}"), file=sys.stderr)
        if warnings is not None:
            warnings += doubtful


def add_set(parser: argparse.ArgumentParser) -> None:
    """The option that changes fields of a machine file."""
    parser.add_argument(
        "--set",
        metavar="PATH=VALUE",
        type=_override,
        action="append",
        default=[],
        help="a field of the machine file, in place of what it says: --set clock.window=20us --set vms.0.cpus=2",
    )


def add_clock(parser: argparse.ArgumentParser) -> None:
    """The option that changes the one field of a machine file that all have."""
    parser.add_argument("--clock", choices=["host", "virtual"], help="override the file's clock mode")


def changes(options: argparse.Namespace) -> list[str]:
    """What ``--set`` and ``--clock`` say, as ``load_machine`` takes it."""
    clock = [] if options.clock is None else [f"clock.mode={options.clock}"]
    return [*options.set, *clock]


def _override(text: str) -> str:
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text} has no value: write {text}=VALUE")
    return text


def find_vm(machine: Machine, name: str) -> Vm:
    """Raises UsageError when no VM has the name."""
    for vm in machine.vms:
        if vm.name == name:
            return vm
    raise UsageError(f"there is no VM '{name}': this machine has {', '.join(vm.name for vm in machine.vms)}")
