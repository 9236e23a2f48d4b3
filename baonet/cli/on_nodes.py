"""``baonet check --on``: who would run where on several nodes, and what it costs where something is split."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence

from baonet.cli.common import UsageError, positive
from baonet.cluster.places import NodePlace, NodePlacementError, places
from baonet.cluster.splits import SplitIsland, SplitVm, nodes_of, split_islands, split_vms
from baonet.cluster.where import FORMS, WhereError, parse
from baonet.document.quantities import human, human_duration, listing
from baonet.hyp.vmm import Plan
from baonet.launch.cores import cores
from baonet.machine import Clock, ClockMode
from baonet.machine.node_placement import MOST_NODES
from baonet.machine.rate import HOST

_HEAD = ("node", "load", "VM", "vCPUs", "pcpus")
_NAMED = 4
"""VMs of an island that a warning names before it counts the others."""


def add_on(parser: argparse.ArgumentParser) -> None:
    """The options that say which nodes there would be. Nobody is called for it."""
    parser.add_argument(
        "--on",
        metavar="WHERE",
        help=f"show which node of WHERE would run what, and warn of what is split: {FORMS}. Nothing is connected to",
    )
    parser.add_argument(
        "--cores", metavar="N", type=positive, help="with --on: cores of each node (default: those of this host)"
    )
    parser.add_argument(
        "--nodes", metavar="N", type=positive, help="with --on: how many nodes, where slurm or ray would tell it"
    )


def nodes(options: argparse.Namespace) -> list[NodePlace]:
    """Those that ``--on`` names, all alike; none without it. Raises UsageError."""
    if options.on is None:
        for option in ("cores", "nodes", "place"):
            if getattr(options, option):
                raise UsageError(f"--{option} says something of the nodes of --on: give --on WHERE with it")
        return []
    try:
        where = parse(options.on)
    except WhereError as error:
        raise UsageError(f"--on: {error}") from None
    if where.count is None and options.nodes is None:
        raise UsageError(f"--on {options.on}: nobody is asked how many nodes that has: give --nodes N with it")
    if where.count is not None and options.nodes is not None:
        raise UsageError(f"--nodes {options.nodes}: --on {options.on} has {where.count}: leave --nodes out")
    if (options.nodes or 0) > MOST_NODES:
        raise UsageError(f"--nodes {options.nodes}: there can be {MOST_NODES} at most")
    names = where.names or ("",) * (where.count or options.nodes)
    each = options.cores or cores()
    return [NodePlace(name, each) for name in names]


def told(plan: Plan, there: Sequence[NodePlace]) -> tuple[list[str], list[str]]:
    """The lines of the table, and the warnings, one line each. Raises UsageError."""
    try:
        at = places(plan, plan.machine.placement, there)
    except NodePlacementError as error:
        raise UsageError(str(error)) from None
    together = split_islands(plan, at)
    beside = {vm for split in together for its in split.vms.values() for vm in its}
    warnings = [_vm(plan, split, there, alone=split.vm not in beside) for split in split_vms(plan, at)]
    warnings += [_island(plan, split, there) for split in together]
    return list(_table(plan, at, there)), warnings


def _table(plan: Plan, at: Sequence[int], there: Sequence[NodePlace]) -> Iterator[str]:
    rows = [_HEAD]
    by_vm = [nodes_of(plan, at, vm) for vm in range(len(plan.vms))]
    for number, node in enumerate(there):
        first = (_called(number, there), f"{at.count(number)} on {_count(node.cores, 'core')}")
        here = [vm for vm, its in enumerate(by_vm) if number in its]
        for vm in here:
            vcpus = by_vm[vm][number]
            pcpus = [plan.vms[vm].pcpus[vcpu] for vcpu in vcpus]
            rows.append((*first, plan.vms[vm].config.name, _runs(vcpus), _runs(pcpus)))
            first = ("", "")
        if not here:
            rows.append((*first, "-", "", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _vm(plan: Plan, split: SplitVm, there: Sequence[NodePlace], *, alone: bool) -> str:
    """``alone``: no warning of an island tells what rounds wait for."""
    parts = [
        f"vCPU{'s' if len(vcpus) > 1 else ''} {_runs(vcpus)} on node {_called(node, there)}"
        for node, vcpus in split.vcpus.items()
    ]
    cost = f"every page of its {human(split.ram)} of RAM that {_sides(split.vcpus)} touch moves by message"
    waits = _waits(plan.machine.clock) if alone else ""
    return f"VM '{plan.vms[split.vm].config.name}' is split, {listing(parts)}: {cost}{waits}"


def _island(plan: Plan, split: SplitIsland, there: Sequence[NodePlace]) -> str:
    names = [vm.config.name for vm in plan.vms]
    every = sorted({vm for its in split.vms.values() for vm in its})
    parts = [f"{_some(names[vm] for vm in its)} on node {_called(node, there)}" for node, its in split.vms.items()]
    shared = listing(f"{name} ({human(size)})" for name, size in split.shared)
    cost = f"every page of {shared} that {_sides(split.vms)} touch moves by message"
    waits = _waits(plan.machine.clock)
    return f"the island of {_some(names[vm] for vm in every)} is split, {listing(parts)}: {cost}{waits}"


def _waits(clock: Clock) -> str:
    if clock.mode is ClockMode.HOST:
        return ""
    windows = f"{_count(int(HOST.per_second(1, clock.window)), 'window')} of {human_duration(clock.window)}"
    return f"; each round of virtual time waits for the network once or more, and a busy second of it has {windows}"


def _sides(parts: Mapping[int, object]) -> str:
    return "both sides" if len(parts) == 2 else "several sides"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}".replace(",", " ")


def _called(number: int, there: Sequence[NodePlace]) -> str:
    name = there[number].name
    return f"{number} ({name})" if name else str(number)


def _some(names: Iterable[str]) -> str:
    every = list(names)
    if len(every) <= _NAMED + 1:
        return listing(every)
    return f"{', '.join(every[:_NAMED])} and {len(every) - _NAMED} others"


def _runs(ids: Sequence[int]) -> str:
    """``0-2,5``: numbers in rising order."""
    runs: list[list[int]] = []
    for each in ids:
        if runs and runs[-1][-1] == each - 1:
            runs[-1][1:] = [each]
        else:
            runs.append([each])
    return ",".join("-".join(map(str, run)) for run in runs)
