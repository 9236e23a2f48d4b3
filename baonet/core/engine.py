"""Loads an architecture's native engine and the library below it, in the one order that works.

The engine stands in front of functions of libunicorn.so.2 by ELF symbol interposition: it must be in the process's
global scope before that library is loaded. So the Python package ``unicorn``, which loads the library, is never
imported here; only its file is used. And a process has one engine: the library's calls are bound when it is loaded.
What is forked from it has that one too, so a process that runs machines of several architectures forks before.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from baonet.core.errors import EngineError, OtherEngineError

_loaded: dict[str, ModuleType] = {}


def library_path() -> Path:
    """The file of libunicorn.so.2 in the installed wheel. Raises EngineError when there is none."""
    spec = importlib.util.find_spec("unicorn")
    if spec is None or spec.origin is None:
        raise EngineError("the package unicorn is not installed: pip install unicorn==2.1.4")
    path = Path(spec.origin).parent / "lib" / "libunicorn.so.2"
    if not path.exists():
        raise EngineError(f"{path} does not exist: reinstall unicorn==2.1.4")
    return path


def engine_file(architecture: str) -> Path:
    """The file of an architecture's native engine, which is not loaded. Raises EngineError when there is none."""
    spec = importlib.util.find_spec(f"baonet.core.{architecture}._engine")
    if spec is None or spec.origin is None:
        raise EngineError(f"baonet has no native engine of {architecture}: it was not compiled; install baonet again")
    return Path(spec.origin)


def check(architecture: str) -> None:
    """That this process, or one that is forked from it, can have the engine of an architecture. Raises EngineError."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise EngineError(f"baonet runs on x86-64 Linux; this is {os.uname().machine} {sys.platform}")
    if "unicorn" in sys.modules and not _loaded:
        raise EngineError("the package unicorn was imported before baonet.core: import baonet.core first")
    for other in _loaded.keys() - {architecture}:
        raise OtherEngineError(
            f"a machine of {other} has run in this process itself (placement one-process), and a process has the "
            f"engine of one architecture: give that machine another placement, or run that of {architecture} in "
            "another process"
        )


def load(architecture: str) -> ModuleType:
    """The native engine of an architecture, in this process from now on: ``_engine`` of its package here.

    Raises EngineError where it cannot work: on another host, after the package unicorn, or after the engine of another
    architecture; ImportError when the library is another one.
    """
    if architecture in _loaded:
        return _loaded[architecture]
    check(architecture)
    path = library_path()
    flags = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_GLOBAL | os.RTLD_NOW)
    try:
        module = importlib.import_module(f"baonet.core.{architecture}._engine")
    finally:
        sys.setdlopenflags(flags)
    module.load(str(path))
    _loaded[architecture] = module
    return module
