"""What an import of the package costs, and what it offers."""

from __future__ import annotations

import subprocess
import sys

import baonet

HEAVY = ("trio", "unicorn", "msgpack", "yaml", "capstone", "baonet.core", "baonet.run", "baonet.config")


def test_an_import_loads_nothing_that_is_not_asked_for() -> None:
    code = f"import sys, baonet; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_every_name_is_there_and_documented() -> None:
    assert set(baonet.__all__) <= set(dir(baonet))
    for name in baonet.__all__:
        assert getattr(baonet, name).__doc__, name
