"""One run of a machine, from the command line: the node, its agent, the terminal and signals, and the last words."""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from typing import final

import trio

from baonet.actors.agent import Agent, Outcome
from baonet.actors.console import Lines, Raw, Screen, Silent
from baonet.actors.ending import Ending
from baonet.actors.horizon import Horizons
from baonet.actors.schedule import Schedule
from baonet.actors.tracefile import TraceFile
from baonet.cli.common import colors
from baonet.cli.outputs import Output
from baonet.cli.summary import footer, header, summary, virtual_outcome
from baonet.cli.terminal import RawTerminal, keyboard
from baonet.config.machine import ClockMode, Input, Machine
from baonet.core.child import ENDINGS
from baonet.core.cpu import SLOT_SIZE, UART_SIZE
from baonet.engines.crews import Placement
from baonet.engines.local import IslandsNode, ProcessNode, TaskNode
from baonet.engines.virtual import cycles, hz
from baonet.hyp.execution_state import InstructionSet, instruction_set
from baonet.hyp.report import Report
from baonet.hyp.vmm import plan
from baonet.memory.node import NodeMemory
from baonet.wire.messages import TraceChunk, Typed

NOTICES = 5
STEP = 10_000_000
"""Nanoseconds of virtual time between two moments at which a run can end by what its guests do."""
DEFAULT_PLACEMENT = {ClockMode.HOST: "process-per-cpu", ClockMode.VIRTUAL: "process-per-island"}


