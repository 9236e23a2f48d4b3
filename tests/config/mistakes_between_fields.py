"""Mistakes that show only when fields are compared, each as a change to the valid file."""

from __future__ import annotations

from tests.config.mistakes_of_form import PING_MEMORY, Case

PING_IPC = "{base: 0x70000000, size: 64KiB, shared_memory: mailbox, interrupts: [84]}"
LINUX_DEVICE = "{pa: 0x09000000, size: 4KiB}"

CASES = {
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
        "RAM at 0x43fff000..0x44000fff and RAM at 0x40000000..0x43ffffff",
        "there is room for it at 0x44000000",
    ),
    "device over RAM": Case(
        "va: 0x09000000", "va: §0x40000000", "vms[0].devices[0].va", "the device at 0x40000000..0x40000fff and RAM"
    ),
    "ipc over RAM": Case(
        PING_IPC,
        "{base: §0x43ff0000, shared_memory: mailbox}",
        "vms[0].ipcs[0].base",
        "shared memory 'mailbox' at 0x43ff0000..0x43ffffff and RAM",
        "0x44000000",
    ),
    "RAM over the GIC": Case(
        f"[{PING_MEMORY}]",
        f"[{PING_MEMORY}, {{base: §0x08000000, size: 4KiB}}]",
        "vms[0].memory[1].base",
        "RAM at 0x8000000..0x8000fff and the GIC's distributor",
        "there is room for it at 0x8010000",
    ),
    "the GIC over RAM": Case(
        "cpus: 1",
        "cpus: 1\n    gic: {gicr: §0x40000000}",
        "vms[0].gic.gicr",
        "the GIC's redistributors at 0x40000000..0x4001ffff and RAM",
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
        "RAM of 'ping' at 0x80001000..0x80001fff and RAM of 'ping' at 0x80000000",
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
    "a colour more than all": Case(
        "cpus: 1", "cpus: 1\n    colors: §0x1ff", "vms[0].colors", "the platform has no colour 8", "0 to 7"
    ),
    "too little of a colour": Case(
        "size: 512MiB}]",
        "size: §768MiB}]\n    colors: [0]",
        "vms[1].memory[0].size",
        "768MiB of these colours, and the platform has 512MiB of them",
    ),
    "a placement of a VM that is not there": Case(
        "version: 1",
        "version: 1\nplacement: {§pong: 0}",
        "placement.pong",
        "there is no VM 'pong'",
        "did you mean 'ping'?",
    ),
    "a placement of a VM that is unlike any": Case(
        "version: 1",
        "version: 1\nplacement: {§x: 0}",
        "placement.x",
        "there is no VM 'x'",
        "the VMs are ping and linux",
    ),
    "a placement of too few vCPUs": Case(
        "version: 1",
        "version: 1\nplacement: {linux: §[0]}",
        "placement.linux",
        "the list has 1 for the 2 vCPUs of 'linux'",
        "give a node for each vCPU, or one, without [ ], for the whole VM",
    ),
    "a placement of too many vCPUs": Case(
        "version: 1",
        "version: 1\nplacement: {ping: §[0, host-b]}",
        "placement.ping",
        "the list has 2 for the 1 vCPU",
    ),
}
