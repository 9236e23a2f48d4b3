"""``baonet.study.worker`` without a machine: it does what the machine file says, in a word for each point.

``trace``: a trace with 37 round trips. ``slow``: it waits for ever, with a child. ``fail``: status 3. ``no-footer``.
``crash``: it says why and kills itself. ``raise``: it fails as a program does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from baonet.core.errors import OtherEngineError
from baonet.study.one_run import RunAnswer, RunRequest
from baonet.study.worker import serve
from baonet.trace.order import Row
from baonet.trace.records import Kind
from tests.study.synthetic import footer, header, write_trace

has: set[str] = set()


def perform(request: RunRequest, trace: str) -> RunAnswer:
    machine, values = Path(request.machine), request.settings
    does = str(values.get("does", machine.read_text().strip()))
    architecture = str(values.get("architecture", "armv8"))
    if has - {architecture}:
        raise OtherEngineError
    has.add(architecture)
    if does == "slow":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        machine.with_name(f"{machine.name}.pid").write_text(str(child.pid))
        time.sleep(600)
    if does == "fail":
        return RunAnswer(3, "VM 'ping' did something")
    if does == "crash":
        os.write(2, b"no more")
        os.kill(os.getpid(), signal.SIGKILL)
    if does == "raise":
        raise RuntimeError("what nobody expects")
    size = int(str(values.get("size", "10")))
    records: list[Row] = []
    for n in range(37):
        records.append((1000 * n, Kind.MARK, 0, 0, 1 << 32 | 5, 0))
        records.append((1000 * n + size * (n + 1), Kind.MARK, 0, 0, 2 << 32 | 5, 0))
    process = {"exact": os.getpid(), "late": 0, "latest": 0}
    end = {} if does == "no-footer" else footer(digest=f"{size:064x}", time=100_000, deliveries=process)
    write_trace(Path(trace), [records], header(), end)
    return RunAnswer(0, "")


if __name__ == "__main__":
    sys.exit(serve(perform))
