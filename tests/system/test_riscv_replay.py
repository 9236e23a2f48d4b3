"""What was typed to a RISC-V guest in a live session, typed again: the same run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cli.test_terminal import terminal
from tests.system.elsewhere import riscv
from tests.system.machine import vm
from tests.system.test_replay import replayed, session, type_slowly


@pytest.mark.parametrize("controller", ["aia", pytest.param("plic", marks=pytest.mark.slow)])
def test_a_session_again(tmp_path: Path, controller: str) -> None:
    machine, typed = riscv({"vms": [vm("echo")]}, controller), tmp_path / "typed.yaml"
    options = ["--clock", "virtual", "--placement", "one-process", "--console", "echo", "--record", str(typed)]
    with terminal(tmp_path, machine, *options) as user:
        user.wait_for(b"or quit\r\n")
        type_slowly(user, b"hello", b"\x03\x1b[A")
        user.type(b"quit\r")
        live = session(user)
    assert live.status == 0
    assert len(yaml.safe_load(typed.read_text())) > 5
    again = replayed(tmp_path, machine, typed, "echo")
    assert (again.status, again.digest, again.time) == (0, live.digest, live.time)
