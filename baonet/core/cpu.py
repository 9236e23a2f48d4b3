"""The emulated CPU of one pcpu: a native core with its VM's memory, devices and interrupt controller in place.

``build`` is the only constructor that the floors above need. What comes back implements ``baonet.hyp.cpu.Cpu`` and:

``run(budget)``
    Enter the guest for at most ``budget`` instructions; returns why it left (``baonet.hyp.cpu.Exit``).
``run_until(cycle, polite)``
    The same in virtual time: until ``time`` is ``cycle``, or, if ``polite``, the guest yields (then ``yielded``).
``time``, ``skip_to(cycle)``, ``alarm()``
    Cycles since the start; let time pass; when the next timer interrupt is due, -1 when none is armed.
``note(kind, a, b, c)``, ``has_records``, ``take_records(all)``
    Put a record into the trace; whether full chunks wait; ``(records, host begin, host end)`` of each.
``deadline()``
    Nanoseconds until the next timer interrupt, -1 when none is armed.
``answer_doorbell()``
    Call it before taking messages: those that come later end the next stay with ``Exit.KICKED``.
``wakes()``
    Whether a virtual interrupt waits that ends a WFI (whatever PSTATE masks).
``take_output()``
    ``(uart, position, bytes)`` of what the guest has sent since the last call.
``put_input(uart, data)``
    Returns how many bytes the UART took.
``put_break(uart)``
    The same with a break; whether the UART took it.
``take_event()``
    The next ``Exit`` that ``run`` would tell of and that asks for no answer, such as what ``put_input`` did to the line
    of the UART, for the hypervisor to hear while its guest does not run; -1 when there is none.
``emulate(windows, read, write, outbox)``
    Where a plain load or store calls ``read(ipa, size)`` or ``write(ipa, size, value)``; None or False ends the stay
    with ``Exit.DATA_ABORT``, and anything that the call leaves in ``outbox`` ends it with ``Exit.KICKED``.
``translate(va, fetch)``
    The IPA of a virtual address at the current exception level, None where the guest's tables have none.
``state()``, ``statistics()``
    Registers for a report; counters since creation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baonet.core.engine import native
from baonet.hyp.armv8.cpu import Exit
from baonet.hyp.armv8.psci import vmpidr
from baonet.machine import ClockMode, Machine, Vm
from baonet.machine import uarts as mapped_uarts
from baonet.machine.armv8 import Armv8Platform, Armv8Vm
from baonet.memory.node import NodeMemory

Core = native.Core
SLOT_SIZE = native.SLOT_SIZE
DEVICE_STATES: Final[Mapping[str, int]] = {"pl011": native.PL011_STATE_SIZE}
"""Bytes that a device's state takes in memory that a node shares, by the device's kind."""
kick = native.kick

_MODELS = {"cortex-a57": 0, "cortex-a53": 1, "cortex-a72": 2, "max": 3}  # UC_CPU_ARM64_*


def uarts(machine: Machine, vm: Vm) -> tuple[int, ...]:
    """The UARTs of the VM's cores, in the order of their numbers: the place of each among the platform's devices."""
    return tuple(machine.platform.devices.index(device) for _, device in mapped_uarts(machine.platform, vm))


def _map(core: Core, memory: NodeMemory, machine: Machine, vm: Vm) -> None:
    """Map in one order in all processes: the code map counts pages in the order of mapping."""
    for region, segment in zip(vm.regions, memory.vms[vm.index].regions, strict=True):
        core.map_ram(region.base, segment.size, segment.view, 0)
    for ipc in vm.ipcs:
        segment = memory.shared[ipc.shmem]
        core.map_ram(ipc.base, min(-(-ipc.size // 0x1000) * 0x1000, segment.size), segment.view, 0, True)
    assigned = {intid for other in machine.vms for intid in other.interrupts}
    for base, device in mapped_uarts(machine.platform, vm):
        # Whoever moves the line tells the VM that has the interrupt, which may be another one that shares the UART.
        interrupt = device.interrupt if device.interrupt in assigned else 0
        console = device is next(each for each in machine.platform.devices if each.kind == device.kind)
        core.map_pl011(base, memory.devices[device.pa].view, 0, interrupt, console)
    gic = Armv8Vm.of(vm).gic
    if gic.version == 2:
        assert gic.gicc is not None
        core.map_gicv(gic.gicc)
    for window in vm.devices:
        if window.va is not None:
            core.map_unassigned(window.va, window.size)


def interrupt_cost(machine: Machine, vm: Vm) -> int:
    """What an interrupt takes on its way through the hypervisor, in cycles, rounded up."""
    costs = machine.platform.costs
    return machine.clock.cycles.ticks(costs.direct if vm.direct_interrupts else costs.interrupt)


def _costs(machine: Machine, vm: Vm) -> tuple[int, ...]:
    """In cycles, rounded up: of the exits by their numbers, of an emulated access."""
    costs = machine.platform.costs
    asked = (Exit.HVC, Exit.SMC, Exit.DATA_ABORT, Exit.SYSTEM_REGISTER, Exit.FAULT)
    interrupts = (Exit.INTERRUPT, Exit.MAINTENANCE, Exit.DEACTIVATED, Exit.LINE)
    hypercall, access = (machine.clock.cycles.ticks(cost) for cost in (costs.hypercall, costs.access))
    interrupt = interrupt_cost(machine, vm)
    exits = (hypercall if e in asked else interrupt if e in interrupts else 0 for e in Exit)
    return (*exits, access)


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
    platform, arch = machine.platform, Armv8Platform.of(machine.platform)
    virtual = machine.clock.mode is ClockMode.VIRTUAL
    core = Core(
        model=_MODELS[arch.cpu_model],
        midr=arch.midr,
        mpidr=vmpidr(vcpu, vm.cpus),
        frequency=platform.timer_frequency,
        epoch=epoch,
        gic_version=Armv8Vm.of(vm).gic.version,
        list_registers=arch.gic.list_registers,
        timers=tuple(intid for intid in (27, 30) if intid in vm.interrupts),
        slots=memory.slots.view,
        index=pcpus[vcpu],
        siblings=tuple(sibling for sibling in pcpus if sibling != pcpus[vcpu]),
        code_map=memory.vms[vm.index].code.view,
        hz=machine.clock.cycles.hz if virtual else 0,
        costs=_costs(machine, vm),
        records=records,
        cluster=platform.cpus,
    )
    _map(core, memory, machine, vm)
    return core
