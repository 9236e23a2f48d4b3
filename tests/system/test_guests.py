"""The guests that come with baonet, on the real engine, in every way that CPUs can run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import UART, Result, baonet, pair, vm, write
from tests.system.machine import run as run_machine

WAYS = {
    "process-per-cpu": ["--placement", "process-per-cpu"],
    "one-process": ["--placement", "one-process"],
    "virtual": ["--clock", "virtual"],
    "two-nodes": ["--on", "local:2", "--place", "spread"],
}
PLATFORMS = ["qemu-aarch64-virt", "qemu-aarch64-virt-gicv2"]

SLOW, LONG = pytest.mark.slow, pytest.mark.long
every_way = pytest.mark.parametrize(
    "way",
    [
        "process-per-cpu",
        pytest.param("one-process", marks=SLOW),
        "virtual",
        pytest.param("two-nodes", marks=SLOW),
    ],
)


def in_virtual_time_and(name: str, *values: Any) -> pytest.MarkDecorator:
    """Of the hypervisor, which is the same in any way: all in virtual time, the first under the host's clock too."""
    return pytest.mark.parametrize(
        ("way", *name.split(", ")),
        [
            pytest.param(way, *(value if isinstance(value, tuple) else (value,)), marks=[] if fast else SLOW)
            for way in ("virtual", "process-per-cpu", "one-process", "two-nodes")
            for number, value in enumerate(values)
            for fast in [way == "virtual" or (way == "process-per-cpu" and number == 0)]
        ],
    )


def run(directory: Path, machine: dict[str, Any], way: str, *options: str, stdin: str | None = "") -> Result:
    """In virtual time, and on several nodes, the last line of what is said tells how the run went; the rest is the same
    as ever.
    """
    result = run_machine(directory, machine, *WAYS[way], *options, stdin=stdin)
    if way == "two-nodes":
        lines = [line for line in result.err.splitlines(keepends=True) if "baonet: between nodes" not in line]
        return Result(result.status, result.out, "".join(lines))
    if way != "virtual":
        return result
    *lines, last = result.err.splitlines(keepends=True)
    assert re.fullmatch(r"baonet: \d+\.\d{9} s of virtual time; digest [0-9a-f]{64}; .*\n", last), result.err
    return Result(result.status, result.out, "".join(lines))


@pytest.mark.parametrize("platform", PLATFORMS)
@every_way
def test_hello(tmp_path: Path, way: str, platform: str) -> None:
    result = run(tmp_path, {"platform": platform, "vms": [vm("hello")]}, way)
    assert (result.status, result.err) == (0, "")
    assert "hello | hello: EL1, MPIDR 0xc0000000, MIDR 0x410fd034\n" in result.out
    assert f"GICv{3 if platform == PLATFORMS[0] else 2}, PSCI 0x10001" in result.out


@pytest.mark.parametrize("platform", PLATFORMS)
@every_way
def test_ping_pong_between_two_vms(tmp_path: Path, way: str, platform: str) -> None:
    result = run(tmp_path, {"platform": platform} | pair(), way)
    assert result.status == 0, result.err
    assert "ping | ping: batch 5: 2000 round trips" in result.out
    assert "pong | pong: answered 10000, 0 wrong" in result.out
    assert ", 0 wrong" in result.out


@pytest.mark.parametrize(
    "cpus", [pytest.param(1, marks=LONG), pytest.param(2, marks=SLOW), pytest.param(4, marks=LONG), 8]
)
@pytest.mark.parametrize("model", ["cortex-a53", pytest.param("max", marks=SLOW)])
@every_way
def test_every_atomic_is_exact(tmp_path: Path, way: str, cpus: int, model: str) -> None:
    platform = {"extends": "qemu-aarch64-virt", "cpus": 8, "cpu_model": model}
    result = run(tmp_path, {"platform": platform, "vms": [vm("smp", cpus=cpus)]}, way)
    assert result.status == 0, result.err
    assert f"smp: {cpus} vCPUs, LSE {'yes' if model == 'max' else 'no'}" in result.out
    assert "smp: all exact" in result.out


@pytest.mark.parametrize("cpus", [pytest.param(1, marks=SLOW), pytest.param(2, marks=SLOW), 4])
@every_way
def test_maintenance_reaches_the_siblings(tmp_path: Path, way: str, cpus: int) -> None:
    result = run(tmp_path, {"vms": [vm("coherence", cpus=cpus)]}, way)
    assert result.status == 0, result.err
    assert "coherence: all seen" in result.out


