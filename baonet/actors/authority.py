"""For whom an actor may speak to the agent, or a crew to its conductor: its own pcpus and their VMs.

A guest that has come into its process can send whatever it likes. It has the say over what is its own; what it says of
others is not listened to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from baonet.core.cpu import uarts
from baonet.hyp.vmm import Plan
from baonet.machine.clusters import clusters
from baonet.wire import messages as wire
from baonet.wire.messages import Message


@final
class Authority:
    """``carries``: the pcpus of each actor that speaks for some; ``vms``: those that each runs.

    A crew that has a conductor tells its failure only.
    """

    def __init__(self, plan: Plan, carries: Mapping[int, tuple[int, ...]]) -> None:
        self._pcpus = {address: frozenset(pcpus) for address, pcpus in carries.items()}
        self.vms: dict[int, set[int]] = {address: set() for address in self._pcpus}
        self._places: dict[tuple[int, int], int] = {}
        for address, pcpus in self._pcpus.items():
            for pcpu in pcpus:
                assignment = plan.pcpus[pcpu]
                if assignment is not None:
                    self.vms[address].add(assignment.vm)
                    self._places[assignment.vm, assignment.vcpu] = pcpu
        self._clusters = {
            address: {cluster.number for cluster in clusters(plan.machine) if not mine.isdisjoint(cluster.pcpus)}
            for address, mine in self._pcpus.items()
        }
        theirs = {vm for vms in self.vms.values() for vm in vms}
        self._uarts = {vm: uarts(plan.machine, plan.vms[vm].config) for vm in theirs}
        self._failed: set[int] = set()

    def allows(self, source: int, message: Message) -> bool:
        """Whether the actor ``source`` may say that."""
        pcpus, vms = self._pcpus.get(source), self.vms.get(source)
        if isinstance(message, wire.Failure):
            first = source not in self._failed
            self._failed.add(source)
            return first and message.pcpu in (pcpus or {source})
        if pcpus is None or vms is None:
            return False
        match message:
            case wire.Hello(_, pcpu) | wire.Stopped(pcpu):
                return pcpu == source
            case wire.ConsoleOutput(vm, device):
                return vm in vms and device in self._uarts[vm]
            case wire.InputTaken(vm) | wire.VmOff(vm) | wire.VmReset(vm) | wire.Typed(vm):
                return vm in vms
            case wire.Parked(report):
                return self._places.get((report.vm, report.vcpu)) in pcpus
            case wire.Examined(condition):
                return condition.pcpu in pcpus
            case wire.Notice(pcpu) | wire.Statistics(pcpu) | wire.Digest(pcpu) | wire.TraceChunk(pcpu):
                return pcpu in pcpus
            case wire.Registers(pcpu) | wire.PcpuState(pcpu):
                return pcpu in pcpus
            case wire.SharedCache(cluster):
                return cluster in self._clusters[source]
            case wire.Running() | wire.Halted() | wire.Frozen() | wire.Reached() | wire.Delivered():
                return True
        return False
