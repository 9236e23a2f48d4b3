"""The counters of a run, by pcpu."""

from __future__ import annotations

from baonet.actors.outcome import Outcome
from baonet.hyp.vmm import Plan


def statistics(plan: Plan, outcome: Outcome) -> dict[str, dict[str, object]]:
    """``vm``, ``vcpu`` and the counters of each pcpu that has told them, by its number."""
    pcpus: dict[str, dict[str, object]] = {}
    for number, counters in sorted(outcome.statistics.items()):
        assignment = plan.pcpus[number]
        assert assignment is not None
        vm = plan.vms[assignment.vm].config.name
        pcpus[str(number)] = {"vm": vm, "vcpu": assignment.vcpu, **counters}
    return pcpus
