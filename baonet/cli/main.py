"""The command ``baonet``. Each subcommand is a module here with ``add(subparsers)``; only its own imports are paid."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import metadata

from baonet.cli import check, dtb, platforms, run, schema


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="baonet",
        description="Run a machine that is partitioned as the Bao hypervisor would partition it, one process per CPU.",
        epilog="examples:\n"
        "  baonet run configs/ping-pong.yaml\n"
        "  baonet run linux.yaml --console linux\n"
        "  baonet check machine.yaml && baonet dtb machine.yaml --vm linux -o linux.dtb",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"baonet {metadata.version('baonet')}")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (run, check, dtb, platforms, schema):
        module.add(subparsers)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does.
        sys.stderr.close()
        status = 141
    except KeyboardInterrupt:
        status = 130
    return status


if __name__ == "__main__":
    sys.exit(main())
