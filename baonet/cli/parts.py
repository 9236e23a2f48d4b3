"""Trio without what a run does not need, a fifth of what it takes to load it: TLS, sockets, subprocesses, paths.

In the place of its package stands a module that loads of it what it is asked for. Asked for what is not in the table
below it becomes the package, as an import would have made it. Only the command does so: who imports baonet into a
program of their own has Trio as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

PARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "trio": {
        "trio._core": "BrokenResourceError BusyResourceError CancelScope Cancelled ClosedResourceError EndOfChannel "
        "Nursery RunFinishedError TASK_STATUS_IGNORED TaskStatus TrioInternalError WouldBlock "
        "current_effective_deadline current_time open_nursery run",
        "trio._signals": "open_signal_receiver",
        "trio._sync": "CapacityLimiter Event Lock",
        "trio._timeouts": "move_on_after move_on_at sleep sleep_forever sleep_until",
    },
    "trio.lowlevel": {
        "trio._core": "Abort ParkingLot RunVar Task TrioToken cancel_shielded_checkpoint checkpoint "
        "checkpoint_if_cancelled current_root_task current_statistics current_task current_trio_token "
        "enable_ki_protection in_trio_run in_trio_task reschedule spawn_system_task start_thread_soon wait_readable "
        "wait_task_rescheduled wait_writable",
    },
}
"""Which of its modules have what of a package's names."""
MODULES: Final = {"trio.abc", "trio.from_thread", "trio.to_thread"}


def prepare() -> None:
    """Before anything imports Trio."""
    if "trio" in sys.modules:
        return
    for name in PARTS:
        spec = find_spec(name)
        if spec is not None:
            made = sys.modules[name] = module_from_spec(spec)
            made.__class__ = Parts
            package, _, module = name.rpartition(".")
            if package:
                setattr(sys.modules[package], module, made)


class Parts(ModuleType):
    """Python asks it for what it has not, which it has from then on."""

    __spec__: ModuleSpec

    def __getattr__(self, name: str) -> Any:
        package = self.__name__
        if name.startswith("_"):  # a module of the package's own, which imports it then by itself
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        found = import_module(f"{package}.{name}") if f"{package}.{name}" in MODULES else self._part(name)
        setattr(self, name, found)
        return found

    def _part(self, name: str) -> Any:
        for module, names in PARTS[self.__name__].items():
            if name in names.split():
                return getattr(import_module(module), name)
        self.__class__ = ModuleType  # type: ignore[assignment]
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)
