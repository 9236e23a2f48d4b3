"""A run on this host: the node that has the machine's processes, the agent that they answer to, and the trace."""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING, Final, final

from baonet.actors.agent import Agent
from baonet.actors.course import Course, FreeCourse
from baonet.actors.horizon import Horizons
from baonet.actors.outcome import Outcome
from baonet.actors.schedule import Schedule
from baonet.actors.screen import Screen
from baonet.cluster.terms import Awaiting
from baonet.launch.cores import cores
from baonet.launch.crews import Placement, threads_of_each
from baonet.launch.local import ProcessNode
from baonet.launch.pin import AUTO, PinMode
from baonet.machine import ClockMode, Input
from baonet.memory.node import NodeMemory
from baonet.outlets.outlet import Outlet, Outlets
from baonet.run.audience import Audience
from baonet.run.loaded import LoadedMachine
from baonet.run.options import DEFAULT_PLACEMENT, STEP, RunOptions
from baonet.wire.messages import TraceChunk, Typed

if TYPE_CHECKING:  # of runs over hosts, of those that are saved, and of those that are traced
    from baonet.cluster.lead import Cluster
    from baonet.cluster.remote_memory import RemoteMemory
    from baonet.launch.tasks import IslandsNode, TaskNode
    from baonet.run.run_nodes import RunNodes
    from baonet.run.saved_run import SavedRun
    from baonet.run.traffic import NodeTraffic
    from baonet.trace.writer import TraceFile

_FIRST: Final = 0.25
"""Seconds for which guests have a run to themselves that have not said anything."""


