"""The nodes of a run: how its lead comes by them, and what each is told of the machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from contextlib import ExitStack
from pathlib import Path
from typing import Final, final

from baonet.cluster.dial import dial, lead_context
from baonet.cluster.enlisting import Asked
from baonet.cluster.images import ImageCache
from baonet.cluster.joined import Joined
from baonet.cluster.launchers import Launcher
from baonet.cluster.lead import Cluster
from baonet.cluster.local import LocalNodes
from baonet.cluster.machines import Shipment
from baonet.cluster.parts import vms_of
from baonet.cluster.places import NodePlace, places
from baonet.cluster.state import MachineState
from baonet.cluster.stream import Stream
from baonet.cluster.terms import FOUND, HEARTBEAT, Awaiting, Launching
from baonet.cluster.where import Where, WhereKind
from baonet.hyp.vmm import Plan
from baonet.launch.crews import Placement
from baonet.machine import Machine
from baonet.wire.cluster import Image

_HERE: Final = Image("", 0)
"""Of a machine that the node has already."""


@final
class NodeGroup:
    """The nodes of ``where`` for one run of the machine of ``plan``. Those that are started reach this lead as
    ``launching`` says; ``waiting`` is told while they are waited for, and may raise. ``keys``, ``insecure``: as of
    ``lead_context``.

    Raises ClusterError when one cannot take part, OSError when the host refuses something.
    """

    def __init__(
        self,
        where: Where,
        plan: Plan,
        launching: Launching = FOUND,
        waiting: Awaiting = lambda why: None,
        *,
        keys: Path | None = None,
        insecure: bool = False,
    ) -> None:
        self._plan = plan
        self._launching = launching
        self._waiting = waiting
        self._stack = ExitStack()
        self._machine = _HERE
        self._images: Callable[[Set[int]], tuple[Image, ...]] = lambda vms: ()
        self._send: Callable[[Stream, Awaiting], None] = lambda stream, waiting: None
        try:
            self.joined = self._gathered(where, plan.machine, keys, insecure=insecure)
        except BaseException:
            self._stack.close()
            raise

    def _gathered(self, where: Where, machine: Machine, keys: Path | None, *, insecure: bool) -> Sequence[Joined]:
        if where.kind is WhereKind.LOCAL:
            assert where.count is not None
            local = LocalNodes(where.count, machine)
            self._stack.callback(local.close)
            return local.joined
        shipment = Shipment(machine, self._stack.enter_context(ImageCache()))
        self._machine, self._images, self._send = shipment.machine, shipment.images, shipment.send
        if where.kind is WhereKind.LISTEN:
            return dial(where.names, lead_context(keys, insecure=insecure))
        context = lead_context(keys, insecure=insecure, called=True)
        return Launcher(self._launching, self._waiting, context, insecure=insecure).launched(where, self._stack)

    def start(
        self,
        placement: Placement,
        *,
        threads: int | None,
        tracing: bool,
        heartbeat: float = HEARTBEAT,
        warn: Callable[[str], None] = lambda text: None,
        state: MachineState | None = None,
    ) -> Cluster:
        """Have them run their parts; ``state``: from there on.

        Raises ClusterError, and ValueError for a placement that names other nodes.
        """
        if placement is Placement.ONE_PROCESS:
            raise ValueError("--placement one-process is of one host: leave it away, or leave away --on")
        nodes = places(
            self._plan,
            self._plan.machine.placement,
            [NodePlace(each.name, each.cores) for each in self.joined],
        )
        images = [self._images(vms_of(self._plan, nodes, index)) for index in range(len(self.joined))]
        asked = Asked(
            placement,
            threads or 0,
            tracing,
            self._machine,
            images,
            self._send,
            heartbeat,
            warn,
            self._waiting,
            state,
        )
        return Cluster(self._plan, self.joined, nodes, asked)

    def close(self) -> None:
        """When the cluster is closed: leave no process of this host."""
        for each in self.joined:
            each.stream.close()
        self._stack.close()
