"""A pcpu's hypervisor, on its core."""

from __future__ import annotations

from baonet.core.cpu import Core
from baonet.hyp import wings
from baonet.hyp.pcpu import Pcpu
from baonet.hyp.vmm import Plan


def hypervisor_on(core: Core, plan: Plan, pcpu: int) -> Pcpu:
    """Of the machine's architecture; the core asks it for what it emulates, and leaves its guest for its effects."""
    made = Pcpu(plan, pcpu, core, wings.of(plan.machine))
    core.emulate(made.windows, made.read_emulated, made.write_emulated, made.effects)
    return made
