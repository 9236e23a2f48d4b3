"""``placement``: where each VM runs when several nodes run the machine. Which nodes there are no file says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.kinds import Reader, Schema, nearest
from baonet.document.quantities import listing, show
from baonet.machine import NodeName, NodePlacement, NodePolicy, VmNodes
from baonet.machine.dataclass import dataclass
from baonet.machine.node_placement import MOST_NODES, NODE_NAME, PACKED, node_name

NODE_HINT = f"a node is its number, from 0 to {MOST_NODES - 1}, or its name as --on gives it: HOST or HOST:PORT"
_POLICIES = [policy.value for policy in NodePolicy]
_FORMS = listing([*_POLICIES, "a map of VMs to nodes, {linux: 0, rtos: 1}"], "or")


@final
@dataclass(frozen=True, slots=True)
class VmNodesModel:
    """An entry of the map. ``each``: it is a list, with a node for each vCPU, and nothing is wrong with its items."""

    node: YamlNode
    vm: str
    nodes: tuple[NodeName, ...]
    each: bool


@final
@dataclass(frozen=True, slots=True)
class NodePlacementModel:
    policy: NodePolicy
    vms: tuple[VmNodesModel, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class PlacementOnNodes:
    """The word for a policy, or a map by VM name."""

    text: str = "`pack`, `spread` or a map of VMs, see [Several nodes](#several-nodes)"

    def read(self, node: YamlNode, reader: Reader) -> NodePlacementModel:
        value = node.value
        if isinstance(value, dict):
            return NodePlacementModel(NodePolicy.PACK, self._map(node, value, reader))
        if value in _POLICIES:
            return NodePlacementModel(NodePolicy(value))
        near = nearest(value, _POLICIES) if isinstance(value, str) else None
        hint = f"did you mean {near!r}?" if near else f"it can be {_FORMS}"
        raise reader.fail(node, f"{show(value)} is no placement", hint)

    def _map(self, node: YamlNode, value: dict[str, YamlNode], reader: Reader) -> tuple[VmNodesModel, ...]:
        if not value:
            raise reader.fail(node, "the map places no VM", f"write {_FORMS}")
        found = []
        for vm, given in value.items():
            each = given.value if isinstance(given.value, list) else [given]
            if not each:
                reader.fail(given, "the list is empty", "give a node for each vCPU, or one for the whole VM")
            nodes = [name for one in each if (name := self._node(one, reader)) is not None]
            whole = bool(nodes) and len(nodes) == len(each)
            found.append(VmNodesModel(given, vm, tuple(nodes), whole and isinstance(given.value, list)))
        return tuple(found)

    def _node(self, node: YamlNode, reader: Reader) -> NodeName | None:
        value = node.value
        text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        found = node_name(text)
        if found is None:
            reader.fail(node, f"{show(value)} is no node", NODE_HINT)
        return found

    def schema(self, models: dict[str, Schema]) -> Schema:
        node = {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": MOST_NODES - 1},
                {"type": "string", "pattern": f"^{NODE_NAME}$"},
            ]
        }
        nodes = {"anyOf": [*node["anyOf"], {"type": "array", "items": node, "minItems": 1}]}
        return {
            "anyOf": [
                {"enum": _POLICIES},
                {"type": "object", "properties": {}, "additionalProperties": nodes, "minProperties": 1},
            ]
        }


PLACEMENT = PlacementOnNodes()


def problems(model: NodePlacementModel | None, vms: Sequence[tuple[str, int]]) -> Iterator[Problem]:
    """VMs that are not among these, by name and number of vCPUs, and lists of another length."""
    cpus = dict(vms)
    for each in () if model is None else model.vms:
        if each.vm not in cpus:
            near = nearest(each.vm, list(cpus))
            hint = f"did you mean {near!r}?" if near else f"the VMs are {listing(cpus)}"
            yield each.node.key_problem(f"there is no VM {each.vm!r}", hint)
        elif each.each and len(each.nodes) != cpus[each.vm]:
            vcpus = f"{cpus[each.vm]} vCPU{'s' if cpus[each.vm] > 1 else ''}"
            message = f"the list has {len(each.nodes)} for the {vcpus} of {each.vm!r}"
            yield each.node.problem(message, "give a node for each vCPU, or one, without [ ], for the whole VM")


def resolve(model: NodePlacementModel | None, vms: Sequence[str]) -> NodePlacement:
    """The record of a model without problems, in the order of the VMs."""
    if model is None:
        return PACKED
    given = {each.vm: each.nodes for each in model.vms}
    return NodePlacement(model.policy, tuple(VmNodes(vm, given[vm]) for vm in vms if vm in given))
