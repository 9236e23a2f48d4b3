"""What it costs that a machine is on several hosts: python -m benchmarks.hosts [--count N] [--repeat N]

So far one row: a page that another node has, over a veth pair, in the clear and with TLS in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

from baonet.cluster import issuing
from benchmarks.hosts.wire import Host, NoHostsError, two_hosts

GOALS = {"in the clear": "40", "TLS": "100 / 300"}


def _one(giver: Host, taker: Host, count: int, keys: Path | None) -> list[float]:
    of = {end: [] if keys is None else [str(keys / end)] for end in ("alpha", "beta")}
    module = [sys.executable, "-m"]
    with subprocess.Popen(
        giver.command(*module, "benchmarks.hosts.giver", giver.address, *of["alpha"]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as serving:
        assert serving.stdin is not None
        assert serving.stdout is not None
        port = serving.stdout.readline().strip()
        if not port:
            sys.exit("the giver has not begun")
        asked = taker.command(*module, "benchmarks.hosts.taker", giver.address, port, str(count), *of["beta"])
        said = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True).stdout
        serving.stdin.close()
    found: list[float] = json.loads(said)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hosts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=5000, metavar="N", help="pages of each try (default 5000)")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="tries of each, in turn (default 5)")
    options = parser.parse_args()
    found: dict[str, list[list[float]]] = {name: [] for name in GOALS}
    with tempfile.TemporaryDirectory(prefix="baonet-benchmark-") as directory:
        keys = Path(directory) / "keys"
        issuing.init(keys)
        for name in ("alpha", "beta"):
            issuing.issue(keys, name)
        try:
            with two_hosts() as (giver, taker):
                for _ in range(options.repeat):
                    for name in GOALS:
                        given = keys if name == "TLS" else None
                        found[name].append(_one(giver, taker, options.count, given))
        except NoHostsError as error:
            print(error, file=sys.stderr)
            return 2
    load = ", ".join(f"{figure:.1f}" for figure in os.getloadavg())
    print(f"{os.cpu_count()} CPUs, load {load}; medians of {options.repeat} [least..most], in turn")
    for name, tries in found.items():
        middles, ends = [median(each) for each in tries], [quantiles(each, n=100)[98] for each in tries]
        shown = " / ".join(f"{median(each):.0f} [{min(each):.0f}..{max(each):.0f}]" for each in (middles, ends))
        print(f"a page of another node, {name}: {shown} us median / p99 (goal {GOALS[name]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
