"""What a pcpu tells of its guest beyond what the guest prints: how it is at the end, and that it is in a storm."""

from __future__ import annotations

from typing import cast

from baonet.core.cpu import Core
from baonet.hyp.armv8.condition import examine, storm
from baonet.hyp.armv8.cpu import Armv8Cpu
from baonet.hyp.pcpu import Pcpu
from baonet.wire import messages as wire


def examined(hypervisor: Pcpu, core: Core, *, waiting: bool, crashed: bool = False) -> wire.Examined:
    """``waiting``: the running guest is in WFI. ``crashed``: an injected fault stopped the CPU."""
    frequency = hypervisor.vcpu.plan.machine.platform.timer_frequency
    cpu = cast(Armv8Cpu, core)
    return wire.Examined(examine(hypervisor, cpu, waiting=waiting, crashed=crashed, frequency=frequency))


def storm_notice(hypervisor: Pcpu, core: Core) -> wire.Notice | None:
    """Once in a guest's life, when it has begun to do little but take exceptions or interrupts."""
    found = core.storm()
    if found is None:
        return None
    taken, instructions, interrupts = found
    text = storm(hypervisor, cast(Armv8Cpu, core), taken, instructions, interrupts=interrupts)
    return wire.Notice(hypervisor.id, "WARNING", text)
