"""The guests that come with baonet, built for RISC-V, on the real engine and with each interrupt controller."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from baonet.trace.records import Kind
from tests.system.elsewhere import riscv
from tests.system.machine import GUESTS, Result
from tests.system.machine import run as run_machine
from tests.system.test_rebirth import both, ended_well
from tests.system.virtual import records

IMAGES = GUESTS.parent / "bin-riscv"
VIRT = "qemu-riscv64-virt"
CONTROLLERS: dict[str, Any] = {
    "aia": VIRT,
    "plic": "qemu-riscv64-virt-plic",
    "aplic": {"extends": VIRT, "irqc": {"aplic": 0x0D000000}},
    "plic-nosstc": {"extends": "qemu-riscv64-virt-plic", "sstc": False},
}
PLACES = (
    ["--placement", "one-process"],
    ["--placement", "process-per-cpu"],
    ["--on", "local:2", "--place", "spread"],
    ["--on", "local:4", "--place", "spread"],
)
SLOW, LONG = pytest.mark.slow, pytest.mark.long
every_controller = pytest.mark.parametrize(
    "controller", ["aia", "plic", pytest.param("aplic", marks=SLOW), pytest.param("plic-nosstc", marks=SLOW)]
)


def vm(image: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": image,
        "image": {"path": str(IMAGES / f"{image}.elf")},
        "cpus": 1,
        "memory": [{"base": 0x80200000, "size": "16MiB"}],
        "devices": ["uart0"],
        "device_tree": "auto",
    } | fields


def run(directory: Path, controller: str, *vms: dict[str, Any], clock: str = "virtual", **rest: Any) -> Result:
    """``rest``: options, or further keys of the machine."""
    options, stdin = rest.pop("options", ()), rest.pop("stdin", "")
    machine = {"platform": CONTROLLERS[controller], "vms": list(vms), "clock": {"mode": clock}} | rest
    return run_machine(directory, machine, *options, stdin=stdin)


def pair(name: str, **fields: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Ping and pong: a tree, or where they are entered, tells what they have."""
    ipcs = [{"base": 0x70000000, "shared_memory": "mailbox", "interrupts": [84]}]
    ping = vm("ping", ipcs=ipcs) | fields
    pong = vm("pong", ipcs=ipcs, devices=[{"name": "uart0", "interrupts": []}]) | fields
    for each in (ping, pong):
        if "device_tree" in fields:
            del each["device_tree"]
            each["image"] = each["image"] | {
                "entry": {"aia": 0x80300000, "plic": 0x80300004, "aplic": 0x80300008}[name]
            }
    return [ping, pong], {"shared_memory": [{"name": "mailbox", "size": "64KiB"}]}


@every_controller
def test_a_guest_finds_its_controller_in_the_tree(tmp_path: Path, controller: str) -> None:
    result = run(tmp_path, controller, vm("hello"))
    assert result.status == 0, result.err
    found = {"aia": "APLIC and IMSICs", "aplic": "APLIC"}.get(controller, "PLIC")
    assert f"hello | hello: interrupts by {found}\n" in result.out
    assert (", stimecmp" in result.out) == (controller != "plic-nosstc")


@pytest.mark.parametrize("controller", ["aia", pytest.param("plic", marks=SLOW), pytest.param("aplic", marks=SLOW)])
@pytest.mark.parametrize("tree", [True, pytest.param(False, marks=SLOW)])
def test_ping_pong_between_two_vms(tmp_path: Path, controller: str, tree: bool) -> None:
    vms, shared = pair(controller, **({} if tree else {"device_tree": None}))
    result = run(tmp_path, controller, *vms, **shared)
    assert result.status == 0, result.err
    assert "pong | pong: answered 10000, 0 wrong" in result.out


