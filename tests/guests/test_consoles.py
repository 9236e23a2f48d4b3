"""Linux and what comes to it from outside: a break that begins SysRq, and a flood of notifications while it reboots."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.guests.test_boot import FIRST_UART, SECOND_UART, UART, linux
from tests.patience import LIMIT
from tests.system.hostile import RING, hostile
from tests.system.machine import Result, baonet

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]


def run(directory: Path, machine: dict[str, object], typed: list[dict[str, object]], *options: str) -> Result:
    file = directory / "machine.yaml"
    given = [{"vm": "linux", **each} for each in typed]
    file.write_text(yaml.safe_dump({"version": 1, "platform": "qemu-aarch64-virt"} | machine | {"input": given}))
    return baonet("run", file, "--clock", "virtual", "--timeout", LIMIT, *options)


def test_a_break_and_a_key_are_sysrq(tmp_path: Path, guest_cache: Path) -> None:
    typed: list[dict[str, object]] = [{"at": "1500ms", "break": True}, {"at": "1600ms", "text": "h"}]
    result = run(tmp_path, {"vms": [linux(guest_cache, cpus=1)]}, typed, "--for", "1700ms")
    assert result.status == 0, result.err
    assert "sysrq: HELP : loglevel(0-9)" in result.out
    assert "guest# \\x1b[6n" in result.out, "what would ask the terminal a question is shown"


def test_a_reboot_under_a_flood_of_notifications(tmp_path: Path, guest_cache: Path) -> None:
    ipc = {"shared_memory": "box", "interrupts": [84]}
    second = {**UART, "pa": 0x09040000, "interrupts": [40]}
    flood = hostile(tmp_path, "flood", RING, ipcs=[ipc | {"base": 0x70000000}], devices=[second])
    machine: dict[str, object] = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": [FIRST_UART, SECOND_UART]},
        "shared_memory": [{"name": "box", "size": "64KiB"}],
        "vms": [linux(guest_cache, cpus=2) | {"ipcs": [ipc | {"base": 0xF0000000}]}, flood],
    }
    typed: list[dict[str, object]] = [
        {"at": "1500ms", "text": "reboot\n"},
        {"at": "3500ms", "text": "echo second life: $(nproc)\n"},
    ]
    result = run(tmp_path, machine, typed, "--until", "second life: 2")
    assert result.status == 0, result.err
    assert result.out.count("smp: Brought up 1 node, 2 CPUs") == 2
