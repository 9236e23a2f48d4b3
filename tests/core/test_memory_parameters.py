"""What a machine file may say of a memory system the model takes: its own check has no word against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from baonet.config.loader import load
from baonet.config.wings import ARCHITECTURES
from baonet.core import _memsys
from baonet.document.errors import ConfigError
from baonet.machine import Rate
from tests.config.machines import write

SIZES = st.one_of(st.sampled_from([1 << n for n in range(10, 28)]), st.integers(1, 1 << 27))
FEW = st.one_of(st.sampled_from([1 << n for n in range(12)]), st.integers(0, 2000))
WAYS = st.one_of(st.sampled_from([1, 2, 4, 8, 16]), st.integers(0, 33))
PARTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "l1i": {"size": SIZES, "ways": WAYS},
    "l1d": {"size": SIZES, "ways": WAYS},
    "l2": {"size": SIZES, "ways": WAYS, "latency": FEW, "store": FEW, "path": FEW, "on_eviction": st.booleans()},
    "utlb": {"instruction": FEW, "data": FEW, "miss": FEW},
    "tlb": {"entries": FEW, "ways": WAYS, "miss": FEW},
    "walk_cache": {"entries": FEW, "ways": WAYS},
    "ipa_cache": {"entries": FEW, "ways": WAYS},
    "dram": {"latency": FEW.map("{}ns".format), "store": FEW.map("{}ns".format), "queue": FEW},
    "snoop": {"dirty": FEW, "shared": FEW},
    "streaming": {"l1": FEW, "l2": FEW},
    "prefetch": {"streams": WAYS, "strides": WAYS, "lines": WAYS, "reach": WAYS},
}


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Some of the parameters, as a file would have them."""
    found: dict[str, Any] = {}
    for group in draw(st.sets(st.sampled_from(sorted(PARTS)), max_size=3)):
        keys = draw(st.sets(st.sampled_from(sorted(PARTS[group])), min_size=1))
        found[group] = {key: draw(PARTS[group][key]) for key in sorted(keys)}
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes())
def test_the_model_takes_what_a_file_may_say(tmp_path: Path, given_: dict[str, Any]) -> None:
    path = write(tmp_path)
    try:
        machine = load(path, {"platform.memory_system": {"preset": "cortex-a53", **given_}})
    except ConfigError:
        return
    event("taken")
    assert machine.platform.memory_system is not None
    parameters = machine.platform.memory_system.parameters(machine.clock.cycles)
    assert _memsys.check(parameters) is None


def test_the_model_has_these_parameters_and_the_presets_values() -> None:
    """Its own are for who uses it without a machine file."""
    system = ARCHITECTURES["armv8"].memory_presets()["cortex-a53"].system
    assert system.parameters(Rate(1_200_000_000)) == _memsys.CORTEX_A53