@SLOW
@pytest.mark.parametrize(
    "controller", ["aia", "plic", *(pytest.param(each, marks=LONG) for each in ("aplic", "plic-nosstc"))]
)
@pytest.mark.parametrize(
    "guest",
    [
        ("sgi", 2, "sgi: sent 10000, came 10000", ""),
        ("timer", 1, "timer: latency min/p50/p90/p99/max", ""),
        ("many", 4, "many: 1 came back", ""),
        ("coherence", 2, "coherence: all seen", ""),
        ("straddle", 2, "straddle: all new", "rounds=50"),
        ("unmap", 2, "unmap: all kept", "rounds=10"),
        ("patch", 2, "patch: all seen", "rounds=50"),
        ("smp", 4, "smp: all exact", ""),
        ("litmus", 4, "litmus: nothing forbidden", "rounds=512 control=2"),
    ],
)
def test_guest(tmp_path: Path, controller: str, guest: tuple[str, int, str, str]) -> None:
    name, cpus, last, parameters = guest
    result = run(tmp_path, controller, vm(name, cpus=cpus, command_line=parameters))
    assert result.status == 0, result.out + result.err
    assert last in result.out


@pytest.mark.parametrize("clock", ["virtual", pytest.param("host", marks=SLOW)])
@pytest.mark.parametrize("cpus", [2, pytest.param(4, marks=SLOW)])
@every_controller
def test_interrupts_come_once_wherever_they_are_sent(tmp_path: Path, controller: str, cpus: int, clock: str) -> None:
    rounds = 40 if (cpus, clock) == (2, "virtual") else 200
    result = run(tmp_path, controller, vm("routes", cpus=cpus, command_line=f"rounds={rounds}"), clock=clock)
    assert result.status == 0, result.out + result.err
    assert "routes: all came once" in result.out, result.out


@SLOW
@every_controller
def test_interrupts_take_the_same_ways_wherever_the_harts_are(tmp_path: Path, controller: str) -> None:
    guest = vm("routes", cpus=4, command_line="rounds=20")
    seen = set()
    for options in PLACES:
        result = run(tmp_path, controller, guest, options=options)
        assert (result.status, "routes: all came once" in result.out) == (0, True), result.out + result.err
        seen |= set(re.findall(r"digest ([0-9a-f]{64})", result.err))
    assert len(seen) == 1


@pytest.mark.parametrize("controller", ["aia", pytest.param("plic", marks=SLOW)])
def test_messages_between_harts_enter_the_hypervisor_with_a_plic_alone(tmp_path: Path, controller: str) -> None:
    """2000 round trips of two; each is a call of SBI, or a store to the other's interrupt file, which is mapped."""
    trace = tmp_path / "run.bnt"
    options = ["--until", "sgi: batch 1", "--trace", str(trace)]
    result = run(tmp_path, controller, vm("sgi", cpus=2), options=options)
    assert result.status == 0, result.err
    assert len(records(trace, Kind.WAKE)) >= 4000
    exits = len(records(trace, Kind.EXIT))
    assert exits < 10 if controller == "aia" else exits > 4000


@SLOW
@every_controller
def test_harts_start_and_stop_each_other(tmp_path: Path, controller: str) -> None:
    platform = CONTROLLERS[controller]
    board = (platform if isinstance(platform, dict) else {"extends": platform}) | {"cpus": 6}
    guest = vm("onoff", cpus=6)
    seen = [run(tmp_path, controller, guest, platform=board, options=options) for options in PLACES]
    assert [result.status for result in seen] == [0] * len(PLACES), seen[0].err
    assert "starts, as it should be" in seen[0].out
    assert len({digest for each in seen for digest in re.findall(r"digest ([0-9a-f]{64})", each.err)}) == 1


@SLOW
@pytest.mark.parametrize("clock", ["virtual", "host"])
@pytest.mark.parametrize("controller", ["aia", "plic"])
def test_nothing_is_lost_to_vms_that_start_anew(tmp_path: Path, controller: str, clock: str) -> None:
    result = run_machine(tmp_path, riscv(both(2, 2), controller) | {"clock": {"mode": clock}})
    assert (result.status, ended_well(result.out)) == (0, True), result.out + result.err


