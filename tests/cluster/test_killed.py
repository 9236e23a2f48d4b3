"""Under the host's clock: a VM goes on when the process of one on another node that shares its pages is killed."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.patience import ANSWER, PROCESS
from tests.system.machine import COMMAND, vm, write
from tests.system.virtual import IPC, MAILBOX, SILENT

TIMES = 3


def _guest(letter: str) -> bytes:
    """Adds to a word in shared memory for ever, and says the letter, a line each 500 times."""
    words = (
        *(0xD2AE0001, 0xD2A12002),  # movz x1, #0x7000, lsl #16; movz x2, #0x900, lsl #16
        *(0x52800003 | ord(letter) << 5, 0xD2800004 | 500 << 5),  # movz w3, letter; 1: movz x4, #500
        *(0xF9400020, 0x91000400, 0xF9000020),  # 2: ldr x0, [x1]; add x0, x0, #1; str x0, [x1]
        *(0xF1000484, 0x54FFFF81),  # subs x4, x4, #1; b.ne 2b
        *(0xB9000043, 0x52800145, 0xB9000045),  # str w3, [x2]; movz w5, #10; str w5, [x2]
        0x17FFFFF7,  # b 1b
    )
    return struct.pack(f"<{len(words)}I", *words)


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found]


def _says(lines: Path, letter: str, more: int) -> None:
    """It does so many times from now on."""
    end, begin = time.monotonic() + ANSWER, lines.read_text().count(letter)
    while lines.read_text().count(letter) < begin + more:
        assert time.monotonic() < end, f"{letter} stands"
        time.sleep(0.01)


def _machine(directory: Path, guests: Mapping[str, bytes]) -> Path:
    """A VM for each, by its letter; they share a page."""
    vms: list[dict[str, Any]] = []
    for letter, words in guests.items():
        image = directory / letter
        image.write_bytes(words)
        devices = {"devices": SILENT} if vms else {}
        vms.append(vm("spin", letter, ipcs=[IPC], **devices) | {"image": {"path": str(image), "base": 0x40000000}})
    return write(directory, {"shared_memory": [MAILBOX], "vms": vms})


@contextmanager
def _running(file: Path, lines: Path) -> Iterator[subprocess.Popen[str]]:
    """Over two nodes, a VM on each; what it prints is in ``lines``."""
    with lines.open("w") as out:
        command = [*COMMAND, "run", str(file), "--on", "local:2", "--place", "spread"]
        run = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)
        try:
            yield run
        finally:
            run.kill()


def _interrupted(run: subprocess.Popen[str]) -> str:
    """What it has told in the end."""
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=PROCESS)
    assert run.returncode == 130
    return told


@pytest.mark.parametrize("killed", ["a", pytest.param("b", marks=pytest.mark.slow)])
def test_who_shares_pages_with_a_process_that_is_killed_goes_on(tmp_path: Path, killed: str) -> None:
    file, lines = _machine(tmp_path, {letter: _guest(letter) for letter in "ab"}), tmp_path / "lines"
    survivor = "b" if killed == "a" else "a"
    for _ in range(TIMES):
        with _running(file, lines) as run:
            for letter in "ab":
                _says(lines, f"{letter}\n", 5)
            nodes = [each for each in _children(run.pid) if _children(each)]
            os.kill(_children(nodes["ab".index(killed)])[0], signal.SIGKILL)
            _says(lines, f"{survivor}\n", 100)
            told = _interrupted(run)
        assert f"(VM '{killed}', vcpu 0) was killed by SIGKILL" in told


def _restarting(letter: str) -> bytes:
    """Says the letter and a line, and has its VM start anew a moment later."""
    words = (
        *(0xD2A12002, 0x52800003 | ord(letter) << 5),  # movz x2, #0x900, lsl #16; movz w3, letter
        *(0xB9000043, 0x52800145, 0xB9000045),  # str w3, [x2]; movz w5, #10; str w5, [x2]
        *(0xD2A02004, 0xF1000484, 0x54FFFFE1),  # movz x4, #0x100, lsl #16; 1: subs x4, x4, #1; b.ne 1b
        *(0xD2800120, 0xF2B08000, 0xD4000002),  # movz x0, #9; movk x0, #0x8400, lsl #16; hvc #0
    )
    return struct.pack(f"<{len(words)}I", *words)


def test_a_vm_starts_anew_though_a_node_with_others_of_its_island_is_lost(tmp_path: Path) -> None:
    file, lines = _machine(tmp_path, {"a": _restarting("a"), "b": _guest("b")}), tmp_path / "lines"
    with _running(file, lines) as run:
        for letter in "ab":
            _says(lines, f"{letter}\n", 3)
        os.kill([each for each in _children(run.pid) if _children(each)][1], signal.SIGKILL)
        _says(lines, "a\n", 10)
        told = _interrupted(run)
    assert "cannot start anew" not in told
