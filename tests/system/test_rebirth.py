"""VMs that start anew while others send them notifications and write the memory that they share, in both directions.

Nobody has a timer: a notification that is lost to a VM that lives leaves both asleep for ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import run, vm
from tests.system.virtual import IPC, MAILBOX, SILENT, same_everywhere

LAST = (
    "left: 16 lives, 53 messages, 67 answers, 0 wrong",
    "left: done",
    "right: 20 lives, 67 messages, 53 answers, 0 wrong",
    "right: done",
)


def both(left: int, right: int) -> dict[str, Any]:
    """With so many vCPUs; the second one of each notifies without a reason, and is the one that resets at times."""
    vms = [
        vm("rebirth-left", "left", cpus=left, ipcs=[IPC]),
        vm("rebirth-right", "right", cpus=right, ipcs=[IPC], devices=SILENT),
    ]
    return {"shared_memory": [MAILBOX], "vms": vms}


def ended_well(out: str) -> bool:
    return sorted(line.partition("| ")[2] for line in out.splitlines()) == sorted(LAST)


@pytest.mark.slow
def test_nothing_is_lost_in_virtual_time(tmp_path: Path) -> None:
    result = same_everywhere(tmp_path, both(2, 2))
    assert (result.status, ended_well(result.out)) == (0, True), result.out


@pytest.mark.parametrize("placement", ["process-per-cpu", "one-process"])
@pytest.mark.parametrize(("left", "right"), [(1, 1), (2, 2)])
def test_nothing_is_lost_with_the_host_s_clock(tmp_path: Path, left: int, right: int, placement: str) -> None:
    result = run(tmp_path, both(left, right), "--placement", placement)
    assert (result.status, ended_well(result.out)) == (0, True), result.out