@SLOW
@every_controller
def test_input_comes_by_interrupt(tmp_path: Path, controller: str) -> None:
    result = run(tmp_path, controller, vm("echo"), stdin="first line\nquit\n", options=["--console", "echo"])
    assert result.status == 0, result.err
    assert "echo 1: first line" in result.out


@SLOW
@pytest.mark.parametrize("clock", [pytest.param("virtual", marks=LONG), "host"])  # test_the_harts_of_a_vm has it, too
@pytest.mark.parametrize("shape", range(11))
def test_pages_that_all_want(tmp_path: Path, shape: int, clock: str) -> None:
    result = run(tmp_path, "aia", vm("contend", cpus=3, command_line=f"shape={shape} rounds=60"), clock=clock)
    assert "contend: as it should be" in result.out, result.out + result.err


@SLOW
@pytest.mark.parametrize("clock", ["virtual", "host"])
@pytest.mark.parametrize("way", [0, 1, 2, 3, 4, 5, 6, 7, 9, 10])
def test_the_counter_goes_never_backward(tmp_path: Path, way: int, clock: str) -> None:
    result = run(tmp_path, "plic", vm("handover", cpus=3, command_line=f"way={way} count=300"), clock=clock)
    assert "handover: never backward" in result.out, result.out + result.err


@SLOW
@pytest.mark.parametrize(
    ("controller", "guest", "window"),
    [
        ("aia", ("contend", 3, "shape=10 rounds=60"), "10us"),
        ("aia", ("handover", 3, "way=9 count=200"), "1us"),
        ("plic", ("coherence", 4, ""), "100us"),
        ("plic", ("unmap", 2, "rounds=6"), "1us"),
        ("aia", ("patch", 4, "rounds=30"), "10us"),
    ],
)
def test_a_run_is_the_same_wherever_its_harts_are(
    tmp_path: Path, controller: str, guest: tuple[str, int, str], window: str
) -> None:
    name, cpus, parameters = guest
    processes = (
        ["--placement", "one-process", "--threads", "1"],
        ["--threads", "2"],
        ["--placement", "process-per-cpu"],
    )
    nodes = [["--on", f"local:{count}", "--place", "spread"] for count in {2, cpus}]
    seen = set()
    for options in (*processes, *nodes):
        set_window = ["--set", f"clock.window={window}"]
        result = run(
            tmp_path, controller, vm(name, cpus=cpus, command_line=parameters), options=[*options, *set_window]
        )
        assert result.status == 0, result.out + result.err
        seen |= set(re.findall(r"digest ([0-9a-f]{64})", result.err))
    assert len(seen) == 1


def misbehaviours() -> list[tuple[str, str]]:
    table = (IMAGES.parent / "riscv" / "misbehave.h").read_text()
    return [
        (name.replace("_", "-"), outcome)
        for name, outcome in re.findall(r'^MISBEHAVIOUR\((\w+), "(\w+)"', table, re.MULTILINE)
    ]


@pytest.mark.parametrize("controller", ["aia", pytest.param("plic", marks=LONG)])
@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        pytest.param(name, outcome, marks=() if name in ("not-dirty", "hypervisor-register", "cycle-counter") else SLOW)
        for name, outcome in misbehaviours()
    ],
)
def test_what_comes_of_misbehaviour(tmp_path: Path, controller: str, name: str, outcome: str) -> None:
    result = run(tmp_path, controller, vm(f"misbehave-{name}"))
    assert result.status == (3 if outcome == "parks" else 0), result.out + result.err
    assert ("misbehave: still here" in result.out) == (outcome != "parks")
    assert ("exception at S" in result.out) == (outcome == "own")


@pytest.mark.parametrize("name", ["cycle-counter", pytest.param("instret-counter", marks=SLOW)])
def test_who_is_strict_lets_nobody_count(tmp_path: Path, name: str) -> None:
    result = run(tmp_path, "aia", vm(f"misbehave-{name}"), faithful="strict")
    assert result.status == 3, result.out + result.err
    assert "unknown synchronous exception (22)" in result.err
