"""Files that are damaged at random: whatever is in them, a command ends soon, with a status and a word about it."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgpack
import pytest

from baonet.cli.main import main
from baonet.config.console_input import load_input
from baonet.config.loader import load
from baonet.document.errors import ConfigError
from tests.cli.mutations import of_bytes, of_text, of_values
from tests.system.machine import GUESTS, baonet, pair, vm, write

SOON = 10.0
"""Seconds that a command may take on a busy host; what is quadratic or waits takes longer."""
SHORT, LONG = 150, 4000
MACHINE = f"""
version: 1
platform: {{extends: qemu-aarch64-virt, cpus: 8, costs: {{hypercall: 1us, access: 0}}, gic: {{list_registers: 2}},
  cache: {{llc_size: 1MiB, llc_ways: 16, l1_size: 32KiB, l1_ways: 4}}}}
clock: {{mode: virtual, mhz: 1000, window: 10us, latency: {{ipi: 1us, console: 0}}}}
shared_memory:
  - {{name: mailbox, size: 64KiB, colors: 0x3}}
vms:
  - name: a
    image: {{path: {GUESTS}/hello.elf}}
    cpus: 2
    cpu_affinity: [0, 1]
    colors: [0, 1]
    device_tree: auto
    command_line: "hi there"
    initrd: {{path: {GUESTS}/TOOLCHAIN}}
    memory: [{{base: 0x40000000, size: 64MiB}}]
    devices: [{{pa: 0x09000000, va: 0x09000000, size: 4KiB, interrupts: [33]}}]
    ipcs: [{{base: 0x70000000, size: 64KiB, shared_memory: mailbox, interrupts: [84]}}]
    gic: {{gicd: 0x8000000}}
    timer: [27, 30]
input:
  - {{vm: a, at: 1ms, text: "root\\n"}}
  - {{vm: a, at: 2ms, break: true}}
faults:
  - {{fault: drop, from: a, probability: 0.5, seed: 3, count: 4}}
  - {{fault: delay, by: 1us}}
  - {{fault: stall, pcpu: 1, at: 1us, for: 1ms}}
  - {{fault: flip, shared_memory: mailbox, at: 1ms}}
"""
STUDY = """
version: 1
title: a
machine: machine.yaml
until: ["ping:met", x]
timeout: 10s
sweep:
  x:
    - {label: a, value: 64KiB, set: {vms.0.cpus: 1, 'vms[ping].interrupts': direct}}
    - {label: b, value: 128KiB, set: {clock.window: 5us}}
  run.placement: [one-process, process-per-cpu]
seeds: {faults.0.seed: [1, 2]}
repeats: 1
accept: [0, 3]
metrics:
  - {metric: round-trip, ids: {1: round trip}}
  - {metric: interrupt-latency, interrupts: [27], name: timer}
  - {console: '(?P<a>\\d+) wrong', name: w, vm: ping, unit: ns}
plots:
  - {metric: timer, kind: percentiles, axis: x, title: q, log: true}
"""
INPUT = """
- {vm: echo, at: 1ms, text: "root\\n"}
- {vm: echo, at: 2us, bytes: "1b 5b 41"}
- vm: echo
  at: 0
  break: true
