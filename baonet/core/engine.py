"""Loads the native engine and the library below it, in the one order that works.

The engine stands in front of functions of libunicorn.so.2 by ELF symbol interposition: it must be in the process's
global scope before that library is loaded. So the Python package ``unicorn``, which loads the library, is never
imported here; only its file is used.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from baonet.core.errors import EngineError

if TYPE_CHECKING:
    from baonet.core import _engine


def library_path() -> Path:
    """The file of libunicorn.so.2 in the installed wheel. Raises EngineError when there is none."""
    spec = importlib.util.find_spec("unicorn")
    if spec is None or spec.origin is None:
        raise EngineError("the package unicorn is not installed: pip install unicorn==2.1.4")
    path = Path(spec.origin).parent / "lib" / "libunicorn.so.2"
    if not path.exists():
        raise EngineError(f"{path} does not exist: reinstall unicorn==2.1.4")
    return path


def _load() -> object:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise EngineError(f"baonet runs on x86-64 Linux; this is {platform.machine()} {sys.platform}")
    if "unicorn" in sys.modules:
        raise EngineError("the package unicorn was imported before baonet.core: import baonet.core first")
    flags = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_GLOBAL | os.RTLD_NOW)
    try:
        from baonet.core import _engine as module  # noqa: PLC0415 - the flags must be set first
    finally:
        sys.setdlopenflags(flags)
    module.load(str(library_path()))
    return module


if not TYPE_CHECKING:
    _engine = _load()

native = _engine
