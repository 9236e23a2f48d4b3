"""The machine that baonet runs: frozen records, the counterpart of Bao's ``struct config`` and ``struct platform``.

The YAML models are validated and resolved into these, and every floor above works with nothing else. No parsing, no
I/O and no third-party import happens here, so that ``baonet.hyp`` stays pure.

Units: addresses and sizes are bytes; guest addresses (``base``, ``va``) are those that the guest sees, ``pa`` and
``phys`` are physical addresses. Interrupts have the numbers that the architecture gives them. Colours are bitmaps, bit
*c* for colour *c*; 0 means uncoloured. A pcpu id is Bao's linear CPU id.

What only an architecture knows is the ``arch`` of a platform and of a VM, from the package here that has its name.
"""

from __future__ import annotations

from baonet.machine.architecture import ArchPlatform, ArchVm
from baonet.machine.clock import Clock, ClockMode, Latency
from baonet.machine.faults import CrashFault, Disturbance, Fault, FlipFault, MessageFault, MessageKind, StallFault
from baonet.machine.machine import Faithful, Input, Machine, SharedMemory
from baonet.machine.memory_system import ExitFootprint, HypervisorFootprint, MemorySystem
from baonet.machine.misfit import MisfitError
from baonet.machine.node_placement import NodeName, NodePlacement, NodePolicy, VmNodes
from baonet.machine.platform import PAGE_SIZE, UARTS, UNMODELLED, Cache, Costs, Platform, PlatformDevice, RamBank
from baonet.machine.rate import Rate
from baonet.machine.vm import Device, Ipc, LoadSegment, Region, Stamp, Vm, devices, uarts

__all__ = [
    "ArchPlatform",
    "ArchVm",
    "Cache",
    "Clock",
    "ClockMode",
    "Costs",
    "CrashFault",
    "Device",
    "Disturbance",
    "ExitFootprint",
    "Faithful",
    "Fault",
    "FlipFault",
    "HypervisorFootprint",
    "Input",
    "Ipc",
    "Latency",
    "Machine",
    "MemorySystem",
    "MessageFault",
    "MessageKind",
    "MisfitError",
    "NodeName",
    "NodePlacement",
    "NodePolicy",
    "PAGE_SIZE",
    "Platform",
    "PlatformDevice",
    "RamBank",
    "Rate",
    "Region",
    "LoadSegment",
    "SharedMemory",
    "StallFault",
    "Stamp",
    "UARTS",
    "UNMODELLED",
    "Vm",
    "VmNodes",
    "devices",
    "uarts",
]
