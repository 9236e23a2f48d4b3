"""The probe guest (``guest``) in RISC-V machines of baonet: what it answers there.

Words of the image say what it tries: everything that leaves its machine as it was (the main suites), or one thing that
may stop its hart (the stop suites). Each of those has a VM of its own, as many of them in one machine as its harts
allow.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.truth.machines import Answers, Run, guest_lines, printed

IMAGE = Path(__file__).parent / "guest" / "probe.bin"
_WORDS = struct.Struct("<IIQQIII")
_WORDS_AT = 8
_HARTS = 16
"""Of a machine with several probes. With more the window of a VM's PLIC is larger than it was under Bao."""
_BASE = 0x8020_0000
_RAM = 64 << 20

Selector = tuple[int, int, int, int]
"""Kind (1 an instruction in S mode, 2 in U mode, 3 a jump, 4 a special function), instruction or number, a0, a1."""


@dataclass(frozen=True, slots=True)
class Irqc:
    """An interrupt controller: the image's ``word`` for it, and what a machine file says to have it."""

    word: int
    platform: Mapping[str, Any]
    sstc: bool = True


_PLIC = {"extends": "qemu-riscv64-virt-plic"}
_AIA = {"extends": "qemu-riscv64-virt"}

IRQCS: dict[str, Irqc] = {
    "plic": Irqc(0, _PLIC),
    "plic-nosstc": Irqc(0, _PLIC | {"sstc": False}, sstc=False),
    "aia": Irqc(1, _AIA),
    "aplic-direct": Irqc(2, _AIA | {"irqc": {"aplic": 0x0D00_0000}}),
}

UNSAID = "nothing: "
"""How the reason of a report begins for which Bao has no line."""
_REPORT = re.compile(r"^VM 't(\d+)' .*?, vcpu 0 on pcpu \d+: (.*)$", re.MULTILINE)


def _image(directory: Path, name: str, irqc: Irqc, vm: int, selector: Selector = (0, 0, 0, 0)) -> Path:
    """The guest for one VM: its words say what it is to do, and in which machine it is."""
    image = bytearray(IMAGE.read_bytes())
    kind, instruction, a0, a1 = selector
    _WORDS.pack_into(image, _WORDS_AT, kind, instruction, a0, a1, vm, irqc.word, irqc.sstc)
    file = directory / f"{name}.bin"
    file.write_bytes(image)
    return file


def _vm(name: str, image: Path, harts: range, devices: list[dict[str, Any]], ipc: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "image": {"path": str(image), "base": _BASE},
        "cpus": len(harts),
        "cpu_affinity": list(harts),
        "memory": [{"base": _BASE, "size": _RAM}],
        "devices": devices,
        "ipcs": [ipc],
    }


def _partner(image: Path, mailbox: str, hart: int) -> dict[str, Any]:
    ipc = {"base": 0x7800_0000, "shared_memory": mailbox, "interrupts": [60, 61, 62]}
    return _vm("one", image, range(hart, hart + 1), [], ipc) | {"memory": [{"base": _BASE, "size": _RAM // 2}]}


def _mailbox(name: str, interrupts: Sequence[int] = ()) -> dict[str, Any]:
    return {"base": 0x7000_0000, "shared_memory": name, "interrupts": list(interrupts)}


def _main_machine(irqc: Irqc, directory: Path) -> dict[str, Any]:
    """The whole main suite: two VMs that share an object."""
    uart = {"pa": 0x1000_0000, "va": 0x1000_0000, "size": 0x1000, "interrupts": [10]}
    zero = _vm(
        "zero",
        _image(directory, "zero", irqc, 0),
        range(2),
        [uart, {"interrupts": [20, 21]}],
        _mailbox("m", [52, 53]),
    )
    vms = [zero, _partner(_image(directory, "one", irqc, 1), "m", 2)]
    return {"platform": dict(irqc.platform), "shared_memory": [{"name": "m", "size": "64KiB"}], "vms": vms}


def _stop_machine(irqc: Irqc, selectors: Mapping[int, Selector], directory: Path, talker: int) -> dict[str, Any]:
    """A VM ``t<n>`` of two harts for each probe, and one partner, of the probe ``talker`` if that is among them.

    The first has the interrupts that the guest knows its UART and its IPC by: a physical source is one VM's.
    """
    vms, uarts = [], []
    first = talker if talker in selectors else next(iter(selectors))
    for place, (number, selector) in enumerate(selectors.items()):
        pa = 0x1000_0000 + 0x1000 * place
        source = 10 if number == first else 11 + place
        uarts.append({"name": f"uart{number}", "kind": "16550", "pa": pa, "size": 0x1000, "interrupt": source})
        uart = {"pa": pa, "va": 0x1000_0000, "size": 0x1000, "interrupts": [source]}
        mailbox = _mailbox(f"m{number}", [52, 53] if number == first else [])
        image = _image(directory, f"t{number}", irqc, 0, selector)
        vms.append(_vm(f"t{number}", image, range(2 * place, 2 * place + 2), [uart], mailbox))
    # A run ends when each VM has a hart that was stopped; this one has none.
    vms.append(_partner(_image(directory, "one", irqc, 1), f"m{first}", 2 * len(selectors)))
    platform = {**irqc.platform, "cpus": _HARTS, "ram": [{"base": _BASE, "size": "8GiB"}], "devices": uarts}
    memory = [{"name": f"m{number}", "size": "64KiB"} for number in selectors]
    return {"platform": platform, "shared_memory": memory, "vms": vms}


def main_answers(suite: str, directory: Path) -> dict[str, str]:
    """Of the main suite of a machine with one of ``IRQCS``."""
    directory.mkdir(parents=True)
    said, _ = Run(_main_machine(IRQCS[suite], directory), directory, "until", "END").end()
    return dict(printed(guest_lines(said["zero"])))


def stop_answers(suite: str, probes: Mapping[str, Selector], directory: Path) -> Answers:
    """Of a stop suite: what came of each probe, in the words of ``answers.json``."""
    irqc = IRQCS[suite.removesuffix("-stop")]
    names = list(probes)
    per_machine = (_HARTS - 1) // 2
    parts: list[dict[int, Selector]] = []
    runs = []
    for place, first in enumerate(range(0, len(names), per_machine)):
        part = {number: probes[names[number]] for number in range(first, min(first + per_machine, len(names)))}
        inside = directory / suite / str(place)
        inside.mkdir(parents=True)
        talker = next((number for number, selector in part.items() if selector[:2] in ((4, 22), (4, 24))), first)
        parts.append(part)
        runs.append(Run(_stop_machine(irqc, part, inside, talker), inside, "limit", "0.6s"))
    found: Answers = {}
    for part, run in zip(parts, runs, strict=True):
        said, reports = run.end()
        errors = {int(number): error for number, error in _REPORT.findall("\n".join(reports))}
        for number in part:
            lines = guest_lines(said[f"t{number}"])
            found[suite, names[number]] = _came_of_it(lines, errors.get(number))
    return found


def _came_of_it(lines: Sequence[str], error: str | None) -> str:
    survived = next((line[2:] for line in lines if line.startswith("P survived")), None)
    if error:
        first = "hangs silently" if error.startswith(UNSAID) else f"error: {error}"
    elif survived:
        first = survived
    else:
        first = "hangs silently" if "GO" in lines else "did not begin"
    other = any(line.startswith("P other 1") for line in lines)
    return f"{first}; {'other hart lives' if other else 'other hart is dead'}"
