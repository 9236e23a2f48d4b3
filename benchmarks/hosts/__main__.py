"""What it costs that a machine is on several hosts: python -m benchmarks.hosts [--only ROW] [--repeat N]

Two hosts are network namespaces with a veth pair between them, or, where this user may make none, processes that call
each other over loopback. What is compared is taken in turn: on a shared machine only the ratio of figures from one call
says anything.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from baonet.cluster import issuing
from benchmarks.arguments import add_repeat, output_file
from benchmarks.hosts import wire
from benchmarks.hosts.nodes import NAMES
from benchmarks.hosts.report import Taken, data, lines
from benchmarks.hosts.rows import ROWS
from benchmarks.hosts.setting import Row, Setting
from benchmarks.hosts.windows import HOSTS, Model
from benchmarks.process import RunFailedError
from tests.guests.debian import FetchError

AWAY = (20e-6, 100e-6, 500e-6)
"""Seconds there and back that the model is told for: a cable, a switched network, and a slow one."""


@contextmanager
def setting(*, tiny: bool = False, local: bool = False) -> Iterator[Setting]:
    """``local``: without namespaces, whoever asks."""
    with tempfile.TemporaryDirectory(prefix="baonet-benchmark-") as directory:
        keys = Path(directory) / "keys"
        issuing.init(keys)
        for name in NAMES:
            issuing.issue(keys, name)
        if not local:
            try:
                with wire.two_hosts() as hosts:
                    yield Setting(hosts, keys, tiny)
                    return
            except wire.NoHostsError as error:
                print(f"no namespaces: {error}\nthe two hosts are processes that call each other over loopback")
        yield Setting((wire.Host(wire.LOOPBACK), wire.Host(wire.LOOPBACK)), keys, tiny)


def take(row: Row, on: Setting, repeat: int) -> Taken:
    """Each way in turn, so many times; one that has failed is not tried again."""
    taken = Taken(row)
    try:
        with row.open(on) as ways:
            for number in range(repeat):
                for way in ways if number % 2 == 0 else reversed([*ways]):
                    if way in taken.failures:
                        continue
                    try:
                        taken.samples.setdefault(way, []).append(ways[way]())
                    except RunFailedError as error:
                        taken.failures[way] = str(error)
                        print(f"{row.name}, {way}: {error}", file=sys.stderr)
    except (RunFailedError, FetchError) as error:
        taken.failures["all"] = str(error)
    return taken


def modelled(taken: Taken) -> Iterator[str]:
    found = {int(way): sample for way, sample in taken.medians().items()}
    try:
        model = Model.of(found)
    except ValueError as error:
        yield f"  no model: {error}"
        return
    parts = [f"{seconds * 1e6:.1f} us" for seconds in (model.home, model.each, model.other)]
    yield f"  CPU of a window: home {parts[0]}, and {parts[1]} for each other node; another node {parts[2]}"
    for away in AWAY:
        cells = ", ".join(f"{hosts} hosts {model.window(hosts, away) * 1e6:.0f} us" for hosts in (2, 8, HOSTS))
        yield f"  model, {away * 1e6:.0f} us there and back, cores of one's own: {cells}"


def _load() -> str:
    return ", ".join(f"{figure:.1f}" for figure in os.getloadavg())


def _chosen(only: Sequence[str]) -> list[Row]:
    """Raises ValueError."""
    names = [row.name for row in ROWS]
    for name in only:
        if name not in names:
            raise ValueError(f"no row '{name}': there are {', '.join(names)}")
    return [row for row in ROWS if (row.name in only if only else not row.named)]


def _terminated(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hosts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    named = ", ".join(row.name for row in ROWS if row.named)
    parser.add_argument(
        "--only", action="append", default=[], metavar="ROW", help=f"this row; repeatable (default: all but {named})"
    )
    add_repeat(parser, 5, "samples of each, in turn")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write every sample to FILE")
    parser.add_argument("--local", action="store_true", help="over loopback, though there could be namespaces")
    parser.add_argument("--tiny", action="store_true", help="as little as there can be: it runs, and says nothing")
    options = parser.parse_args(arguments)
    try:
        rows = _chosen(options.only)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _terminated)
    print(f"{os.cpu_count()} CPUs, load {_load()}; medians of {options.repeat} [least..most], in turn", flush=True)
    all_taken = []
    try:
        with setting(tiny=options.tiny, local=options.local) as on:
            for row in rows:
                print(f"{row.name}: {row.title}", flush=True)
                taken = take(row, on, options.repeat)
                all_taken.append(taken)
                for line in lines(taken):
                    print(line)
                if row.name == "windows":
                    for line in modelled(taken):
                        print(line)
                print(f"  load {_load()}", flush=True)
    except KeyboardInterrupt:
        print("interrupted: nodes and namespaces are gone", file=sys.stderr)
        return 130
    if options.json:
        options.json.write_text(json.dumps([data(taken) for taken in all_taken], indent=2) + "\n")
    return 1 if any(taken.failures for taken in all_taken) else 0


if __name__ == "__main__":
    sys.exit(main())
