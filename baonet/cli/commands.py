"""The commands. Each is a module here of that name with ``add(subparsers, brief)``, and only the one that is given is
loaded: what the others need would take longer than a small machine runs.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from baonet.actors.refusals import limited, refused
from baonet.cli import streams
from baonet.cli.interrupted import say_ended
from baonet.cli.loading import loading
from baonet.core.errors import EngineError
from baonet.outlets import hangup

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

COMMANDS: Final = {
    "run": "run a machine",
    "node": "run parts of machines for leads on other hosts",
    "nodes": "show which nodes are there",
    "init": "write a first machine file, or one of the ready ones",
    "check": "tell every error of a machine file, or which CPU runs what",
    "dtb": "write the device tree that a VM gets with 'device_tree: auto'",
    "platforms": "list the built-in platforms, or show one of them whole",
    "schema": "print the JSON Schema of machine files, for editors",
    "study": "run a machine in many variants, and measure",
    "report": "show the results of a study as a page",
    "trace": "look into a trace, convert it, verify it",
    "keys": "make the keys by which the hosts of a machine know each other",
    "completion": "print what makes a shell complete baonet's command lines",
}
"""What the help says of each."""
_SPARE: Final = 4 << 20
"""To say in that there is no memory: bytes that are not touched before."""


def _parsers() -> tuple[type[argparse.ArgumentParser], type[argparse.ArgumentParser]]:
    """Those of the command, and of its subcommands."""
    import argparse  # noqa: PLC0415 - see main

    argparse._ = lambda text: text  # type: ignore[attr-defined]  # nobody translates it: to look for that takes a while

    class Top(argparse.ArgumentParser):
        """Help that cannot be written is no success: argparse ignores that where nothing is buffered."""

        def _get_formatter(self) -> argparse.HelpFormatter:
            """Each argument that is added is tried with one, which would load shutil to know how wide a terminal is."""
            return self.formatter_class(prog=self.prog, width=streams.columns() - 2)  # type: ignore[call-arg]  # all have it

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


def parser(command: str | None = None, *, others: bool = True) -> argparse.ArgumentParser:
    """The whole command line; with a ``command``, of the ``others`` what the help says of them, or nothing.

    Each of them would look for translations of what argparse says in a dozen places.
    """
    import argparse  # noqa: PLC0415 - see main

    whole, strict = _parsers()

    class Version(argparse.Action):
        """To look for the version takes a while."""

        def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
            from importlib import metadata  # noqa: PLC0415 - who asks for something else has no need of it

            parser._print_message(f"baonet {metadata.version('baonet')}\n", sys.stdout)
            parser.exit()

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
    top.add_argument("--version", action=Version, nargs=0, help="show program's version number and exit")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=strict)
    for name, brief in COMMANDS.items():
        if command in (None, name):
            import_module(f"baonet.cli.{name}").add(subparsers, brief)
        elif others:
            subparsers.add_parser(name, help=brief)
    return top


def _command(arguments: Sequence[str]) -> str:
    """Its name, with which the command line begins but for options that have no value; "" if there is none."""
    return next((each for each in arguments if not each.startswith("-")), "")


def execute(arguments: Sequence[str] | None, on_interrupt: Any, afterwards: Any) -> int:
    """Returns the exit status. What SIGINT does while a command runs is ``on_interrupt``, and then ``afterwards``."""
    streams.prepare()
    spare = bytes(_SPARE)  # a bytearray writes its zeroes
    try:
        status = _execute(arguments, on_interrupt, afterwards)
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does: end like a process that SIGPIPE ended.
        streams.drop(sys.stdout)
        status = 141
    except hangup.HangUp:
        streams.drop(sys.stdout)
        status = hangup.STATUS
    except (OSError, MemoryError, SystemError, ImportError, EngineError) as error:
        del spare
        if isinstance(error, OSError) and error.filename is None and not limited(error):
            error.filename = "output"
        with suppress(OSError):
            print(f"baonet: {refused(error, 'this command')}", file=sys.stderr)
        streams.drop(sys.stdout)
        status = 1
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, afterwards)
        streams.drop(sys.stdout)  # its reader may have stopped
        say_ended(signal.SIGINT)
        status = 130
    try:
        sys.stderr.flush()
    except OSError:
        streams.drop(sys.stderr)
    return status


def _execute(arguments: Sequence[str] | None, on_interrupt: Any, afterwards: Any) -> int:
    """All that is said has been written when it returns: help and mistakes too, with which argparse ends a process."""
    try:
        status = _status(arguments, on_interrupt)
        sys.stdout.flush()
    finally:
        signal.signal(signal.SIGINT, afterwards)
    return status


def _status(arguments: Sequence[str] | None, on_interrupt: Any) -> int:
    try:
        given = sys.argv[1:] if arguments is None else arguments
        with loading():
            name = _command(given)
            line = parser(name, others=name not in COMMANDS or given[0] != name)
        options = line.parse_args(given)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 2
    signal.signal(signal.SIGINT, on_interrupt)
    status: int = options.command(options)
    return status
