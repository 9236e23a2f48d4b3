"""Assignment of pcpus against a model of Bao's two passes, and the plan made from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.hyp.memory import PlacementError
from baonet.hyp.vmm import Assignment, plan
from baonet.machine import Vm
from baonet.machine.assignment import assign
from tests.hyp.machines import MAILBOX, MIB, machine, mailbox, vm


def bao_assignment(vms: list[Vm], cpus: int) -> dict[int, tuple[int, bool]]:
    """vmm_assign_vcpu, field by field, for pcpus that arrive in id order: pcpu -> (vm, master)."""
    has_master, ncpus = [False] * len(vms), [0] * len(vms)
    result: dict[int, tuple[int, bool]] = {}

    def take(pcpu: int, i: int) -> None:
        result[pcpu] = (i, not has_master[i])
        has_master[i] = True
        ncpus[i] += 1

    for pcpu in range(cpus):
        for i, config in enumerate(vms):
            mask = sum(1 << cpu for cpu in config.cpu_affinity)
            if pcpu in result or not mask & 1 << pcpu:
                continue
            if not has_master[i] or ncpus[i] < config.cpus:
                take(pcpu, i)
    for pcpu in range(cpus):
        for i, config in enumerate(vms):
            if pcpu not in result and ncpus[i] < config.cpus:
                take(pcpu, i)
    return result


@st.composite
def machines(draw: st.DrawFn) -> tuple[list[Vm], int]:
    cpus = draw(st.integers(1, 8))
    vms = draw(st.lists(st.tuples(st.integers(1, 4), st.sets(st.integers(0, cpus - 1))), min_size=1, max_size=4))
    return [vm(i, wanted, cpu_affinity=tuple(sorted(affinity))) for i, (wanted, affinity) in enumerate(vms)], cpus


@given(machines())
def test_assignment_is_that_of_bao_for_pcpus_in_id_order(case: tuple[list[Vm], int]) -> None:
    vms, cpus = case
    taken, idle = assign(vms, cpus)
    ours = {pcpu: (i, pcpu == mine[0]) for i, mine in enumerate(taken) for pcpu in mine}
    assert ours == bao_assignment(vms, cpus)
    assert sorted([*ours, *idle]) == list(range(cpus))


@given(machines())
def test_vcpu_ids_are_ranks_and_every_vm_has_one_master(case: tuple[list[Vm], int]) -> None:
    vms, cpus = case
    if sum(v.cpus for v in vms) > cpus:
        with pytest.raises(PlacementError, match="wait for ever"):
            plan(machine(*vms, cpus=cpus))
        return
    placed = plan(machine(*vms, cpus=cpus))
    for i, v in enumerate(placed.vms):
        assert list(v.pcpus) == sorted(v.pcpus)
        assert len(v.pcpus) == vms[i].cpus
        assert [placed.pcpus[p] for p in v.pcpus] == [
            Assignment(i, vcpu, p == v.master) for vcpu, p in enumerate(v.pcpus)
        ]
    assert placed.pcpus.count(None) == cpus - sum(v.cpus for v in vms)


def test_without_affinity_vms_are_served_in_order() -> None:
    placed = plan(machine(vm(0, 2), vm(1, 1), cpus=4))
    assert [v.pcpus for v in placed.vms] == [(0, 1), (2,)]
    assert placed.pcpus[3] is None


def test_the_master_need_not_run_vcpu_0() -> None:
    placed = plan(machine(vm(0, 2, cpu_affinity=(3,)), cpus=4))
    assert placed.vms[0].pcpus == (0, 3)
    assert placed.vms[0].master == 3
    assert placed.pcpus[3] == Assignment(0, 1, True)


def test_describe_names_pcpus_and_mappings() -> None:
    ipc = mailbox(52)
    placed = plan(machine(vm(0, ipcs=(ipc,)), vm(1, ipcs=(ipc,)), cpus=3, shared_memory=(MAILBOX,)))
    pcpus, mappings = placed.describe()
    assert [(line.vm, line.master) for line in pcpus] == [("vm0", True), ("vm1", True), (None, False)]
    assert [(line.vm, line.kind, line.ipa, line.size) for line in mappings] == [
        ("vm0", "ram", 0x4000_0000, 64 * MIB),
        ("vm0", "device", 0x0900_0000, 0x1000),
        ("vm0", "shared", 0x7000_0000, 0x10000),
        ("vm1", "ram", 0x4000_0000, 64 * MIB),
        ("vm1", "shared", 0x7000_0000, 0x10000),
    ]
    assert mappings[2].pa == mappings[4].pa