@pytest.mark.parametrize(("cpus", "rounds"), [(2, 10), pytest.param(4, 120, marks=SLOW)])
@every_way
def test_a_page_that_is_unmapped_is_free(tmp_path: Path, way: str, cpus: int, rounds: int) -> None:
    result = run(tmp_path, {"vms": [vm("unmap", cpus=cpus, device_tree="auto", command_line=f"rounds={rounds}")]}, way)
    assert result.status == 0, result.out + result.err
    assert "unmap: all kept" in result.out, result.out


@SLOW
@pytest.mark.parametrize("cpus", [2, 4])
@every_way
def test_interrupts_come_once_wherever_they_are_sent(tmp_path: Path, way: str, cpus: int) -> None:
    machine = {"vms": [vm("routes", cpus=cpus, device_tree="auto", command_line="rounds=200")]}
    result = run(tmp_path, machine, way)
    assert result.status == 0, result.out + result.err
    assert "routes: all came once" in result.out, result.out


@SLOW
@every_way
def test_code_over_the_end_of_a_page_that_is_mapped_meanwhile(tmp_path: Path, way: str) -> None:
    """A page that nobody had marked as code when it was read is one whose changes nobody would hear of."""
    machine = {"vms": [vm("straddle", cpus=2, device_tree="auto", command_line="rounds=300")]}
    result = run(tmp_path, machine, way)
    assert result.status == 0, result.out + result.err
    assert "straddle: all new" in result.out, result.out


PATCHES = {
    "IALLUIS": "ic=1 data=1",
    "IVAU": "ic=0 writers=2 data=1 own=0 lines=4",
    "pages of one's own": "ic=0 own=0 lines=4 spread=1",
    "both": "ic=2 data=1",
}


def patching(cpus: int, rounds: int, kind: str) -> dict[str, Any]:
    line = f"rounds={rounds} {PATCHES[kind]}"
    return {"vms": [vm("patch", cpus=cpus, device_tree="auto", command_line=line)]}


@pytest.mark.parametrize("kind", ["IALLUIS", pytest.param("IVAU", marks=pytest.mark.slow)])
@every_way
def test_code_that_all_change_and_all_run(tmp_path: Path, way: str, kind: str) -> None:
    result = run(tmp_path, patching(3, 1500, kind), way)
    assert result.status == 0, result.err
    assert "patch: all seen" in result.out


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("cpus", [3, 4])
@pytest.mark.parametrize("kind", PATCHES)
@every_way
def test_code_that_all_change_a_hundred_thousand_times(tmp_path: Path, way: str, cpus: int, kind: str) -> None:
    machine = write(tmp_path, patching(cpus, 100_000, kind))
    result = baonet("run", machine, *WAYS[way], "--timeout", "1700s", seconds=1800)
    assert result.status == 0, result.err
    assert "patch: all seen" in result.out


@pytest.mark.parametrize("platform", PLATFORMS)
@every_way
def test_sgi_ping_pong(tmp_path: Path, way: str, platform: str) -> None:
    result = run(tmp_path, {"platform": platform, "vms": [vm("sgi", cpus=2)]}, way)
    assert result.status == 0, result.err
    assert "sgi: sent 10000, came 10000" in result.out


@pytest.mark.parametrize("platform", PLATFORMS)
@every_way
def test_timer_ticks(tmp_path: Path, way: str, platform: str) -> None:
    result = run(tmp_path, {"platform": platform, "vms": [vm("timer")]}, way)
    assert result.status == 0, result.err
    assert "timer: latency min/p50/p90/p99/max" in result.out


@every_way
def test_input_comes_by_interrupt(tmp_path: Path, way: str) -> None:
    typed = "first line\nquit\n"
    result = run(tmp_path, {"vms": [vm("echo")]}, way, "--console", "echo", stdin=typed)
    assert result.status == 0, result.err
    assert "echo 1: first line" in result.out


@every_way
def test_vms_beside_each_other_have_their_own_lines(tmp_path: Path, way: str) -> None:
    machine: dict[str, Any] = {
        "platform": {"extends": "qemu-aarch64-virt", "cpus": 6},
        "vms": [vm("sgi", cpus=2), *pair()["vms"]],
    }
    silent = {key: value for key, value in machine["vms"][0]["devices"][0].items() if key != "interrupts"}
    machine["vms"][0]["devices"] = [silent]
    result = run(tmp_path, machine | {"shared_memory": pair()["shared_memory"]}, way)
    assert result.status == 0, result.err
    for line in result.out.splitlines():
        name, said = line.split("|", 1)
        assert said.strip().startswith(f"{name.strip()}:"), line


