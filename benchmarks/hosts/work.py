"""Work that is done on two hosts, and on one."""

from __future__ import annotations

import resource
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from benchmarks.hosts.machines import SPREAD, alone, together
from benchmarks.hosts.nodes import Nodes, waiting
from benchmarks.hosts.setting import HOST, VIRTUAL, Sample, Setting, Ways
from benchmarks.job import SHELL_READY
from benchmarks.machines import linux
from tests.guests import debian

ONE: Final = "one core"
TWO: Final = "two nodes"


def _computed(nodes: Nodes, *, tiny: bool) -> Sample:
    """Two VMs that do the same work with the host's clock, from the first that begins to the last that has done it."""
    ends = [word for vm in (0, 1) for word in ("--until", f"vm{vm}:bench int-loop")]
    run = nodes.run(alone("bench-quick" if tiny else "bench", 2), "--place", f"vm0=0,vm1={nodes.last}", *HOST, *ends)
    return {"time": run.moments("bench int-loop")[-1] - run.moments("bench: start")[0]}


def _spent(nodes: Nodes, machine: Mapping[str, Any], options: Sequence[str]) -> tuple[float, float]:
    """Seconds of a run, and the CPU seconds of the node that has spent most; the first has the lead's too."""
    nodes_before, lead_before = nodes.cpu_seconds(), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = nodes.run(machine, *options).seconds
    lead = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = [after - before for before, after in zip(nodes_before, nodes.cpu_seconds(), strict=True)]
    spent[0] += lead.ru_utime + lead.ru_stime - lead_before.ru_utime - lead_before.ru_stime
    return seconds, max(spent)


def _counted(nodes: Nodes, machine: Mapping[str, Any], milliseconds: int, *options: str) -> Sample:
    """VMs that count for that long in virtual time: a run without what one of a tenth takes, as consoles are late."""
    always = (*options, *VIRTUAL, *SPREAD, "--for")
    long, short = (
        _spent(nodes, machine, (*always, f"{length}us")) for length in (milliseconds * 1100, milliseconds * 100)
    )
    return {"time": long[0] - short[0], "CPU of a core": long[1] - short[1]}


@contextmanager
def compute(setting: Setting) -> Iterator[Ways]:
    length = 2 if setting.tiny else 4000
    with setting.pinned(1) as one, setting.pinned(2) as two:
        yield {
            f"host's clock, {ONE}": lambda: _computed(one, tiny=setting.tiny),
            f"host's clock, {TWO}": lambda: _computed(two, tiny=setting.tiny),
            f"virtual time, {ONE}": lambda: _counted(one, alone("spin", 2), length),
            f"virtual time, {TWO}": lambda: _counted(two, alone("spin", 2), length),
        }


@contextmanager
def island(setting: Setting) -> Iterator[Ways]:
    length = 2 if setting.tiny else 2500
    window = ("--set", "clock.window=1ms")
    with setting.pinned(1) as one, setting.pinned(2) as two:
        yield {
            ONE: lambda: _counted(one, together("spin", 4), length, *window),
            TWO: lambda: _counted(two, together("spin", 4), length, *window),
        }


def _booted(nodes: Nodes, *options: str) -> Sample:
    place = ("--place", f"linux=0:{nodes.last}")
    run = nodes.run(linux(2, debian.cache_directory()), *place, *options, "--until", SHELL_READY, seconds=200)
    if not any("2 processors activated" in line or "2 CPUs" in line for _, line in run.lines):
        raise run.failed("the second vCPU has not come")
    return {"time": run.moments(SHELL_READY)[0] - run.begin}


BOOTS: Final = {"host's clock": HOST, "virtual time": VIRTUAL}


@contextmanager
def boots(setting: Setting) -> Iterator[Ways]:
    debian.fetch(debian.cache_directory())
    with ExitStack() as stack:
        one = stack.enter_context(waiting(setting.hosts[:1], None, ["0,1"]))
        two = stack.enter_context(setting.pinned(2))
        yield {
            f"{clock}, {name}": lambda nodes=nodes, options=options: _booted(nodes, *options)  # type: ignore[misc]
            for clock, options in BOOTS.items()
            for name, nodes in (("one node", one), ("two", two))
        }
