"""The counters of a run, by pcpu."""

from __future__ import annotations

from typing import Any

from baonet.actors.outcome import Outcome
from baonet.hyp.vmm import Plan
from baonet.machine.clusters import COUNTS


def statistics(plan: Plan, outcome: Outcome) -> dict[str, dict[str, object]]:
    """``vm``, ``vcpu`` and the counters of each pcpu that has told them, by its number; those of memory are apart."""
    pcpus: dict[str, dict[str, object]] = {}
    for number, counters in sorted(outcome.statistics.items()):
        assignment = plan.pcpus[number]
        assert assignment is not None
        vm = plan.vms[assignment.vm].config.name
        own = {name: count for name, count in counters.items() if not name.startswith(COUNTS)}
        pcpus[str(number)] = {"vm": vm, "vcpu": assignment.vcpu, **own}
    return pcpus


def memory_told(plan: Plan, outcome: Outcome) -> dict[str, Any] | None:
    """What memory has taken, as ``--stats`` has it; None where it takes no time."""
    if plan.machine.platform.memory_system is None:
        return None
    from baonet.run.memory_use import run_memory  # noqa: PLC0415 - of most machines memory takes no time

    return run_memory(plan, outcome).told()
