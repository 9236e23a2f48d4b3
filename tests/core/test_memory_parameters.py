"""What a machine file may say of a memory system the model takes: its own check has no word against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from baonet.config.loader import load
from baonet.config.wings import ARCHITECTURES
from baonet.core import _memsys
from baonet.core.shapes import cluster_size
from baonet.document.errors import ConfigError
from baonet.machine import Rate
from baonet.machine.clusters import clusters
from tests.config.machines import write
from tests.core.modelled import core
from tests.core.virtual import LOOP
from tests.examples import examples

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
    "hypervisor": {
        "interrupt": st.fixed_dictionaries({}, optional=dict.fromkeys(("text", "private", "shared", "cycles"), FEW))
    },
}
CPIS = st.one_of(
    st.integers(0, 101).map(str), st.decimals(0, 101, places=3).map(str), st.decimals(0, 2, places=6).map(str)
)
CLOCKS = st.fixed_dictionaries(
    {},
    optional={
        "clock.mhz": st.one_of(st.integers(0, 101_000), st.sampled_from([1, 1200, 83_886, 83_887, 100_000])),
        "clock.window": st.one_of(st.integers(90, 110_000), st.sampled_from([100, 99_999, 100_000])).map("{}ns".format),
    },
)


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Some of the parameters, as a file would have them."""
    found: dict[str, Any] = {"cpi": draw(CPIS)} if draw(st.booleans()) else {}
    for group in draw(st.sets(st.sampled_from(sorted(PARTS)), max_size=3)):
        keys = draw(st.sets(st.sampled_from(sorted(PARTS[group])), min_size=1))
        found[group] = {key: draw(PARTS[group][key]) for key in sorted(keys)}
    return found


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes(), CLOCKS)
@example({"cpi": "0.666667"}, {})
@example({"cpi": "33.333"}, {})
@example({}, {"clock.mhz": 100_000, "clock.window": "100us"})
@example({"cpi": 100}, {"clock.mhz": 10, "clock.window": "100ns"})
def test_the_model_takes_what_a_file_may_say(tmp_path: Path, given_: dict[str, Any], clock: dict[str, Any]) -> None:
    """And whatever it may not is told, with the field that it is of."""
    path = write(tmp_path)
    try:
        machine = load(path, {"platform.memory_system": {"preset": "cortex-a53", **given_}, **clock})
    except ConfigError as error:
        wrong = [each.field for each in error.problems]
        event("refused")
    else:
        wrong = []
        event("taken")
    assert all(field.startswith(("platform.memory_system.", "clock")) for field in wrong)
    if wrong:
        return
    system = machine.platform.memory_system
    assert system is not None
    assert _memsys.check(system.parameters(machine.clock.cycles)) is None
    core(LOOP, model=False).model_memory(system.cycles, system.instructions, {})
    (cluster,) = clusters(machine)
    assert cluster_size(machine, cluster) > 0
    assert machine.clock.cycles.ticks(machine.clock.window) * system.instructions >= system.cycles


def test_the_model_has_these_parameters_and_the_presets_values() -> None:
    """Its own are for who uses it without a machine file."""
    system = ARCHITECTURES["armv8"].memory_presets()["cortex-a53"].system
    assert system.parameters(Rate(1_200_000_000)) == _memsys.CORTEX_A53
