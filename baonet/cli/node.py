"""baonet node --listen ADDRESS:PORT | --join HOST:PORT"""

from __future__ import annotations

import argparse
import errno
import os
import re
import socket
import sys
from typing import TYPE_CHECKING

from baonet.actors.refusals import refused
from baonet.cli.common import HOST, Subparsers, UsageError
from baonet.core.errors import EngineError
from baonet.machine.node_placement import lacks_interface

if TYPE_CHECKING:
    from baonet.cluster.gate import Gate

DEFAULT = "127.0.0.1:7470"
EPILOG = """\
examples:
  baonet node                                      (waits at 127.0.0.1:7470, for this host alone)
  baonet node --listen 10.0.0.2:7470               (with keys: 'baonet keys' makes them)
  baonet node --listen 10.0.0.2:7470 --insecure    (for a network that you trust)
  baonet node --join lead:7471 --attached          (as 'baonet run --on ssh:HOST' starts it)
and there:
  baonet run machine.yaml --on 10.0.0.2:7470,10.0.0.3:7470

exit status: 0 when it was ended, 1 when the host refuses something, 2 for an error of the command line.
"""
_WHAT_TO_DO = {
    errno.EADDRINUSE: ": another node, or another program, waits there: end it, or give another port",
    errno.EADDRNOTAVAIL: ": write an address of this host, or 0.0.0.0 or [::] for all that it has",
    errno.EACCES: ": write a port from 1024 on",
}
_PLACE = re.compile(rf"({HOST}):([0-9]{{1,5}})")


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "node",
        help=brief,
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
        help="listen on any address without keys, though anybody there may run a machine here as you",
    )
    parser.add_argument(
        "--keys",
        metavar="DIR",
        help="keys of this node: only a lead with keys of the same CA is let in (default: $BAONET_KEYS, or those in "
        "~/.config/baonet/keys)",
    )
    parser.add_argument(
        "--attached",
        action="store_true",
        help="with --join, for launchers: the ticket is the first line of standard input, and the node ends with it",
    )
    parser.add_argument("--name", metavar="NAME", help="what it is called (default: the host's name)")
    parser.set_defaults(command=node)


def node(options: argparse.Namespace) -> int:
    from baonet.cluster.keys import KeysError  # noqa: PLC0415 - other commands should not pay for it

    try:
        if options.join is not None:
            return _join(*_place("--join", options.join), options)
        return _listen(*_place("--listen", DEFAULT if options.listen is None else options.listen), options)
    except (UsageError, KeysError) as error:
        print(f"baonet node: {error}", file=sys.stderr)
        return 2
    except (OSError, EngineError, ImportError) as error:
        print(f"baonet node: {refused(error)}", file=sys.stderr)
        return 1


def _place(option: str, text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    if found is None or not 0 <= int(found[2]) <= 65535:
        raise UsageError(f"{option} {text}: write an address and a port, as in {DEFAULT} or [::1]:7470")
    host = found[1].strip("[]")
    if lacks_interface(host):
        raise UsageError(
            f"{option} {text}: that is the same on each link: write [{host}%eth0]:{found[2]}, with your interface"
        )
    return host, int(found[2])


def _gate(options: argparse.Namespace, *, called: bool) -> Gate | None:
    """None without keys. Raises KeysError."""
    from baonet.cluster import keys  # noqa: PLC0415 - as below
    from baonet.cluster.gate import Gate  # noqa: PLC0415

    found = None if options.insecure else keys.find(options.keys)
    return None if found is None else Gate(found, called=called)


def _listen(host: str, port: int, options: argparse.Namespace) -> int:
    if options.attached:
        raise UsageError("--attached: that is how a lead starts a node that calls it: give --join with it")
    # What a node needs is much, and a mistake in the command line should not wait for it.
    from baonet.cluster.daemon import Daemon, is_loopback  # noqa: PLC0415
    from baonet.cluster.identity import introduction  # noqa: PLC0415
    from baonet.cluster.images import ImageCache  # noqa: PLC0415
    from baonet.cluster.machines import Receipt  # noqa: PLC0415
    from baonet.cluster.route import place  # noqa: PLC0415

    gate = _gate(options, called=True)
    if gate is None and not is_loopback(host) and not options.insecure:
        raise UsageError(
            f"--listen {place(host, port)}: without keys a node listens on loopback alone, because whoever reaches it "
            "runs machines as you: 'baonet keys' makes some; or give --insecure where you trust the network"
        )
    try:
        daemon = Daemon(host, port, lambda: Receipt(ImageCache()), name=options.name, gate=gate)
    except socket.gaierror as error:
        why = f"{error.strerror}: write an address of this host"
        raise UsageError(f"--listen {place(host, port)}: {host}: {why}") from None
    except OSError as error:
        hint = _WHAT_TO_DO.get(error.errno or 0, "")
        raise OSError(error.errno, f"--listen {place(host, port)}: {error.strerror}{hint}") from None
    me = introduction(options.name)
    if options.insecure and not is_loopback(host):
        print("baonet node: WARNING: insecure: whoever reaches this address runs machines as you", file=sys.stderr)
    trust = "no keys" if gate is None else f"keys in {gate.directory}"
    print(
        f"baonet node: {me.name} waits at {place(host, daemon.port)}: {me.cores} cores, baonet {me.version}, {trust}",
        file=sys.stderr,
    )
    daemon.run()
    return 0


def _join(host: str, port: int, options: argparse.Namespace) -> int:
    from baonet.cluster import attached as holder  # noqa: PLC0415

    given = holder.first_line() if options.attached else os.environ.pop("BAONET_TICKET", "")
    ticket = holder.ticket(given, os.environ)
    if ticket is None:
        where = "the first line of standard input" if options.attached else "BAONET_TICKET"
        raise UsageError(f"--join: {where} is to have the ticket that the lead gives, in hexadecimal digits")
    gate = _gate(options, called=False)
    if options.attached:
        return holder.attached(lambda: _call(host, port, options.name, ticket, gate))
    return _call(host, port, options.name, ticket, gate)


def _call(host: str, port: int, name: str | None, ticket: bytes, gate: Gate | None) -> int:
    from baonet.cluster.daemon import answer  # noqa: PLC0415
    from baonet.cluster.identity import introduction  # noqa: PLC0415
    from baonet.cluster.images import ImageCache  # noqa: PLC0415
    from baonet.cluster.machines import Receipt  # noqa: PLC0415
    from baonet.cluster.route import place  # noqa: PLC0415

    try:
        introduction(name)  # what takes its time, before a lead waits for it
        receipt = Receipt(ImageCache())
        try:
            sock = socket.create_connection((host, port), timeout=10)
        except OSError as error:
            why = f"{error.strerror or error}: is it there that a lead waits for nodes?"
            raise OSError(error.errno, f"--join {place(host, port)}: {why}") from None
        who = f"the lead at {place(host, port)}"
        return 0 if answer(sock, who, lambda: receipt, name=name, ticket=ticket, gate=gate) else 1
    except (OSError, EngineError, ImportError) as error:  # here, as this may be another process
        print(f"baonet node: {refused(error)}", file=sys.stderr)
        return 1
