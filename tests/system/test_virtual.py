"""Virtual time: a run is a function of its machine, whatever runs it, and it ends as it should."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.trace.records import InterruptSource, Kind
from tests.system.digests import FILES, known, of_file, on
from tests.system.elsewhere import RISCV, riscv
from tests.system.machine import GUESTS, Background, baonet, gone, pair, run, vm, write
from tests.system.virtual import (
    IPC,
    MAILBOX,
    PLACEMENTS,
    SECOND_UART,
    SILENT,
    TWO_UARTS,
    islands,
    parsed,
    printed,
    records,
    same_everywhere,
    traced,
    virtual,
)

SPINNING = "while True: pass"


def misbehaving() -> dict[str, Any]:
    """All guests that do what they should not, side by side."""
    names = sorted(path.stem for path in GUESTS.glob("misbehave-*.elf"))
    assert len(names) > 20
    vms = [vm(name, devices=SILENT) for name in names]
    return {"platform": {"extends": "qemu-aarch64-virt", "cpus": len(names)}, "vms": vms}


def resetting(cpus: int) -> dict[str, Any]:
    return {"shared_memory": [MAILBOX], "vms": [vm("reset", cpus=cpus, ipcs=[IPC])]}


def alone() -> dict[str, Any]:
    """Guests that need no other, in two islands; one of them is typed to."""
    machine = islands()
    machine["vms"] += [vm("hello", devices=SILENT), vm("smp", devices=SILENT)]
    return machine | {"input": [{"vm": "echo", "at": "20us", "text": "one\ntwo\nquit\n"}]}


GUESTS_AND_ENDS: dict[str, tuple[dict[str, Any], str, int]] = {
    "one-cpu-each": (alone(), "1s", 0),
    "smp-2": ({"vms": [vm("smp", cpus=2)]}, "2ms", 0),
    "smp-4": ({"vms": [vm("smp", cpus=4)]}, "2ms", 0),
    "sgi": ({"vms": [vm("sgi", cpus=2)]}, "1ms", 0),
    "ping-pong": (pair(), "1ms", 0),
    "reset": (resetting(2), "1s", 0),
    "coherence": ({"vms": [vm("coherence", cpus=4)]}, "1ms", 0),
    "patch": ({"vms": [vm("patch", cpus=3)]}, "1ms", 0),
    "flood": ({"vms": [vm("flood", cpus=4)]}, "100us", 0),
    "misbehave": (misbehaving(), "1s", 3),
}

OF_HARTS = [name for name in GUESTS_AND_ENDS if name != "misbehave"]
"""Those that RISC-V has by the same names; what misbehaves there tests/truth and test_guests tell."""
controllers = pytest.mark.parametrize("controller", RISCV)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(each, marks=pytest.mark.slow) if each not in {"smp-2", "ping-pong", "reset", "coherence"} else each
        for each in GUESTS_AND_ENDS
    ],
)
def test_a_guest_does_the_same_in_every_placement(tmp_path: Path, name: str) -> None:
    machine, end, status = GUESTS_AND_ENDS[name]
    result = same_everywhere(tmp_path, machine, "--for", end)
    assert result.status == status
    assert result.digest == known()[name]


@pytest.mark.parametrize("name", FILES)
def test_a_machine_that_users_have_does_what_it_did(name: str) -> None:
    assert of_file(name) == known()[name]


def test_a_line_is_the_same_that_is_cut_where_another_vm_prints() -> None:
    whole = "echo | > one\ntimer | tick\necho | quit\n"
    assert printed("echo | > o\ntimer | tick\necho | ne\necho | quit\n") == printed(whole)
    assert printed("echo | > two\ntimer | tick\necho | quit\n") != printed(whole)


@pytest.mark.slow
@controllers
@pytest.mark.parametrize("name", OF_HARTS)
def test_a_guest_does_the_same_on_harts_in_every_placement(tmp_path: Path, name: str, controller: str) -> None:
    machine, end, status = GUESTS_AND_ENDS[name]
    moved = riscv(machine, controller)
    result = same_everywhere(tmp_path, moved, "--for", end)
    assert result.status == status
    assert result.digest == known()[on(name, controller)]
    spread = virtual(tmp_path, moved, "--for", end, "--on", "local:4", "--place", "spread", placement="process-per-cpu")
    assert spread.digest == result.digest


@controllers
@pytest.mark.parametrize("name", FILES[:2])
def test_a_machine_that_users_have_does_what_it_did_on_riscv(name: str, controller: str) -> None:
    assert of_file(name, "--set", f"platform={RISCV[controller]}") == known()[on(name, controller)]


@pytest.mark.slow
@controllers
@pytest.mark.parametrize("name", FILES)
def test_a_machine_that_users_have_does_what_it_did_on_riscv_over_nodes(name: str, controller: str) -> None:
    options = ["--set", f"platform={RISCV[controller]}", "--on", "local:4", "--place", "spread"]
    assert of_file(name, *options) == known()[on(name, controller)]


@contextmanager
def busy_host() -> Iterator[None]:
    """As many processes that never rest as there are cores."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPINNING]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_busy_host_changes_nothing(tmp_path: Path) -> None:
    machine = {"vms": [vm("smp", cpus=3)]}
    quiet = virtual(tmp_path, machine, "--for", "500us")
    with busy_host():
        for placement in PLACEMENTS[1::2]:
            assert virtual(tmp_path, machine, "--for", "500us", placement=placement) == quiet


