"""One run of a machine, from the command line: the terminal and signals, and what is said on the way and at the end."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, final

from baonet.actors.ending import Ending, VmState
from baonet.actors.outcome import Outcome
from baonet.actors.visible import plain
from baonet.cli.consoles import Consoles
from baonet.cli.early import ENDINGS, Early
from baonet.cli.loading import loading
from baonet.cli.outlets import RunOutlets
from baonet.cli.outputs import Output
from baonet.cli.summary import between_nodes, summary, virtual_outcome
from baonet.cli.terminal import Keyboard, RawTerminal
from baonet.cli.until import missed
from baonet.hyp.report import Report
from baonet.machine import Input, Machine
from baonet.outlets.outlet import Outlet
from baonet.run.conditions import SymbolNames, conditions
from baonet.run.disassembly import instruction
from baonet.run.groups import first
from baonet.run.hosted import HostedRun
from baonet.run.loaded import LoadedMachine
from baonet.run.options import RunOptions
from baonet.run.statistics import statistics

if TYPE_CHECKING:
    from baonet.run.memory_use import RunMemory

REPORTS = 5
"""Reports of a vcpu that are shown."""
PATIENCE = 5.0
"""Seconds for which nodes are waited for without a word."""


@final
class Session:
    """Everything is allocated, loaded and started when this has been made.

    Raises ValueError when the machine cannot be placed, OSError when the host refuses something, Ended when it is over
    before all nodes have come.
    """

    def __init__(
        self,
        machine: Machine,
        options: RunOptions,
        outlets: RunOutlets,
        consoles: Consoles,
        trace: Output | None,
        *,
        early: Early,
        verbose: bool,
    ) -> None:
        self._machine = machine
        self._early = early
        self._outlets = outlets
        self._consoles = consoles
        self._options = options
        self._verbose = verbose
        self._reports: Counter[tuple[int, int]] = Counter()
        self._names = SymbolNames()
        self._terminal = RawTerminal(enabled=bool(consoles.wanted.typing))
        self._patient_until = time.monotonic() + PATIENCE
        self._loaded = LoadedMachine(machine, lambda text: self.notice("WARNING", text), here=options.on is None)
        self._plan = self._loaded.plan
        if verbose:
            self._describe()
        self._run = HostedRun(
            self._loaded,
            options,
            screen=consoles.screen,
            audience=self,
            outlets=outlets.outlets,
            trace=None if trace is None else outlets.add(Outlet(trace.begin().fileno(), trace.name)),
            waiting=self._wait,
        )
        self._ended_by: signal.Signals | None = None

    def _describe(self) -> None:
        pcpus, mappings = self._plan.describe()
        for pcpu in pcpus:
            role = "powered down" if pcpu.vm is None else f"VM '{pcpu.vm}' vcpu {pcpu.vcpu}"
            print(f"pcpu {pcpu.pcpu}: {role}{' (master)' if pcpu.master else ''}", file=sys.stderr)
        for mapping in mappings:
            print(
                f"VM '{mapping.vm}': {mapping.kind} {mapping.ipa:#x} + {mapping.size:#x} at {mapping.pa:#x}",
                file=sys.stderr,
            )

    def notice(self, level: str, text: str) -> None:
        if level == "WARNING" or self._verbose:
            self._say([f"baonet: {level}: {text}"])

    def _wait(self, why: str) -> None:
        """Nodes have not come yet. Raises Ended."""
        self._early.waited(why)
        if time.monotonic() > self._patient_until:
            self._patient_until = math.inf
            self._say([f"baonet: waiting: {why}"])

    def changed(self, vm: int, state: VmState) -> None:
        """Whoever types should know that nobody listens any more."""
        if self._consoles.wanted.typing and state is VmState.OFF and self._consoles.shows(vm):
            self._say([f"baonet: VM '{self._machine.vms[vm].name}' is off"])

    def _say(self, lines: list[str]) -> None:
        """While guests print: in lines of their own."""
        end = self._terminal.line_end
        if sys.stderr.isatty() and self._consoles.interrupt():
            lines = ["", *lines]
        print(end.join(lines), file=sys.stderr, end=end, flush=True)

    def reported(self, report: Report, code: bytes) -> None:
        """When it happens. A VM that starts anew can be parked again and again."""
        self._reports[report.vm, report.vcpu] += 1
        if self._reports[report.vm, report.vcpu] > REPORTS:
            return
        symbol = self._names.of(self._machine.vms[report.vm])
        self._say(["", *map(plain, report.lines()), instruction(report, code) + symbol(report.pc)])

    def run(self) -> Outcome:
        """Until the machine ends, the user ends it, or the timeout passes. Leaves no process."""
        try:
            with self._terminal:
                if not self._consoles.wanted.elsewhere:  # else somebody may be there to hear it
                    self._run.begin()
                with loading():
                    import trio  # noqa: PLC0415 - it takes longer than a guest's first words
                return trio.run(self._live)
        except BaseExceptionGroup as group:
            raise first(group) from None
        finally:
            self._run.close()
            self._loaded.close()

    @property
    def typed(self) -> tuple[Input, ...]:
        """What was typed in virtual time, and when."""
        return tuple(self._run.typed)

    @property
    def hung_up(self) -> bool:
        """Whether the user's terminal is gone."""
        return self._ended_by is signal.SIGHUP

    async def _live(self) -> Outcome:
        import trio  # noqa: PLC0415 - as above

        wanted = [number for number in ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup
        with trio.open_signal_receiver(*wanted) as received:
            if self._early.signal is not None:
                self._signalled(self._early.signal)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._signals, received)
                nursery.start_soon(self._consoles.serve, self._run.agent)
                if self._consoles.wanted.typing:
                    names = [vm.name for vm in self._machine.vms]
                    keyboard = Keyboard(
                        self._run.agent, self._consoles, names, self._outlets.out, end=self._quit, gone=self._gone
                    )
                    nursery.start_soon(keyboard.serve)
                outcome = await self._run.live()
                outcome.ending = await self._outlets.written(outcome.ending)
                nursery.cancel_scope.cancel()
        if self._outlets.outlets.hung_up:
            self._ended_by = self._ended_by or signal.SIGHUP
        return outcome

    def _quit(self) -> None:
        self._end(Ending.DONE)

    def _gone(self) -> None:
        """The keyboard's terminal: SIGHUP is on its way, and means the same."""
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            self._signalled(signal.SIGHUP)

    def _end(self, ending: Ending) -> None:
        """The user ends the run, which may be waiting for a reader."""
        self._outlets.hurry(ending)
        self._run.agent.stop(ending)

    async def _signals(self, received: AsyncIterator[int]) -> None:
        async for number in received:
            self._signalled(signal.Signals(number))

    def _signalled(self, number: signal.Signals) -> None:
        self._ended_by = self._ended_by or number
        self._end(ENDINGS[number])

    def statistics(self, outcome: Outcome) -> dict[str, object]:
        """What ``--stats`` writes."""
        memory = self._memory(outcome)
        return {
            "ending": outcome.ending.name.lower(),
            "vms": outcome.vms,
            "pcpus": statistics(self._plan, outcome),
            **({} if outcome.digest is None else virtual_outcome(self._machine.clock, outcome)),
            **({} if memory is None else {"memory": memory.told()}),
            **({} if self._run.traffic is None else self._run.traffic.told()),
        }

    def tell_memory(self, outcome: Outcome) -> None:
        """Say on stderr what memory has taken, where it takes time."""
        memory = self._memory(outcome)
        if memory is not None and memory.pcpus:
            from baonet.cli.memory_text import memory_text  # noqa: PLC0415 - as below

            for line in memory_text(memory):
                print(f"baonet: {line}", file=sys.stderr)

    def _memory(self, outcome: Outcome) -> RunMemory | None:
        if self._machine.platform.memory_system is None:
            return None
        from baonet.run.memory_use import run_memory  # noqa: PLC0415 - most machines' memory takes no time

        return run_memory(self._plan, outcome)

    def tell(self, outcome: Outcome) -> int:
        """Say on stderr what the user must know, and return the exit status."""
        for failure in outcome.failures:
            print(f"baonet: {failure}", file=sys.stderr)
        for (vm, vcpu), count in sorted(outcome.parked.items()):
            often = "" if count == 1 else f" {count} times"
            name = self._machine.vms[vm].name
            print(f"baonet: VM '{name}', vcpu {vcpu} was parked{often}, as reported above", file=sys.stderr)
        if self._machine.platform.memory_system is not None:
            from baonet.cli.memory_text import unlogged_text  # noqa: PLC0415 - most machines' memory takes no time

            for line in unlogged_text(self._plan, outcome):
                print(f"baonet: {line}", file=sys.stderr)
        if outcome.ending is Ending.TIMEOUT:
            states = ", ".join(f"{name} {state}" for name, state in outcome.vms.items())
            print(f"baonet: timeout after {self._options.timeout:g} s: {states}", file=sys.stderr)
        if outcome.ending in (Ending.INTERRUPTED, Ending.TERMINATED) and (number := self._ended_by) is not None:
            print(f"baonet: ended by {number.name}", file=sys.stderr)
        if outcome.ending is Ending.IDLE:
            print("baonet: every CPU waits, and nothing is to come: the machine would wait for ever", file=sys.stderr)
        for text in outcome.missing:
            print(f"baonet: {missed(self._machine, text)}", file=sys.stderr)
        # What ended because of an output is not the guests' affair.
        for line in [] if self._outlets.outlets.failed else conditions(self._plan, outcome, self._names):
            print(line, file=sys.stderr)
        if (between := self._run.traffic) is not None and between.total("orders") + between.total("pages"):
            print(f"baonet: {between_nodes(between)}", file=sys.stderr)
        if outcome.digest is not None and not isinstance(self._outlets.out.error, BrokenPipeError):
            print(f"baonet: {summary(self._machine.clock, outcome)}", file=sys.stderr)
        self._run.end_trace(outcome)
        return outcome.ending.status
