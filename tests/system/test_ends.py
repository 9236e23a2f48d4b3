"""What is said when a run ends that its guests did not end, and what ``--until`` makes of an end."""

from __future__ import annotations

import json
import re
import signal
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.core.virtual import HVC, WFI, write
from tests.patience import LIMIT, PROCESS, RUN
from tests.system.machine import COMMAND, UART, Background, Result, baonet, run, vm
from tests.system.machine import write as write_machine
from tests.system.virtual import IPC, MAILBOX, PLACEMENTS, SECOND_UART, SILENT, TWO_UARTS, same_everywhere, virtual

CNTP_TVAL, CNTP_CTL = (3, 3, 14, 2, 0), (3, 3, 14, 2, 1)
ZEROES, TIMER = b"\0" * 4096, (0xD2807D00, write(CNTP_TVAL, 0), 0xD2800020, write(CNTP_CTL, 0), WFI, 0x17FFFFFF)
FIRED = (write(CNTP_CTL, 0) | 1 << 21, 0x3617FFE0)
"""MRS of it until ISTATUS is 1: what the timer does to the guest it has done by then."""
SAY = (0xD2A12001, 0x52800AE2, 0x39000022, 0x52800142, 0x39000022)
"""W and a line feed to the UART at 0x9000000, which the agent has when the guest waits."""
WAYS = [("host", "one-process"), ("host", "process-per-cpu"), *(("virtual", each) for each in PLACEMENTS)]
EXCEPTION_LOOP = "VM 'storm', vcpu 0 is in an exception loop: 4096 exceptions with 0 instructions between them, "


def raw(directory: Path, name: str, code: bytes, base: int = 0, **fields: Any) -> dict[str, Any]:
    """A VM that runs these bytes."""
    image = directory / f"{name}.bin"
    image.write_bytes(code)
    changes: dict[str, Any] = {
        "image": {"path": str(image), "base": base}, "memory": [{"base": base, "size": "1MiB"}], "devices": [],
    }  # fmt: skip
    return vm("hello", name) | changes | fields


def storm(directory: Path) -> dict[str, Any]:
    """A guest of zeroes at address 0, where its vectors are too, and one on the same island that spins."""
    ipc: dict[str, Any] = {"ipcs": [IPC]}
    return {"shared_memory": [MAILBOX], "vms": [raw(directory, "storm", ZEROES, **ipc), vm("spin", **ipc)]}


def ended(directory: Path, machine: dict[str, Any], way: tuple[str, str], *options: str) -> Result:
    clock, placement = way
    file = write_machine(directory, machine)
    return baonet("run", file, "--clock", clock, "--placement", placement, *options)


# Storms


def test_a_storm_is_the_same_everywhere_and_told_once(tmp_path: Path) -> None:
    result = same_everywhere(tmp_path, storm(tmp_path), "--for", "4ms")
    assert result.status == 0
    assert result.said.count(EXCEPTION_LOOP) == 1
    assert "pc 0x200 at EL1h, VBAR_EL1 0x0, ESR_EL1 0x02000000: EC 0x00 unknown reason" in result.said


@pytest.mark.slow
def test_turns_that_are_interrupted_by_many_exits_end_where_they_would(tmp_path: Path) -> None:
    """Calls that cost nothing, some thousands a turn; and the other guest of the island gets its turns."""
    platform = {"extends": "qemu-aarch64-virt", "costs": {"hypercall": 0}}
    calls = raw(tmp_path, "calls", struct.pack("<3I", 0xD2B08000, HVC, 0x17FFFFFE), ipcs=[IPC])  # PSCI_VERSION
    machine = {"platform": platform, "shared_memory": [MAILBOX], "vms": [calls, vm("timer", ipcs=[IPC])]}
    result = same_everywhere(tmp_path, machine, "--for", "50us", placements=PLACEMENTS[1::2])
    counted = tmp_path / "stats.json"
    virtual(tmp_path, machine, "--for", "50us", "--stats", str(counted))
    assert (result.status, result.time) == (0, 50_000)
    assert json.loads(counted.read_text())["pcpus"]["0"]["exits_hvc"] > 10_000


