"""The emulated CPU of one pcpu: a native core with its VM's memory, devices and interrupt controller in place.

``build`` is the only constructor that the floors above need; what comes back is ``baonet.core.architecture.Core``.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from baonet.core import _node, wings
from baonet.core.architecture import Core, CoreWing, Member, Rounds
from baonet.core.costs import interrupt_kind, relayed_kind
from baonet.core.modelling import model
from baonet.core.shapes import cluster_size, shape
from baonet.machine import PAGE_SIZE, UARTS, ClockMode, Machine, Vm
from baonet.machine import uarts as mapped_uarts
from baonet.machine.clusters import clusters
from baonet.memory.node import NodeMemory
from baonet.memory.segments import Segment
from baonet.memory.sizes import Sizes

__all__ = [
    "RING_SIZE",
    "SIZES",
    "Core",
    "attend",
    "build",
    "call",
    "flip",
    "interrupt_exits",
    "kick",
    "make_ahead",
    "rounds",
    "rung",
    "uarts",
]

RING_SIZE: Final = _node.RING_SIZE
SIZES: Final = Sizes(
    slot=_node.SLOT_SIZE,
    ledger=_node.LEDGER_SIZE,
    lane=_node.LANE_SIZE,
    devices=dict.fromkeys(UARTS, _node.UART_STATE_SIZE),
    cluster=cluster_size,
)
kick = _node.kick
call = _node.call
rung = _node.rung


def uarts(machine: Machine, vm: Vm) -> tuple[int, ...]:
    """The UARTs of the VM's cores, in the order of their numbers: the place of each among the platform's devices."""
    places = [device.pa for device in machine.platform.devices]
    return tuple(places.index(device.pa) for _, device in mapped_uarts(machine.platform, vm))


def _own(core: Core, memory: NodeMemory, segment: Segment) -> None:
    """After a segment was mapped: its pages have owners, if that is kept."""
    if (table := memory.ownership.table(segment)) is not None:
        core.own(table.entries.view, table.number)


def _assigned(machine: Machine, interrupt: int) -> bool:
    return any(interrupt in vm.interrupts for vm in machine.vms)


def _map(core: Core, wing: CoreWing, memory: NodeMemory, machine: Machine, vm: Vm) -> None:
    """Map in one order in all processes: the code map counts pages in the order of mapping."""
    for region, segment in zip(vm.regions, memory.vms[vm.index].regions, strict=True):
        core.map_ram(region.base, segment.size, segment.view, 0)
        _own(core, memory, segment)
    for ipc in vm.ipcs:
        segment = memory.shared[ipc.shmem]
        size = min(-(-ipc.size // 0x1000) * 0x1000, segment.size)
        core.map_ram(ipc.base, size, segment.view, 0, True)
        _own(core, memory, segment)
    for base, device in mapped_uarts(machine.platform, vm):
        # Whoever moves the line tells the VM that has the interrupt, which may be another one that shares the UART.
        mine = device.interrupt in vm.interrupts
        interrupt = device.interrupt if mine or _assigned(machine, device.interrupt) else 0
        console = device is next(each for each in machine.platform.devices if each.kind in UARTS)
        segment = memory.devices[device.pa]
        core.map_uart(device.kind, base, segment.view, 0, interrupt, console)
        _own(core, memory, segment)
    wing.map(core, vm)
    for window in vm.devices:
        if window.va is not None:
            core.map_unassigned(window.va, window.size)


def make_ahead(machine: Machine) -> None:
    """Before this process forks those that build the machine's cores: what they have in common is made once.

    What the host refuses here it may not refuse them, and else they say so.
    """
    with suppress(MemoryError):
        wings.of(machine).make_ahead(machine)


def build(
    machine: Machine,
    vm: Vm,
    pcpus: tuple[int, ...],
    vcpu: int,
    *,
    memory: NodeMemory,
    epoch: int,
    records: bool = False,
) -> Core:
    """The core that runs ``vcpu`` of ``vm``, whose vcpus have the pcpus ``pcpus``.

    ``epoch`` is the monotonic host time, in nanoseconds, at which the machine's counters were 0. ``records``: it is to
    record what happens (``baonet.trace.records``).
    """
    virtual = machine.clock.mode is ClockMode.VIRTUAL
    wing = wings.of(machine)
    ledger, code = memory.ownership.ledger(vm.index), memory.vms[vm.index].code
    translations = memory.vms[vm.index].translations
    core = wing.core(
        machine,
        vm,
        vcpu,
        {
            "frequency": machine.platform.timer_frequency,
            "epoch": epoch,
            "slots": memory.slots.view,
            "index": pcpus[vcpu],
            "siblings": tuple(sibling for sibling in pcpus if sibling != pcpus[vcpu]),
            # In virtual time nobody has translations of what another may write to: each core knows its own.
            "code_map": mmap.mmap(-1, code.size) if virtual and ledger is not None else code.view,
            "ledger": None if ledger is None else ledger.view,
            "translations": None if translations is None else translations.view,
            "hz": machine.clock.cycles.hz if virtual else 0,
            "records": records,
        },
    )
    _map(core, wing, memory, machine, vm)
    for cluster in clusters(machine):
        if pcpus[vcpu] in cluster.pcpus:
            core.join(memory.clusters[cluster.number].view, shape(machine, cluster), cluster.pcpus.index(pcpus[vcpu]))
            model(core, machine, vm, pcpus[vcpu], wing.kinds(vm))
    return core


def interrupt_exits(machine: Machine, vm: Vm) -> tuple[int, int]:
    """The numbers of the exits for what another CPU sends: an interrupt of the guest's, and the hypervisor's own."""
    kinds = wings.of(machine).kinds(vm)
    return kinds.index(interrupt_kind(vm)), kinds.index(relayed_kind(vm))


def flip(memory: NodeMemory, vm: int, pcpu: int, number: int, bits: Sequence[int]) -> None:
    """Flip bits of a shared memory object, counted from its first byte's least significant one, while nobody runs.

    ``vm`` is one that has the object, ``pcpu`` one of the island that is here.
    """
    segment = memory.shared[number]
    ledger, table = memory.ownership.ledger(vm), memory.ownership.table(segment)
    owned: list[tuple[mmap.mmap, mmap.mmap, int, int]] = []
    if ledger is not None and table is not None:
        pages = sorted({bit // 8 // PAGE_SIZE for bit in bits})
        owned = [(ledger.view, table.entries.view, table.number, page) for page in pages]
    for ours, entries, of, page in owned:
        _node.fetch(ours, pcpu, entries, of, page)
    for bit in bits:
        segment.view[bit // 8] ^= 1 << bit % 8
    for each in owned:
        _node.write(*each)


def rounds(
    machine: Machine, cores: tuple[Member, ...], threads: int, memory: NodeMemory, island: frozenset[int]
) -> Rounds:
    """What has the cores of an island's VMs run in virtual time, on up to ``threads`` threads of this process."""
    clock = machine.clock
    window, slice_ = (clock.cycles.ticks(length) for length in (clock.window, clock.slice))
    ledger = memory.ownership.ledger(min(island))
    woven = tuple(
        (memory.clusters[cluster.number].view, shape(machine, cluster), cluster.pcpus.start, cluster.owners)
        for cluster in clusters(machine)
        if cluster.vms[0] in island
    )
    shared = None if ledger is None else ledger.view
    return wings.of(machine).rounds(cores, window, slice_, threads, shared, clusters=woven)


def attend(
    machine: Machine, cores: tuple[Core, ...], memory: NodeMemory, vm: int, failed: Callable[[Exception], None]
) -> None:
    """From now on a thread of this process does what whoever conducts the island of a VM asks of these cores.

    It calls ``failed`` with what the hypervisor has raised in mid-stay: that stay has no end. Raises OSError when the
    host gives no thread.
    """
    ledger = memory.ownership.ledger(vm)
    assert ledger is not None
    wings.of(machine).attend(ledger.view, cores, failed)
