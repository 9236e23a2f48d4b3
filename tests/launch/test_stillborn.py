"""A CPU whose core the host refuses: its VM ends, with the reason, and the others go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from baonet.actors.ending import Ending
from baonet.core.cpu import build
from tests.launch.live import HOST_PLACEMENTS, run
from tests.system.machine import UART, vm


@pytest.mark.parametrize("placement", HOST_PLACEMENTS)
def test_its_vm_ends_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, placement: str) -> None:

    def refuse(machine: Any, config: Any, *arguments: Any, **options: Any) -> Any:
        if config.name == "echo":
            raise MemoryError("the host has no more")
        return build(machine, config, *arguments, **options)

    monkeypatch.setattr("baonet.launch.crews.build", refuse)
    silent = [{"pa": UART["pa"], "va": UART["va"], "size": 0x1000}]
    outcome, said = run(tmp_path, {"vms": [vm("echo"), vm("hello", devices=silent)]}, placement)
    assert outcome.ending is Ending.FAILED
    assert outcome.vms == {"echo": "dead", "hello": "off"}
    assert "hello: done" in said["hello"]
    told = "\n".join(outcome.failures)
    assert "pcpu 0 (VM 'echo', vcpu 0) ended" in told
    assert "needs more memory than the host has for it: it says 'the host has no more'" in told
