"""baonet runs a Bao-partitioned machine as a distributed system of actors: each physical CPU is a process.

For Python programs (docs/library.md):

* ``load`` reads a machine file, ``open_run`` runs it within a block: ``OpenRun`` waits for it and looks into it.
* ``RunOutcome`` and ``GuestReport`` are what comes of it.
* ``ConfigError`` has all mistakes of a file; ``RunError`` and its kinds are what goes wrong in a run.

What is named here is loaded when it is asked for: an import of ``baonet`` costs next to nothing.
"""

TYPE_CHECKING = False  # typing's is no other for who checks types, and takes longer to load than all else before main
if TYPE_CHECKING:
    from baonet.actors.ending import Ending
    from baonet.core.errors import EngineError
    from baonet.document.errors import ConfigError
    from baonet.machine import Input, Machine
    from baonet.run.errors import GuestParkedError, RunEndedError, RunError, WaitTimeoutError
    from baonet.run.open_run import OpenRun
    from baonet.run.opening import load, open_run
    from baonet.run.results import GuestReport, RunOutcome

_HOMES = {
    "Ending": "baonet.actors.ending",
    "EngineError": "baonet.core.errors",
    "ConfigError": "baonet.document.errors",
    "Input": "baonet.machine",
    "Machine": "baonet.machine",
    "GuestParkedError": "baonet.run.errors",
    "RunEndedError": "baonet.run.errors",
    "RunError": "baonet.run.errors",
    "WaitTimeoutError": "baonet.run.errors",
    "OpenRun": "baonet.run.open_run",
    "load": "baonet.run.opening",
    "open_run": "baonet.run.opening",
    "GuestReport": "baonet.run.results",
    "RunOutcome": "baonet.run.results",
}

__all__ = [
    "load",
    "open_run",
    "OpenRun",
    "RunOutcome",
    "GuestReport",
    "Ending",
    "Machine",
    "Input",
    "ConfigError",
    "EngineError",
    "RunError",
    "RunEndedError",
    "GuestParkedError",
    "WaitTimeoutError",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'baonet' has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - most importers want nothing from here

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
