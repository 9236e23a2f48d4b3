"""A process has the engine of one architecture, that of its machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

from baonet.core import engine
from baonet.core.errors import EngineError
from baonet.hyp.wings import ARCHITECTURES
from tests.patience import PROCESS


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_there_are_cores_of_every_architecture(name: str) -> None:
    """Each in a process of its own: a process has one engine."""
    code = (
        f"from baonet.core import engine, wings; assert wings.load({name!r}) is wings.load({name!r});"
        f"assert engine.load({name!r}).__file__ == str(engine.engine_file({name!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PROCESS)


def test_a_process_has_the_engine_of_one_architecture() -> None:
    engine.load("armv8")
    for refuses in (engine.check, engine.load):
        with pytest.raises(EngineError, match=r"a machine of armv8 has run in this .* that of toy in another"):
            refuses("toy")


def test_to_know_an_architecture_and_to_have_its_engine_tested_loads_none() -> None:
    code = """
import sys
from baonet.core import selftest, wings
for name in ("armv8", "riscv"):
    selftest.ensure(name)
    assert wings.load(name).trial_files
assert not [name for name in sys.modules if name.endswith("._engine")]
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PROCESS)


def test_the_library_is_loaded_behind_the_engine() -> None:
    code = "import unicorn; from baonet.core import engine; engine.load('armv8')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PROCESS, check=False)
    assert "the package unicorn was imported before baonet.core" in done.stderr


def test_no_engine_is_loaded_before_a_machine_is_known() -> None:
    code = (
        "import sys; import baonet.cli.session; assert not [name for name in sys.modules if name.endswith('._engine')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PROCESS)