@st.composite
def machines(draw: st.DrawFn) -> dict[str, Any]:
    """A few VMs of guests that talk, wait, print or compute, in one island or two, with or without faults."""
    nanoseconds = st.integers(0, 20_000).map("{}ns".format)
    vms: list[dict[str, Any]] = []
    if talk := draw(st.booleans()):
        vms += [vm("ping", ipcs=[IPC], devices=SILENT), vm("pong", ipcs=[IPC], devices=SILENT)]
    images = draw(st.lists(st.sampled_from(["smp", "sgi", "coherence", "timer", "flood", "hello"]), max_size=2))
    for number, image in enumerate(images or ([] if talk else ["smp"])):
        cpus = 2 if image == "sgi" else draw(st.integers(1, 3)) if image in ("smp", "coherence", "flood") else 1
        devices = SECOND_UART if number == 0 and draw(st.booleans()) else SILENT
        vms.append(vm(image, f"other{number}", cpus=cpus, devices=devices))
    for each in vms:
        each["interrupts"] = draw(st.sampled_from(["mediated", "direct"]))
    pcpus = sum(each["cpus"] for each in vms)
    latency = {kind: draw(nanoseconds) for kind in ("ipi", "ipc", "spi")}
    costs = {
        kind: f"{draw(st.integers(0, 3000))}ns" for kind in ("hypercall", "access", "interrupt", "direct", "relayed")
    }
    machine: dict[str, Any] = {
        "platform": {"extends": "qemu-aarch64-virt", "cpus": 8, "devices": TWO_UARTS, "costs": costs},
        "clock": {
            "mode": "virtual",
            "mhz": draw(st.sampled_from([50, 333, 1000, 2500])),
            "window": f"{draw(st.integers(500, 50_000))}ns",
            "latency": latency,
        },
        "vms": vms,
        "faults": draw(st.lists(faults(pcpus, talk), max_size=3)),
    }
    return machine | ({"shared_memory": [MAILBOX]} if talk else {})


@st.composite
def faults(draw: st.DrawFn, pcpus: int, talk: bool) -> dict[str, Any]:
    moment = st.integers(0, 300_000).map("{}ns".format)
    seed = {"seed": draw(st.integers(0, 1000))}
    what = draw(st.sampled_from(["drop", "delay", "duplicate", "reorder", "stall", "crash", *(["flip"] * talk)]))
    if what == "flip":
        return {"fault": what, "shared_memory": "mailbox", "at": draw(moment), "count": draw(st.integers(1, 5))} | seed
    if what in ("stall", "crash"):
        rule: dict[str, Any] = {"fault": what, "pcpu": draw(st.integers(0, pcpus - 1)), "at": draw(moment)}
        return rule | ({"for": f"{draw(st.integers(1, 100_000))}ns"} if what == "stall" else {})
    rule = {"fault": what, "message": draw(st.sampled_from(["ipc", "ipi", "spi"])), "after": draw(moment), **seed}
    rule["probability"] = draw(st.sampled_from([0.1, 0.5, 1.0]))
    return rule | ({"by": f"{draw(st.integers(1, 50_000))}ns"} if what in ("delay", "reorder") else {})


