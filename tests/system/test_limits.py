"""Machines with more of everything than anybody has needed: nothing in the engine counts to a limit of its own."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.patience import LIMIT, PROCESS
from tests.system.hostile import hostile
from tests.system.machine import COMMAND, UART, Result, pair, run, vm, write

pytestmark = pytest.mark.slow


def uart(number: int, base: int = 0x09000000) -> dict[str, Any]:
    return {"name": f"uart{number}", "kind": "pl011", "pa": base + 0x1000 * number, "interrupt": 33 + number}


def test_many_uarts_regions_and_shared_memory_objects(tmp_path: Path) -> None:
    ipcs = [{"base": 0x900000000 + 0x10000 * n, "shared_memory": f"s{n}"} for n in range(70)]
    guest = vm(
        "hello",
        memory=[{"base": 0x40000000, "size": "16MiB"}]
        + [{"base": 0x50000000 + 0x10000 * n, "size": "4KiB"} for n in range(70)],
        devices=[{"pa": 0x09000000 + 0x1000 * n, "interrupts": [33 + n]} for n in range(20)],
        ipcs=ipcs,
    )
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": [uart(n) for n in range(20)]},
        "shared_memory": [{"name": f"s{n}", "size": "4KiB"} for n in range(70)],
        "vms": [guest, vm("hello", "other", devices=[{"pa": 0x09000000}], ipcs=ipcs)],
    }
    result = run(tmp_path, machine)
    assert (result.status, result.err) == (0, "")
    assert "hello | hello: done" in result.out
    assert "other | hello: done" in result.out


def test_a_device_that_nothing_models_is_there_and_does_not_answer(tmp_path: Path) -> None:
    """A board's configuration runs; who looks at the device gets an external abort, and whoever does not, nothing."""
    devices = [{"name": "pmu", "kind": "none", "pa": 0x3D800000, "size": "4MiB"}, uart(0)]
    given = [{"pa": 0x09000000, "interrupts": [33]}, {"pa": 0x3D800000}]
    read = [0xD2A7B000, 0xB9400001, 0x14000000]  # mov x0, #0x3d800000; ldr w1, [x0]; b .
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": devices},
        "vms": [vm("hello", devices=given), hostile(tmp_path, "reader", read, devices=given[1:])],
    }
    result = run(tmp_path, machine)
    assert "hello: done" in result.out
    assert result.status == 3  # it has no vectors
    assert "EC 0x25 data abort, at its own level" in result.err
    assert "DFSC synchronous external abort" in result.err


def test_one_entry_that_spans_several_devices(tmp_path: Path) -> None:
    """As Bao's configurations write it: the guest's first UART is where the mapping puts the platform's second."""
    devices = [uart(1), uart(3)]
    entry = {"pa": 0x09000000, "va": 0x08FFF000, "size": "64KiB", "interrupts": [34, 36]}
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": devices},
        "vms": [vm("hello", devices=[entry])],
    }
    result = run(tmp_path, machine)
    assert (result.status, result.err) == (0, "")
    assert "hello | hello: done" in result.out


def limited(*limits: tuple[int, int], anybody: bool = False) -> list[str]:
    """Words before a command that has these limits. ``anybody``: as a user whom the limit of processes binds."""
    names = {
        resource.RLIMIT_NOFILE: "nofile",
        resource.RLIMIT_NPROC: "nproc",
        resource.RLIMIT_AS: "as",
        resource.RLIMIT_FSIZE: "fsize",
    }
    words = ["prlimit", *(f"--{names[limit]}={most}:{most}" for limit, most in limits)]
    if not anybody or os.getuid():
        return words
    may_read = "+dac_override,+dac_read_search"  # Python may be root's own
    user = ["--reuid=54321", "--regid=54321", "--clear-groups"]
    return ["setpriv", *user, f"--inh-caps={may_read}", f"--ambient-caps={may_read}", *words]


