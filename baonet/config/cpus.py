"""Enough CPUs for all VMs, and the ones they prefer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from baonet.config.architecture import MOST_CPUS, MOST_CPUS_OF_BAO
from baonet.config.draft import Draft
from baonet.config.models import VmModel
from baonet.document.errors import Problem
from baonet.document.quantities import listing
from baonet.machine import Faithful


def problems(draft: Draft) -> Iterator[Problem]:
    if draft.platform is None:
        return
    there = draft.platform.cpus
    shortage = list(_shortage(draft, there))
    missing = [problem for vm in draft.vms for problem in _missing(vm, there)]
    yield from shortage
    yield from missing
    yield from _unlike_bao(draft, there)
    if not shortage and not missing and draft.intact(draft.root, "vms"):
        yield from _unmet(draft, there)


def _shortage(draft: Draft, there: int) -> Iterator[Problem]:
    assert draft.platform is not None
    taken = 0
    for vm in draft.vms:
        taken += vm.cpus
        if taken > there >= taken - vm.cpus:
            left = there - (taken - vm.cpus)
            total = sum(each.cpus for each in draft.vms)
            message = f"{vm.cpus} vCPUs, and the platform has {left} of its {there} CPUs left"
            name = draft.root.at("platform", "extends").value
            hint = f"all VMs together want {total}: use fewer"
            if isinstance(name, str) and total <= draft.architecture.most_cpus(draft.platform):
                hint += f", or 'platform: {{extends: {name}, cpus: {total}}}'"
            yield vm.node.at("cpus").problem(message, hint)


def _missing(vm: VmModel, there: int) -> Iterator[Problem]:
    given = vm.node.child("cpu_affinity")
    if given is not None and not isinstance(given.value, list):
        missing = [pcpu for pcpu in vm.cpu_affinity if pcpu >= there]
        if missing and len(missing) + there > len(vm.cpu_affinity):
            message = f"the platform has no CPU {_runs(missing)}"
            yield given.problem(message, f"its CPUs are 0 to {there - 1}")
        return  # all the bits there are, and more, is how Bao's configurations write "any"
    for i, pcpu in enumerate(vm.cpu_affinity):
        node = vm.node.at("cpu_affinity", i)
        if pcpu >= there:
            yield node.problem(f"the platform has no CPU {pcpu}", f"its CPUs are 0 to {there - 1}")
        elif pcpu in vm.cpu_affinity[:i]:
            yield node.problem(f"CPU {pcpu} is given twice", "name each CPU once")


def _runs(ids: Sequence[int]) -> str:
    """``4 to 15``, ``4 and 7 to 9``: numbers in rising order."""
    runs: list[list[int]] = []
    for each in ids:
        if runs and runs[-1][-1] == each - 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    return listing(f"{run[0]} to {run[-1]}" if len(run) > 1 else run[0] for run in runs)


def _unlike_bao(draft: Draft, there: int) -> Iterator[Problem]:
    """More CPUs than Bao's sets of them hold, and more vCPUs than its numbers of them bear."""
    if draft.root.at("faithful").value == Faithful.STRICT.value:
        if there > MOST_CPUS_OF_BAO:
            message = f"{there} CPUs under 'faithful: strict': Bao's sets of CPUs have {MOST_CPUS_OF_BAO} bits"
            hint = f"at most {MOST_CPUS_OF_BAO}, or 'faithful: practical', which takes up to {MOST_CPUS}"
            yield draft.root.at("platform", "cpus").problem(message, hint)
        for vm in draft.vms:
            yield from draft.architecture.unlike_bao(vm.node.at("cpus"), vm.cpus)


def _preferred(draft: Draft, there: int) -> tuple[dict[int, VmModel], dict[str, int]]:
    """The VMs of the CPUs that Bao's first pass (``vmm.c``) assigns, and how many each has got by then.

    In the order of their ids each CPU goes to the first VM that prefers it and still wants one. What a VM wants beyond
    its list comes from any CPU in the second pass.
    """
    owner: dict[int, VmModel] = {}
    count = {vm.name: 0 for vm in draft.vms}
    for pcpu in range(there):
        for vm in draft.vms:
            if pcpu in vm.cpu_affinity and count[vm.name] < vm.cpus:
                owner[pcpu] = vm
                count[vm.name] += 1
                break
    return owner, count


def idle(draft: Draft, there: int) -> list[int]:
    """The CPUs that no VM gets: the second pass takes the lowest that are left."""
    owner, count = _preferred(draft, there)
    free = [pcpu for pcpu in range(there) if pcpu not in owner]
    return free[sum(vm.cpus - count[vm.name] for vm in draft.vms) :]


def _unmet(draft: Draft, there: int) -> Iterator[Problem]:
    """VMs that do not get the CPUs they prefer."""
    owner, count = _preferred(draft, there)
    for vm in draft.vms:
        lost = [pcpu for pcpu in vm.cpu_affinity if owner.get(pcpu, vm) is not vm]
        if count[vm.name] < min(vm.cpus, len(vm.cpu_affinity)) and lost:
            takers = listing(dict.fromkeys(f"'{owner[pcpu].name}'" for pcpu in lost))
            ids = listing(lost)
            message = (
                f"the VM cannot have CPU {ids}: {takers} prefers {'it' if len(lost) == 1 else 'them'} and comes first"
            )
            free = [pcpu for pcpu in range(there) if pcpu not in owner]
            hint = f"CPUs that no VM prefers: {listing(free)}; or take {ids} out of the affinity of {takers}"
            yield vm.node.at("cpu_affinity").problem(message, hint)