@pytest.mark.slow
@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
@given(machines())
def test_any_machine_does_the_same_in_every_placement(machine: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        same_everywhere(Path(directory), machine, "--for", "300us")


def test_for_ends_at_its_time(tmp_path: Path) -> None:
    result = virtual(tmp_path, {"vms": [vm("flood-forever")]}, "--for", "500us")
    assert result.status == 0
    assert 500_000 <= result.time < 520_000


@pytest.mark.parametrize("machine", [pair(), {"vms": [vm("smp", cpus=3)]}], ids=["ping-pong", "smp"])
def test_a_longer_run_begins_like_a_shorter_one(tmp_path: Path, machine: dict[str, Any]) -> None:
    """The moment at which a run is looked at, for its end, changes nothing in it."""
    runs = []
    for end in ("777us", "1200us"):
        path = tmp_path / f"{end}.bnt"
        virtual(tmp_path, machine, "--for", end, "--trace", str(path))
        runs.append([record for record in records(path) if record.time < 777_000])
    assert runs[0] == runs[1]
    assert len(runs[0]) > 30


def test_until_ends_at_one_moment_for_all_islands(tmp_path: Path) -> None:
    result = same_everywhere(tmp_path, islands(), "--until", "type a line", placements=PLACEMENTS[1:2])
    assert result.status == 0
    assert result.time <= 10_000_000


def test_a_machine_that_waits_for_ever_ends(tmp_path: Path) -> None:
    for placement in PLACEMENTS[:2]:
        result = virtual(tmp_path, {"vms": [vm("echo")]}, placement=placement)
        assert result.status == 5
        assert result.said.startswith(
            "baonet: every CPU waits, and nothing is to come: the machine would wait for ever\n"
            "VM 'echo' (vm 0), vcpu 0 on pcpu 0: waits for an interrupt (WFI) at EL1h\n"
        )


def test_a_parked_guest_counts_more_than_one_that_waits_for_ever(tmp_path: Path) -> None:
    waits = vm("echo", devices=[{"pa": 0x09040000, "va": 0x09000000, "size": 0x1000, "interrupts": [40]}])
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": TWO_UARTS},
        "vms": [vm("misbehave-gicd-pair"), waits],
    }
    result = virtual(tmp_path, machine)
    assert result.status == 3
    assert "no information to handle data abort" in result.said


def test_a_vm_that_is_off_leaves_the_other_alone(tmp_path: Path) -> None:
    machine = {"vms": [vm("hello", devices=SILENT), vm("timer", devices=SILENT)]}
    result = same_everywhere(tmp_path, machine, placements=PLACEMENTS[2:3])
    assert result.status == 0
    assert "hello | hello: done" in result.out
    assert "timer | timer: done" in result.out
    assert result.time > 900_000_000


@pytest.mark.parametrize("cpus", [1, 2])
def test_reset_starts_anew(tmp_path: Path, cpus: int) -> None:
    result, path = traced(tmp_path, resetting(cpus))
    assert result.status == 0
    lives = [line for line in result.out.splitlines() if "life" in line]
    assert len(lives) == 6
    assert all("memory 0x0 0x1234 0x0, PPIs 0x0, timer 0x0" in line for line in lives), lives
    assert records(path)


def test_a_parked_guest_is_reported_beside_one_that_goes_on(tmp_path: Path) -> None:
    machine = {"vms": [vm("misbehave-unmapped-read", "bad", devices=SILENT), vm("sgi", cpus=2, devices=SILENT)]}
    result = virtual(tmp_path, machine)
    assert result.status == 3
    assert "VM 'bad' (vm 0), vcpu 0 on pcpu 0: no emulation handler for abort" in result.said
    assert "sgi: sent 10000, came 10000" in result.out


def running(directory: Path, machine: dict[str, Any], placement: str, *options: str) -> Background:
    return Background(directory, machine, "--clock", "virtual", "--placement", placement, *options)


def endless() -> dict[str, Any]:
    return {
        "platform": {"extends": "qemu-aarch64-virt", "devices": TWO_UARTS},
        "vms": [vm("flood-forever", "a", cpus=2), vm("flood-forever", "b", devices=SECOND_UART)],
    }


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_run_at_once(tmp_path: Path, placement: str, number: signal.Signals, status: int) -> None:
    run_ = running(tmp_path, endless(), placement)
    run_.wait_for("vCPU 0, line 5")
    children = run_.children()
    began = time.monotonic()
    result = run_.end(number)
    assert time.monotonic() - began < 5
    assert result.status == status
    assert "Traceback" not in result.err
    assert gone(children)


