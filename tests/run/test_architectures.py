"""A program runs machines of both architectures: their engines are in the processes that are made for each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys, baonet, trio

async def run(platform, **options):
    machine = baonet.load("configs/hello.yaml", set={"platform": platform, "clock.mode": "virtual"})
    async with baonet.open_run(machine, **options) as run:
        await run.finished()
    return run.outcome.digest

ARM, RISCV = "qemu-aarch64-virt", "qemu-riscv64-virt"
"""
BOTH = """
first = [trio.run(run, platform) for platform in (ARM, RISCV)]
assert first == [trio.run(run, platform) for platform in (ARM, RISCV)] and len(set(first)) == 2
loaded = [name for name in sys.modules if name.endswith("._engine")]
assert not loaded, loaded
"""
IN_ITSELF = """
trio.run(lambda: run(RISCV, placement="one-process"))
trio.run(run, "qemu-riscv64-virt-plic")
for placement in (None, "one-process"):
    try:
        trio.run(lambda: run(ARM, placement=placement))
    except baonet.EngineError as error:
        print(error)
"""


def ran(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM + code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_program_runs_machines_of_both_architectures_in_turn() -> None:
    done = ran(BOTH)
    assert done.returncode == 0, done.stderr


def test_after_a_machine_in_the_process_itself_one_of_another_is_refused_with_the_way_out() -> None:
    done = ran(IN_ITSELF)
    assert done.stdout.count("a machine of riscv has run in this process itself") == 2, done.stderr
    assert done.stdout.count("give that machine another placement, or run that of armv8 in another process") == 2
