"""A machine in virtual time in this process, led from horizon to horizon, and made anew from what was saved at some."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, final

import msgpack
import trio

from baonet.actors.conductor import Conductor
from baonet.actors.horizon import Horizons
from baonet.config.loader import load
from baonet.core.cpu import SIZES
from baonet.core.selftest import ensure
from baonet.hyp.vmm import plan
from baonet.launch.crews import Placement, crews
from baonet.machine import Machine
from baonet.memory.node import NodeMemory
from baonet.trace.chain import Chain
from baonet.wire import messages as wire
from baonet.wire.memory_port import MemoryPort, Switch
from baonet.wire.messages import AGENT
from tests.contents import contents

OF_THE_HOST = re.compile(r"blocks_translated|lines_invalidated|broadcasts|instructions_foreseen|exits_(budget|kicked)")
"""Counters that depend on which translations exist, and on how often the host had a reason to look."""
OURS = ("baonet.actors", "baonet.hyp")
BLOCK = 512
"""Instructions of one, at most."""


@dataclass
class Outcome:
    """``records`` by pcpu; ``output`` by VM and UART, and where each piece begins; ``said`` is all else, in any order.

    ``digests`` are those that the pcpus tell at the end.
    """

    records: dict[int, bytes] = field(default_factory=dict)
    output: dict[tuple[int, int], dict[int, bytes]] = field(default_factory=dict)
    statistics: dict[int, dict[str, int]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    digests: dict[int, bytes] = field(default_factory=dict)
    horizons: int = 0
    travels: int = 0

    def printed(self) -> dict[tuple[int, int], bytes]:
        return {key: b"".join(data for _, data in sorted(pieces.items())) for key, pieces in self.output.items()}


@final
class Carried:
    """A machine's memory, and its islands' conductors in tasks."""

    def __init__(self, machine: Machine, *, own_all: bool = False) -> None:
        self.plan = plan(machine)
        self.memory = NodeMemory(machine, SIZES, own_all=own_all)
        self.switch = Switch()
        self.port = MemoryPort(AGENT, self.switch)
        self.conductors: dict[int, Conductor] = {}
        for crew in crews(self.plan, self.memory, Placement.ONE_PROCESS, time.monotonic_ns(), tracing=True):
            life = crew.prepare(MemoryPort(crew.address, self.switch))
            self.conductors[crew.address] = cast(Conductor, cast(Any, life).__self__)

    def save(self) -> bytes:
        conductors = [[address, [*conductor.save().items()]] for address, conductor in self.conductors.items()]
        packed: bytes = msgpack.packb({"memory": self.memory.save(), "conductors": conductors})
        return packed

    def load(self, data: bytes) -> None:
        saved = cast(dict[str, Any], msgpack.unpackb(data))
        self.memory.load_saved(saved["memory"])
        for address, conductor in saved["conductors"]:
            self.conductors[address].load(dict(conductor))

    def close(self) -> None:
        """A core and the hypervisor that it calls keep each other, unless it calls nobody."""
        for conductor in self.conductors.values():
            for seat, _ in conductor._seats.values():
                seat.core.emulate((), None, None, [])  # type: ignore[arg-type]
        self.memory.close()
        self.switch.close()


Disturb = Callable[[Carried], object]


@final
class RecessError(Exception):
    """Raised in the midst of a round, by who has saved a machine of one island there: it is made anew from that."""

    def __init__(self, saved: bytes) -> None:
        super().__init__("made anew from what was saved")
        self.saved = saved


@final
class Lead:
    """The agent's part: ``end`` and ``step`` are cycles; it travels at the horizons with the numbers ``at``.

    ``disturb`` is called before anything has run. ``look``: it compares all that islands, seats and hypervisors have
    in them before and after.
    """

    def __init__(
        self,
        machine: Machine,
        end: int,
        step: int,
        at: Iterable[int] = (),
        *,
        look: bool = False,
        disturb: Disturb | None = None,
        own_all: bool = False,
    ) -> None:
        self._machine = machine
        self._disturb = disturb
        self._own_all = own_all
        self._at = frozenset(at)
        self._end, self._step = end, step
        self._look = look
        self._stopped: set[int] = set()
        self.outcome = Outcome()

    async def run(self) -> Outcome:
        carried = Carried(self._machine, own_all=self._own_all)
        if self._disturb is not None:
            self._disturb(carried)
        for vm in self._machine.vms:
            carried.memory.load(vm)
        horizons = Horizons(carried.conductors, self._step, self._end)
        while carried is not None:
            carried, horizons = await self._live(carried, horizons)
        return self.outcome

    async def _live(self, carried: Carried, horizons: Horizons) -> tuple[Any, Horizons]:
        """To the end, or until it is saved and another has been loaded from that."""
        saved: bytes | None = None
        midway = False
        try:
            saved = await self._lead(carried, horizons)
        except* RecessError as recesses:
            (recess,) = recesses.exceptions
            assert isinstance(recess, RecessError)
            saved, midway = recess.saved, True
        for source, message in carried.port.take():
            self._hear(carried, horizons, source, message)
        self.outcome.travels += saved is not None
        before = contents(carried.conductors, OURS) if self._look else None
        carried.close()
        if saved is None:
            return None, horizons
        again = Carried(self._machine, own_all=self._own_all)
        if self._disturb is not None:
            self._disturb(again)
        again.load(saved)
        if self._look:
            assert contents(again.conductors, OURS) == before
        if midway:
            return again, horizons
        kept = msgpack.packb(horizons.save())
        horizons = Horizons(again.conductors, self._step, self._end)
        horizons.load(msgpack.unpackb(kept))
        return again, horizons

    async def _lead(self, carried: Carried, horizons: Horizons) -> bytes | None:
        """To the end, or until it is saved at a horizon."""
        conductors = carried.conductors
        awaited = set(conductors)
        saved: bytes | None = None
        async with trio.open_nursery() as nursery:
            for conductor in conductors.values():
                nursery.start_soon(conductor.run)
            while len(self._stopped) < len(conductors) and saved is None:
                await carried.port.wait(None)
                for source, message in carried.port.take():
                    self._hear(carried, horizons, source, message)
                    awaited -= {source} if isinstance(message, wire.Running) else set()
                    if isinstance(message, wire.Hello):
                        carried.port.send(source, wire.Start())
                if awaited or not horizons.complete:
                    continue
                if self.outcome.horizons in self._at and self.outcome.horizons > 0:
                    self._at -= {self.outcome.horizons}
                    saved = carried.save()
                elif self.outcome.horizons and (horizons.ended or horizons.idle):
                    for address in conductors.keys() - self._stopped:
                        carried.port.send(address, wire.Stop())
                    horizons = Horizons([-1], 1)  # nobody reaches it
                    horizons.advance()
                else:
                    self.outcome.horizons += 1
                    until = horizons.advance()
                    for address in conductors:
                        carried.port.send(address, wire.Horizon(until))
            nursery.cancel_scope.cancel()
        return saved

    def _hear(self, carried: Carried, horizons: Horizons, source: int, message: object) -> None:
        outcome = self.outcome
        match message:
            case wire.Hello() | wire.Running():
                pass
            case wire.Reached(next_, latest):
                horizons.reached(source, next_, latest)
            case wire.TraceChunk(pcpu, records):
                outcome.records[pcpu] = outcome.records.get(pcpu, b"") + records
            case wire.ConsoleOutput(vm, device, position, data):
                outcome.output.setdefault((vm, device), {})[position] = data
            case wire.Statistics(pcpu, counters):
                outcome.statistics[pcpu] = {
                    name: count for name, count in counters.items() if not OF_THE_HOST.fullmatch(name)
                }
            case wire.Digest(pcpu, digest):
                outcome.digests[pcpu] = digest
            case wire.Stopped():
                self._stopped.add(source)
            case wire.VmReset(vm):
                config = self._machine.vms[vm]
                carried.memory.clear(config)
                carried.memory.load(config)
                carried.port.send(source, wire.Reset())
            case wire.Failure():
                raise AssertionError(message)
            case _:
                outcome.said.append(f"{source}: {message}")


def travelled(
    file: Path,
    end: int,
    step: int,
    at: Iterable[int] = (),
    *,
    look: bool = False,
    disturb: Disturb | None = None,
    own_all: bool = False,
) -> Outcome:
    """A run of a machine file for ``end`` nanoseconds with a horizon each ``step`` of them at which somebody has come.

    It is saved and made anew at those whose numbers are in ``at``, which come before its end.
    """
    machine = load(file)
    ensure(machine.platform.architecture)
    cycles = machine.clock.cycles
    lead = Lead(machine, cycles.ticks(end), cycles.ticks(step), at, look=look, disturb=disturb, own_all=own_all)
    outcome = trio.run(lead.run)
    assert outcome.travels >= len({*at}), "it has ended before it was saved"
    most_ahead = cycles.ticks(machine.clock.window) + BLOCK
    assert all(counters["ahead"] <= most_ahead for counters in outcome.statistics.values())
    for pcpu, digest in outcome.digests.items():
        chain = Chain(cycles.ticks(machine.clock.window))
        chain.add(outcome.records.get(pcpu, b""))
        assert chain.digest() == digest
    return outcome


def same(left: Outcome, other: Outcome) -> None:
    """All that a guest or a user could see."""
    assert other.records == left.records
    assert other.digests == left.digests
    assert other.digests
    assert other.printed() == left.printed()
    assert other.statistics == left.statistics
    assert sorted(other.said) == sorted(left.said)
    assert other.horizons == left.horizons
