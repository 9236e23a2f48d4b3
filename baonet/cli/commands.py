"""The commands. Each is a module here with ``add(subparsers)``; only its own imports are paid."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from baonet.actors.refusals import limited, refused
from baonet.cli import streams
from baonet.cli.interrupted import say_ended
from baonet.core.errors import EngineError
from baonet.outlets import hangup

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def _parsers() -> tuple[type[argparse.ArgumentParser], type[argparse.ArgumentParser]]:
    """Those of the command, and of its subcommands."""
    import argparse  # noqa: PLC0415 - see main

    class Top(argparse.ArgumentParser):
        """Help that cannot be written is no success: argparse ignores that where nothing is buffered."""

        def _print_message(self, message: str, file: Any = None) -> None:
            if message and file is sys.stdout:
                file.write(message)
            else:
                super()._print_message(message, file)

    class Strict(Top):
        """Refuses what it does not know by itself, so that the command is named to which it was given."""

        def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
            known, rest = super().parse_known_args(args, namespace)
            if rest:
                self.error(f"unrecognized arguments: {' '.join(rest)}")
            return known, rest

    return Top, Strict


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    import argparse  # noqa: PLC0415 - see main
    from importlib import metadata  # noqa: PLC0415

    from baonet.cli import (  # noqa: PLC0415 - see main
        check,
        completion,
        dtb,
        init,
        keys,
        node,
        nodes,
        platforms,
        report,
        run,
        schema,
        study,
        trace,
    )

    whole, strict = _parsers()
    top = whole(
        prog="baonet",
        description="Run a machine that is partitioned as the Bao hypervisor would partition it, one process per CPU.",
        epilog="examples:\n"
        "  baonet init && baonet run hello.yaml\n"
        "  baonet run configs/ping-pong.yaml\n"
        "  baonet run linux.yaml --console linux\n"
        "  baonet check machine.yaml && baonet dtb machine.yaml --vm linux -o linux.dtb",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"baonet {metadata.version('baonet')}")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=strict)
    for module in (run, node, nodes, init, check, dtb, platforms, schema, study, report, trace, keys, completion):
        module.add(subparsers)
    return top


def execute(arguments: Sequence[str] | None, on_interrupt: Any) -> int:
    """Returns the exit status. ``on_interrupt`` is what SIGINT does while a command runs."""
    streams.prepare()
    try:
        status = _execute(arguments, on_interrupt)
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does: end like a process that SIGPIPE ended.
        streams.drop(sys.stdout)
        status = 141
    except hangup.HangUp:
        streams.drop(sys.stdout)
        status = hangup.STATUS
    except (OSError, MemoryError, ImportError, EngineError) as error:
        if isinstance(error, OSError) and error.filename is None and not limited(error):
            error.filename = "output"
        with suppress(OSError):
            print(f"baonet: {refused(error, 'this command')}", file=sys.stderr)
        streams.drop(sys.stdout)
        status = 1
    except KeyboardInterrupt:
        streams.drop(sys.stdout)  # its reader may have stopped
        say_ended(signal.SIGINT)
        status = 130
    try:
        sys.stderr.flush()
    except OSError:
        streams.drop(sys.stderr)
    return status


def _execute(arguments: Sequence[str] | None, on_interrupt: Any) -> int:
    """All that is said has been written when it returns: help and mistakes too, with which argparse ends a process."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 2
    else:
        signal.signal(signal.SIGINT, on_interrupt)
        status = options.command(options)
    sys.stdout.flush()
    return status
