"""baonet completion SHELL"""

from __future__ import annotations

import argparse
from typing import Any

from baonet.cli.common import Subparsers
from baonet.cli.init import machines

EPILOG = """\
examples:
  baonet completion bash > ~/.local/share/bash-completion/completions/baonet
  baonet completion zsh > ~/.zfunc/_baonet               (with fpath+=~/.zfunc before compinit)
"""
_FILES = frozenset({"FILE", "OUT", "RESULTS"})


def add(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "completion",
        help="print what makes a shell complete baonet's command lines",
        description="Print a completion script for a shell.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", metavar="SHELL", choices=["bash", "zsh", "tcsh"], help="bash, zsh or tcsh")
    parser.set_defaults(command=completion)


def completion(options: argparse.Namespace) -> int:
    import shtab  # noqa: PLC0415 - other commands should not pay for these

    from baonet.cli.commands import parser  # noqa: PLC0415

    whole = parser()
    _complete(whole, shtab)
    print(shtab.complete(whole, shell=options.shell))
    return 0


def _complete(parser: argparse.ArgumentParser, shtab: Any) -> None:
    """Tell by the metavars which arguments are files, directories and ready machines."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete(inner, shtab)
        elif action.metavar == "MACHINE":
            action.choices = list(machines())
        elif action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # as shtab wants it
        elif action.metavar == "DIR":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
