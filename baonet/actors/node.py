"""What the agent needs of the node whose pcpus it answers for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from baonet.wire.port import Port


class Died(Protocol):
    def __call__(self, pcpu: int, why: str | None, words: str = "", *, lost: bool = False) -> None:
        """How a process has ended, None if that is nobody's loss, and what it wrote to its standard error.

        ``lost``: nothing is known of it but that its host, or its way to the others, is no more.
        """


class Node(Protocol):
    """Where the pcpus of this node run: started, watched and killed by an engine.

    ``carries``: the pcpus that each actor at the port speaks for, by its address. In host time each speaks for itself.
    """

    carries: dict[int, tuple[int, ...]]

    @property
    def port(self) -> Port: ...

    async def supervise(self, died: Died) -> None:
        """Run until cancelled or all pcpus have ended; call ``died`` for each that ends, when nothing of it runs."""

    def kick(self, pcpu: int) -> None: ...
    def kill(self, pcpu: int) -> None: ...

    def reload(self, vm: int, loaded: Callable[[str | None], None]) -> None:
        """Give the VM its memory as at the start, then call ``loaded``: with why not, if that cannot be."""
