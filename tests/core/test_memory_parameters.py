"""What a machine file may say of a memory system the model takes: its own check has no word against it."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import baonet
from baonet.config.loader import load
from baonet.document.errors import ConfigError
from tests.config.machines import write

NATIVE = Path(baonet.__path__[0], "core", "native")
NAMES = re.findall(r"X\((\w+), \d+\)", (NATIVE / "memsys" / "parameters.h").read_text())
"""In the order that they have in ``struct memsys_parameters``."""
SIZES = st.one_of(st.sampled_from([1 << n for n in range(10, 28)]), st.integers(1, 1 << 27))
FEW = st.one_of(st.sampled_from([1 << n for n in range(12)]), st.integers(0, 2000))
WAYS = st.one_of(st.sampled_from([1, 2, 4, 8, 16]), st.integers(0, 33))
PARTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "l1i": {"size": SIZES, "ways": WAYS},
    "l1d": {"size": SIZES, "ways": WAYS},
    "l2": {"size": SIZES, "ways": WAYS, "latency": FEW, "store": FEW, "on_eviction": st.booleans()},
    "utlb": {"instruction": FEW, "data": FEW, "miss": FEW},
    "tlb": {"entries": FEW, "ways": WAYS, "miss": FEW},
    "walk_cache": {"entries": FEW, "ways": WAYS},
    "ipa_cache": {"entries": FEW, "ways": WAYS},
    "dram": {"latency": FEW.map("{}ns".format), "store": FEW.map("{}ns".format), "queue": FEW},
    "snoop": {"dirty": FEW, "shared": FEW},
    "streaming": {"l1": FEW, "l2": FEW},
    "prefetch": {"streams": WAYS, "strides": WAYS, "lines": WAYS, "reach": WAYS},
}


class Parameters(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in NAMES]


class Wrong(ctypes.Structure):
    _fields_ = [("field", ctypes.c_char_p), ("why", ctypes.c_char_p)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The model's check alone."""
    made = tmp_path_factory.mktemp("model") / "check.so"
    source = NATIVE / "memsys" / "check.c"
    subprocess.run(["cc", "-std=gnu11", "-shared", "-fPIC", f"-I{NATIVE}", "-o", str(made), str(source)], check=True)
    found = ctypes.CDLL(str(made))
    found.memsys_check.restype = Wrong
    found.memsys_check.argtypes = [ctypes.POINTER(Parameters)]
    return found


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Some of the parameters, as a file would have them."""
    found: dict[str, Any] = {}
    for group in draw(st.sets(st.sampled_from(sorted(PARTS)), max_size=3)):
        keys = draw(st.sets(st.sampled_from(sorted(PARTS[group])), min_size=1))
        found[group] = {key: draw(PARTS[group][key]) for key in sorted(keys)}
    return found


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no cc here")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes())
def test_the_model_takes_what_a_file_may_say(tmp_path: Path, model: ctypes.CDLL, given_: dict[str, Any]) -> None:
    path = write(tmp_path)
    try:
        machine = load(path, {"platform.memory_system": {"preset": "cortex-a53", **given_}})
    except ConfigError:
        return
    event("taken")
    assert machine.platform.memory_system is not None
    parameters = machine.platform.memory_system.parameters(machine.clock.cycles)
    wrong = model.memsys_check(ctypes.byref(Parameters(*(parameters[name] for name in NAMES))))
    assert (wrong.field, wrong.why) == (None, None)
