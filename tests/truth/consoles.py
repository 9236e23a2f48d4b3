"""``python -m tests.truth.consoles FILE OPTION VALUE``: a machine to its end, and what each of its guests has said.

Each console is read by itself. On a terminal that all share a line that takes its time is cut where others speak.
"""

from __future__ import annotations

import json
import sys

import trio

from baonet.run.opening import load, open_run
from tests.patience import LIMIT


async def _watch(file: str, option: str, value: str) -> None:
    machine = load(file)
    until, limit = ([value], None) if option == "until" else ([], value)
    async with open_run(
        machine, placement="one-process", timeout=LIMIT, until=until, limit=limit, stop_on_report=False
    ) as run:
        outcome = await run.finished()
        said = {vm.name: run.console(vm.name).text for vm in machine.vms}
    reports = [report.text for report in outcome.reports]
    json.dump({"digest": outcome.digest, "said": said, "reports": reports, "why": str(outcome)}, sys.stdout)


if __name__ == "__main__":
    trio.run(_watch, sys.argv[1], sys.argv[2], sys.argv[3])