def refused(directory: Path, limits: list[str], machine: dict[str, Any], *options: str) -> Result:
    """Of a run that the host does not give all that it needs. It leaves no process."""
    file = write(directory, machine)
    command = [*limits, *COMMAND, "run", str(file), "--timeout", LIMIT, *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        out, err = process.communicate(timeout=PROCESS)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    return Result(process.returncode, out, err)


PLACEMENTS = {
    "pcpus": ["--clock", "host"],
    "task": ["--clock", "host", "--placement", "one-process"],
    "islands": ["--clock", "virtual"],
    "virtual task": ["--clock", "virtual", "--placement", "one-process"],
}


def test_more_files_than_the_host_allows_is_one_line(tmp_path: Path) -> None:
    regions = [{"base": 0x40000000 + 0x1000000 * n, "size": "16MiB"} for n in range(60)]
    limits = limited((resource.RLIMIT_NOFILE, 40))
    result = refused(tmp_path, limits, {"vms": [vm("hello", memory=regions)]})
    assert (result.status, result.out) == (1, "")
    assert result.err == "baonet run: this machine needs more open files than the host allows (40): see 'ulimit -n'\n"


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv (util-linux)")
@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("most", [2, 3])
def test_more_processes_than_the_host_allows_is_one_line(tmp_path: Path, placement: str, most: int) -> None:
    """Of them two are threads that write; a third one is the trace's. Without it the words are said all the same."""
    (tmp_path / "traces").mkdir(mode=0o777)
    (tmp_path / "traces").chmod(0o777)
    trace = ["--trace", str(tmp_path / "traces" / "trace")] if most == 3 else []
    limits = limited((resource.RLIMIT_NPROC, most), anybody=True)
    result = refused(tmp_path, limits, pair(), *PLACEMENTS[placement], *trace)
    text = f"baonet run: this machine needs more processes and threads than the host allows ({most}): see 'ulimit -u'\n"
    assert (result.status, result.err) in {(1, text), (0, result.err)}
    assert result.status == 1 or most > 2


@pytest.mark.parametrize(
    ("placement", "most"),
    [("pcpus", 36 << 20), ("task", 52 << 20), ("pcpus", 1 << 29), *((each, 1300 << 20) for each in PLACEMENTS)],
)
def test_more_address_space_than_the_host_allows_is_told(tmp_path: Path, placement: str, most: int) -> None:
    """At its first line, when there is no room for a thread's stack, and when a process has more CPUs than fit."""
    limits = limited((resource.RLIMIT_AS, most))
    other = vm("hello", "other", devices=[{"pa": UART["pa"], "va": UART["va"], "size": UART["size"]}])
    result = refused(tmp_path, limits, {"vms": [vm("hello"), other]}, *PLACEMENTS[placement])
    if placement == "pcpus" and most == 1300 << 20:
        assert (result.status, result.err) == (0, "")
        return
    assert result.status == 1
    words = rf"bytes of address space than the host allows \({most}\)|address space \({most} bytes\)"
    assert re.search(f"more ({words}): see 'ulimit -v'\n", result.err), result.err
    assert "Traceback" not in result.err
    if most < 1 << 28:
        assert result.err.count("\n") == 1


def test_a_trace_that_gets_too_long_names_the_limit(tmp_path: Path) -> None:
    most = 2 << 20
    machine = pair()
    for each in machine["vms"]:
        each["memory"] = [{"base": 0x40000000, "size": "2MiB"}]
    trace = tmp_path / "trace"
    result = refused(
        tmp_path, limited((resource.RLIMIT_FSIZE, most)), machine, "--clock", "virtual", "--trace", str(trace)
    )
    assert result.status == 1
    assert f"--trace {trace}: File too large: the host allows {most} bytes, see 'ulimit -f'\n" in result.err


@pytest.mark.parametrize(
    ("limit", "most", "text"),
    [
        (resource.RLIMIT_NOFILE, 9, "this command needs more open files than the host allows (9): see 'ulimit -n'"),
        (resource.RLIMIT_FSIZE, 8192, "results.sqlite: disk I/O error: the host allows 8192 bytes, see 'ulimit -f'"),
        (
            resource.RLIMIT_AS,
            32 << 20,
            f"more bytes of address space than the host allows ({32 << 20}): see 'ulimit -v'",
        ),
    ],
)
def test_a_study_that_the_host_does_not_let_begin_is_one_line(tmp_path: Path, limit: int, most: int, text: str) -> None:
    write(tmp_path, {**pair(), "clock": {"mode": "virtual"}})
    study = tmp_path / "study.yaml"
    study.write_text("version: 1\nmachine: machine.yaml\nfor: 1ms\nmetrics: [ipc-latency]\n")
    done = subprocess.run(
        [*limited((limit, most)), *COMMAND, "study", str(study), "-o", "results.sqlite"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=PROCESS,
    )
    assert done.returncode in (1, 2)
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
