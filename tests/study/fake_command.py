"""``baonet run`` without a machine: it does what the machine file says, in a word for each point.

``trace``: a trace with 37 round trips. ``slow``: it waits for ever, with a child. ``fail``: status 3. ``no-footer``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from baonet.trace.order import Row
from baonet.trace.records import Kind
from tests.study.synthetic import footer, header, write_trace


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("machine", type=Path)
    for option in ("--console", "--timeout", "--trace", "--for", "--until", "--placement"):
        parser.add_argument(option)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    does = options.machine.read_text().strip()
    values = dict(each.split("=", 1) for each in options.set)
    does = values.get("does", does).strip('"')
    if does == "slow":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        options.machine.with_name(f"{options.machine.name}.pid").write_text(str(child.pid))
        time.sleep(600)
    if does == "fail":
        print("VM 'ping' did something", file=sys.stderr)
        return 3
    size = int(values.get("size", "10"))
    records: list[Row] = []
    for n in range(37):
        records.append((1000 * n, Kind.MARK, 0, 0, 1 << 32 | 5, 0))
        records.append((1000 * n + size * (n + 1), Kind.MARK, 0, 0, 2 << 32 | 5, 0))
    end = {} if does == "no-footer" else footer(digest=f"{size:064x}", time=100_000)
    write_trace(Path(options.trace), [records], header(), end)
    return 0


if __name__ == "__main__":
    sys.exit(main())
