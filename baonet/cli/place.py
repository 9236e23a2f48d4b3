"""``--place``: which VM runs on which node, as it is written on the command line."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Final

from baonet.cli.common import UsageError, find_vm
from baonet.machine import Machine, NodeName, NodePlacement, NodePolicy, VmNodes
from baonet.machine.dataclass import replace
from baonet.machine.node_placement import MOST_NODES, node_name

if TYPE_CHECKING:
    from baonet.cluster.where import Where

_FORMS = "pack, spread, linux=0,rtos=1 or linux=0:0:1:1"
_NODE = f"a node is its number, from 0 to {MOST_NODES - 1}, or its name as --on gives it"
_COLON: Final = r":(?![^\[\]]*\])"  # outside the brackets of an address of IPv6


def add_place(parser: argparse.ArgumentParser) -> None:
    """The option that says what runs where; ``placed`` takes what it was given, each after the other."""
    parser.add_argument(
        "--place",
        metavar="POLICY|VM=NODE",
        action="append",
        default=[],
        help="which VM runs on which node of --on, over the file's 'placement': pack (default: whole VMs, and VMs that "
        "share memory or a device beside each other), spread (vCPUs on all nodes in turn), linux=0,rtos=1, or a node "
        "for each vCPU: linux=0:0:host-b:host-b",
    )


def where(text: str) -> Where:
    """WHERE of ``--on``, as the type of an argument."""
    from baonet.cluster.where import WhereError, parse  # noqa: PLC0415 - most runs have no nodes

    try:
        return parse(text)
    except WhereError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def written_where(text: str) -> str:
    """The same for who passes it on as it is written."""
    where(text)
    return text


def placed(machine: Machine, text: str) -> Machine:
    """The machine with what one ``--place`` says in place of that.

    A policy takes the place of all that was said; a VM's nodes that of what was said of this VM. Raises UsageError.
    """
    placement = machine.placement
    said: set[str] = set()
    for item in text.split(","):
        vm, equals, value = item.partition("=")
        if vm in said:
            raise UsageError(f"--place {text}: '{vm}' is given twice: give it once")
        said.add(vm)
        if equals:
            placement = _with(machine, placement, text, VmNodes(vm, _nodes(text, value)))
        elif item in [policy.value for policy in NodePolicy]:
            placement = NodePlacement(NodePolicy(item))
        else:
            raise UsageError(f"--place {text}: '{item}' is no placement: write {_FORMS}")
    return replace(machine, placement=placement)


def _with(machine: Machine, placement: NodePlacement, text: str, new: VmNodes) -> NodePlacement:
    try:
        cpus = find_vm(machine, new.vm).cpus
    except UsageError as error:
        raise UsageError(f"--place {text}: {error}") from None
    if len(new.nodes) not in (1, cpus):
        count = f"'{new.vm}' has {cpus} vCPU{'s' if cpus > 1 else ''} and is given {len(new.nodes)} nodes"
        raise UsageError(f"--place {text}: {count}: give one for each vCPU, or one for the whole VM")
    by_name = {each.vm: each for each in (*placement.given, new)}
    given = tuple(by_name[vm.name] for vm in machine.vms if vm.name in by_name)
    return replace(placement, given=given)


def _nodes(text: str, value: str) -> tuple[NodeName, ...]:
    """``0``, ``host-b``, ``host-b:7000``, and several of them with a colon between two.

    A number after a name is its port if it is too large for a node's.
    """
    found: list[str] = []
    for word in re.split(_COLON, value):
        name = found[-1] if found else ""
        port = re.fullmatch("[0-9]{4,5}", word) is not None and int(word) >= MOST_NODES
        if port and isinstance(node_name(name), str) and not re.search(_COLON, name):
            found[-1] = f"{name}:{word}"
        else:
            found.append(word)
    nodes = []
    for word in found:
        node = node_name(word)
        if node is None:
            missing = f"{_NODE}; an address of IPv6 is in brackets, as in [::1]"
            raise UsageError(f"--place {text}: '{word}' is no node: {missing if '::' in value else _NODE}")
        nodes.append(node)
    return tuple(nodes)
