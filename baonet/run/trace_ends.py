"""What stands at both ends of a run's trace: what was run, and how it ended."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from baonet.actors.crew import chains
from baonet.actors.outcome import Outcome
from baonet.config import wings
from baonet.hyp import wings as hypervisor
from baonet.hyp.vmm import Plan
from baonet.machine import Machine, Vm, devices
from baonet.machine.clusters import clusters
from baonet.trace.head import VERSION


def header(machine: Machine, plan: Plan, states: Mapping[int, bytes]) -> dict[str, object]:
    """``states``: those of pcpus from which they go on, if they do. Raises StateError for what is none.

    Times are in ticks of the machine's clock, which are cycles or, in host time, nanoseconds.
    """
    clock = machine.clock
    try:
        config = hashlib.sha256(Path(machine.path).read_bytes()).hexdigest()
    except OSError:
        config = ""  # it was a pipe, or it is no more
    return {
        "version": VERSION,
        "mode": clock.mode.value,
        "hz": clock.rate.hz,
        "machine": os.fsencode(machine.path).decode("utf-8", "backslashreplace"),
        "config": config,
        "platform": machine.platform.name,
        "architecture": machine.platform.architecture,
        "vms": [_vm(machine, vm.config, vm.pcpus) for vm in plan.vms],
        "mhz": clock.mhz,
        "window": clock.cycles.ticks(clock.window),
        "slice": clock.cycles.ticks(clock.slice),
        "latency": {kind.value: ticks for kind, ticks in clock.latencies().items()},
        "costs": dataclasses.asdict(machine.platform.charged),
        **_memory(machine),
        **({"chains": {pcpu: list(chain) for pcpu, chain in chains(states).items()}} if states else {}),
    }


def _memory(machine: Machine) -> dict[str, object]:
    system = machine.platform.memory_system
    if system is None:
        return {}
    from baonet.config.memory_told import told_memory  # noqa: PLC0415 - few machines have one

    told = told_memory(system, wings.of(machine.platform))
    return {"memory_system": {"preset": told.preset, "changes": dict(told.changes)}}


def _vm(machine: Machine, vm: Vm, pcpus: Iterable[int]) -> dict[str, object]:
    """What a reader needs to give names to addresses: all of them IPAs."""
    regions: list[tuple[int, int, str, str]] = [(region.base, region.size, "ram", "") for region in vm.regions]
    regions += [(ipc.base, ipc.size, "shared_memory", machine.shared_memory[ipc.shmem].name) for ipc in vm.ipcs]
    regions += [(base, device.size, "device", device.name) for base, device in devices(machine.platform, vm)]
    return {
        "name": vm.name,
        "pcpus": list(pcpus),
        hypervisor.of(machine).names.vm_part: wings.of(machine.platform).summary(vm),
        "regions": [dict(zip(("base", "size", "kind", "name"), region, strict=True)) for region in sorted(regions)],
    }


def footer(outcome: Outcome, plan: Plan) -> dict[str, object]:
    deliveries = outcome.deliveries
    return {
        "ending": outcome.ending.name.lower(),
        "time": outcome.time,
        "digest": outcome.digest,
        "digests": {pcpu: digest.hex() for pcpu, digest in sorted(outcome.digests.items())},
        "statistics": dict(sorted(outcome.statistics.items())),
        "deliveries": {"exact": deliveries.exact, "late": deliveries.late, "latest": deliveries.latest},
        **({"caches": dict(_caches(outcome, plan))} if outcome.caches else {}),
    }


def _caches(outcome: Outcome, plan: Plan) -> Iterator[tuple[int, dict[str, object]]]:
    for cluster in clusters(plan.machine):
        if (told := outcome.caches.get(cluster.number)) is not None:
            yield (
                cluster.number,
                {
                    "vms": [plan.vms[vm].config.name for vm in cluster.vms],
                    "counts": [owner.counts for owner in told.owners],
                    "missed": [list(owner.missed) for owner in told.owners],
                    "channel": told.channel,
                    "pages": [[page.address, page.misses] for page in told.pages],
                },
            )
