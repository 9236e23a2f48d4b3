"""baonet node --listen ADDRESS:PORT | --join HOST:PORT"""

from __future__ import annotations

import argparse
import os
import re
import socket
import sys

from baonet.actors.refusals import refused
from baonet.cli.common import Subparsers, UsageError
from baonet.core.errors import EngineError

DEFAULT = "127.0.0.1:7470"
EPILOG = """\
examples:
  baonet node                                      (waits at 127.0.0.1:7470, for this host alone)
  baonet node --listen 10.0.0.2:7470 --insecure    (for a network that you trust)
  baonet node --join lead:7471 --attached          (as 'baonet run --on ssh:HOST' starts it)
and there:
  baonet run machine.yaml --on 10.0.0.2:7470,10.0.0.3:7470

exit status: 0 when it was ended, 1 when the host refuses something, 2 for an error of the command line.
"""
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):([0-9]{1,5})")


def add(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "node",
        help="run parts of machines for leads on other hosts",
        description="Wait until a lead ('baonet run --on') calls, or call one, and run what it sends of its machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--listen", metavar="ADDRESS:PORT", help=f"wait there, for any number of runs (default: {DEFAULT})"
    )
    way.add_argument("--join", metavar="HOST:PORT", help="call a lead, for one run; BAONET_TICKET has what it asks for")
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="listen on other addresses than loopback though anybody there may run a machine here as you",
    )
    parser.add_argument(
        "--attached",
        action="store_true",
        help="with --join, for launchers: the ticket is the first line of standard input, and the node ends with it",
    )
    parser.add_argument("--name", metavar="NAME", help="what it is called (default: the host's name)")
    parser.set_defaults(command=node)


def node(options: argparse.Namespace) -> int:
    try:
        if options.join is not None:
            return _join(*_place("--join", options.join), options.name, attached=options.attached)
        return _listen(
            *_place("--listen", options.listen or DEFAULT),
            options.name,
            insecure=options.insecure,
            attached=options.attached,
        )
    except UsageError as error:
        print(f"baonet node: {error}", file=sys.stderr)
        return 2
    except (OSError, EngineError, ImportError) as error:
        print(f"baonet node: {refused(error)}", file=sys.stderr)
        return 1


def _place(option: str, text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    if found is None or not 0 <= int(found[2]) <= 65535:
        raise UsageError(f"{option} {text}: write an address and a port, as in {DEFAULT}")
    return found[1].strip("[]"), int(found[2])


def _listen(host: str, port: int, name: str | None, *, insecure: bool, attached: bool) -> int:
    if attached:
        raise UsageError("--attached: that is how a lead starts a node that calls it: give --join with it")
    # What a node needs is much, and a mistake in the command line should not wait for it.
    from baonet.cluster.daemon import Daemon, is_loopback  # noqa: PLC0415
    from baonet.cluster.identity import introduction  # noqa: PLC0415
    from baonet.cluster.images import ImageCache  # noqa: PLC0415
    from baonet.cluster.machines import Receipt  # noqa: PLC0415

    if not is_loopback(host) and not insecure:
        raise UsageError(
            f"--listen {host}:{port}: without keys a node listens on loopback alone, because whoever reaches it runs "
            "machines as you: give --insecure where you trust the network"
        )
    try:
        daemon = Daemon(host, port, lambda: Receipt(ImageCache()), name=name)
    except socket.gaierror as error:
        raise UsageError(f"--listen {host}:{port}: {host}: {error.strerror}") from None
    except OSError as error:
        raise OSError(error.errno, f"--listen {host}:{port}: {error.strerror}") from None
    me = introduction(name)
    if insecure and not is_loopback(host):
        print("baonet node: WARNING: insecure: whoever reaches this address runs machines as you", file=sys.stderr)
    print(
        f"baonet node: {me.name} waits at {host}:{daemon.port}: {me.cores} cores, baonet {me.version}", file=sys.stderr
    )
    daemon.run()
    return 0


def _join(host: str, port: int, name: str | None, *, attached: bool) -> int:
    from baonet.cluster import attached as holder  # noqa: PLC0415

    given = holder.first_line() if attached else os.environ.pop("BAONET_TICKET", "")
    ticket = holder.ticket(given, os.environ)
    if ticket is None:
        where = "the first line of standard input" if attached else "BAONET_TICKET"
        raise UsageError(f"--join: {where} is to have the ticket that the lead gives, in hexadecimal digits")
    if attached:
        return holder.attached(lambda: _call(host, port, name, ticket))
    return _call(host, port, name, ticket)


def _call(host: str, port: int, name: str | None, ticket: bytes) -> int:
    from baonet.cluster.daemon import answer  # noqa: PLC0415
    from baonet.cluster.identity import introduction  # noqa: PLC0415
    from baonet.cluster.images import ImageCache  # noqa: PLC0415
    from baonet.cluster.machines import Receipt  # noqa: PLC0415

    try:
        introduction(name)  # what takes its time, before a lead waits for it
        receipt = Receipt(ImageCache())
        try:
            sock = socket.create_connection((host, port), timeout=10)
        except OSError as error:
            raise OSError(error.errno, f"--join {host}:{port}: {error.strerror or error}") from None
        answer(sock, receipt, name=name, ticket=ticket)
    except (OSError, EngineError, ImportError) as error:  # here, as this may be another process
        print(f"baonet node: {refused(error)}", file=sys.stderr)
        return 1
    return 0
