"""What one CPU does because of what another did is not recorded with a time before."""

from __future__ import annotations

from pathlib import Path

from baonet.trace.records import Kind
from tests.system.machine import vm
from tests.system.virtual import records, virtual


def test_bytes_of_a_console_that_cpus_print_to_in_turn(tmp_path: Path) -> None:
    """They have a lock, and the UART's place of each byte says who came first."""
    trace = tmp_path / "run.bnt"
    machine = {"clock": {"window": "100us"}, "vms": [vm("flood", cpus=3)]}
    virtual(tmp_path, machine, "--for", "300us", "--trace", str(trace))
    printed = sorted(records(trace, Kind.CONSOLE), key=lambda record: record.b)
    times = [record.time for record in printed]
    assert len({record.pcpu for record in printed}) == 3
    assert times == sorted(times)
