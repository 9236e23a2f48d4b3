"""Work that is done on two hosts, and on one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Final

from benchmarks.hosts.machines import SPREAD, alone, together
from benchmarks.hosts.nodes import Nodes, waiting
from benchmarks.hosts.setting import HOST, VIRTUAL, Sample, Setting, Ways
from benchmarks.jobs import SHELL_READY
from benchmarks.machines import linux
from tests.guests import debian

ONE: Final = "one core"
TWO: Final = "two nodes"


def _computed(nodes: Nodes, *, tiny: bool) -> Sample:
    """Two VMs that do the same work with the host's clock, from the first that begins to the last that has done it."""
    ends = [word for vm in (0, 1) for word in ("--until", f"vm{vm}:bench int-loop")]
    run = nodes.run(alone("bench-quick" if tiny else "bench", 2), "--place", f"vm0=0,vm1={nodes.last}", *HOST, *ends)
    return {"time": run.moments("bench int-loop")[-1] - run.moments("bench: start")[0]}


def _counted(nodes: Nodes, vms: int, milliseconds: int, *options: str) -> Sample:
    """VMs of one island that count for that long in virtual time."""
    run = nodes.run(together("spin", vms), *options, *VIRTUAL, *SPREAD, "--for", f"{milliseconds}ms")
    return {"time": run.moments("of virtual time")[-1] - run.moments("spin:")[0]}


def _on_cores(take: Callable[[Nodes], Sample]) -> Callable[[Setting], AbstractContextManager[Ways]]:
    @contextmanager
    def opened(setting: Setting) -> Iterator[Ways]:
        with setting.pinned(1) as one, setting.pinned(2) as two:
            yield {ONE: lambda: take(one), TWO: lambda: take(two)}

    return opened


@contextmanager
def compute(setting: Setting) -> Iterator[Ways]:
    with _on_cores(lambda nodes: _computed(nodes, tiny=setting.tiny))(setting) as ways:
        yield ways


@contextmanager
def island(setting: Setting) -> Iterator[Ways]:
    length = 4 if setting.tiny else 600
    with _on_cores(lambda nodes: _counted(nodes, 4, length, "--set", "clock.window=1ms"))(setting) as ways:
        yield ways


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
