"""Who runs where: what holds for any machine on any nodes, and what users see of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from baonet.cluster.places import NodePlace, NodePlacementError, host, places
from baonet.hyp.vmm import Plan, plan
from baonet.machine import Machine, NodeName, NodePlacement, NodePolicy, SharedMemory, VmNodes
from baonet.machine.islands import islands
from tests.hyp.machines import MIB, machine, mailbox, platform, vm

PAGE = 0x1000
SPREAD = NodePlacement(NodePolicy.SPREAD)


def several(*cpus: int, together: tuple[tuple[int, ...], ...] = (), idle: int = 0) -> Plan:
    """VMs of so many vCPUs; those of a tuple share memory."""
    shared = [SharedMemory(f"shared{n}", PAGE) for n in range(len(together))]
    vms = [
        vm(
            index,
            count,
            regions=(replace(vm(0).regions[0], size=MIB),),
            devices=(),
            interrupts=(27,),
            ipcs=tuple(
                replace(mailbox(shmem=n), size=PAGE, base=0x7000_0000 + n * PAGE)
                for n, its in enumerate(together)
                if index in its
            ),
        )
        for index, count in enumerate(cpus)
    ]
    made: Machine = machine(*vms, platform=platform(sum(cpus) + idle), shared_memory=shared)
    return plan(made)


def alike(count: int, cores: int) -> list[NodePlace]:
    return [NodePlace(f"host-{n}", cores) for n in range(count)]


def by_vm(of: Plan, found: tuple[int, ...]) -> list[list[int]]:
    return [[found[pcpu] for pcpu in each.pcpus] for each in of.vms]


def loads(found: tuple[int, ...], nodes: list[NodePlace]) -> list[int]:
    return [found.count(node) for node in range(len(nodes))]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    cpus = draw(st.lists(st.integers(1, 6), min_size=1, max_size=7))
    vms = st.integers(0, len(cpus) - 1)
    together = draw(st.lists(st.frozensets(vms, min_size=1, max_size=3).map(sorted).map(tuple), max_size=3))
    return several(*cpus, together=tuple(together), idle=draw(st.integers(0, 3)))


CLUSTERS = st.lists(st.integers(1, 9), min_size=1, max_size=5).map(
    lambda cores: [NodePlace(f"host-{n}", each) for n, each in enumerate(cores)]
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Plan, NodePlacement, list[NodePlace]]:
    """A plan, nodes, and a placement for them that names any of its VMs."""
    of, nodes = draw(plans()), draw(CLUSTERS)
    number = st.integers(0, len(nodes) - 1)
    name: st.SearchStrategy[NodeName] = number | number.map(lambda n: nodes[n].name)
    given = []
    for each in of.vms:
        count = draw(st.sampled_from([0, 1, len(each.pcpus)]))
        if count:
            given.append(VmNodes(each.config.name, tuple(draw(name) for _ in range(count))))
    return of, NodePlacement(draw(st.sampled_from(NodePolicy)), tuple(given)), nodes


@given(worlds())
def test_every_pcpu_of_a_vm_has_one_node_and_a_named_vm_its_own(
    world: tuple[Plan, NodePlacement, list[NodePlace]],
) -> None:
    of, placement, nodes = world
    found = places(of, placement, nodes)
    assert [node == -1 for node in found] == [assignment is None for assignment in of.pcpus]
    assert all(node < len(nodes) for node in found)
    names = [node.name for node in nodes]
    for each in placement.given:
        (its,) = [vm for vm in of.vms if vm.config.name == each.vm]
        wished = [node if isinstance(node, int) else names.index(node) for node in each.nodes]
        assert [found[pcpu] for pcpu in its.pcpus] == (wished * len(its.pcpus) if len(wished) == 1 else wished)


@given(worlds())
def test_the_order_in_which_it_was_wished_says_nothing(world: tuple[Plan, NodePlacement, list[NodePlace]]) -> None:
    of, placement, nodes = world
    turned = replace(placement, given=placement.given[::-1])
    assert places(of, placement, nodes) == places(of, turned, nodes)


@given(plans(), CLUSTERS)
def test_packed_with_room_for_all_splits_only_what_fits_nowhere(of: Plan, nodes: list[NodePlace]) -> None:
    total = sum(len(each.pcpus) for each in of.vms)
    assume(total <= sum(node.cores for node in nodes))
    found = places(of, NodePlacement(), nodes)
    its = by_vm(of, found)
    free = [node.cores - load for node, load in zip(nodes, loads(found, nodes), strict=True)]
    assert min(free) >= 0
    for island in islands(of.machine):
        # Nobody gives a core back: what a node has left, and what it has of this, it had when this found a place.
        for group in (island, *((each,) for each in island)):
            at = [node for each in group for node in its[each]]
            if len(set(at)) > 1:
                assert all(free[node] + at.count(node) < len(at) for node in range(len(nodes)))


@given(plans(), st.integers(1, 5), st.integers(1, 4))
def test_packed_without_room_for_all_is_in_balance(of: Plan, count: int, cores: int) -> None:
    total = sum(len(each.pcpus) for each in of.vms)
    assume(total > count * cores)
    found = places(of, NodePlacement(), alike(count, cores))
    its = by_vm(of, found)
    share = -(-total // count)
    together = [[node for each in island for node in its[each]] for island in islands(of.machine)]
    for at in (*together, *its):
        assert len(set(at)) == 1 or len(at) > share, "what is no more than a node's share is on one"
    whole = [at for at in together if len(set(at)) == 1] + [at for at in its if len(set(at)) == 1]
    most = max((len(at) for at in whole if len(at) <= share), default=1)
    # The last that a node got was put where fewest were.
    assert max(loads(found, alike(count, cores))) <= total / count + most


@given(plans(), CLUSTERS)
def test_spread_gives_each_node_as_many_as_another(of: Plan, nodes: list[NodePlace]) -> None:
    found = places(of, SPREAD, nodes)
    parts = [[at.count(node) for node in range(len(nodes))] for at in by_vm(of, found)]
    assert all(max(part) - min(part) <= 1 for part in (*parts, loads(found, nodes)))


@pytest.mark.parametrize(
    ("of", "nodes", "expected"),
    [
        (several(4), alike(4, 8), [[0, 0, 0, 0]]),
        (several(2, 2), alike(2, 2), [[0, 0], [1, 1]]),
        (several(1, 3), alike(2, 3), [[1], [0, 0, 0]]),
        (several(1, 2, 2, together=((1, 2),)), alike(2, 4), [[1], [0, 0], [0, 0]]),
        (several(2, 2, 2, together=((0, 1, 2),)), alike(2, 4), [[0, 0], [0, 0], [1, 1]]),
        (several(2, 3, together=((0, 1),)), alike(2, 4), [[1, 1], [0, 0, 0]]),
        (several(6), [NodePlace("a", 2), NodePlace("b", 4)], [[0, 0, 1, 1, 1, 1]]),
        (several(8), alike(2, 2), [[0, 0, 0, 0, 1, 1, 1, 1]]),
        (several(6), [NodePlace("a", 1), NodePlace("b", 2)], [[0, 0, 1, 1, 1, 1]]),
        (several(4, 4, 4), alike(2, 2), [[0] * 4, [1] * 4, [0] * 4]),
    ],
    ids=[
        "all on the first that has room",
        "one each",
        "the largest first",
        "an island before others",
        "an island by whole VMs",
        "the larger VM of an island where most is free",
        "a VM that is larger than any node",
        "a crowd, one VM in halves",
        "a crowd, in proportion to cores",
        "a crowd, whole VMs out of balance",
    ],
)
def test_packed(of: Plan, nodes: list[NodePlace], expected: list[list[int]]) -> None:
    assert by_vm(of, places(of, NodePlacement(), nodes)) == expected


def test_what_belongs_to_a_vm_that_is_placed_comes_beside_it() -> None:
    of = several(2, 2, 1, together=((0, 1),))
    wish = NodePlacement(given=(VmNodes("vm0", (1,)),))
    assert by_vm(of, places(of, wish, alike(2, 4))) == [[1, 1], [1, 1], [0]]
    assert by_vm(of, places(of, wish, alike(2, 2))) == [[1, 1], [0, 0], [0]]


def test_a_node_is_known_by_its_host_where_that_is_one() -> None:
    of = several(1, 1, 1)
    nodes = [NodePlace("a:7000", 8), NodePlace("user@b", 8), NodePlace("[::1]:7000", 8), NodePlace("a:7001", 8)]
    wish = NodePlacement(
        given=(VmNodes("vm0", ("b",)), VmNodes("vm1", ("[::1]",)), VmNodes("vm2", ("a:7001",))),
    )
    assert places(of, wish, nodes) == (1, 2, 3)
    assert [host(name) for name in ("a", "[::1]", "u@h:1")] == ["a", "[::1]", "h"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (VmNodes("linux", (0,)), "there is no VM 'linux' to be placed: this machine has vm0, vm1"),
        (VmNodes("vm0", (0, 1)), "VM 'vm0' has 4 vCPUs and is given 2 nodes: give one for each vCPU, or one for"),
        (VmNodes("vm0", (0, 1, 2, 3)), "VM 'vm0' is placed on node 3, which is not there: give a number from 0 to 2"),
        (VmNodes("vm1", ("c",)), "VM 'vm1' is placed on 'c', and no node has that name: the nodes are a:1, a:2, b:1"),
        (VmNodes("vm1", ("a",)), "VM 'vm1' is placed on 'a', which is several nodes: give one of a:1, a:2"),
    ],
)
def test_what_is_not_there_is_named(given: VmNodes, said: str) -> None:
    nodes = [NodePlace(name, 4) for name in ("a:1", "a:2", "b:1")]
    with pytest.raises(NodePlacementError, match=r"^[^\n]+$") as raised:
        places(several(4, 1), NodePlacement(given=(given,)), nodes)
    assert said in str(raised.value)


def test_names_that_are_not_known_yet() -> None:
    wish = NodePlacement(given=(VmNodes("vm0", ("b",)),))
    with pytest.raises(NodePlacementError, match="no node has that name: give a number from 0 to 1"):
        places(several(1), wish, [NodePlace("", 1), NodePlace("", 1)])
    with pytest.raises(NodePlacementError, match="the only one is node 0"):
        places(several(1), NodePlacement(given=(VmNodes("vm0", (1,)),)), alike(1, 1))


def test_a_thousand_vms_have_their_places_at_once() -> None:
    of = several(*[1] * 1000)
    assert loads(places(of, NodePlacement(), alike(4, 2)), alike(4, 2)) == [250] * 4
    assert loads(places(of, NodePlacement(), alike(4, 256)), alike(4, 256)) == [256, 256, 256, 232]
