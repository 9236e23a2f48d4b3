"""What a program sees of a machine that nodes run is what it sees of one on its own host."""

from __future__ import annotations

from pathlib import Path

import pytest

import baonet
from tests.patience import LIMIT
from tests.system.machine import pair, vm, write
from tests.system.virtual import IPC, MAILBOX

SPREAD = {"placement": "spread"}


def loaded(directory: Path, machine: dict[str, object]) -> baonet.Machine:
    return baonet.load(write(directory, SPREAD | machine), set={"clock.mode": "virtual"})


async def test_registers_and_memory_are_those_of_all_nodes(tmp_path: Path) -> None:
    machine = loaded(tmp_path, pair())
    seen = []
    for on in (None, "local:2"):
        async with baonet.open_run(machine, on=on, timeout=LIMIT) as run:
            await run.for_("700us")
            found: list[object] = [await run.registers("ping"), await run.registers("pong")]
            found += [run.memory(name).read(0x70000000, 0x2000) for name in ("ping", "pong")]
            found += [run.memory(name).read(0x40000000, 0x200000) for name in ("ping", "pong")]
            run.memory("pong").write(0x70000FFC, b"twopages")
            run.memory("ping").write(0x40F00000, b"baonet")
            await run.for_("10us")
            found += [run.memory(name).read(0x70000FFC, 8) for name in ("ping", "pong")]
            found += [run.memory("ping").read(0x40F00000, 6), run.time]
            with pytest.raises(ValueError, match="2 bytes at 0x40ffffff are not inside one region of VM 'ping'"):
                run.memory("ping").read(0x40FFFFFF, 2)
            seen.append([*found, run.console("ping").text, run.console("pong").text])
    assert seen[0] == seen[1]
    assert seen[0][6] == b"twopages"
    assert seen[0][8] == b"baonet"


async def test_pages_of_a_split_vm_are_read_from_whoever_has_them(tmp_path: Path) -> None:
    machine = loaded(tmp_path, {"shared_memory": [MAILBOX], "vms": [vm("smp", cpus=4, ipcs=[IPC])]})
    seen = []
    for on in (None, "local:4"):
        async with baonet.open_run(machine, on=on, timeout=LIMIT) as run:
            await run.for_("300us")
            seen.append([run.memory("smp").read(0x40000000, 0x1000000), await run.registers("smp", 3)])
    assert seen[0] == seen[1]


async def test_memory_that_no_vcpu_of_the_conductors_node_has_is_read_and_written(tmp_path: Path) -> None:
    machine = pair()
    machine["vms"][1] |= {"image": vm("smp")["image"], "cpus": 2}
    both = machine | {"placement": {"ping": 0, "pong": [1, 2]}}
    seen = []
    for on in (None, "local:3"):
        async with baonet.open_run(loaded(tmp_path, both), on=on, timeout=LIMIT) as run:
            await run.for_("200us")
            run.memory("pong").write(0x40F00000, b"baonet")
            await run.for_("200us")
            seen.append(run.memory("pong").read(0x40000000, 0x1000000))
    assert seen[0] == seen[1]


async def test_what_is_typed_comes_to_the_node_of_the_guest(tmp_path: Path) -> None:
    machine = loaded(tmp_path, {"vms": [vm("echo", cpus=2)]})
    said = []
    for on in (None, "local:2"):
        async with baonet.open_run(machine, on=on, timeout=LIMIT) as run:
            await run.console("echo").wait_for("type a line, or quit")
            run.console("echo").send("one\ntwo\n")
            await run.console("echo").wait_for("two")
            said.append((run.console("echo").text, run.time))
    assert said[0] == said[1]


async def test_a_wrong_where_is_told(tmp_path: Path) -> None:
    machine = loaded(tmp_path, pair())
    with pytest.raises(ValueError, match="does not say how many nodes: write local:N"):
        async with baonet.open_run(machine, on="local:none"):
            pytest.fail("it began")
    with pytest.raises(baonet.RunError, match=r"node 127\.0\.0\.1:9 cannot be reached: Connection refused"):
        async with baonet.open_run(machine, on="127.0.0.1:9"):
            pytest.fail("it began")
