"""Small machines for the tests of ``baonet.hyp``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from baonet.config.armv8.memory_presets import PRESETS
from baonet.machine import (
    Cache,
    Clock,
    Device,
    Faithful,
    Ipc,
    Machine,
    Platform,
    PlatformDevice,
    RamBank,
    Region,
    SharedMemory,
    Vm,
)
from baonet.machine.armv8 import Armv8Platform, Armv8Vm, Gic

MIB = 1 << 20
GIB = 1 << 30

A53_CACHE = Cache(llc_size=MIB, llc_ways=16, l1_size=32 << 10, l1_ways=4)  # 8 colours of 2 pages

MEMORY_SYSTEM = PRESETS["cortex-a53"].system

GIC_V3 = Gic(version=3, gicd=0x0800_0000, gicr=0x080A_0000)
GIC_V2 = Gic(version=2, gicd=0x0800_0000, gicc=0x0801_0000)


def armv8(gic: Gic = GIC_V3, state_type_bit: int = 16) -> Armv8Platform:
    return Armv8Platform(gic, cpu_model="cortex-a53", midr=0x410F_D034, state_type_bit=state_type_bit)


def platform(cpus: int = 4, **changes: Any) -> Platform:
    base = Platform(
        name="test",
        cpus=cpus,
        ram=(RamBank(0x4000_0000, 4 * GIB),),
        arch=armv8(),
        devices=(PlatformDevice("uart", "pl011", 0x0900_0000, 0x1000, 33),),
        timer_frequency=62_500_000,
    )
    return replace(base, **changes)


def vm(index: int, cpus: int = 1, **changes: Any) -> Vm:
    base = Vm(
        index=index,
        name=f"vm{index}",
        entry=0x4000_0000 + 0x1000 * index,
        context=0,
        cpus=cpus,
        cpu_affinity=(),
        colors=0,
        regions=(Region(0x4000_0000, 64 * MIB),),
        devices=(Device(0x0900_0000, 0x0900_0000, 0x1000, (33,)),) if index == 0 else (),
        ipcs=(),
        arch=Armv8Vm(GIC_V3),
        segments=(),
        interrupts=(27, 33) if index == 0 else (27,),
    )
    return replace(base, **changes)


def machine(*vms: Vm, cpus: int | None = None, faithful: Faithful = Faithful.PRACTICAL, **changes: Any) -> Machine:
    """VMs must come in index order. ``cpus`` is by default as many as they want."""
    shared = changes.pop("shared_memory", ())
    return Machine(
        path="test.yaml",
        platform=changes.pop("platform", None) or platform(cpus or sum(v.cpus for v in vms), **changes),
        clock=Clock(),
        faithful=faithful,
        shared_memory=tuple(shared),
        vms=vms,
    )


def mailbox(*events: int, base: int = 0x7000_0000, shmem: int = 0) -> Ipc:
    return Ipc(base, 0x10000, shmem, events)


MAILBOX = SharedMemory("mailbox", 0x10000)
