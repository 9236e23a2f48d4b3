"""baonet nodes --on WHERE"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from baonet.actors.visible import plain
from baonet.cli.common import Subparsers
from baonet.cli.node_keys import add_keys
from baonet.cli.place import where
from baonet.cluster.where import Where, WhereKind

EPILOG = """\
example:
  baonet nodes --on 10.0.0.2:7470,10.0.0.3:7470

exit status: 0 when all can take part in a run, 1 when one cannot; its row says why. 2 for an error of the command line.
"""
_HEAD = ("node", "name", "version", "cores", "memory", "load", "round trip")
_AT_ONCE = 16


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "nodes",
        help=brief,
        description="Call each node, and show what it has and how far away it is: load is that of the last minute, the "
        "round trip that of the fastest of five messages.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--on", metavar="WHERE", type=where, required=True, help="the nodes, HOST:PORT,... ('baonet node' waits there)"
    )
    add_keys(parser)
    parser.set_defaults(command=nodes)


def nodes(options: argparse.Namespace) -> int:
    from baonet.cluster.dial import call, lead_context  # noqa: PLC0415 - other commands should not pay for it
    from baonet.cluster.terms import ClusterError  # noqa: PLC0415 - as above

    wanted: Where = options.on
    if wanted.kind is not WhereKind.LISTEN:
        why = "its nodes are started for each run, and none waits"
        print(f"baonet nodes: --on {wanted.kind.value}: {why}: give HOST:PORT,...", file=sys.stderr)
        return 2
    try:
        context = lead_context(options.keys, insecure=options.insecure)
    except ClusterError as error:
        print(f"baonet nodes: {error}", file=sys.stderr)
        return 2

    def row(name: str) -> tuple[str, ...]:
        """What is there, or why it is of no use."""
        try:
            found = call(name, context)
        except ClusterError as error:
            return name, _line(str(error).removeprefix(f"node {name} "))
        found.joined.stream.close()
        if found.seconds is None:
            return name, _line(str(found.unlike))
        its = found.introduction
        load, memory = f"{its.load / 1000:.1f}", f"{its.memory / (1 << 30):.1f} GiB"
        there_and_back = f"{found.seconds * 1e6:.0f} us"
        return name, _line(its.name), _line(its.version), str(its.cores), memory, load, there_and_back

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        rows = list(pool.map(row, wanted.names))
    print("\n".join(_table(rows)))
    return 0 if all(len(each) == len(_HEAD) for each in rows) else 1


def _line(said: str) -> str:
    """What a node says, as a terminal may have it."""
    return " ".join(plain(said).split())


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    whole = [_HEAD, *(row for row in rows if len(row) == len(_HEAD))]
    widths = [max(len(row[column]) for row in whole) for column in range(len(_HEAD))]
    widths[0] = max(len(row[0]) for row in (_HEAD, *rows))
    lines = []
    for row in (_HEAD, *rows):
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
        lines.append("  ".join(cells).rstrip())
    return lines