@final
class HostedRun:
    """When this has been made its processes are there and wait; ``live`` is their whole life, once.

    ``screen`` shows what guests print. While one of ``outlets`` is full the guests wait; ``trace``, one of them, gets
    the trace. ``typed`` is what was typed in virtual time, and when. ``waiting`` is told while nodes are waited for,
    and may raise.

    Raises OSError when the host refuses something, EngineError when the engine does not hold on this host, ValueError
    when the machine's clock does not have the placement, or ``options.state`` is not of this machine, ClusterError when
    a node cannot take part.
    """

    def __init__(
        self,
        loaded: LoadedMachine,
        options: RunOptions,
        *,
        screen: Screen,
        audience: Audience,
        outlets: Outlets,
        trace: Outlet | None = None,
        waiting: Awaiting = lambda why: None,
    ) -> None:
        self.plan = loaded.plan
        self.typed: list[Input] = []
        self._loaded = loaded
        self._options = options
        self._audience = audience
        self._horizons: Horizons | None = None
        self._spent = 0.0
        self._outlet = trace
        states = {} if options.state is None else options.state.state.pcpus
        self._trace: TraceFile | None = None
        if trace is not None:
            from baonet.run.trace_ends import header  # noqa: PLC0415 - most runs leave no trace
            from baonet.trace.writer import TraceFile  # noqa: PLC0415 - as above

            self._trace = TraceFile(trace, header(loaded.machine, loaded.plan, states))
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # two CPUs that may talk have a channel of their own
        self._nodes = self._gathered(waiting)
        try:
            self._node = self._start(options.placement or DEFAULT_PLACEMENT[loaded.machine.clock.mode])
        except BaseException:
            self._leave()
            raise
        self.agent = Agent(
            loaded.plan,
            self._node,
            screen,
            until=options.until,
            notice=audience.notice,
            reported=audience.reported,
            course=self._course(),
            observer=self._observe,
            outlets=outlets,
            changed=audience.changed,
        )
        if options.state is not None:
            try:
                self.agent.saving.load(options.state.run)
            except BaseException:
                self.close()
                raise

    @property
    def memory(self) -> NodeMemory | RemoteMemory:
        """That of the machine, to be read and written while it stands."""
        here = self._loaded.memory
        if here is not None:
            return here
        assert self._nodes is not None
        return self._nodes.memory

    def _gathered(self, waiting: Awaiting) -> RunNodes | None:
        where = self._options.on
        if where is None:
            return None
        from baonet.run.run_nodes import RunNodes  # noqa: PLC0415 - what calls other hosts takes longer than a short run

        return RunNodes(where, self.plan, self._options, waiting)

    def _start(self, placement: Placement) -> TaskNode | IslandsNode | ProcessNode | Cluster:
        tracing = self._trace is not None
        if self._nodes is None:
            return self._start_here(placement, tracing=tracing)
        return self._nodes.start(placement, self._audience, tracing=tracing)

    def _start_here(self, placement: Placement, *, tracing: bool) -> TaskNode | IslandsNode | ProcessNode:
        plan, memory = self._loaded.plan, self._loaded.memory
        assert memory is not None
        states = None if self._options.state is None else self._options.state.state.pcpus
        pin, threads = self._options.pin, self._options.threads or cores()
        if plan.machine.clock.mode is ClockMode.VIRTUAL:
            each = threads_of_each(plan, placement, threads)
            self._audience.notice("INFO", f"guests of an island run on {each} thread{'s' * (each > 1)} at most")
        if placement is not Placement.ONE_PROCESS:
            node = ProcessNode(
                plan,
                memory,
                placement,
                tracing=tracing,
                threads=threads,
                pin=pin or AUTO,
                states=states,
                preload=self._options.preload,
                tell=lambda text: self._audience.notice("INFO", text),
            )
            if node.weakness is not None:
                self._audience.notice("WARNING", node.weakness)
            return node
        if pin is not None and pin.mode is not PinMode.NONE:
            raise ValueError("--pin is of processes of pcpus: with --placement one-process there are none")
        from baonet.launch.tasks import IslandsNode, TaskNode  # noqa: PLC0415 - they need Trio, and most runs none of it

        if plan.machine.clock.mode is ClockMode.HOST:
            return TaskNode(plan, memory, tracing=tracing)
        return IslandsNode(plan, memory, tracing=tracing, threads=threads, states=states)

    def _course(self) -> Course:
        clock = self._loaded.machine.clock
        if clock.mode is ClockMode.HOST:
            return FreeCourse()
        limit = self._options.limit
        end = None if limit is None else clock.cycles.ticks(limit)
        self._horizons = horizons = Horizons(self._node.carries, clock.cycles.ticks(STEP), end)
        return Schedule(horizons, clock.cycles, interactive=self._options.interactive, standing=self._options.standing)

    @property
    def idle(self) -> bool:
        """In virtual time: nobody has anything to do, unless something comes from outside."""
        return self._horizons is not None and self._horizons.idle

    @property
    def disturbed(self) -> bool:
        """In virtual time: something was typed since the last horizon, also before the machine was saved."""
        return isinstance(self.agent.course, Schedule) and self.agent.course.disturbed

    @property
    def next_moment(self) -> int:
        """In virtual time, while the machine stands: the next moment at which it may end by what its guests do, cycles.

        It is that to which a run goes that does not stand.
        """
        assert self._horizons is not None
        soonest = self._horizons.horizon if self._horizons.idle else self._horizons.soonest
        return (max(soonest, self._horizons.horizon) // self._horizons.step + 1) * self._horizons.step

    async def save(self) -> SavedRun:
        """What has come of the machine, which stands in virtual time.

        Raises LookupError when some of it is lost, ClusterError when a node does not answer.
        """
        from baonet.cluster.state import MachineState  # noqa: PLC0415 - few runs are saved
        from baonet.run.saved_run import SavedRun  # noqa: PLC0415 - as above

        run, pcpus = await self.agent.saving.save()
        return SavedRun(run, MachineState(self.memory.save(), pcpus))

    def _observe(self, message: TraceChunk | Typed) -> None:
        if isinstance(message, Typed):
            self.typed.append(Input(message.vm, message.at, message.data))
        elif self._trace is not None:
            self._trace.chunk(message)

    def begin(self) -> None:
        """What comes first, without Trio, where it is processes that say it; ``live`` has the rest."""
        if isinstance(self._node, ProcessNode):
            if self._node.processes > cores():  # guests that compute leave no core to load it on
                import trio  # noqa: F401, PLC0415 - see above
            began, limit = time.monotonic(), self._options.timeout
            self.agent.begin(self._node.port, _FIRST if limit is None else min(limit, _FIRST))
            self._spent = time.monotonic() - began

    async def live(self) -> Outcome:
        """Until the machine ends, somebody ends it, or the timeout passes."""
        limit = self._options.timeout
        outcome = await self.agent.run(None if limit is None else max(limit - self._spent, 0.0))
        if self._nodes is not None:
            await self._nodes.settle()
        return outcome

    @property
    def traffic(self) -> NodeTraffic | None:
        """What has gone between nodes, at the end; None where there are none."""
        return None if self._nodes is None else self._nodes.traffic

    def end_trace(self, outcome: Outcome) -> None:
        """The last that is written to the trace, if there is one."""
        if self._trace is not None:
            from baonet.run.trace_ends import footer  # noqa: PLC0415 - as above

            self._trace.close(footer(outcome, self.plan))

    @property
    def trace_error(self) -> str | None:
        """Why the trace could not be written, if so."""
        error = None if self._outlet is None else self._outlet.error
        return None if self._outlet is None or error is None else f"{self._outlet.name}: {error.strerror}"

    def close(self) -> None:
        """Leave no process."""
        self._node.close()
        self._leave()

    def _leave(self) -> None:
        if self._nodes is not None:
            self._nodes.close()