def test_a_storm_goes_through_virtual_time_as_fast_as_others(tmp_path: Path) -> None:
    """An exception costs the host what hundreds of instructions do, so it takes hundreds of cycles."""
    counted = tmp_path / "stats.json"
    virtual(tmp_path, storm(tmp_path), "--for", "10ms", "--stats", str(counted))
    guest = json.loads(counted.read_text())["pcpus"]["0"]
    assert guest["cycles"] >= 10_000_000
    assert guest["native_exceptions"] < 25_000


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_what_each_cpu_does_is_told_at_a_timeout(tmp_path: Path, way: tuple[str, str]) -> None:
    counted, trace = tmp_path / "stats.json", tmp_path / "run.bnt"
    result = ended(tmp_path, storm(tmp_path), way, "--timeout", "1s", "--stats", str(counted), "--trace", str(trace))
    assert result.status == 4
    assert result.err.count(EXCEPTION_LOOP) == 1
    assert re.search(
        r"baonet: timeout after 1 s: storm running, spin running\n"
        r"VM 'storm' \(vm 0\), vcpu 0 on pcpu 0: runs at EL1h\n"
        r"  pc 0x0000000000000200, interrupts masked in PSTATE\n"
        r"  last of \d+ exceptions: from EL1h, ELR_EL1 0x200, VBAR_EL1 0x0, ESR_EL1 0x02000000: EC 0x00 .*\n"
        r"VM 'spin' \(vm 1\), vcpu 0 on pcpu 1: runs at EL1h\n"
        r"  pc 0x00000000401[0-9a-f]{5}, interrupts ",
        result.err,
    ), result.err
    assert set(json.loads(counted.read_text())["pcpus"]) == {"0", "1"}, "both have answered in time"
    assert "did not answer" not in result.err
    assert trace.stat().st_size > 500


def test_ctrl_c_says_the_same(tmp_path: Path) -> None:
    running = Background(tmp_path, storm(tmp_path), "--clock", "virtual")
    running.wait_for("spin: 1 vCPUs")
    result = running.end(signal.SIGINT)
    assert result.status == 130
    assert "VM 'storm' (vm 0), vcpu 0 on pcpu 0: runs at EL1h\n" in result.err
    assert "VM 'spin' (vm 1), vcpu 0 on pcpu 1: runs at EL1h\n" in result.err


# What is waited for


@pytest.mark.parametrize("way", [("virtual", "one-process"), ("host", "process-per-cpu")], ids="-".join)
def test_a_timer_whose_interrupt_is_not_the_vms_is_named(tmp_path: Path, way: tuple[str, str]) -> None:
    code = (*TIMER[:-2], *FIRED, *SAY, *TIMER[-2:])
    machine = {"vms": [raw(tmp_path, "guest", struct.pack(f"<{len(code)}I", *code), devices=[UART])]}
    if way[0] == "virtual":
        result = ended(tmp_path, machine, way)
        assert result.status == 5
    else:
        running = Background(tmp_path, machine, "--clock", way[0], "--placement", way[1])
        running.wait_for("guest | W")
        result = running.end(signal.SIGTERM)
        assert result.status == 143
    assert "VM 'guest' (vm 0), vcpu 0 on pcpu 0: waits for an interrupt (WFI) at EL1h\n" in result.err
    assert re.search(
        r"  timer CNTP \(interrupt 30\): armed, due .*; but the VM does not have interrupt 30: "
        r"add it to the VM's 'timer'\n",
        result.err,
    ), result.err


def test_a_uart_whose_interrupt_is_not_the_vms_is_named(tmp_path: Path) -> None:
    device = {"pa": 0x09000000, "va": 0x09000000, "interrupts": [17]}
    typed = [{"vm": "echo", "at": "1ms", "text": "hi\n"}]
    result = ended(tmp_path, {"vms": [vm("echo", devices=[device])], "input": typed}, ("virtual", "one-process"))
    assert result.status == 5
    assert (
        "  UART uart0 holds interrupt 33 up (UARTMIS: RX, RT, 3 characters to read); but no VM has interrupt 33: "
        "add it to the 'interrupts' of the device\n"
    ) in result.err


def test_ends_that_were_wanted_say_nothing_more(tmp_path: Path) -> None:
    assert run(tmp_path, {"vms": [vm("echo")]}, "--until", "type a line").err == ""
    assert virtual(tmp_path, {"vms": [vm("spin")]}, "--for", "1ms").said == ""