@final
class Session:
    """Everything is allocated, loaded and started when this has been made.

    Raises ValueError when the machine cannot be placed, OSError when the host refuses something.
    """

    def __init__(self, machine: Machine, options: argparse.Namespace, trace: Output | None) -> None:
        self._machine = machine
        self._options = options
        self._plan = plan(machine)
        self._notices: Counter[str] = Counter()
        self._terminal = RawTerminal(enabled=options.console in [vm.name for vm in machine.vms])
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # two CPUs that may talk have a channel of their own
        self._memory = memory = NodeMemory(machine, SLOT_SIZE, UART_SIZE)
        for vm in machine.vms:
            memory.load(vm)
        if options.verbose:
            self._describe()
        self._trace = None if trace is None else TraceFile(trace.begin(), header(machine, self._plan))
        self._node = self._start(Placement(options.placement or DEFAULT_PLACEMENT[machine.clock.mode]))
        self._typed: list[Input] = []
        self._agent = Agent(
            self._plan,
            memory,
            self._node,
            self._screen(),
            until=os.fsencode(options.until or ""),
            notice=self._notice,
            schedule=self._schedule(),
            observer=self._observe,
        )

    def _start(self, placement: Placement) -> TaskNode | IslandsNode | ProcessNode:
        tracing = self._trace is not None
        if placement is not Placement.ONE_PROCESS:
            return ProcessNode(self._plan, self._memory, placement, tracing=tracing)
        if self._machine.clock.mode is ClockMode.HOST:
            return TaskNode(self._plan, self._memory, tracing=tracing)
        return IslandsNode(self._plan, self._memory, tracing=tracing)

    def _schedule(self) -> Schedule | None:
        clock = self._machine.clock
        if clock.mode is ClockMode.HOST:
            return None
        limit = getattr(self._options, "for")
        end = None if limit is None else cycles(clock, limit)
        interactive = self._options.console in [vm.name for vm in self._machine.vms]
        horizons = Horizons(self._node.carries, cycles(clock, STEP), end)
        return Schedule(horizons, hz(clock), interactive=interactive)

    def _observe(self, message: TraceChunk | Typed) -> None:
        if isinstance(message, Typed):
            self._typed.append(Input(message.vm, message.at, message.data))
        elif self._trace is not None:
            self._trace.chunk(message)

    def _screen(self) -> Screen:
        # With PYTHONUNBUFFERED the standard stream writes what it can at once, and forgets the rest.
        out, shown = open(sys.stdout.fileno(), "wb", closefd=False), self._options.console  # noqa: SIM115
        names = [vm.name for vm in self._machine.vms]
        if shown == "none":
            return Silent()
        if shown == "all":
            return Lines(out, names, color=colors(sys.stdout))
        return Raw(out, names.index(shown))

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

    def _notice(self, level: str, text: str) -> None:
        """A guest can make Bao print as much as it likes; the same line is shown a few times only."""
        self._notices[text] += 1
        if self._notices[text] <= NOTICES and (level == "WARNING" or self._options.verbose):
            more = " (not shown again)" if self._notices[text] == NOTICES else ""
            print(f"baonet: {level}: {text}{more}", file=sys.stderr, end=self._terminal.line_end)

    def run(self) -> Outcome:
        """Until the machine ends, the user ends it, or the timeout passes. Leaves no process."""
        try:
            return trio.run(self._live)
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            self._node.close()
            self._memory.close()

    @property
    def typed(self) -> tuple[Input, ...]:
        """What was typed in virtual time, and when."""
        return tuple(self._typed)

    async def _live(self) -> Outcome:
        names = [vm.name for vm in self._machine.vms]
        wanted = [number for number in ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup
        with (
            trio.open_signal_receiver(*wanted) as received,
            self._terminal,
        ):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._signals, received)
                if self._options.console in names:
                    vm = names.index(self._options.console)
                    nursery.start_soon(keyboard, lambda data: self._agent.write(vm, data), self._quit)
                outcome = await self._agent.run(self._options.timeout)
                nursery.cancel_scope.cancel()
        return outcome

    def _quit(self) -> None:
        self._agent.stop(Ending.DONE)

    async def _signals(self, received: AsyncIterator[int]) -> None:
        async for number in received:
            self._agent.stop(Ending.INTERRUPTED if number == signal.SIGINT else Ending.TERMINATED)

    def statistics(self, outcome: Outcome) -> dict[str, object]:
        """What ``--stats`` writes."""
        pcpus = {}
        for number, counters in sorted(outcome.statistics.items()):
            assignment = self._plan.pcpus[number]
            assert assignment is not None
            vm = self._plan.vms[assignment.vm].config.name
            pcpus[str(number)] = {"vm": vm, "vcpu": assignment.vcpu, **counters}
        return {
            "ending": outcome.ending.name.lower(),
            "vms": outcome.vms,
            "pcpus": pcpus,
            **({} if outcome.digest is None else virtual_outcome(self._machine.clock, outcome)),
        }

    def tell(self, outcome: Outcome) -> int:
        """Say on stderr what the user must know, and return the exit status."""
        for failure in outcome.failures:
            print(f"baonet: {failure}", file=sys.stderr)
        for report, code in outcome.reports:
            print("\n".join(["", *report.lines(), instruction(report, code)]), file=sys.stderr)
        if outcome.ending is Ending.TIMEOUT:
            states = ", ".join(f"{name} {state}" for name, state in outcome.vms.items())
            print(f"baonet: timeout after {self._options.timeout:g} s: {states}", file=sys.stderr)
        if outcome.ending is Ending.IDLE:
            print("baonet: every CPU waits, and nothing is to come: the machine would wait for ever", file=sys.stderr)
        if outcome.digest is not None:
            print(f"baonet: {summary(self._machine.clock, outcome)}", file=sys.stderr)
        if self._trace is not None:
            self._trace.close(footer(self._machine.clock, outcome))
            if self._trace.error is not None:
                print(f"baonet: --trace {self._options.trace}: {self._trace.error.strerror}", file=sys.stderr)
                return Ending.FAILED.value
        return outcome.ending.value


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong: one failure ends all tasks, and each nursery on its way wraps it once more."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def instruction(report: Report, code: bytes) -> str:
    """The instruction at the PC of a report."""
    import capstone  # noqa: PLC0415 - only a report needs it, and it takes as long to load as all else here

    architecture, mode = {
        InstructionSet.A64: (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
        InstructionSet.A32: (capstone.CS_ARCH_ARM, capstone.CS_MODE_ARM | capstone.CS_MODE_V8),
        InstructionSet.T32: (capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_V8),
    }[instruction_set(report.pstate)]
    for found in capstone.Cs(architecture, mode).disasm(code, report.pc, 1):
        return f"=> {found.address:#x}: {found.mnemonic} {found.op_str}"
    return f"=> {report.pc:#x}: {code[:4].hex(' ') or 'nothing is mapped there'}"
