"""``--lead-address`` and ``--remote-command``: how nodes that a launcher starts come to their lead."""

from __future__ import annotations

import argparse
import re

from baonet.cli.common import HOST, UsageError
from baonet.cluster.terms import Launching


def add_launching(parser: argparse.ArgumentParser) -> None:
    """The options; ``launching`` reads them."""
    parser.add_argument(
        "--lead-address",
        metavar="ADDRESS[:PORT]",
        help="with --on ssh, slurm or ray: where nodes call this host (default: the address from which it reaches the "
        "first of them, and any port)",
    )
    parser.add_argument(
        "--remote-command",
        metavar="COMMAND",
        help="with --on ssh, slurm or ray: what is run there for 'baonet', in words of a shell (default: the one with "
        "this one's path, or else the one that is found there)",
    )


def launching(options: argparse.Namespace) -> Launching:
    """Raises UsageError for an option that does not go with the nodes, or says nothing."""
    given = {"--lead-address": options.lead_address, "--remote-command": options.remote_command}
    for option, value in given.items():
        if value is not None and (options.on is None or not options.on.launched):
            raise UsageError(f"{option} is of nodes that a launcher starts: give --on ssh:HOST, slurm or ray with it")
    if options.remote_command is not None and not options.remote_command.strip():
        raise UsageError("--remote-command is empty: write what is to be run there, as in /opt/baonet/bin/baonet")
    if options.lead_address is None:
        return Launching(command=options.remote_command)
    found = re.fullmatch(rf"({HOST})(?::([0-9]{{1,5}}))?", options.lead_address)
    if found is None or not 0 <= int(found[2] or 0) <= 65535:
        raise UsageError(
            f"--lead-address {options.lead_address}: write an address of this host, or ADDRESS:PORT; one of IPv6 is in "
            "brackets"
        )
    return Launching(found[1].strip("[]"), int(found[2] or 0), options.remote_command)
