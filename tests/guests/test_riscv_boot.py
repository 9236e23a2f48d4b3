"""Debian's riscv64 kernel, its installer and U-Boot on whole machines, through the command that users type."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.guests.riscv import PLATFORMS, SECOND_UART, TROUBLE, linux, two_uarts, u_boot
from tests.guests.test_boot import Running

RISCV_GUESTS = Path(__file__).parents[2] / "examples" / "guests" / "bin-riscv"
pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]


@pytest.mark.parametrize("placement", ["process-per-cpu", "one-process"])
@pytest.mark.parametrize("cpus", [1, 2, 4])
@pytest.mark.parametrize("irqc", list(PLATFORMS))
def test_linux_to_a_shell_and_off(tmp_path: Path, guest_cache: Path, irqc: str, cpus: int, placement: str) -> None:
    machine = {"platform": PLATFORMS[irqc], "vms": [linux(guest_cache, cpus=cpus)]}
    run = Running(tmp_path, machine, "--clock", "host", "--console", "linux", "--placement", placement)
    run.wait_for("shell ready")
    run.type("nproc; grep -c ^processor /proc/cpuinfo; cat /proc/interrupts; echo END-OF-$((6*7))")
    run.wait_for("END-OF-42")
    shown = run.text[run.text.rindex("shell ready") :]
    assert re.search(rf"\r?\n{cpus}\r?\n{cpus}\r?\n", shown), shown
    assert re.search(r"RISC-V INTC\s+5 .*riscv-timer", shown), shown
    controller = {"plic": r"SiFive PLIC\s+10 ", "aia": r"APLIC-MSI.*\s+10 "}[irqc]
    assert re.search(rf"{controller}.*ttyS0", shown), shown
    run.type("poweroff")
    assert run.end() == 0, run.text[-2000:]
    assert not re.search(TROUBLE, run.text), run.text


@pytest.mark.parametrize("irqc", list(PLATFORMS))
def test_linux_beside_the_ping_pong_pair(tmp_path: Path, guest_cache: Path, irqc: str) -> None:
    def player(name: str) -> dict[str, Any]:
        return {
            "name": name,
            "image": {"path": str(RISCV_GUESTS / f"{name}.elf")},
            "device_tree": "auto",  # by it they know the interrupt controller
            "cpus": 1,
            "memory": [{"base": 0x80200000, "size": "16MiB"}],
            "devices": [{key: value for key, value in SECOND_UART.items() if key != "interrupts"}],
            "ipcs": [{"base": 0x70000000, "size": "64KiB", "shared_memory": "mailbox", "interrupts": [84]}],
        }

    machine = {
        "platform": two_uarts(PLATFORMS[irqc]),
        "shared_memory": [{"name": "mailbox", "size": "64KiB"}],
        "vms": [linux(guest_cache, cpus=1), player("ping"), player("pong")],
    }
    run = Running(tmp_path, machine)
    run.wait_for("shell ready")
    if "pong: done" not in run.text:
        run.wait_for("pong: done")
    assert "answered 10000, 0 wrong" in run.text
    run.process.terminate()
    assert run.end() == 143


def test_two_linux_side_by_side(tmp_path: Path, guest_cache: Path) -> None:
    second = linux(guest_cache, "second", cpus=1) | {"devices": [SECOND_UART]}
    machine = {"platform": two_uarts(PLATFORMS["aia"]), "vms": [linux(guest_cache, "first", cpus=2), second]}
    run = Running(tmp_path, machine)
    run.wait_for("first  | baonet: shell ready")
    if "second | baonet: shell ready" not in run.text:
        run.wait_for("second | baonet: shell ready")
    run.process.terminate()
    assert run.end() == 143


@pytest.mark.parametrize("irqc", list(PLATFORMS))
def test_u_boot_prompt_version_reset_and_off(tmp_path: Path, guest_cache: Path, irqc: str) -> None:
    run = Running(tmp_path, {"platform": PLATFORMS[irqc], "vms": [u_boot(guest_cache)]}, "--console", "uboot")
    for _ in range(2):
        run.wait_for("Hit any key")
        run.type("")
        run.wait_for("=> ")
        run.type("version")
        run.wait_for("U-Boot 20")
        if run.text.count("Hit any key") == 1:
            run.type("reset")
    run.type("poweroff")
    assert run.end() == 0
    assert run.text.count("U-Boot 20") >= 4


def test_the_installer_asks_for_a_language(tmp_path: Path, guest_cache: Path) -> None:
    vm = linux(
        guest_cache, cpus=2, image="installer-riscv64.image", initrd="installer-riscv64.initrd.gz", memory="1GiB"
    )
    run = Running(tmp_path, {"platform": PLATFORMS["aia"], "vms": [vm]}, "--console", "linux")
    run.wait_for("English", 190)  # its initrd is 40 MB
    assert "Select a language" in run.text
    run.process.terminate()
    assert run.end() == 143
    assert not re.search(TROUBLE, run.text), run.text