PARKS: dict[str, tuple[str, str]] = {
    "unmapped-read": ("no emulation handler for abort", "neither memory nor a device"),
    "unmapped-write": ("no emulation handler for abort", "store"),
    "unmapped-fetch": ("no handler for abort ec = 0x20", "fetched an instruction"),
    "device-fetch": ("no handler for abort ec = 0x20", "fetched an instruction from a device: 0x9000000, in a device"),
    "unmapped-pair": ("no information to handle data abort", "handles a pair"),
    "unmapped-exclusive": ("no information to handle data abort", "exclusive"),
    "unmapped-alias": ("no emulation handler for abort", "virtual 0x17f000004"),
    "unmapped-walk": ("no handler for abort ec = 0x20", "0x7f000008"),
    "gicd-pair": ("no information to handle data abort", ": ldp w0, w2, [x1]\n"),
    "gicd-writeback": ("no information to handle data abort", "writes back"),
    "gicd-exclusive": ("no information to handle data abort", "ldxr"),
    "gicd-simd": ("no information to handle data abort", "SIMD"),
    "gicd-byte": ("data abort emulation failed", "8-bit load"),
    "gicd-half": ("data abort emulation failed", "16-bit store"),
    "gicd-double": ("data abort emulation failed", "64-bit load"),
    "gicd-unaligned": ("data abort emulation failed", "32-bit load"),
    "gicr-double": ("data abort emulation failed", "64-bit store"),
    "sgi0r": ("no emulation handler for register access", "ICC_SGI0R_EL1"),
    "asgi1r": ("no emulation handler for register access", "ICC_ASGI1R_EL1"),
}
PARKED = ["unmapped-read", "device-fetch", "gicd-simd", "sgi0r"]
"""One of each kind of exit."""


# What is reported is said by the hypervisor, which is the same in any way: some in each of them.
@pytest.mark.parametrize(
    ("way", "name"),
    [
        *(("virtual", name) for name in PARKS),
        *(pytest.param("process-per-cpu", name, marks=SLOW) for name in PARKS if name not in PARKED),
        *(("process-per-cpu", name) for name in PARKED),
        *(pytest.param(way, name, marks=SLOW) for way in ("one-process", "two-nodes") for name in PARKED),
    ],
)
def test_what_bao_parks_a_cpu_for_is_reported(tmp_path: Path, way: str, name: str) -> None:
    result = run(tmp_path, {"vms": [vm(f"misbehave-{name}")]}, way)
    assert result.status == 3, result.out + result.err
    for words in PARKS[name]:
        assert words in result.err
    assert f"VM 'misbehave-{name}' (vm 0), vcpu 0 on pcpu 0" in result.err
    assert "still here" not in result.out


@in_virtual_time_and("name", "calls", "el2-register", "undefined", "unmapped-by-guest")
def test_what_is_the_guests_own_affair_is_not(tmp_path: Path, way: str, name: str) -> None:
    result = run(tmp_path, {"vms": [vm(f"misbehave-{name}")]}, way)
    assert result.status == 0, result.out + result.err
    assert "misbehave: still here" in result.out


@in_virtual_time_and("name, esr", ("behind", 0x96000010), ("exclusive", 0x96000050))
def test_what_a_device_does_not_answer_is_the_guests_own_affair(tmp_path: Path, way: str, name: str, esr: int) -> None:
    window = [UART | {"size": 0x1_0000}]
    result = run(tmp_path, {"vms": [vm(f"misbehave-device-{name}", devices=window)]}, way)
    assert result.status == 0, result.out + result.err
    assert f"misbehave: exception at EL1, ESR {esr:#x}" in result.out
    assert "misbehave: still here" in result.out


@in_virtual_time_and("name", "unmapped-read", "device-fetch")
def test_a_parked_vm_leaves_the_others_alone(tmp_path: Path, way: str, name: str) -> None:
    machine: dict[str, Any] = {"shared_memory": pair()["shared_memory"]}
    silent = [{"pa": 0x09000000, "va": 0x09000000, "size": 0x1000}]
    machine["vms"] = [vm(f"misbehave-{name}", devices=silent), *pair()["vms"]]
    result = run(tmp_path, machine, way)
    assert result.status == 3
    assert "pong: answered 10000, 0 wrong" in result.out


@every_way
def test_strict_refuses_to_power_off(tmp_path: Path, way: str) -> None:
    machine = {"faithful": "strict", "vms": [vm("hello")]}
    result = run(tmp_path, machine, way, "--until", "SYSTEM_OFF returned -1")
    assert result.status == 0, result.out + result.err


@every_way
def test_statistics_count_what_happened(tmp_path: Path, way: str) -> None:
    file = tmp_path / "stats.json"
    assert run(tmp_path, {"vms": [vm("hello")]}, way, "--stats", str(file)).status == 0
    written = json.loads(file.read_text())
    assert (written["ending"], written["vms"]) == ("done", {"hello": "off"})
    pcpu = written["pcpus"]["0"]
    assert (pcpu["vm"], pcpu["vcpu"], pcpu["exits_hvc"]) == ("hello", 0, 2)
    assert pcpu["instructions"] > 1000
