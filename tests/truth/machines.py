"""The probe guest (``guest``) in machines of baonet: what it answers there.

The word at offset 8 of the image says what it tries: 0 all that leaves its machine as it was; from 100 on one thing
that does not, below that one that may stop its CPU. Each of those has a VM of its own, as many of them in one machine
as its CPUs allow.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.patience import PROCESS

ROOT = Path(__file__).parents[2]
IMAGE = Path(__file__).parent / "guest" / "probe.bin"
_SELECTOR = slice(8, 12)
_CPUS = 64
_RAM = 64 << 20

Answers = dict[tuple[str, str], Any]
"""By (suite, probe): what the guest printed, or of a stop what came of it."""

_REPORT = re.compile(r"^VM 't(\d+)' .*?, vcpu 0 on pcpu \d+: (.*)$", re.MULTILINE)
_PC = re.compile(r" at 0x4[0-9a-f]{7}\)")  # it depends on how the guest was compiled


def _vm(name: str, image: Path, pcpus: range, devices: list[dict[str, Any]], ipc: dict[str, Any]) -> Any:
    return {
        "name": name,
        "image": {"path": str(image), "base": 0x4000_0000},
        "cpus": len(pcpus),
        "cpu_affinity": list(pcpus),
        "memory": [{"base": 0x4000_0000, "size": _RAM}],
        "devices": [*devices, {"interrupts": [27]}],
        "ipcs": [ipc],
    }


def _partner(name: str, mailbox: str, pcpu: int) -> Any:
    ipc = {"base": 0x7800_0000, "shared_memory": mailbox, "interrupts": [60, 61, 62]}
    return _vm(name, IMAGE, range(pcpu, pcpu + 1), [], ipc)


def _mailbox(name: str) -> dict[str, Any]:
    return {"base": 0x7000_0000, "shared_memory": name, "interrupts": [52, 53]}


def main_machine() -> dict[str, Any]:
    """The whole main suite: two VMs that share an object."""
    uart = {"pa": 0x0900_0000, "size": 0x1000, "interrupts": [33]}
    vms = [_vm("zero", IMAGE, range(2), [uart, {"interrupts": [40, 41]}], _mailbox("m")), _partner("one", "m", 2)]
    memory = [{"name": "m", "size": "64KiB"}]
    return {"platform": "qemu-aarch64-virt", "shared_memory": memory, "vms": vms}


def _machine_of(numbers: Sequence[int], directory: Path) -> dict[str, Any]:
    """A VM ``t<n>`` of two CPUs for each probe of ``numbers``."""
    vms: list[Any] = []
    uarts = []
    image = IMAGE.read_bytes()
    for place, number in enumerate(numbers):
        file = directory / f"probe-{number}.bin"
        file.write_bytes(image[: _SELECTOR.start] + number.to_bytes(4, "little") + image[_SELECTOR.stop :])
        pa = 0x0900_0000 + 0x1000 * place
        uarts.append({"name": f"uart{number}", "kind": "pl011", "pa": pa, "interrupt": 320 + place})
        uart = {"pa": pa, "va": 0x0900_0000, "size": 0x1000}
        vms.append(_vm(f"t{number}", file, range(2 * place, 2 * place + 2), [uart], _mailbox(f"m{number}")))
    # A run ends when each VM has a CPU that was stopped; this one has none. Probe 54 asks it.
    vms.append(_partner("one", f"m{54 if 54 in numbers else numbers[0]}", 2 * len(numbers)))
    for vm in vms:
        vm["gic"] = {"gicr": 0x080A_0000, "interrupts": 256}
    platform = {
        "extends": "qemu-aarch64-virt",
        "cpus": _CPUS,
        "ram": [{"base": 0x4000_0000, "size": "8GiB"}],
        "gic": {"gicr": 1 << 39, "interrupts": 512},  # out of the way of the UARTs
        "devices": uarts,
    }
    memory = [{"name": f"m{number}", "size": "64KiB"} for number in numbers]
    return {"platform": platform, "shared_memory": memory, "vms": vms}


class Run:
    """A machine under way. At 10 MHz what the guest waits for costs few instructions.

    It ends by ``option`` of ``open_run``, which is of this ``value``.
    """

    def __init__(self, machine: dict[str, Any], directory: Path, option: str, value: str) -> None:
        file = directory / "machine.yaml"
        clock = {"mhz": 10, "window": "500us"}
        file.write_text(yaml.safe_dump({"version": 1, "faithful": "strict", "clock": clock} | machine))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.truth.consoles", str(file), option, value],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def end(self) -> tuple[dict[str, str], list[str]]:
        """What each VM has said, and the reports."""
        out, err = self._process.communicate(timeout=PROCESS)
        assert not self._process.returncode, err
        found = json.loads(out)
        assert found["digest"], found["why"]
        return found["said"], found["reports"]


def guest_lines(text: str) -> list[str]:
    """What a VM has said, until one of its CPUs says that it is done."""
    lines = [line.strip() for line in text.split("\n")]
    return lines[: lines.index("END") + 1] if "END" in lines else lines


def printed(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(probe, answer); the second answer of a name is called name#2."""
    seen: dict[str, int] = {}
    for line in lines:
        if line.startswith("P "):
            name, _, value = line[2:].partition(" ")
            count = seen[name] = seen.get(name, 0) + 1
            yield name if count == 1 else f"{name}#{count}", value


def main_answers(directory: Path) -> Answers:
    said, _ = Run(main_machine(), directory, "until", "END").end()
    return {("gicv3", name): value for name, value in printed(guest_lines(said["zero"]))}


def answers(numbers: Sequence[int], directory: Path) -> Answers:
    """Of the probes ``numbers``, each in a VM of its own."""
    per_machine = (_CPUS - 1) // 2
    parts = [numbers[first : first + per_machine] for first in range(0, len(numbers), per_machine)]
    runs = []
    for place, part in enumerate(parts):
        inside = directory / str(place)
        inside.mkdir()
        runs.append(Run(_machine_of(part, inside), inside, "limit", "0.6s"))
    found: Answers = {}
    for part, run in zip(parts, runs, strict=True):
        said, reports = run.end()
        errors = {int(number): _PC.sub(" at PC)", error) for number, error in _REPORT.findall("\n".join(reports))}
        for number in part:
            lines = guest_lines(said[f"t{number}"])
            found |= {(f"gicv3-alone:{number}", name): value for name, value in printed(lines)}
            found["gicv3-stop", str(number)] = {
                "error": errors.get(number, ""),
                "other": "B other 2" in lines,
                "value": next((line[2:] for line in lines if line.startswith("V ")), ""),
            }
    return found


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        chosen = [int(each) for each in sys.argv[1:]]
        found = main_answers(Path(scratch)) | answers(chosen, Path(scratch))
        json.dump([[*key, value] for key, value in found.items()], sys.stdout, indent=0)
