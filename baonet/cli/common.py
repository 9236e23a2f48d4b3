"""What the subcommands share: loading a machine file, and saying what is wrong with it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from baonet.config.errors import ConfigError
from baonet.config.loader import load
from baonet.config.machine import Machine, Vm

Subparsers = argparse._SubParsersAction


class UsageError(Exception):
    """The user's mistake, in one line."""


def load_machine(path: str, overrides: Sequence[str] = ()) -> Machine | None:
    """The machine of a file, with ``PATH=VALUE`` in place of fields; None when it has errors, which are on stderr."""
    try:
        return load(Path(path), overrides)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return None


def find_vm(machine: Machine, name: str) -> Vm:
    """Raises UsageError when no VM has the name."""
    for vm in machine.vms:
        if vm.name == name:
            return vm
    raise UsageError(f"there is no VM '{name}': this machine has {', '.join(vm.name for vm in machine.vms)}")