"""


class Fuzz(NamedTuple):
    """``spoil`` writes a damaged file, ``command`` is what is done with it then, ``judge`` looks at what it wrote."""

    spoil: Callable[[random.Random], None]
    command: Callable[[random.Random], list[str]]
    judge: Callable[[list[str]], None] = lambda words: None


def machine_file(directory: Path) -> Fuzz:
    file = directory / "machine.yaml"
    commands = [
        ["check", str(file), "--map"],
        ["check", "--strict", str(file)],
        ["dtb", str(file), "--vm", "a", "-o", str(directory / "out")],
    ]
    return Fuzz(lambda chance: _put(file, of_text(MACHINE, chance)), lambda chance: list(chance.choice(commands)))


def study_file(directory: Path) -> Fuzz:
    write(directory, pair() | {"clock": {"mode": "virtual"}, "faults": [{"fault": "drop", "seed": 1}]})
    file = directory / "study.yaml"
    return Fuzz(
        lambda chance: _put(file, of_text(STUDY, chance)),
        lambda chance: ["study", str(file), "-o", str(directory / "none.sqlite"), "--list"],
    )


def elf(directory: Path) -> Fuzz:
    whole = (GUESTS / "hello.elf").read_bytes()
    file = write(directory, {"vms": [vm("hello") | {"image": {"path": "guest"}}]})
    return Fuzz(
        lambda chance: _put(directory / "guest", of_bytes(whole, chance)), lambda chance: ["check", "--map", str(file)]
    )


def device_tree(directory: Path) -> Fuzz:
    made = directory / "whole"
    machine = write(directory, {"vms": [vm("hello", device_tree="auto")]})
    assert baonet("dtb", machine, "--vm", "hello", "-o", made).status == 0
    whole = made.read_bytes()
    file = write(directory, {"vms": [vm("hello", device_tree={"path": "tree"}, command_line="x")]})
    return Fuzz(
        lambda chance: _put(directory / "tree", of_bytes(whole, chance)), lambda chance: ["check", "--map", str(file)]
    )


def trace(directory: Path) -> Fuzz:
    file, out = directory / "trace.bnt", directory / "out"
    machine = write(directory, pair() | {"clock": {"mode": "virtual"}})
    assert baonet("run", machine, "--for", "50us", "--trace", file).status == 0
    whole = file.read_bytes()

    def spoil(chance: random.Random) -> None:
        if chance.random() < 0.4:
            _put(file, of_bytes(whole, chance))
        else:
            values = list(msgpack.Unpacker(io.BytesIO(whole[5:]), strict_map_key=False))
            _put(file, whole[:5] + of_values(values, chance))

    commands = [
        ["trace", "info", str(file)],
        ["trace", "verify", str(file)],
        ["trace", "export", str(file), "--csv", str(out)],
        ["trace", "export", str(file), "--json", str(out)],
    ]

    def judge(words: list[str]) -> None:
        if "--json" in words:
            json.loads(out.read_text(), parse_constant=_no_json)
        if "--csv" in words:
            with out.open(newline="") as written:
                assert {len(row) for row in csv.reader(written)} == {8}

    return Fuzz(spoil, lambda chance: list(chance.choice(commands)), judge)


def _no_json(text: str) -> None:
    raise ValueError(text)


def _put(file: Path, data: bytes) -> None:
    file.write_bytes(data)


KINDS = {"machine": machine_file, "study": study_file, "elf": elf, "device tree": device_tree, "trace": trace}


def fuzz(made: Fuzz, seeds: range, capsys: pytest.CaptureFixture[str]) -> None:
    done = set()
    for seed in seeds:
        chance = random.Random(seed)
        made.spoil(chance)
        words = made.command(chance)
        began = time.monotonic()
        status = main(words)
        errors = capsys.readouterr().err
        assert status in (0, 1, 2), (seed, words)
        assert "Traceback" not in errors, seed
        assert status == 0 or errors.strip() or words[1] == "verify", (seed, words)
        assert time.monotonic() - began < SOON, (seed, words)
        if status == 0:
            made.judge(words)
        done.add(status)
    assert {0, 2} <= done, "some are refused, and some are not"


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_told(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fuzz(KINDS[kind](tmp_path), range(SHORT), capsys)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_many_damaged_files_are_told(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Others each day."""
    first = int(time.time()) // 86400 * LONG
    fuzz(KINDS[kind](tmp_path), range(first, first + LONG), capsys)


@pytest.mark.parametrize("count", [SHORT * 5, pytest.param(LONG, marks=pytest.mark.long)])
def test_damaged_input_is_told(tmp_path: Path, count: int) -> None:
    machine = load(write(tmp_path, {"clock": {"mode": "virtual"}, "vms": [vm("echo")]}))
    file = tmp_path / "input.yaml"
    told = right = 0
    for seed in range(count):
        _put(file, of_text(INPUT, random.Random(seed)))
        try:
            load_input(file, machine)
        except ConfigError as error:
            told += str(error).startswith(os.fspath(file))
        else:
            right += 1
    assert told + right == count
    assert told
    assert right
