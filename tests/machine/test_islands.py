"""Islands, against what they are: sets of VMs that each other member reaches step by step."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from baonet.machine import Device, Ipc, Machine, Vm
from baonet.machine.assignment import assign
from baonet.machine.islands import islands, touching
from tests.hyp import machines

THINGS = st.sets(st.integers(0, 5), max_size=2)


@st.composite
def any_machine(draw: st.DrawFn) -> Machine:
    vms = []
    for number in range(draw(st.integers(1, 9))):
        ipcs = tuple(machines.mailbox(shmem=each) for each in sorted(draw(THINGS)))
        devices = tuple(Device(0x1000 * each, 0x1000 * each, 0x1000) for each in sorted(draw(THINGS)))
        silent = (Device(0x5000, None, 0x1000),) * draw(st.booleans())
        vms.append(machines.vm(number, ipcs=ipcs, devices=(*devices, *silent)))
    return machines.machine(*vms)


def shares(machine: Machine, one: int, other: int) -> bool:
    def of(vm: int) -> tuple[set[int], set[int]]:
        config = machine.vms[vm]
        return {each.shmem for each in config.ipcs}, {each.pa for each in config.devices if each.va is not None}

    return one == other or any(mine & its for mine, its in zip(of(one), of(other), strict=True))


@given(any_machine())
def test_vms_touch_that_share_something(machine: Machine) -> None:
    numbers = range(len(machine.vms))
    assert touching(machine) == [{other for other in numbers if shares(machine, vm, other)} for vm in numbers]


@given(any_machine())
def test_an_island_is_closed_and_connected_and_they_come_by_their_first(machine: Machine) -> None:
    found = islands(machine)
    assert sorted(vm for island in found for vm in island) == list(range(len(machine.vms)))
    assert [island[0] for island in found] == sorted(min(island) for island in found)
    near = touching(machine)
    for island in found:
        assert island == tuple(sorted(island))
        come = {island[0]}
        while more := set().union(*(near[vm] for vm in come)) - come:
            come |= more
        assert come == set(island)


@st.composite
def clustered_machine(draw: st.DrawFn) -> Machine:
    """VMs on some CPUs of clusters of all sizes."""
    sizes = tuple(draw(st.lists(st.integers(1, 5), max_size=4)))
    cpus = sum(sizes) or draw(st.integers(1, 9))
    vms: list[Vm] = []
    left = cpus
    while left and len(vms) < 5:
        wanted = draw(st.integers(1, left))
        affinity = tuple(sorted(draw(st.sets(st.integers(0, cpus - 1), max_size=3))))
        ipcs = tuple(machines.mailbox(shmem=each) for each in sorted(draw(THINGS)))
        vms.append(machines.vm(len(vms), cpus=wanted, cpu_affinity=affinity, ipcs=ipcs, devices=()))
        left -= wanted
    return machines.machine(*vms, cpus=cpus, clusters=sizes)


@given(clustered_machine())
def test_the_clusters_are_all_cpus_in_their_order(machine: Machine) -> None:
    platform = machine.platform
    assert [cpu for cluster in platform.clustered for cpu in cluster] == list(range(platform.cpus))
    assert platform.clusters in ((), tuple(map(len, platform.clustered)))
    assert platform.clusters or all(len(cluster) == 4 for cluster in platform.clustered[:-1])


@given(clustered_machine())
def test_with_a_memory_system_vms_of_one_cluster_are_of_one_island(machine: Machine) -> None:
    """And those that something else joins; without one a cluster joins nobody."""
    modelled = replace(machine, platform=replace(machine.platform, memory_system=machines.MEMORY_SYSTEM))
    vms = range(len(machine.vms))
    taken, _ = assign(machine.vms, machine.platform.cpus)
    on = {cpu: number for number, cluster in enumerate(machine.platform.clustered) for cpu in cluster}
    clusters = [{on[cpu] for cpu in taken[vm]} for vm in vms]
    pairs = [(one, other) for one in vms for other in vms]
    near = {(one, other) for one, other in pairs if shares(machine, one, other) or clusters[one] & clusters[other]}
    found = islands(modelled)
    assert sorted(vm for island in found for vm in island) == list(vms)
    assert [island[0] for island in found] == sorted(min(island) for island in found)
    home = {vm: island for island in found for vm in island}
    assert all(home[one] == home[other] for one, other in near)
    for island in found:
        come = {island[0]}
        while more := {other for one, other in near if one in come} - come:
            come |= more
        assert come == set(island)
    assert touching(modelled) == touching(machine), "a cache is nothing that they have something to say about"


def test_a_thousand_vms_that_pass_things_on_are_one_island() -> None:
    def mailbox(number: int) -> Ipc:
        return machines.mailbox(shmem=number)

    vms = [machines.vm(number, ipcs=(mailbox(number), mailbox(number + 1)), devices=()) for number in range(1000)]
    assert islands(machines.machine(*vms)) == [tuple(range(1000))]
