"""The machines of these tests on RISC-V: the same guests with the same tasks, as the other architecture has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.system.machine import GUESTS, UART
from tests.system.virtual import TWO_UARTS

RISCV_GUESTS = GUESTS.with_name("bin-riscv")
RISCV = {"aia": "qemu-riscv64-virt", "plic": "qemu-riscv64-virt-plic"}
"""The platforms, by their interrupt controllers."""
BOARDS: dict[str, dict[str, Any]] = {name: {"extends": platform} for name, platform in RISCV.items()} | {
    "aplic": {"extends": "qemu-riscv64-virt", "irqc": {"aplic": 0x0D00_0000}}
}
"""And those that none of the platforms has: an APLIC alone, in direct mode."""
_RAM = 0x8020_0000
_UARTS = {UART["pa"]: (0x1000_0000, 10), TWO_UARTS[1]["pa"]: (0x1000_1000, 11)}
"""Where UARTs are and what their interrupts are, by where they are on Armv8."""


def _board(board: Any, controller: str) -> Any:
    if not isinstance(board, dict):
        return RISCV.get(controller) or BOARDS[controller]
    kept = {key: value for key, value in board.items() if key != "cpu_model"} | BOARDS[controller]
    if "devices" in board:
        places = [(each["name"], *_UARTS[each["pa"]]) for each in board["devices"]]
        kept["devices"] = [
            {"name": uart, "kind": "16550", "pa": pa, "size": 0x1000, "interrupt": source}
            for uart, pa, source in places
        ]
    return kept


def _device(device: dict[str, Any]) -> dict[str, Any]:
    pa, source = _UARTS[device["pa"]]
    return device | {"pa": pa, "va": 0x1000_0000} | ({"interrupts": [source]} if "interrupts" in device else {})


def _vm(vm: dict[str, Any]) -> dict[str, Any]:
    return vm | {
        "image": {"path": str(RISCV_GUESTS / Path(vm["image"]["path"]).name)},
        "memory": [each | {"base": _RAM} for each in vm["memory"]],
        "devices": [_device(each) for each in vm["devices"]],
        "device_tree": "auto",  # it says which interrupt controller there is
    }


def riscv(machine: dict[str, Any], controller: str) -> dict[str, Any]:
    """A machine of Armv8 as it is on RISC-V with this interrupt controller, one of ``BOARDS``."""
    board = _board(machine.get("platform"), controller)
    return machine | {"platform": board, "vms": [_vm(each) for each in machine["vms"]]}