def test_cpus_that_were_never_started_and_vms_that_are_off(tmp_path: Path) -> None:
    machine = {"vms": [vm("echo", cpus=2), vm("hello", devices=SILENT)]}
    result = baonet("run", write_machine(tmp_path, machine), "--timeout", "3s")
    assert "VM 'echo' (vm 0), vcpu 1 on pcpu 1: is off, and waits for CPU_ON\n" in result.err
    assert "VM 'hello'" not in result.err


# Parked guests


def test_a_parked_guest_is_reported_when_it_happens(tmp_path: Path) -> None:
    machine = {"vms": [vm("misbehave-unmapped-read"), vm("spin", devices=SILENT)]}
    process = subprocess.Popen(
        [*COMMAND, "run", str(write_machine(tmp_path, machine)), "--timeout", LIMIT],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    began = time.monotonic()
    lines: list[str] = []
    while not (lines and lines[-1].startswith("=> ")):
        lines.append(process.stderr.readline())
        assert lines[-1], "it ended first"
    assert time.monotonic() - began < RUN / 2
    assert process.poll() is None, "the other VM goes on"
    report = "".join(lines)
    assert "VM 'misbehave-unmapped-read' (vm 0), vcpu 0 on pcpu 0: no emulation handler for abort" in report
    assert re.search(r"\nEL1: vbar_el1 0x[0-9a-f]{16}  elr_el1 0x[0-9a-f]{16}  spsr_el1 0x[0-9a-f]{8}\n", report)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=PROCESS)
    assert process.returncode == 130
    assert "no emulation handler" not in rest, "reported once"
    assert "baonet: VM 'misbehave-unmapped-read', vcpu 0 was parked, as reported above\n" in rest
    assert rest.count("VM 'misbehave-unmapped-read'") == 1


# --until


def test_a_text_that_never_comes_has_a_status_of_its_own(tmp_path: Path) -> None:
    result = run(tmp_path, {"vms": [vm("hello")]}, "--until", "no such text")
    assert (result.status, result.err) == (6, "baonet: no guest printed 'no such text', which --until waits for\n")


def test_a_text_that_has_not_come_when_the_time_has_passed(tmp_path: Path) -> None:
    machine = {"vms": [vm("spin")]}
    for placement in PLACEMENTS[:2]:
        result = virtual(tmp_path, machine, "--for", "1ms", "--until", "spin:never", placement=placement)
        assert result.status == 6
        assert "baonet: VM 'spin' never printed 'never', which --until waits for\n" in result.said
        assert "VM 'spin' (vm 0), vcpu 0 on pcpu 0: runs at EL1h\n" in result.said


def test_a_run_ends_at_the_horizon_behind_the_text_though_its_guest_never_leaves(tmp_path: Path) -> None:
    placements = ("process-per-cpu", "process-per-vm")
    vms = [vm("spin"), vm("spin", name="other", devices=SECOND_UART)]
    machine = {"platform": {"extends": "qemu-aarch64-virt", "devices": TWO_UARTS}, "vms": vms}
    for text in ("spin:spin: 1 vCPU", "other:spin: 1 vCPU"):
        time = same_everywhere(tmp_path, machine, "--until", text, placements=placements).time
        assert time in range(10_000_000, 10_000_010), "at the first block behind it"


def test_a_timeout_before_the_text_is_a_timeout(tmp_path: Path) -> None:
    result = baonet("run", write_machine(tmp_path, {"vms": [vm("echo")]}), "--timeout", "1s", "--until", "never")
    assert result.status == 4
    assert "which --until waits for" in result.err


@pytest.mark.parametrize(
    ("texts", "status"),
    [
        (["first:hello: EL1", "second:timer: done", "PSCI"], 0),
        (["first:hello: EL1", "first:timer: done"], 6),  # the second says that
        (["other:hello", "first:hello"], 6),  # no VM has that name, so it is a text
        (["hello: EL1"], 0),  # as here
    ],
)
def test_all_texts_must_come_each_from_its_vm(tmp_path: Path, texts: list[str], status: int) -> None:
    options = [f"--until={text}" for text in texts]
    result = run(tmp_path, {"vms": [vm("hello", "first"), vm("timer", "second", devices=SILENT)]}, *options)
    assert result.status == status, result.err


def test_a_vm_without_a_text_is_a_mistake(tmp_path: Path) -> None:
    result = run(tmp_path, {"vms": [vm("hello", devices=[UART])]}, "--until", "hello:")
    assert result.status == 2
    assert result.err == "baonet run: --until hello:: an empty text would be found at once: write hello:TEXT\n"
