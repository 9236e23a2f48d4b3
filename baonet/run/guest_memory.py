"""The memory of a VM, while the machine stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import final

from baonet.cluster.remote_memory import RemoteMemory
from baonet.cluster.terms import ClusterError
from baonet.machine import Vm
from baonet.memory.node import NodeMemory
from baonet.run.errors import RunError


@contextmanager
def _of_nodes() -> Iterator[None]:
    """A node that does not answer is the run's trouble."""
    try:
        yield
    except ClusterError as error:
        raise RunError(str(error)) from None


@final
class GuestMemory:
    """``OpenRun.memory``: RAM and shared memory objects, by guest-physical address (IPA).

    Caches are not modelled, so what is here is what the guest reads. Both raise ValueError when the bytes are not all
    in one region or object, RunError while the machine runs.
    """

    def __init__(self, memory: NodeMemory | RemoteMemory, vm: Vm, check: Callable[[], None]) -> None:
        self._memory = memory
        self._vm = vm
        self._check = check

    def read(self, address: int, size: int) -> bytes:
        """``size`` bytes from ``address`` on."""
        self._check()
        with _of_nodes():
            return self._memory.read(self._vm, address, size)

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Guests see it from where they stand: in virtual time the end of a window.

        Instructions and translation tables that a core has cached already it does not see anew before the guest's own
        IC IVAU or TLBI, and what is cached depends on the host: without these a run need not repeat.
        """
        self._check()
        with _of_nodes():
            self._memory.write(self._vm, address, data)
