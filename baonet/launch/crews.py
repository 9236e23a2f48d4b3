"""Who runs which pcpus: the crews of a machine under each clock and placement.

A crew is what runs in one place: it has the address of its first pcpu, peers that it has something to say to, and a
life, which is prepared before it begins. Under the host's clock every pcpu is a crew. In virtual time one crew of an
island has its conductor, and carries what of the island's pcpus is not with others.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, final

from baonet.actors.conductor import Conductor
from baonet.actors.crew import Failures, load_seats, opened, serve
from baonet.actors.events import events
from baonet.actors.faults import MessageFaults
from baonet.actors.island import Island, undisturbed
from baonet.actors.recorder import Recorder
from baonet.actors.seat import Seat
from baonet.core.architecture import Member
from baonet.core.cpu import attend, build, rounds
from baonet.hyp.vmm import Plan
from baonet.machine import ClockMode, FlipFault
from baonet.machine.clusters import clusters
from baonet.machine.dataclass import dataclass
from baonet.machine.islands import islands, touching
from baonet.memory.node import NodeMemory, Use
from baonet.wire.messages import AGENT
from baonet.wire.port import Port, SolePort
from baonet.wire.roles import Role

if TYPE_CHECKING:
    from baonet.actors.pcpu import PcpuActor


class Placement(Enum):
    """Where pcpus run. The first two are for both clocks."""

    ONE_PROCESS = "one-process"
    PROCESS_PER_CPU = "process-per-cpu"
    PROCESS_PER_VM = "process-per-vm"
    PROCESS_PER_ISLAND = "process-per-island"


CrewMain = Callable[[], Coroutine[None, None, None]]


@final
@dataclass(frozen=True)
class Crew:
    """``carries``: the pcpus that it speaks for to the agent, none if it speaks to a conductor only.

    ``use`` is the memory that it needs. ``prepare`` makes its cores and returns what runs them.
    """

    role: Role
    address: int
    carries: tuple[int, ...]
    peers: frozenset[int]
    use: Use
    prepare: Callable[[Port], CrewMain]


def active(plan: Plan) -> tuple[int, ...]:
    """The pcpus that some VM has."""
    return tuple(pcpu for pcpu, assignment in enumerate(plan.pcpus) if assignment is not None)


def carried(plan: Plan) -> dict[int, tuple[int, ...]]:
    """The pcpus that each actor speaks for to the agent, by its address, wherever it is."""
    if plan.machine.clock.mode is ClockMode.HOST:
        return {pcpu: (pcpu,) for pcpu in active(plan)}
    together = map(plan.pcpus_of, islands(plan.machine))
    return {pcpus[0]: pcpus for pcpus in together}


def first_of_each(plan: Plan, placement: Placement, nodes: Sequence[int]) -> tuple[int, ...]:
    """The address of each crew, where the pcpus are on several nodes."""
    if plan.machine.clock.mode is ClockMode.HOST:
        return active(plan)
    return tuple(sorted(group[0] for vms in islands(plan.machine) for group in groups_of(plan, vms, placement, nodes)))


def neighbours(plan: Plan) -> dict[int, frozenset[int]]:
    """Of each pcpu those that may have something to say to it: of its VM, and of VMs that share memory or a UART."""
    together = [frozenset(plan.pcpus_of(vms)) for vms in touching(plan.machine)]
    return {pcpu: pcpus - {pcpu} for planned, pcpus in zip(plan.vms, together, strict=True) for pcpu in planned.pcpus}


def host_actor(plan: Plan, pcpu: int, memory: NodeMemory, epoch: int, port: Port, *, tracing: bool) -> PcpuActor:
    """A pcpu that runs freely."""
    from baonet.actors.pcpu import PcpuActor  # noqa: PLC0415 - under the host's clock only

    assignment = plan.pcpus[pcpu]
    assert assignment is not None
    vm = plan.vms[assignment.vm]
    core = build(plan.machine, vm.config, vm.pcpus, assignment.vcpu, memory=memory, epoch=epoch, records=tracing)
    recorder = Recorder(pcpu, core, port, AGENT, tracing=True) if tracing else None
    return PcpuActor(plan, pcpu, core, port, recorder=recorder)


def crews(
    plan: Plan,
    memory: NodeMemory,
    placement: Placement,
    epoch: int,
    *,
    tracing: bool,
    threads: int = 1,
    nodes: Sequence[int] | None = None,
    states: Mapping[int, bytes] | None = None,
) -> list[Crew]:
    """All crews of the machine, whose guests run on up to ``threads`` threads in virtual time.

    ``nodes``: the node of each pcpu, of which a crew has one; None: they are all on this one. ``states``: what the
    pcpus have come to, from which they go on, in virtual time. Raises ValueError for a placement that its clock does
    not have.
    """
    if plan.machine.clock.mode is ClockMode.HOST:
        return _host_crews(plan, memory, placement, epoch, tracing)
    found = []
    each = threads_of_each(plan, placement, threads)
    for vms in islands(plan.machine):
        groups = groups_of(plan, vms, placement, nodes)
        found += _VirtualCrews(
            plan, memory, epoch=epoch, tracing=tracing, groups=groups, threads=each, states=states
        ).crews()
    return found


def threads_of_each(plan: Plan, placement: Placement, threads: int) -> int:
    """How many of so many threads an island of several pcpus has, where one of a single pcpu has one: all have as many.

    In one process one island runs at a time, and has them all.
    """
    if placement is Placement.ONE_PROCESS:
        return threads
    several = [sum(len(plan.vms[vm].pcpus) for vm in vms) > 1 for vms in islands(plan.machine)]
    return max(1, (threads - several.count(False)) // several.count(True)) if any(several) else 1


def _host_crews(plan: Plan, memory: NodeMemory, placement: Placement, epoch: int, tracing: bool) -> list[Crew]:
    if placement is not Placement.PROCESS_PER_CPU:
        raise ValueError(f"placement {placement.value} needs the virtual clock: give process-per-cpu or one-process")

    def crew(pcpu: int, peers: frozenset[int]) -> Crew:
        assignment = plan.pcpus[pcpu]
        assert assignment is not None

        def prepare(port: Port) -> CrewMain:
            from baonet.wire.ring_port import RingPort  # noqa: PLC0415 - as above

            actor = host_actor(plan, pcpu, memory, epoch, port, tracing=tracing)
            if isinstance(port, RingPort) and not tracing and memory.ownership.ledger(assignment.vm) is None:
                actor.run_errands(port)
            return actor.run

        use = Use(frozenset((assignment.vm,)), frozenset(plan.vms[assignment.vm].pcpus), kicks=peers)
        return Crew(Role.PCPU, pcpu, (pcpu,), peers, use, prepare)

    return [crew(pcpu, peers) for pcpu, peers in sorted(neighbours(plan).items())]


def groups_of(
    plan: Plan, vms: tuple[int, ...], placement: Placement, nodes: Sequence[int] | None = None
) -> list[tuple[int, ...]]:
    """Which pcpus of an island run in one process in virtual time. That of the first has its conductor."""
    pcpus = plan.pcpus_of(vms)
    groups = _groups(plan, vms, pcpus, placement)
    return groups if nodes is None else _apart(groups, nodes)


def _groups(plan: Plan, vms: tuple[int, ...], pcpus: tuple[int, ...], placement: Placement) -> list[tuple[int, ...]]:
    if placement is Placement.PROCESS_PER_CPU:
        return [(pcpu,) for pcpu in pcpus]
    if placement is Placement.PROCESS_PER_VM:
        return sorted(tuple(sorted(plan.vms[vm].pcpus)) for vm in vms)
    return [pcpus]


def _apart(groups: list[tuple[int, ...]], nodes: Sequence[int]) -> list[tuple[int, ...]]:
    """The same, but of one node each."""
    found: dict[tuple[int, int], list[int]] = {}
    for number, group in enumerate(groups):
        for pcpu in group:
            found.setdefault((number, nodes[pcpu]), []).append(pcpu)
    return sorted(tuple(pcpus) for pcpus in found.values())


@final
class _VirtualCrews:
    """Those of one island: the one with its lowest pcpu conducts."""

    def __init__(
        self,
        plan: Plan,
        memory: NodeMemory,
        *,
        epoch: int,
        tracing: bool,
        groups: list[tuple[int, ...]],
        threads: int,
        states: Mapping[int, bytes] | None,
    ) -> None:
        self._plan = plan
        self._memory = memory
        self._epoch = epoch
        self._tracing = tracing
        self._pcpus = pcpus = tuple(sorted(pcpu for group in groups for pcpu in group))
        self._groups = groups
        self._threads = threads
        self._states = states
        self._conductor = groups[0][0]
        assigned = ((pcpu, plan.pcpus[pcpu]) for pcpu in pcpus)
        self._vms = {pcpu: assignment.vm for pcpu, assignment in assigned if assignment is not None}
        mine = frozenset(self._vms.values())
        self._clusters = frozenset(each.number for each in clusters(plan.machine) if mine.intersection(each.vms))

    def crews(self) -> list[Crew]:
        servers = self._groups[1:]
        flipped = {fault.shmem for fault in self._plan.machine.faults if isinstance(fault, FlipFault)}
        objects = {ipc.shmem for vm in self._vms.values() for ipc in self._plan.vms[vm].config.ipcs}
        conductor = Crew(
            Role.CONDUCTOR,
            address=self._conductor,
            carries=self._pcpus,
            peers=frozenset(group[0] for group in servers),
            use=self._use(self._groups[0], frozenset(flipped & objects)),
            prepare=self._conduct,
        )
        return [conductor, *map(self._server, servers)]

    def _use(self, pcpus: tuple[int, ...], objects: frozenset[int] = frozenset()) -> Use:
        """Nobody is kicked: one runs at a time."""
        vms = frozenset(self._vms[pcpu] for pcpu in pcpus)
        slots = frozenset(pcpu for pcpu, vm in self._vms.items() if vm in vms)
        return Use(vms, slots, objects=objects, clusters=self._clusters)

    def _server(self, group: tuple[int, ...]) -> Crew:
        def prepare(port: Port) -> CrewMain:
            seats = self._seats(group, port, self._conductor)
            if self._states is not None:
                load_seats(seats, opened(self._states, seats))
            cores = tuple(seats[pcpu][0].core for pcpu in group)
            assert isinstance(port, SolePort)  # such a crew has a process of its own
            failures = Failures(port.call)
            attend(self._plan.machine, cores, self._memory, self._vms[group[0]], failures.tell)
            return lambda: serve(seats, port, self._conductor, failures)

        return Crew(
            Role.CREW,
            address=group[0],
            carries=(),
            peers=frozenset((self._conductor,)),
            use=self._use(group),
            prepare=prepare,
        )

    def _members(self, seats: dict[int, tuple[Seat, Recorder]]) -> tuple[Member, ...]:
        """Of all pcpus of the island, for the one who conducts."""
        first = {pcpu: group[0] for group in self._groups for pcpu in group}
        return tuple(seats[pcpu][0].core if pcpu in seats else (pcpu, first[pcpu]) for pcpu in self._pcpus)

    def _seats(self, pcpus: tuple[int, ...], port: Port, reader: int) -> dict[int, tuple[Seat, Recorder]]:
        return {pcpu: self._seat(pcpu, port, reader) for pcpu in pcpus}

    def _seat(self, pcpu: int, port: Port, reader: int) -> tuple[Seat, Recorder]:
        plan, clock = self._plan, self._plan.machine.clock
        assignment = plan.pcpus[pcpu]
        assert assignment is not None
        vm = plan.vms[assignment.vm]
        core = build(
            plan.machine, vm.config, vm.pcpus, assignment.vcpu, memory=self._memory, epoch=self._epoch, records=True
        )
        window = clock.cycles.ticks(clock.window)
        seat = Seat(plan, pcpu, core, clock.latencies())
        return seat, Recorder(pcpu, core, port, reader, self._tracing, window=window)

    def _conduct(self, port: Port) -> CrewMain:
        machine = self._plan.machine
        cycles = machine.clock.cycles.ticks
        faults = MessageFaults(machine.faults, self._vms, cycles)
        seats = self._seats(self._groups[0], port, AGENT)
        if not machine.faults:  # else each message is looked at
            for seat, _ in seats.values():
                seat.run_errands()
        threads = min(self._threads, len(seats))
        vms = frozenset(self._vms.values())
        order = rounds(machine, self._members(seats), threads, self._memory, vms)
        window = cycles(machine.clock.window)
        conductor = Conductor(
            self._plan,
            Island(self._pcpus, window, order, faults.interfere if machine.faults else undisturbed),
            port,
            seats=seats,
            crews={pcpu: group[0] for group in self._groups[1:] for pcpu in group},
            memory=self._memory,
            events=events(machine, vms, self._pcpus, cycles),
            faults=faults,
        )
        if self._states is not None:
            conductor.load(opened(self._states, seats))
        return conductor.run
