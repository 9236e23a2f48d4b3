"""What is said of every vcpu when a run ends that its guests did not end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from baonet.actors.ending import Ending, VmState
from baonet.actors.outcome import Outcome
from baonet.document.escapes import escaped
from baonet.hyp.condition import Doing
from baonet.hyp.vmm import Plan
from baonet.machine import Vm

if TYPE_CHECKING:
    from baonet.config.symbols import Symbols

WANTED = (Ending.DONE,)
"""Ends that somebody wanted: the guests, or the one who said how long they should run."""
_OVER = (VmState.OFF.value, VmState.DEAD.value)
"""What became of these has been said."""


class SymbolNames:
    """The symbols of the VMs' images, read when somebody wants one."""

    def __init__(self) -> None:
        self._found: dict[int, Symbols] = {}

    def of(self, vm: Vm) -> Callable[[int], str]:
        """Gives the name of an address, with a space before it, or nothing."""

        def symbol(address: int) -> str:
            if vm.index not in self._found:
                from baonet.config.symbols import Symbols  # noqa: PLC0415 - most runs say nothing of a guest's code

                self._found[vm.index] = Symbols(vm)
            name = self._found[vm.index].name(address)
            return f" <{name}>" if name else ""

        return symbol


def conditions(plan: Plan, outcome: Outcome, names: SymbolNames) -> list[str]:
    """The lines; none when the run ended as it was to, or before it began."""
    if outcome.ending in WANTED or not outcome.started:
        return []
    lines = []
    for number, planned in enumerate(plan.vms):
        vm = planned.config
        if outcome.vms[vm.name] in _OVER:
            continue
        for vcpu, pcpu in enumerate(planned.pcpus):
            who = f"VM '{vm.name}' (vm {number}), vcpu {vcpu} on pcpu {pcpu}:"
            condition = outcome.conditions.get(pcpu)
            if condition is None:
                lines.append(f"{who} did not answer")
                continue
            if condition.doing is Doing.PARKED and (number, vcpu) in outcome.parked:
                continue  # it is said how often it was parked
            first, *rest = map(escaped, condition.lines(names.of(vm)))
            lines += [f"{who} {first}", *(f"  {line}" for line in rest)]
    return lines
