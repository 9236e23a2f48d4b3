"""Every kind of error: its place, its field, what is wrong and what would be right.

A case replaces a part of the valid machine file; the mark § is where the error has to be found.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from baonet.config.errors import ConfigError, Problem
from baonet.config.loader import load
from tests.config.machines import BASE, marked, problems, write


class Case(NamedTuple):
    old: str
    new: str
    field: str
    message: str
    hint: str = ""


PING_MEMORY = "{base: 0x40000000, size: 64MiB}"
PING_DEVICE = "[{pa: 0x09000000, va: 0x09000000, size: 4KiB, interrupts: [33]}]"
PING_IPC = "{base: 0x70000000, size: 64KiB, shared_memory: mailbox, interrupts: [84]}"
LINUX_DEVICE = "{pa: 0x09000000, size: 4KiB}"

FORM = {
    "unknown key": Case("cpus: 1", "§cpu: 1", "vms[0].cpu", "unknown key 'cpu'", "did you mean 'cpus'?"),
    "unknown key at the top": Case(
        "vms:", "§vmms: []\nvms:", "vmms", "unknown key 'vmms'", "the keys here are version, platform, clock, faithful"
    ),
    "unknown key in a list": Case(
        PING_MEMORY, "{base: 0x40000000, §sise: 64MiB}", "vms[0].memory[0].sise", "unknown key", "did you mean 'size'?"
    ),
    "missing key": Case(
        "name: ping\n    image: {path: ping.elf}\n    cpus: 1\n",
        "§name: ping\n    image: {path: ping.elf}\n",
        "vms[0]",
        "'cpus' is missing",
        "cpus: Number of vCPUs",
    ),
    "duplicate key": Case(
        "cpus: 1", "cpus: 1\n    §cpus: 2", "cpus", "the key 'cpus' is given twice", "first given on line 8: keep one"
    ),
    "no value": Case("cpus: 1", "cpus:§", "vms[0].cpus", "'cpus' has no value", "give it one"),
    "no value of an optional key": Case(
        PING_DEVICE, "§~", "vms[0].devices", "'devices' has no value", "or remove the key"
    ),
    "not a list": Case("cpu_affinity: [0]", "cpu_affinity: §0", "vms[0].cpu_affinity", "0 is not a list", "write [0]"),
    "not a mapping": Case("{path: ping.elf}", "§ping.elf", "vms[0].image", "'ping.elf' is not a mapping", "'path'"),
    "empty list": Case(f"[{PING_MEMORY}]", "§[]", "vms[0].memory", "the list is empty", "at least one item"),
    "not a number": Case("cpus: 1", "cpus: §one", "vms[0].cpus", "'one' is not a whole number", "write it as 4"),
    "a fraction": Case("cpus: 1", "cpus: §1.5", "vms[0].cpus", "'1.5' is not a whole number"),
    "negative": Case("cpus: 1", "cpus: §-1", "vms[0].cpus", "'-1' is not a whole number"),
    "a boolean": Case("cpus: 1", "cpus: §true", "vms[0].cpus", "true is not a whole number"),
    "out of range": Case("cpus: 1", "cpus: §65", "vms[0].cpus", "65 is out of range", "from 1 to 64"),
    "zero": Case("cpus: 1", "cpus: §0", "vms[0].cpus", "0 is out of range", "from 1 to 64"),
    "octal": Case(
        "[33]",
        "[§033]",
        "vms[0].devices[0].interrupts[0]",
        "033 is octal to some",
        "write 33, or 0x1b if octal is meant",
    ),
    "too large a number": Case(
        "0x40000000,", "§0x1_0000_0000_0000_0000,", "vms[0].memory[0].base", "does not fit in 64 bits"
    ),
    "not a size": Case("64MiB", "§big", "vms[0].memory[0].size", "'big' is not a size", "write it as 64KiB"),
    "decimal unit": Case("64MiB", "§64MB", "vms[0].memory[0].size", "'MB' is not a unit of size", "write 64MiB"),
    "short unit": Case("64MiB", "§64k", "vms[0].memory[0].size", "'k' is not a unit of size", "write 64KiB"),
    "unit in lower case": Case("64MiB", "§64mib", "vms[0].memory[0].size", "'mib' is not a unit", "write 64MiB"),
    "size of nothing": Case("64MiB", "§0", "vms[0].memory[0].size", "a size of 0 bytes"),
    "sexagesimal": Case("64MiB", "§1:30", "vms[0].memory[0].size", "'1:30' is not a size"),
    "not an address": Case("0x40000000,", "§RAM,", "vms[0].memory[0].base", "'RAM' is not an address", "0x40000000"),
    "not text": Case("name: ping", "name: §7", "vms[0].name", "7 is not text", 'quote it: "7"'),
    "a boolean for text": Case("name: ping", "name: §true", "vms[0].name", "true is not text", 'quote it: "true"'),
    "not a name": Case("name: ping", "name: §p ng", "vms[0].name", "'p ng' is not a name", "letters, digits"),
    "not a choice": Case(
        "version: 1", "version: 1\nfaithful: §strct", "faithful", "'strct' is not known here", "it can be strict or practical"
    ),
    "unknown version": Case("version: 1", "version: §2", "version", "2 is not known here", "it can be 1"),
    "a tag": Case("cpus: 1", "cpus: §!!float 1", "", "the tag 'tag:yaml.org,2002:float' means nothing here"),
    "a key that is no word": Case("cpus: 1", "cpus: 1\n    ? §[a]\n    : 2", "", "a key must be a word"),
    "a merge of a number": Case("cpus: 1", "cpus: 1\n    <<: §2", "", "'<<' takes a mapping"),
    "a colour too high": Case(
        "cpus: 1", "cpus: 1\n    colors: §[64]", "vms[0].colors", "there is no colour 64", "from 0 to 63"
    ),
    "a colour twice": Case("cpus: 1", "cpus: 1\n    colors: §[1, 1]", "vms[0].colors", "colour 1 is given twice"),
    "no colours": Case("cpus: 1", "cpus: 1\n    colors: §{}", "vms[0].colors", "a mapping is not a set of colours"),
}

CROSS = {
    "VM name twice": Case("name: linux", "name: §ping", "vms[1].name", "two VMs are named 'ping'", "on line 6"),
    "VM name with a meaning": Case("name: ping", "name: §all", "vms[0].name", "'all' is no name", "--console"),
    "shared memory name twice": Case(
        "  - {name: mailbox, size: 64KiB}",
        "  - {name: mailbox, size: 64KiB}\n  - {name: §mailbox, size: 4KiB}",
        "shared_memory[1].name",
        "two shared memory objects are named 'mailbox'",
        "on line 4",
    ),
    "unknown shared memory": Case(
        PING_IPC,
        "{base: 0x70000000, shared_memory: §mailbx}",
        "vms[0].ipcs[0].shared_memory",
        "there is no shared memory 'mailbx'",
        "did you mean 'mailbox'?",
    ),
    "ipc too large": Case(
        PING_IPC,
        "{base: 0x70000000, size: §128KiB, shared_memory: mailbox}",
        "vms[0].ipcs[0].size",
        "128KiB is more than 'mailbox' has",
        "use 64KiB",
    ),
    "initrd without a device tree": Case(
        '{path: initrd.gz}\n    command_line: "console=ttyAMA0"\n    device_tree: auto\n',
        "§{path: initrd.gz}\n",
        "vms[1].initrd",
        "cannot find its initrd",
        "add 'device_tree: auto'",
    ),
    "command line without a device tree": Case(
        'initrd: {path: initrd.gz}\n    command_line: "console=ttyAMA0"\n    device_tree: auto\n',
        'command_line: §"console=ttyAMA0"\n',
        "vms[1].command_line",
        "reaches the guest in its device tree only",
        "add 'device_tree: auto'",
    ),
    "unaligned base": Case(
        PING_MEMORY,
        "{base: §0x40000800, size: 64MiB}",
        "vms[0].memory[0].base",
        "0x40000800 is not a multiple of 4KiB",
        "use 0x40000000 or 0x40001000",
    ),
    "unaligned size": Case(
        PING_MEMORY, "{base: 0x40000000, size: §0x3000001}", "vms[0].memory[0].size", "0x3000001 is not a multiple"
    ),
    "unaligned va": Case(
        "va: 0x09000000", "va: §0x09000010", "vms[0].devices[0].va", "not a multiple of 4KiB", "0x9000000 or 0x9001000"
    ),
    "unaligned ipc": Case(
        PING_IPC, "{base: §0x70000004, shared_memory: mailbox}", "vms[0].ipcs[0].base", "not a multiple of 4KiB"
    ),
    "unaligned shared memory": Case(
        "mailbox, size: 64KiB}", "mailbox, size: §65537}", "shared_memory[0].size", "0x10001 is not a multiple"
    ),
    "unaligned gicr": Case(
        "cpus: 1",
        "cpus: 1\n    gic: {gicr: §0x08010000}",
        "vms[0].gic.gicr",
        "0x8010000 is not a multiple of 128KiB",
        "use 0x8000000 or 0x8020000",
    ),
    "unaligned gicd": Case(
        "cpus: 1", "cpus: 1\n    gic: {gicd: §0x08001000}", "vms[0].gic.gicd", "not a multiple of 64KiB"
    ),
    "gicc on a GICv3": Case(
        "cpus: 1",
        "cpus: 1\n    gic: {§gicc: 0x08010000}",
        "vms[0].gic.gicc",
        "the platform's GIC has version 3: no gicc",
        "give 'gicr'",
    ),
    "RAM over RAM": Case(
        f"[{PING_MEMORY}]",
        f"[{PING_MEMORY}, {{base: §0x43fff000, size: 8KiB}}]",
        "vms[0].memory[1].base",
        "RAM at 0x43fff000..0x44000fff overlaps RAM at 0x40000000..0x43ffffff",
        "there is room for it at 0x44000000",
    ),
    "device over RAM": Case(
        "va: 0x09000000", "va: §0x40000000", "vms[0].devices[0].va", "the device at 0x40000000..0x40000fff overlaps RAM"
    ),
    "ipc over RAM": Case(
        PING_IPC,
        "{base: §0x43ff0000, shared_memory: mailbox}",
        "vms[0].ipcs[0].base",
        "shared memory 'mailbox' at 0x43ff0000..0x43ffffff overlaps RAM",
        "0x44000000",
    ),
    "RAM over the GIC": Case(
        f"[{PING_MEMORY}]",
        f"[{PING_MEMORY}, {{base: §0x08000000, size: 4KiB}}]",
        "vms[0].memory[1].base",
        "RAM at 0x8000000..0x8000fff overlaps the GIC's distributor",
        "there is room for it at 0x8010000",
    ),
    "the GIC over RAM": Case(
        "cpus: 1",
        "cpus: 1\n    gic: {gicr: §0x40000000}",
        "vms[0].gic.gicr",
        "the GIC's redistributors at 0x40000000..0x4001ffff overlaps RAM",
    ),
    "past the address space": Case(
        f"[{PING_MEMORY}]",
        f"[{PING_MEMORY}, {{base: §0xfffffff000, size: 8KiB}}]",
        "vms[0].memory[1].base",
        "reaches past the 40-bit address space",
    ),
    "no such device": Case(
        "[{pa: 0x09000000, va: 0x09000000,",
        "[{pa: §0x0a003000, va: 0x09000000,",
        "vms[0].devices[0].pa",
        "the platform has no device within 0xa003000..0xa003fff",
        "it has uart0 (pl011) at 0x9000000",
    ),
    "no such device and no size": Case(
        LINUX_DEVICE, "{pa: §0x0a003000}", "vms[1].devices[0].pa", "the platform has no device at 0xa003000"
    ),
    "va without pa": Case(
        LINUX_DEVICE, "{§va: 0x0a003000, interrupts: [40]}", "vms[1].devices[0].va", "'va' without 'pa'"
    ),
    "an empty device": Case(LINUX_DEVICE, "§{id: 1}", "vms[1].devices[0]", "the entry gives nothing"),
    "too many vCPUs": Case(
        "cpus: 2",
        "cpus: §4",
        "vms[1].cpus",
        "4 vCPUs, and the platform has 3 of its 4 CPUs left",
        "'platform: {extends: qemu-aarch64-virt, cpus: 5}'",
    ),
    "affinity to no CPU": Case(
        "cpu_affinity: [0]",
        "cpu_affinity: [0, §4]",
        "vms[0].cpu_affinity[1]",
        "the platform has no CPU 4",
        "its CPUs are 0 to 3",
    ),
    "affinity twice": Case(
        "cpu_affinity: [0]", "cpu_affinity: [0, §0]", "vms[0].cpu_affinity[1]", "CPU 0 is given twice"
    ),
    "affinity taken": Case(
        "cpus: 2",
        "cpus: 2\n    cpu_affinity: §[0, 1]",
        "vms[1].cpu_affinity",
        "the VM cannot have CPU 0: 'ping' prefers it and comes first",
        "CPUs that no VM prefers: 2 and 3",
    ),
    "SPI number for INTID": Case(
        "interrupts: [33]",
        "interrupts: [§1]",
        "vms[0].devices[0].interrupts[0]",
        "1 is a software-generated interrupt",
        "SPI 1 of a device tree is INTID 33",
    ),
    "private notification": Case(
        PING_IPC,
        "{base: 0x70000000, shared_memory: mailbox, interrupts: [§20]}",
        "vms[0].ipcs[0].interrupts[0]",
        "20 is a private interrupt",
        "SPI 20 of a device tree is INTID 52",
    ),
    "maintenance interrupt": Case(
        "interrupts: [33]", "interrupts: [33, §25]", "vms[0].devices[0].interrupts[1]", "maintenance interrupt"
    ),
    "interrupt out of range": Case(
        "interrupts: [33]",
        "interrupts: [33, §256]",
        "vms[0].devices[0].interrupts[1]",
        "there is no interrupt 256",
        "the last INTID is 255",
    ),
    "interrupt out of the VM's range": Case(
        "cpus: 1\n    cpu_affinity: [0]\n    memory: [{base: 0x40000000, size: 64MiB}]\n    devices: "
        "[{pa: 0x09000000, va: 0x09000000, size: 4KiB, interrupts: [33]}]\n    ipcs: [{base: 0x70000000, size: 64KiB, "
        "shared_memory: mailbox, interrupts: [84]}]",
        "cpus: 1\n    gic: {interrupts: 60}\n    memory: [{base: 0x40000000, size: 64MiB}]\n    ipcs: [{base: "
        "0x70000000, shared_memory: mailbox, interrupts: [§84]}]",
        "vms[0].ipcs[0].interrupts[0]",
        "there is no interrupt 84",
        "the last INTID is 63",
    ),
    "interrupt twice in a list": Case(
        "interrupts: [33]", "interrupts: [33, §33]", "vms[0].devices[0].interrupts[1]", "interrupt 33 is given twice"
    ),
    "interrupt twice in a VM": Case(
        PING_IPC,
        "{base: 0x70000000, shared_memory: mailbox, interrupts: [§33]}",
        "vms[0].ipcs[0].interrupts[0]",
        "interrupt 33 is given twice",
        "on line 11 already, in vms[0].devices[0].interrupts[0]",
    ),
    "interrupt of two VMs": Case(
        LINUX_DEVICE,
        "{pa: 0x09000000, interrupts: [§33]}",
        "vms[1].devices[0].interrupts[0]",
        "interrupt 33 is given twice: VM 'ping' has it on line 11",
        "belongs to one VM",
    ),
    "timer twice": Case(
        "size: 4KiB}]\n    ipcs: [{base: 0x90000000, shared_memory: mailbox, interrupts: [84]}]\n    timer: [27]",
        "size: 4KiB}, {interrupts: [27]}]\n    timer: [§27]",
        "vms[1].timer[0]",
        "interrupt 27 is given twice",
        "vms[1].devices[1].interrupts[0]",
    ),
    "not a timer": Case(
        "timer: [27]", "timer: [27, §29]", "vms[1].timer[1]", "29 is no interrupt of the guest's timer", "27 (virtual"
    ),
    "too much RAM": Case(
        "size: 512MiB}]\n    devices: [{pa: 0x09000000, size: 4KiB}]\n    ipcs: [{base: 0x9",
        "size: §4GiB}]\n    devices: [{pa: 0x09000000, size: 4KiB}]\n    ipcs: [{base: 0x2_9",
        "vms[1].memory[0].size",
        "RAM of 'linux' needs 4GiB, and 4128704KiB of the platform's RAM is left",
        "the platform has 4GiB",
    ),
    "placed outside RAM": Case(
        PING_MEMORY,
        "{base: 0x40000000, size: 64MiB, phys: §0x10000000}",
        "vms[0].memory[0].phys",
        "0x10000000..0x13ffffff is not inside one bank of RAM",
        "the platform's RAM is 0x40000000..0x13fffffff",
    ),
    "placed twice": Case(
        f"[{PING_MEMORY}]",
        "[{base: 0x40000000, size: 64MiB, phys: 0x80000000}, {base: 0x48000000, size: 4KiB, phys: §0x80001000}]",
        "vms[0].memory[1].phys",
        "RAM of 'ping' at 0x80001000..0x80001fff overlaps RAM of 'ping' at 0x80000000",
        "there is room for it at 0x84000000",
    ),
    "unaligned placement": Case(
        PING_MEMORY, "{base: 0x40000000, size: 64MiB, phys: §0x80000001}", "vms[0].memory[0].phys", "not a multiple"
    ),
    "colours of a region anywhere": Case(
        PING_MEMORY,
        "{base: 0x40000000, size: 64MiB, §colors: [0]}",
        "vms[0].memory[0].colors",
        "'colors' of a region without 'phys'",
        "the VM's 'colors'",
    ),
    "no such colour": Case(
        "cpus: 1", "cpus: 1\n    colors: §[0, 8]", "vms[0].colors", "the platform has no colour 8", "0 to 7"
    ),
    "too little of a colour": Case(
        "size: 512MiB}]",
        "size: §768MiB}]\n    colors: [0]",
        "vms[1].memory[0].size",
        "768MiB of these colours, and the platform has 512MiB of them",
    ),
}

IMAGES = {
    "no such image": Case(
        "ping.elf", "§pin.elf", "vms[0].image.path", "pin.elf cannot be read: No such file", "did you mean"
    ),
    "an image that is a directory": Case("ping.elf", "§.", "vms[0].image.path", "is not a regular file"),
    "no such initrd": Case("initrd.gz", "§initrd", "vms[1].initrd.path", "initrd cannot be read"),
    "no such device tree": Case("device_tree: auto", "device_tree: §a.dtb", "vms[1].device_tree", "cannot be read"),
    "not a device tree": Case(
        "device_tree: auto", "device_tree: §Image", "vms[1].device_tree", "is not a device tree", "compile it with dtc"
    ),
    "a base for an ELF file": Case(
        "{path: ping.elf}",
        "{path: ping.elf, base: §0x40000000}",
        "vms[0].image.base",
        "an ELF file's headers say where it goes",
        "remove 'base'",
    ),
    "no base": Case(
        "{path: Image, base: 0x60200000}",
        "{path: §Image}",
        "vms[1].image.path",
        "is an arm64 Linux Image, and has no 'base'",
        "a multiple of 2MiB",
    ),
    "no base of a raw binary": Case(
        "{path: Image, base: 0x60200000}", "{path: §machine.yaml}", "vms[1].image.path", "so a raw binary"
    ),
    "a compressed image": Case(
        "{path: Image, base", "{path: §initrd.gz, base", "vms[1].image.path", "is compressed with gzip", "decompress"
    ),
    "Linux at an odd place": Case(
        "0x60200000",
        "§0x60280000",
        "vms[1].image.base",
        "an arm64 Linux Image starts at a multiple of 2MiB",
        "use 0x60200000 or 0x60400000",
    ),
    "ELF outside memory": Case(
        "{path: ping.elf}\n    cpus: 1\n    cpu_affinity: [0]\n    memory: [{base: 0x40000000, size: 64MiB}]",
        "{path: §ping.elf}\n    cpus: 1\n    cpu_affinity: [0]\n    memory: [{base: 0x40000000, size: 0x101000}]",
        "vms[0].image.path",
        "not inside one region of the VM's memory",
        "its memory is 0x40000000..0x40100fff",
    ),
    "entry outside memory": Case(
        "{path: ping.elf}",
        "{path: ping.elf, entry: §0x50000000}",
        "vms[0].image.entry",
        "the entry 0x50000000 is not in the VM's memory",
        "its memory is 0x40000000..0x43ffffff",
    ),
    "entry between instructions": Case(
        "{path: ping.elf}",
        "{path: ping.elf, entry: §0x40100002}",
        "vms[0].image.entry",
        "the entry 0x40100002 is not a multiple of 4",
    ),
    "image_size beyond memory": Case(
        "0x60200000",
        "§0x7fe00000",
        "vms[1].image.base",
        "the image takes 0x7fe00000..0x800fffff (3MiB), which is not inside one region",
    ),
    "initrd over the kernel": Case(
        "{path: initrd.gz}",
        "{path: initrd.gz, base: §0x60300000}",
        "vms[1].initrd.base",
        "the initrd at 0x60300000..0x6030270f overlaps the image at 0x60200000..0x604fffff",
        "there is room for it at 0x60500000",
    ),
    "unaligned initrd": Case(
        "{path: initrd.gz}", "{path: initrd.gz, base: §0x68000004}", "vms[1].initrd.base", "not a multiple of 4KiB"
    ),
    "initrd outside memory": Case(
        "{path: initrd.gz}", "{path: initrd.gz, base: §0x80000000}", "vms[1].initrd.base", "not inside one region"
    ),
    "device tree over the kernel": Case(
        "device_tree: auto",
        "device_tree: {path: auto, base: §0x60200000}",
        "vms[1].device_tree.base",
        "the device tree at 0x60200000",
    ),
    "unaligned device tree": Case(
        "device_tree: auto",
        "device_tree: {path: auto, base: §0x68000004}",
        "vms[1].device_tree.base",
        "0x68000004 is not a multiple of 8 bytes",
    ),
    "no room for the device tree": Case(
        '    initrd: {path: initrd.gz}\n    command_line: "console=ttyAMA0"\n    device_tree: auto\n    cpus: 2\n    '
        "memory: [{base: 0x60000000, size: 512MiB}]",
        "    device_tree: §auto\n    cpus: 2\n    memory: [{base: 0x60200000, size: 3MiB}]",
        "vms[1].device_tree",
        "does not fit beside the image in 0x60200000..0x604fffff",
        "make that region larger",
    ),
}


@pytest.mark.parametrize("case", [*FORM.values(), *CROSS.values(), *IMAGES.values()], ids=[*FORM, *CROSS, *IMAGES])
def test_one_mistake_is_one_problem_at_its_place(tmp_path: Path, case: Case) -> None:
    assert case.old in BASE
    text, places = marked(BASE.replace(case.old, case.new, 1))
    path = write(tmp_path, text)
    (found,) = problems(path)
    assert [(found.line, found.column)] == places
    assert (found.path, found.field) == (str(path), case.field)
    assert case.message in found.message
    assert case.hint in found.hint


def test_all_problems_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = BASE.replace("{path: ping.elf}", "{path: §missing.elf}").replace("cpus: 1", "cpus: 1\n    §color: [0]")
    text = text.replace("0x70000000", "§0x40000000").replace("interrupts: [84]}]\n  -", "interrupts: [§20]}]\n  -")
    text = text.replace("cpus: 2", "cpus: §9").replace("0x60200000", "§0x60200001").replace("version: 1", "version: §3")
    text, places = marked(text)
    found = problems(write(tmp_path, text))
    assert [(each.line, each.column) for each in found] == places


def test_what_could_not_be_read_has_no_consequences(tmp_path: Path) -> None:
    """No "unknown shared memory" when its definition is what is wrong, no overlap with a default that is not meant."""
    text = BASE.replace("size: 64KiB}\n", "size: §64KB}\n", 1).replace("va: 0x09000000", "va: §nine")
    text, places = marked(text)
    assert [(each.line, each.column) for each in problems(write(tmp_path, text))] == places


def test_str_shows_the_line_and_what_would_be_right(tmp_path: Path) -> None:
    path = write(tmp_path, BASE.replace("0x40000000,", "0x40000800,"))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}:10:21: vms[0].memory[0].base: 0x40000800 is not a multiple of 4KiB\n"
        "    memory: [{base: 0x40000800, size: 64MiB}]\n"
        "                    ^^^^^^^^^^\n"
        "    use 0x40000000 or 0x40001000"
    )


def test_a_long_line_is_cut_around_the_place() -> None:
    source = "vms: [" + "x" * 300 + "bad" + "y" * 300 + "]"
    shown = str(Problem("m.yaml", 1, 307, "f", "wrong", source=source, width=3)).split("\n")
    assert len(shown[1]) <= 120
    assert shown[1][shown[2].index("^") :].startswith("bad")
    assert shown[2].count("^") == 3
