"""How the lead asks a node for something while the machine stands."""

from __future__ import annotations

from typing import Protocol, TypeVar

from baonet.wire import cluster

_T = TypeVar("_T")
Question = cluster.Read | cluster.Write | cluster.Survey | cluster.Gather


class AskNode(Protocol):
    """What the node of that number answers. Raises ClusterError when it does not."""

    def __call__(self, index: int, message: Question, kind: type[_T]) -> _T: ...
