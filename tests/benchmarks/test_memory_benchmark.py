"""The benchmark of memory systems: its machines and its arithmetic; nothing is measured."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from baonet.cli.common import load_machine
from benchmarks import memory
from benchmarks.checkouts import here
from benchmarks.process import RunFailedError, cpu_between


@pytest.mark.parametrize("modelled", [False, True], ids=["off", "on"])
@pytest.mark.parametrize("work", [work for work in memory.works() if not work.linux], ids=lambda work: work.name)
def test_machines_are_valid(work: memory.Work, modelled: bool, tmp_path: Path) -> None:
    file = tmp_path / "machine.yaml"
    file.write_text(yaml.safe_dump(work.machine_file(modelled=modelled)))
    machine = load_machine(str(file))
    assert machine is not None
    assert (machine.platform.memory_system is not None) == modelled


def test_the_goals_are_told() -> None:
    samples = {"before": [1.0, 1.0], "off": [1.0, 1.01, 9.0], "on": [2.0, 2.0], "failed": []}
    assert memory.ratio(samples, "on", "off", 0.6) == "0.51, MISSED (0.60)"
    assert memory.ratio(samples, "on", "off", None) == "0.51"
    assert memory.ratio(samples, "off", "before", 0.97) == "0.99, met (0.97)"
    assert memory.ratio(samples, "failed", "off", 0.6) == memory.ratio(samples, "none", "off", None) == "-"


def test_a_table_has_as_many_cells_everywhere() -> None:
    columns = [(here(name="main"), False), (here(name="off"), False), (here(name="on"), True)]
    work = memory.Work("nothing", lambda: {"platform": "p", "vms": [{}]}, lambda command, modelled: 2.0, 0.6)
    for some in (columns, columns[1:]):
        lines = [*memory.head(some).splitlines(), memory.row(work, some, 2)]
        assert len({line.count("|") for line in lines}) == 1
        assert lines[-1].endswith("| 1.00, met (0.60) |")


def test_cpu_time_is_that_between_two_texts() -> None:
    burn = "import time\ndef burn(s):\n t = time.process_time()\n while time.process_time() < t + s: pass\n"
    program = f"{burn}burn(.3); print('one', flush=True); burn(.1); print('two', flush=True); burn(9)"
    assert 0.05 < cpu_between([sys.executable, "-c", program], "one", "two", 60) < 0.25
    with pytest.raises(RunFailedError, match="no 'one' and 'three'"):
        cpu_between([sys.executable, "-c", "print('one')"], "one", "three", 60)
