"""``baonet.study.one_run`` without a machine: it does what the machine file says, in a word for each point.

``trace``: a trace with 37 round trips. ``slow``: it waits for ever, with a child. ``fail``: status 3. ``no-footer``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from baonet.trace.order import Row
from baonet.trace.records import Kind
from tests.study.synthetic import footer, header, write_trace


def answer(status: int, said: str) -> int:
    json.dump({"status": status, "said": said}, sys.stdout)
    return 0


def main() -> int:
    asked = json.load(sys.stdin)
    machine, values = Path(asked["machine"]), asked["settings"]
    does = machine.read_text().strip()
    if does == "slow":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        machine.with_name(f"{machine.name}.pid").write_text(str(child.pid))
        time.sleep(600)
    if does == "fail":
        return answer(3, "VM 'ping' did something")
    size = int(values.get("size", "10"))
    records: list[Row] = []
    for n in range(37):
        records.append((1000 * n, Kind.MARK, 0, 0, 1 << 32 | 5, 0))
        records.append((1000 * n + size * (n + 1), Kind.MARK, 0, 0, 2 << 32 | 5, 0))
    end = {} if does == "no-footer" else footer(digest=f"{size:064x}", time=100_000)
    write_trace(Path(sys.argv[1]), [records], header(), end)
    return answer(0, "")


if __name__ == "__main__":
    sys.exit(main())
