"""Mistakes with the files that a machine file names, each as a change to the valid file."""

from __future__ import annotations

from tests.config.mistakes_of_form import Case

CASES = {
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
        "the initrd at 0x60300000..0x6030270f and the image at 0x60200000..0x604fffff",
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
    "device tree at 0": Case(
        "device_tree: auto\n    cpus: 2\n    memory: [",
        "device_tree: {path: auto, base: §0}\n    cpus: 2\n    memory: [{base: 0, size: 4KiB}, ",
        "vms[1].device_tree.base",
        "a guest takes address 0 for no device tree",
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
