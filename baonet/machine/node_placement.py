"""On which node the pcpus of each VM run when a machine has several: what somebody wishes, not what comes of it."""

from __future__ import annotations

import re
from enum import Enum
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeAlias

from baonet.machine.dataclass import dataclass

MOST_NODES: Final = 1024
"""As many as a machine can have pcpus."""
NODE_HOST: Final = (
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,15})?\])"
)
"""A host's name or address, that of IPv6 in brackets, of its link alone with the interface that leads there."""
NODE_NAME: Final = rf"(?:[A-Za-z0-9_][A-Za-z0-9._-]{{0,31}}@)?{NODE_HOST}(?::[0-9]{{1,5}})?"
"""As ``--on`` gives a node: ``USER@`` and ``:PORT`` may stand beside the host."""

NodeName: TypeAlias = int | str
"""A node's number, from 0 in the order of ``--on``, or its name."""


def lacks_interface(host: str) -> bool:
    """Whether this is an address that each link has, and does not say which link is meant."""
    try:
        return isinstance(found := ip_address(host), IPv6Address) and found.is_link_local and not found.scope_id
    except ValueError:
        return False


class NodePolicy(Enum):
    """``PACK``: whole VMs, and islands where they fit, on as few nodes as it takes. ``SPREAD``: vcpus in turn."""

    PACK = "pack"
    SPREAD = "spread"


@dataclass(frozen=True, slots=True)
class VmNodes:
    """Where the VM of a name runs: one node for all of its vcpus, or one for each in the order of their numbers."""

    vm: str
    nodes: tuple[NodeName, ...]


@dataclass(frozen=True, slots=True)
class NodePlacement:
    """``given`` is for the VMs that it names, each once; ``policy`` for the others.

    Names are as somebody wrote them: whether there are such nodes is known where a machine is run.
    """

    policy: NodePolicy = NodePolicy.PACK
    given: tuple[VmNodes, ...] = ()


PACKED: Final = NodePlacement()
"""Of a machine that says nothing."""


def node_name(text: str) -> NodeName | None:
    """The number or the name of a node as it is written, None if it can be neither."""
    if re.fullmatch("[0-9]+", text):
        return int(text) if len(text) < 8 and int(text) < MOST_NODES else None
    return text if re.fullmatch(NODE_NAME, text) else None