@pytest.mark.parametrize("placement", ["one-process", "process-per-cpu"])
def test_timeout(tmp_path: Path, placement: str) -> None:
    file = write(tmp_path, endless())
    options = ["--clock", "virtual", "--placement", placement, "--console", "none", "--timeout", "700ms"]
    result = baonet("run", file, *options)
    assert result.status == 4
    assert result.err.startswith("baonet: timeout after 0.7 s: a running, b running\n")


def kill_one(directory: Path, placement: str, victim: int) -> tuple[str, str]:
    """Kill a process of the island of VM ``a``; what was said of it and what was printed, when VM ``b`` is done."""
    machine = endless()
    machine["vms"][1] = vm("timer", "b", devices=SECOND_UART)
    run_ = running(directory, machine, placement)
    run_.wait_for("vCPU 0, line 5")
    children = run_.children()
    os.kill(children[victim], signal.SIGKILL)
    result = run_.end()
    assert result.status == 1
    assert gone(children)
    return result.err, result.out


def test_a_killed_island_takes_no_other_down(tmp_path: Path) -> None:
    err, out = kill_one(tmp_path, "process-per-island", 0)
    assert "pcpu 0 (VM 'a', vcpu 0), pcpu 1 (VM 'a', vcpu 1) was killed by SIGKILL\n" in err
    assert "timer: done" in out
    assert "Traceback" not in err


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_cpu_takes_its_island_down_and_no_other(tmp_path: Path, victim: int) -> None:
    err, out = kill_one(tmp_path, "process-per-cpu", victim)
    assert f"pcpu {victim}" in err
    assert "SIGKILL" in err
    assert "timer: done" in out
    assert "Traceback" not in err


@pytest.mark.parametrize("placement", ["process-per-island", "process-per-cpu"])
def test_a_killed_island_leaves_no_zombie_while_another_runs(tmp_path: Path, placement: str) -> None:
    run_ = running(tmp_path, endless(), placement)
    run_.wait_for("vCPU 0, line 5")
    *lost, _ = run_.children()
    os.kill(lost[-1], signal.SIGKILL)
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in lost):
        assert time.monotonic() < deadline
        run_.wait_for("b | ")
    result = run_.end(signal.SIGTERM)
    assert result.status == 143
    assert "pcpu 1 (VM 'a', vcpu 1) was killed by SIGKILL\n" in result.err


@pytest.mark.parametrize("options", [["--for", "20s"], []])
def test_a_run_that_lost_an_island_has_failed(tmp_path: Path, options: list[str]) -> None:
    """Whether its time has passed, or nobody else has anything to do."""
    machine = endless()
    machine["vms"][1] = vm("echo", "b", devices=SECOND_UART)
    run_ = running(tmp_path, machine, "process-per-island", *options)
    run_.wait_for("vCPU 0, line 5")
    os.kill(run_.children()[0], signal.SIGKILL)
    assert run_.end().status == 1


@pytest.mark.parametrize("placement", PLACEMENTS[::3])
def test_a_killed_run_leaves_no_process_and_a_trace_to_read(tmp_path: Path, placement: str) -> None:
    path = tmp_path / "run.bnt"
    run_ = running(tmp_path, endless(), placement, "--trace", str(path))
    run_.wait_for("vCPU 0, line 8000")  # what comes first comes at once, and is written side by side with its records
    children = run_.children()
    run_.end(signal.SIGKILL)
    assert gone(children)
    assert records(path, Kind.CONSOLE)
    assert baonet("trace", "info", path).status == 0
    verified = baonet("trace", "verify", path)
    assert verified.status == 2
    assert "Traceback" not in verified.err


@pytest.mark.parametrize("placement", PLACEMENTS[::3])
def test_a_trace_that_ctrl_c_ended_is_whole(tmp_path: Path, placement: str) -> None:
    path = tmp_path / "run.bnt"
    run_ = running(tmp_path, endless(), placement, "--trace", str(path))
    run_.wait_for("vCPU 0, line 200")
    assert run_.end(signal.SIGINT).status == 130
    assert baonet("trace", "verify", path).status == 0


