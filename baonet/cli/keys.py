"""baonet keys init|node|show"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from baonet.cli.common import Subparsers, positive

if TYPE_CHECKING:
    from baonet.cluster.keys import Certificate

EPILOG = """\
'init' is run once, on the host that leads; 'node' there for each other host, to which what it wrote is then copied.
docs/security.md tells what the files are.

exit status:
  0    done
  1    a file could not be written
  2    keys are there already, or are missing, or are not what they should be; or the command line has an error

examples:
  baonet keys init
  baonet keys node alpha
  ssh alpha mkdir -p .config/baonet && scp -pr ~/.config/baonet/keys/alpha alpha:.config/baonet/keys
  baonet keys show
"""


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "keys",
        help=brief,
        description="Make and show the keys by which the hosts of a machine know each other.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _command(commands, "init", "make a CA, and the certificate of the host that leads", _init, "--keys /srv/keys")
    node = _command(commands, "node", "make the certificate of a node", _node, "alpha --days 90")
    node.add_argument("name", metavar="NAME", help="how the node is called: best its host's name or address")
    node.add_argument("--days", metavar="N", type=positive, help="how long it is good (default: two years)")
    _command(commands, "show", "tell who has which role, and until when", _show, "--keys /srv/keys")


def _command(
    commands: Subparsers[argparse.ArgumentParser],
    name: str,
    text: str,
    action: Callable[[Path, argparse.Namespace], None],
    example: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=f"example: baonet keys {name} {example}"
    )
    told = "directory of the keys (default: $BAONET_KEYS, or ~/.config/baonet/keys)"
    parser.add_argument("--keys", metavar="DIR", help=told)
    parser.set_defaults(command=_placed(action))
    return parser


def _placed(action: Callable[[Path, argparse.Namespace], None]) -> Callable[[argparse.Namespace], int]:
    """``action`` with the directory that is meant."""

    def act(options: argparse.Namespace) -> int:
        from baonet.cluster.keys import KeysError, place  # noqa: PLC0415 - other commands should not pay for it

        try:
            action(place(options.keys), options)
        except KeysError as error:
            print(f"baonet keys: {error}", file=sys.stderr)
            return 2
        return 0

    return act


def _init(directory: Path, _: argparse.Namespace) -> None:
    from baonet.cluster import issuing  # noqa: PLC0415 - the library that makes keys is large

    made = issuing.init(directory)
    print(f"wrote {directory}: a CA, and this host's certificate as {made.role.value}, until {made.until:%Y-%m-%d}")
    print("next, for each other host: baonet keys node NAME")


def _node(directory: Path, options: argparse.Namespace) -> None:
    from baonet.cluster import issuing  # noqa: PLC0415 - as above

    made = issuing.issue(directory, options.name, options.days or issuing.DAYS)
    print(f"wrote {directory / made.name}: the certificate of node '{made.name}', until {made.until:%Y-%m-%d}")
    print("copy the directory to that host, as ~/.config/baonet/keys or to where $BAONET_KEYS says there")


def _show(directory: Path, _: argparse.Namespace) -> None:
    from baonet.cluster import issuing  # noqa: PLC0415 - as above

    found = issuing.listed(directory)
    width = max(len(each.name) for each in found)
    for each in found:
        print(f"{each.name:{width}}  {each.role.value}  {_until(each)}")


def _until(certificate: Certificate) -> str:
    over = certificate.until <= datetime.now(UTC)
    return f"{'ended on' if over else 'until'} {certificate.until:%Y-%m-%d}"
