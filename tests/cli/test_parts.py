"""Trio in parts is Trio: what a part gives is what the package has, and whoever wants more gets the package."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from baonet.cli.parts import MODULES, PARTS
from tests.patience import PROCESS

BECOMES = """
import sys
from baonet.cli import parts
parts.prepare()
import trio
import trio.lowlevel
assert trio.lowlevel is sys.modules["trio.lowlevel"]
event, checkpoint = trio.Event, trio.lowlevel.checkpoint
assert "trio._ssl" not in sys.modules
assert not hasattr(trio, "_of_no_such_name")
from trio import SSLStream, Path
from trio.lowlevel import FdStream
assert trio.Event is event and trio.lowlevel.checkpoint is checkpoint and trio.SSLStream is SSLStream
assert not isinstance(trio, parts.Parts) and not isinstance(trio.lowlevel, parts.Parts)
try:
    trio.no_such_name
except AttributeError as error:
    print(error)
"""


@pytest.mark.parametrize("package", PARTS)
def test_a_part_has_what_the_package_has(package: str) -> None:
    whole = import_module(package)
    for module, names in PARTS[package].items():
        for name in names.split():
            assert getattr(import_module(module), name) is getattr(whole, name)


def test_its_modules_are_its_modules() -> None:
    for name in MODULES:
        package, _, module = name.rpartition(".")
        assert getattr(import_module(package), module) is import_module(name)


def test_asked_for_more_it_becomes_the_package() -> None:
    done = subprocess.run([sys.executable, "-c", BECOMES], capture_output=True, text=True, timeout=PROCESS, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "module 'trio' has no attribute 'no_such_name'\n"
