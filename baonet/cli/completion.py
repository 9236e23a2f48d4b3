"""baonet completion SHELL"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from baonet.cli.common import Subparsers
from baonet.cli.init import machines
from baonet.document.document import parse
from baonet.document.errors import ConfigError
from baonet.document.standard_input import given

EPILOG = """\
examples:
  baonet completion bash > ~/.local/share/bash-completion/completions/baonet
  baonet completion zsh > ~/.zfunc/_baonet               (with fpath+=~/.zfunc before compinit)
"""
_FUNCTIONS = {
    "bash": """\
_baonet_names() {
  local word
  for word in "${COMP_WORDS[@]:2}"; do
    word=${word/#\\~/$HOME}
    [[ -f $word ]] && "${COMP_WORDS[0]/#\\~/$HOME}" completion --vms "$word" 2>/dev/null && return
  done
}
_baonet_vms() { compgen -W "$(_baonet_names)" -- "$1"; }
_baonet_consoles() { compgen -W "all none $(_baonet_names)" -- "$1"; }
""",
    "zsh": """\
_baonet_names() {
  local word
  for word in ${(Q)words[2,-1]}; do
    word=${word/#\\~/$HOME}
    [[ -f $word ]] && baonet completion --vms $word 2>/dev/null && return
  done
}
_baonet_vms() { compadd -- ${(f)"$(_baonet_names)"} }
_baonet_consoles() { compadd -- all none ${(f)"$(_baonet_names)"} }
""",
}
"""The names of VMs are asked of the machine file that is on the command line already."""
_FILES = frozenset({"FILE", "OUT", "RESULTS"})


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "completion",
        help=brief,
        description="Print a completion script for a shell.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    wanted = parser.add_mutually_exclusive_group(required=True)
    shells = ["bash", "zsh", "tcsh"]
    wanted.add_argument("shell", metavar="SHELL", nargs="?", choices=shells, help="bash, zsh or tcsh")
    wanted.add_argument("--vms", metavar="FILE", help="print the names of a machine file's VMs: what the scripts ask")
    parser.set_defaults(command=completion)


def completion(options: argparse.Namespace) -> int:
    if options.vms is not None:
        return _vms(given(options.vms))
    import shtab  # noqa: PLC0415 - other commands should not pay for these

    from baonet.cli.commands import parser  # noqa: PLC0415

    whole = parser()
    _complete(whole, shtab)
    print(shtab.complete(whole, shell=options.shell, preamble=_FUNCTIONS.get(options.shell, "")))
    return 0


def _vms(path: Path) -> int:
    """As far as the file can be read: it may be wrong elsewhere."""
    try:
        root, _ = parse(path)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    vms = root.at("vms").value if isinstance(root.value, dict) else None
    for vm in vms if isinstance(vms, list) else ():
        name = vm.child("name")
        if name is not None and isinstance(name.value, str):
            print(name.value)
    return 0


def _complete(parser: argparse.ArgumentParser, shtab: Any) -> None:
    """Tell by the metavars which arguments are files, directories and ready machines, and where VMs are named."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete(inner, shtab)
        elif "--console" in action.option_strings:
            action.complete = {"bash": "_baonet_consoles", "zsh": "_baonet_consoles"}  # type: ignore[attr-defined]
        elif "--vm" in action.option_strings:
            action.complete = {"bash": "_baonet_vms", "zsh": "_baonet_vms"}  # type: ignore[attr-defined]
        elif action.metavar == "MACHINE":
            action.choices = list(machines())
        elif action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # as shtab wants it
        elif action.metavar == "DIR":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