def test_a_trace_that_cannot_be_opened_is_told_before_the_run(tmp_path: Path) -> None:
    result = run(tmp_path, pair(), "--clock", "virtual", "--trace", str(tmp_path / "no" / "where"))
    assert result.status == 2
    assert result.err == f"baonet run: --trace {tmp_path / 'no' / 'where'}: No such file or directory\n"


@pytest.mark.parametrize("placement", PLACEMENTS[:2])
def test_a_trace_on_a_full_disk_is_one_clear_error(tmp_path: Path, placement: str) -> None:
    options = ["--clock", "virtual", "--placement", placement, "--for", "2ms", "--trace", "/dev/full"]
    result = run(tmp_path, pair(), *options)
    assert result.status == 1
    assert parsed(result).said == ""
    assert result.err.splitlines()[1:] == ["baonet: --trace /dev/full: No space left on device"]


def test_a_trace_tells_what_the_counters_count(tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    result, path = traced(tmp_path, pair(), "--for", "2ms", "--stats", str(stats))
    written = json.loads(stats.read_text())
    assert (written["digest"], written["time"]) == (result.digest, result.time)
    for number, counters in written["pcpus"].items():
        mine = [record for record in records(path) if record.pcpu == int(number)]
        assert [record.time for record in mine] == sorted(record.time for record in mine)

        def count(kind: Kind, a: int | None = None, records: list[Any] = mine) -> int:
            return sum(record.kind == kind and a in (None, record.a) for record in records)

        assert count(Kind.SENT) == counters["messages_sent"] > 100
        assert count(Kind.ARRIVED) == counters["messages_received"] > 100
        assert count(Kind.ACCESS) == counters["emulated_accesses"] > 10
        left = [name for name in counters if name.startswith("exits_")]
        quiet = {"exits_wfi", "exits_budget", "exits_kicked"}
        assert count(Kind.EXIT) == sum(counters[name] for name in left if name not in quiet)
        assert count(Kind.WAIT) == counters["exits_wfi"]
        ipcs = [record for record in mine if record.kind == Kind.RAISED and record.b == InterruptSource.IPC]
        assert len(ipcs) == counters["received_IpcNotify"]
        console = bytes(record.c for record in mine if record.kind == Kind.CONSOLE)
        prefix = f"{counters['vm']} | "
        assert console.decode().splitlines() == [
            line.removeprefix(prefix) for line in result.out.splitlines() if line.startswith(prefix)
        ]


def test_every_record_and_message_of_a_trace_has_its_place(tmp_path: Path) -> None:
    _, path = traced(tmp_path, {"vms": [vm("smp", cpus=3)]}, "--for", "2ms")
    sent, arrived = records(path, Kind.SENT), records(path, Kind.ARRIVED)
    flows = {(record.pcpu, record.b >> 16): record for record in sent}
    assert len(flows) == len(sent)
    for record in arrived:
        start = flows[record.b & 0xFFFF, record.b >> 16]
        assert start.b & 0xFFFF == record.pcpu
        assert start.time < record.c == start.c <= record.time
    assert arrived


def test_a_smaller_window_changes_times_and_no_result(tmp_path: Path) -> None:
    results = [
        virtual(tmp_path, {"vms": [vm("coherence", cpus=2)]}, "--set", f"clock.window={window}")
        for window in ("1us", "100us")
    ]
    assert all("coherence: all seen" in result.out for result in results)
    assert results[0].digest != results[1].digest


def test_a_clock_of_another_rate_takes_another_time(tmp_path: Path) -> None:
    times = [virtual(tmp_path, {"vms": [vm("smp")]}, "--set", f"clock.mhz={mhz}").time for mhz in (250, 1000, 4000)]
    for slower, faster in itertools.pairwise(times):
        assert 3 < slower / faster < 4.1


def test_what_is_off_the_command_line_is_in_the_file(tmp_path: Path) -> None:
    """``--set`` and the file's own fields are one and the same."""
    machine = {"vms": [vm("hello")], "clock": {"mode": "virtual", "window": "3us"}}
    file = tmp_path / "input.yaml"
    file.write_text(yaml.safe_dump([]))
    assert (
        virtual(tmp_path, machine).digest
        == virtual(tmp_path, {"vms": [vm("hello")]}, "--set", "clock.window=3us", "--input", str(file)).digest
    )
