"""``load`` and ``open_run``: from a machine file to a machine that runs, and nothing left of it behind."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import trio

from baonet.actors.ending import Ending
from baonet.cluster import where
from baonet.cluster.terms import ClusterError
from baonet.config import loader
from baonet.config.console_input import dump_input, load_input
from baonet.document import quantities
from baonet.hyp.vmm import plan
from baonet.launch.crews import Placement
from baonet.launch.pin import parse
from baonet.machine import ClockMode, Input, Machine
from baonet.machine.dataclass import replace
from baonet.machine.saved import StateError
from baonet.outlets.outlet import Outlet, Outlets
from baonet.run.awaited_texts import awaited_text
from baonet.run.durations import nanoseconds
from baonet.run.errors import RunError
from baonet.run.groups import first
from baonet.run.hosted import HostedRun
from baonet.run.loaded import LoadedMachine
from baonet.run.open_run import OpenRun
from baonet.run.options import RunOptions
from baonet.run.saved_run import SavedRun, read
from baonet.run.spare import spare
from baonet.run.witness import Witness


def load(path: str | os.PathLike[str], *, set: Mapping[str, object] | Sequence[str] = ()) -> Machine:
    """The machine of a file, with ``set`` in place of fields: ``{"clock.mode": "virtual"}`` or ``["vms.0.cpus=2"]``.

    Raises ConfigError with everything that is wrong: file, line, field, and what would be right; ValueError when
    ``set`` is one text.
    """
    _several("set", set)
    return loader.load(Path(path), set, None, plan)


@asynccontextmanager
async def open_run(
    machine: Machine,
    *,
    placement: str | None = None,
    threads: int | None = None,
    pin: str | None = None,
    on: str | None = None,
    state: str | os.PathLike[str] | None = None,
    input: str | os.PathLike[str] | Iterable[Input] = (),
    record: str | os.PathLike[str] | None = None,
    trace: str | os.PathLike[str] | None = None,
    until: Sequence[str] = (),
    limit: str | None = None,
    timeout: str | None = None,  # noqa: ASYNC109 - it ends the machine, not the block
    stop_on_report: bool = True,
) -> AsyncIterator[OpenRun]:
    """Run a machine within the block, in Trio; the machine ends with it, and no process is left.

    ``placement``, ``threads``, ``pin``, ``on`` (``"local:2"``), ``input`` (a file, or what it would hold), ``record``,
    ``trace``, ``until`` (texts), ``limit`` (its ``--for``) and ``timeout`` (of the host, ``"60s"``) are the options of
    ``baonet run``; which node of ``on`` runs what the machine's ``placement`` says.
    ``state``: a file of ``OpenRun.save``, from which the machine goes on, wherever it ran; ``record`` and ``trace``
    have what comes from there on.
    ``stop_on_report``: a wait ends with GuestParkedError as soon as a guest does what Bao stops it for.

    Raises ValueError for an option that does not go together with the machine, ConfigError for an input file, OSError
    when the host refuses something, EngineError when the engine does not hold here, RunError when the machine cannot
    begin, or its trace could not be written.
    """
    if not trio.lowlevel.in_trio_run():
        raise RunError("open_run is for Trio: call it in a function that trio.run runs")
    machine = _typing(machine, input)
    if record is not None and machine.clock.mode is ClockMode.HOST:
        raise ValueError("record is of virtual time: load the machine with set={'clock.mode': 'virtual'}")
    options = replace(
        _options(machine, placement, until, limit, timeout),
        threads=_threads(machine, threads),
        pin=None if pin is None else parse(pin),
        on=None if on is None else where.parse(on),
        state=None if state is None else _state(machine, state),
    )
    spare(machine, "trace", trace)
    spare(machine, "record", record)
    witness, outlets = Witness(machine), Outlets()
    with ExitStack() as stack:
        outlet = recorded = None
        if record is not None:
            recorded = stack.enter_context(open(record, "w"))  # noqa: ASYNC230 - before anything runs
        if trace is not None:
            file = stack.enter_context(open(trace, "wb"))  # noqa: ASYNC230 - before anything runs
            outlet = outlets.add(Outlet(file.fileno(), f"trace {trace}"))
            stack.callback(outlet.close)
        memory = None if options.state is None else options.state.state.memory
        try:
            loaded = LoadedMachine(
                machine, lambda text: witness.notice("WARNING", text), here=options.on is None, saved=memory
            )
            stack.callback(loaded.close)
            hosted = HostedRun(loaded, options, screen=witness, audience=witness, outlets=outlets, trace=outlet)
        except (ClusterError, StateError) as error:
            raise RunError(str(error)) from None
        stack.callback(hosted.close)
        try:
            async with _living(OpenRun(loaded, hosted, witness, stop_on_report=stop_on_report)) as run:
                yield run
        finally:  # what failed is what one wants to repeat
            if recorded is not None:
                recorded.write(dump_input(hosted.typed, machine))
        if outlet is not None:
            await outlets.written()
            if hosted.trace_error is not None:
                raise RunError(hosted.trace_error)


def _several(option: str, given: object) -> None:
    """A text is a sequence too: of its letters."""
    if isinstance(given, str):
        raise ValueError(f"{option} can be several: write {option}=[{given!r}]")  # noqa: TRY004 - as of all options


def _state(machine: Machine, path: str | os.PathLike[str]) -> SavedRun:
    if machine.clock.mode is ClockMode.HOST:
        raise ValueError("state is of virtual time: load the machine with set={'clock.mode': 'virtual'}")
    return read(path, machine)


def _threads(machine: Machine, threads: int | None) -> int | None:
    if threads is not None and threads < 1:
        raise ValueError(f"threads={threads}: it takes 1 at least")
    if threads is not None and machine.clock.mode is ClockMode.HOST:
        raise ValueError("threads is of virtual time: load the machine with set={'clock.mode': 'virtual'}")
    return threads


def _options(
    machine: Machine, placement: str | None, until: Sequence[str], limit: str | None, timeout: str | None
) -> RunOptions:
    _several("until", until)
    known = [each.value for each in Placement]
    if placement is not None and placement not in known:
        raise ValueError(f"there is no placement {placement!r}: it can be {quantities.listing(known, 'or')}")
    if limit is not None and machine.clock.mode is ClockMode.HOST:
        raise ValueError("limit is of virtual time: load the machine with set={'clock.mode': 'virtual'}")
    return RunOptions(
        placement=None if placement is None else Placement(placement),
        until=tuple(awaited_text(machine, text) for text in until),
        limit=None if limit is None else nanoseconds(limit),
        timeout=None if timeout is None else nanoseconds(timeout) / 1e9,
        standing=machine.clock.mode is ClockMode.VIRTUAL,
        preload=False,
    )


def _typing(machine: Machine, given: str | os.PathLike[str] | Iterable[Input]) -> Machine:
    """With what is typed when."""
    path = given if isinstance(given, str | os.PathLike) else None
    typed = tuple(given) if not isinstance(given, str | os.PathLike) else load_input(Path(given), machine)
    if typed and machine.clock.mode is ClockMode.HOST:
        raise ValueError("input is of virtual time: load the machine with set={'clock.mode': 'virtual'}")
    files = machine.files if path is None else (*machine.files, os.fspath(path))
    return replace(machine, input=tuple(sorted((*machine.input, *typed), key=lambda each: each.at)), files=files)


@asynccontextmanager
async def _living(run: OpenRun) -> AsyncIterator[OpenRun]:
    """Its life beside the block. What the block raises comes out as it is, when the machine has ended."""
    raised: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_shielded, run)
            try:
                await run.begin()
                yield run
            except BaseException as error:
                raised = error
            await run.end(Ending.DONE if raised is None else Ending.INTERRUPTED)
    except BaseExceptionGroup as group:
        raise first(group) from None
    if raised is not None:
        raise raised


async def _shielded(run: OpenRun) -> None:
    """A cancelled block ends the machine in order too."""
    with trio.CancelScope(shield=True):
        await run.live()
