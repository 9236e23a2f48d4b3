"""Runs in virtual time: their digests, in every placement, and the records of their traces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baonet.trace.reader import TraceReader
from baonet.trace.records import RECORD, Kind
from tests.system.machine import Result, baonet, run, vm
from tests.trace.record import Record

PLACEMENTS = ["one-process", "process-per-island", "process-per-vm", "process-per-cpu"]
SILENT = [{"pa": 0x09000000, "va": 0x09000000, "size": 0x1000}]
"""A UART without its interrupt, which only one VM can have."""
MAILBOX = {"name": "mailbox", "size": "64KiB"}
IPC = {"base": 0x70000000, "size": "64KiB", "shared_memory": "mailbox", "interrupts": [84]}
TWO_UARTS = [
    {"name": "uart0", "kind": "pl011", "pa": 0x09000000, "size": 0x1000, "interrupt": 33},
    {"name": "uart1", "kind": "pl011", "pa": 0x09040000, "size": 0x1000, "interrupt": 40},
]
SECOND_UART = [{"pa": 0x09040000, "va": 0x09000000, "size": 0x1000, "interrupts": [40]}]
_LAST = re.compile(r"^baonet: (\d+)\.(\d{9}) s of virtual time; digest ([0-9a-f]{64}); ", re.MULTILINE)


@dataclass(frozen=True)
class Virtual:
    """``time`` is in nanoseconds; ``said`` is standard error without its last line."""

    status: int
    out: str
    said: str
    time: int
    digest: str


def islands() -> dict[str, Any]:
    """Two VMs that have nothing to do with each other: both print; the first waits for input, the other for time."""
    return {
        "platform": {"extends": "qemu-aarch64-virt", "devices": TWO_UARTS},
        "vms": [vm("echo"), vm("timer", devices=SECOND_UART)],
    }


def parsed(result: Result) -> Virtual:
    found = _LAST.search(result.err)
    assert found, result.err
    return Virtual(result.status, result.out, result.err[: found.start()], int(found[1] + found[2]), found[3])


def virtual(directory: Path, machine: dict[str, Any], *options: str, placement: str = "one-process") -> Virtual:
    """Run a machine to its end in virtual time."""
    return parsed(run(directory, machine, "--clock", "virtual", "--placement", placement, *options))


def printed(out: str) -> dict[str, str]:
    """What each VM has printed, whose lines a shared terminal cuts where another VM prints before their end."""
    texts: dict[str, str] = {}
    for line in out.splitlines():
        name, of_several, text = line.partition(" | ")
        if not of_several:
            name, text = "", line
        texts[name] = texts.get(name, "") + text
    return texts


def same_everywhere(
    directory: Path, machine: dict[str, Any], *options: str, placements: Sequence[str] = PLACEMENTS[1:]
) -> Virtual:
    """Run a machine in one process and in other placements, and see that it does the same each time.

    One VM alone is in the same processes as an island and as a VM.
    """
    first = virtual(directory, machine, *options)
    for placement in placements:
        if placement == "process-per-vm" and len(machine["vms"]) == 1:
            continue
        again = virtual(directory, machine, *options, placement=placement)
        assert again.digest == first.digest, f"{placement}: {again}\nis not {first}"
        # What islands print, and what is said of them, comes in the order of the host's clock.
        assert printed(again.out) == printed(first.out)
        assert sorted(again.said.splitlines()) == sorted(first.said.splitlines())
        assert (again.status, again.time) == (first.status, first.time)
    return first


def records(path: Path, kind: Kind | None = None) -> list[Record]:
    """Those of all pcpus, pcpu by pcpu, in the order of time."""
    with TraceReader(path) as trace:
        found = [
            Record(*fields) for pcpu in trace.pcpus for chunk in trace.of(pcpu) for fields in RECORD.iter_unpack(chunk)
        ]
    return found if kind is None else [record for record in found if record.kind == kind]


def traced(directory: Path, machine: dict[str, Any], *options: str) -> tuple[Virtual, Path]:
    """A run with its trace, which is verified."""
    path = directory / "run.bnt"
    result = virtual(directory, machine, "--trace", str(path), *options)
    verified = baonet("trace", "verify", path)
    assert verified.status == 0, verified.err
    assert result.digest in verified.out
    return result, path
