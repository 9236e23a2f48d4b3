"""A process has machines of one architecture, and says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOTH = """
import baonet, trio

async def run(platform):
    machine = baonet.load("configs/hello.yaml", set={"platform": platform, "clock.mode": "virtual"})
    async with baonet.open_run(machine) as run:
        await run.finished()

trio.run(run, "qemu-riscv64-virt")
trio.run(run, "qemu-riscv64-virt-plic")
try:
    trio.run(run, "qemu-aarch64-virt")
except baonet.EngineError as error:
    print(error)
"""


def test_a_machine_of_another_architecture_is_refused() -> None:
    done = subprocess.run([sys.executable, "-c", BOTH], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "has run a machine of riscv" in done.stdout, done.stderr
    assert "run that of armv8 in another one" in done.stdout
