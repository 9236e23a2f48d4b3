"""What a trace under the host's clock tells: not when, but the same of what."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from baonet.trace.records import Kind, VcpuState
from tests.system.machine import run, vm
from tests.system.virtual import IPC, MAILBOX, records


@pytest.mark.parametrize("placement", ["process-per-cpu", "one-process"])
def test_the_states_of_a_vcpu(tmp_path: Path, placement: str) -> None:
    machine = {"shared_memory": [MAILBOX], "vms": [vm("reset", cpus=2, ipcs=[IPC])]}
    path = tmp_path / "trace"
    result = run(tmp_path, machine, "--placement", placement, "--trace", str(path))
    assert result.status == 0
    states = [(each.pcpu, VcpuState(each.a)) for each in records(path, Kind.STATE)]
    first = [state for pcpu, state in states if pcpu == 0 and state is not VcpuState.PAUSED]
    second = [state for pcpu, state in states if pcpu == 1 and state is not VcpuState.PAUSED]
    assert first == [VcpuState.RUNNING, VcpuState.OFF] * 6
    assert second[:4] == [VcpuState.RUNNING, VcpuState.OFF, VcpuState.POWERDOWN, VcpuState.RUNNING]
    assert all(one is not other for one, other in itertools.pairwise(second))
