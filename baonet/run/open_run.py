"""``open_run``: a machine that a Python program runs, waits for, and looks into."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import final

import trio

from baonet.actors.awaited import Awaited, AwaitedText
from baonet.actors.ending import Ending, VmState
from baonet.actors.outcome import Outcome
from baonet.cluster.terms import ClusterError
from baonet.document import quantities
from baonet.machine import ClockMode, Machine
from baonet.run.awaited_texts import awaited_text
from baonet.run.conditions import conditions
from baonet.run.durations import nanoseconds as nanoseconds_of
from baonet.run.errors import GuestParkedError, RunEndedError, RunError, WaitTimeoutError
from baonet.run.guest_console import GuestConsole
from baonet.run.guest_memory import GuestMemory
from baonet.run.hosted import HostedRun
from baonet.run.loaded import LoadedMachine
from baonet.run.results import RunOutcome
from baonet.run.saved_run import write
from baonet.run.spare import spare
from baonet.run.statistics import memory_told, statistics
from baonet.run.witness import Witness

_TAIL = 12
"""Lines of a console that an error shows."""


@final
class OpenRun:
    """What ``open_run`` gives: one machine, on its way.

    In virtual time it stands at 0 first, and goes on while somebody waits for it (``until``, ``for_``, ``finished``,
    ``wait_for`` of a console): what a program does between two waits takes no time, so that it is the same each time.
    ``resume`` has it go on by itself. Under the host's clock it goes on by itself from the start.

    Waits raise GuestParkedError as soon as a guest does what Bao stops it for (unless ``stop_on_report=False``), and
    RunEndedError when the run is over.
    """

    def __init__(self, loaded: LoadedMachine, hosted: HostedRun, witness: Witness, *, stop_on_report: bool) -> None:
        self._machine = loaded.machine
        self._hosted = hosted
        self._witness = witness
        self._stop_on_report = stop_on_report
        self._virtual = loaded.machine.clock.mode is ClockMode.VIRTUAL
        self._free = not self._virtual
        self._typed = hosted.disturbed
        self._saving = False
        self._ended: Outcome | None = None
        self._over = trio.Event()
        self._moving = trio.Lock()
        self._ends: list[int] = []
        self._consoles = [
            GuestConsole(vm.index, transcript, self._type, self._wait)
            for vm, transcript in zip(self._machine.vms, witness.transcripts, strict=True)
        ]

    @property
    def machine(self) -> Machine:
        """What runs."""
        return self._machine

    @property
    def standing(self) -> bool:
        """Whether the machine stands: no guest runs."""
        return self._hosted.agent.standing and not self._over.is_set()

    @property
    def time(self) -> int:
        """Nanoseconds of virtual time to which the machine has been let go on; 0 under the host's clock."""
        return self._machine.clock.cycles.ns(self._hosted.agent.course.moment)

    def console(self, vm: str) -> GuestConsole:
        """Raises ValueError when no VM has the name."""
        return self._consoles[self._index(vm)]

    def memory(self, vm: str) -> GuestMemory:
        """Raises ValueError when no VM has the name."""
        return GuestMemory(self._hosted.memory, self._machine.vms[self._index(vm)], self._must_stand)

    async def registers(self, vm: str, vcpu: int = 0) -> Mapping[str, int]:
        """Those of a vcpu by their names (``pc``, ``x0``, ``sp_el1``; ``a0``, ``sepc``), while the machine stands.

        Raises ValueError when there is no such vcpu, RunError while the machine runs, and when this vcpu's process does
        not run any more.
        """
        pcpus = self._hosted.plan.vms[self._index(vm)].pcpus
        if not 0 <= vcpu < len(pcpus):
            raise ValueError(f"VM '{vm}' has no vcpu {vcpu}: they are numbered from 0 to {len(pcpus) - 1}")
        self._must_stand()
        try:
            return await self._hosted.agent.registers(pcpus[vcpu])
        except LookupError as error:
            raise RunError(f"VM '{vm}', vcpu {vcpu}: {error}") from None

    async def until(
        self,
        *texts: str,
        timeout: str | None = None,  # noqa: ASYNC109 - of the machine's time
    ) -> None:
        """Until guests have printed all of ``texts``, from now on: ``"login: "``, or ``"linux:login: "`` for one VM's.

        ``timeout`` and what is raised are as for ``GuestConsole.wait_for``.
        """
        awaited = Awaited(awaited_text(self._machine, text) for text in texts)
        if not texts:
            raise ValueError("there is no text to wait for: until('login: '), or finished() for the end of the machine")
        places = [transcript.total for transcript in self._witness.transcripts]

        def needed() -> set[int]:
            return {text.vm for text in awaited.missing if text.vm is not None}

        def met() -> bool:
            for vm, transcript in enumerate(self._witness.transcripts):
                data = transcript.since(places[vm])
                places[vm] = transcript.total
                awaited.see(vm, data)
            return awaited.complete

        what = f"no guest has printed {quantities.listing(map(repr, texts))}"
        await self._wait(met, what, timeout=timeout, vm=None, needed=needed)

    async def for_(self, duration: str) -> None:
        """For so long (``"10ms"``) of the machine's own time; in virtual time to the cycle, as ``time`` tells it.

        Guests have come to the end of the window (``clock.window``) then, and stand there for shorter steps.
        Raises RunError in virtual time while the machine goes on by itself, and as ``until``.
        """
        nanoseconds = nanoseconds_of(duration)
        reports = len(self._witness.reports)
        self._check(reports)
        self._must_go()
        if self._virtual:
            with self._ending_at(nanoseconds) as end:
                while self._hosted.agent.course.moment < end:
                    self._check(reports)
                    if self._free:
                        raise RunError("the machine goes on by itself: pause() it before for_()")
                    await self._advance()
        else:
            with trio.move_on_after(nanoseconds / 1e9):
                while True:
                    self._check(reports)
                    await self._witness.news()
        self._check(reports)

    async def finished(
        self,
        *,
        timeout: str | None = None,  # noqa: ASYNC109 - of the machine's time
    ) -> RunOutcome:
        """Until the machine itself has come to its end: all VMs are off. Raises as ``until``, but RunEndedError."""
        reports = len(self._witness.reports)
        await self._wait(lambda: self._ended is not None, "the machine has not ended", timeout=timeout, vm=None)
        self._check_reports(reports)
        return self.outcome

    async def pause(self) -> None:
        """Have the machine stand: in virtual time at a horizon, else each vcpu at the start of a block of code."""
        self._free = False  # it will stand, though who asks for it may be cancelled before it does
        await self._hosted.agent.pause()
        await self._if_over()

    def resume(self) -> None:
        """Have the machine go on by itself, until ``pause``. For its guests it has not stood.

        Raises RunError while it is being saved.
        """
        if self._saving:
            raise RunError("the machine is being saved: resume() it when save() has returned")
        self._free = True
        self._hosted.agent.resume()

    async def save(self, path: str | os.PathLike[str]) -> None:
        """Write all that the machine has come to into a file, from which ``open_run(machine, state=path)`` goes on.

        The machine stands, in virtual time, and goes on here as well. The bytes are the same wherever it runs. Raises
        RunError while it runs, under the host's clock, and when some of it is lost; OSError.
        """
        if not self._virtual:
            raise RunError("a machine under the host's clock is not saved: load it with set={'clock.mode': 'virtual'}")
        spare(self._machine, "save", path)
        async with self._moving:
            self._must_stand()
            self._saving = True
            try:
                saved = await self._hosted.save()
            except (LookupError, ClusterError) as error:
                raise RunError(f"the machine cannot be saved: {error}") from None
            finally:
                self._saving = False
        await trio.to_thread.run_sync(write, path, saved, self._machine)

    @property
    def outcome(self) -> RunOutcome:
        """How it ended; while it goes on, how it is now."""
        agent, ended, witness = self._hosted.agent, self._ended, self._witness
        outcome = agent.outcome if ended is None else ended
        states = {vm.name: state.value for vm, state in zip(self._machine.vms, agent.life.states, strict=True)}
        time = agent.course.time if ended is not None else agent.course.moment
        return RunOutcome(
            ending=None if ended is None else ended.ending,
            vms=states,
            time=self._machine.clock.cycles.ns(time) if self._virtual else None,
            digest=None if ended is None else ended.digest,
            reports=tuple(witness.reports),
            conditions=() if ended is None else tuple(conditions(self._hosted.plan, ended, witness.names)),
            statistics={} if ended is None else statistics(self._hosted.plan, ended),
            memory=None if ended is None else memory_told(self._hosted.plan, ended),
            failures=tuple(outcome.failures),
            missing=() if ended is None else tuple(self._text(each) for each in ended.missing),
            warnings=tuple(witness.warnings),
        )

    async def live(self) -> None:
        """Its whole life, once: for ``open_run``."""
        try:
            ended = await self._hosted.live()
            if (error := self._hosted.trace_error) is not None:
                ended.failures.append(error)
            self._hosted.end_trace(ended)
            self._ended = ended
        finally:
            self._over.set()
            self._witness.tell()

    async def begin(self) -> None:
        """In virtual time: until it stands at 0. Raises RunEndedError when it cannot begin."""
        if self._virtual:
            await self._hosted.agent.advance(0)
            await self._if_over()
            if self._ended is not None:
                raise self._ended_error(self._ended)

    async def end(self, ending: Ending) -> None:
        """Now, if it has not ended yet: for ``open_run``."""
        self._hosted.agent.stop(ending)
        with trio.CancelScope(shield=True):
            await self._over.wait()

    def _text(self, awaited: AwaitedText) -> str:
        text = os.fsdecode(awaited.data)
        return text if awaited.vm is None else f"{self._machine.vms[awaited.vm].name}:{text}"

    def _index(self, vm: str) -> int:
        names = [each.name for each in self._machine.vms]
        if vm not in names:
            raise ValueError(f"there is no VM '{vm}': this machine has {quantities.listing(names)}")
        return names.index(vm)

    def _type(self, vm: int, data: bytes) -> None:
        self._typed = True
        self._hosted.agent.write(vm, data)

    def _must_stand(self) -> None:
        if not self.standing:
            raise RunError("the run is over" if self._over.is_set() else "the machine runs: pause() it first")

    def _must_go(self) -> None:
        if not self._virtual and not self._free:
            raise RunError("the machine stands, and nothing comes of waiting: resume() it first")

    async def _wait(
        self,
        met: Callable[[], bool],
        what: str,
        *,
        timeout: str | None,  # noqa: ASYNC109 - of the machine's time
        vm: int | None,
        needed: Callable[[], Collection[int]] | None = None,
    ) -> None:
        """Until ``met``. ``what`` reads behind the name of ``vm``; ``needed``: who has to print, by default ``vm``."""
        printing = needed or (lambda: () if vm is None else (vm,))
        failed = what if vm is None else f"VM '{self._machine.vms[vm].name}' {what}"
        reports = len(self._witness.reports)
        self._must_go()
        nanoseconds = None if timeout is None else nanoseconds_of(timeout)
        if self._free:
            with trio.move_on_after(float("inf") if nanoseconds is None else nanoseconds / 1e9):
                while not met():
                    self._check(reports, failed, printing())
                    await self._witness.news()
                return
        else:
            with self._ending_at(nanoseconds) as end:
                while not met():
                    self._check(reports, failed, printing())
                    if self._hosted.agent.course.moment >= end:
                        break
                    if self.standing and self._hosted.idle and not self._typed:
                        raise WaitTimeoutError(f"{failed}: every CPU waits, and nothing is to come{self._tails(vm)}")
                    await self._advance()
                else:
                    return
        raise WaitTimeoutError(f"{failed} within {timeout}{self._tails(vm)}")

    @contextmanager
    def _ending_at(self, nanoseconds: int | None) -> Iterator[float]:
        """In virtual time: when it will be so much later, in cycles; nobody has the machine go on beyond that."""
        if nanoseconds is None:
            yield math.inf
            return
        end = self._hosted.agent.course.moment + self._machine.clock.cycles.ticks(nanoseconds)
        self._ends.append(end)
        try:
            yield end
        finally:
            self._ends.remove(end)

    async def _advance(self) -> None:
        """In virtual time: a step, after which whoever waits looks again. Another task may have made it."""
        agent, seen = self._hosted.agent, self._hosted.agent.course.moment
        async with self._moving:
            if agent.course.moment != seen:
                return
            if self._free:
                await agent.heard()
            elif not self.standing:
                await agent.advance(seen)  # who had it go on was cancelled
            else:
                self._typed = False
                await agent.advance(min([self._hosted.next_moment, *(end for end in self._ends if end > seen)]))
        await self._if_over()

    async def _if_over(self) -> None:
        """Its last words come first."""
        if self._hosted.agent.ending is not None:
            await self._over.wait()

    def _check(self, reports: int, failed: str = "", printing: Collection[int] = ()) -> None:
        """Raise what makes waiting useless; of reports those after the first ``reports``.

        ``failed``: what was waited for; ``printing``: the VMs that have to print for it.
        """
        self._check_reports(reports)
        if self._ended is not None:
            raise self._ended_error(self._ended, failed)
        life = self._hosted.agent.life
        for vm in printing if self._hosted.agent.ending is None else ():  # else its last words come first
            config, state = self._machine.vms[vm], life.states[vm]
            parked = state is VmState.PARKED and len(life.parked[vm]) == config.cpus
            if (parked or state in (VmState.OFF, VmState.DEAD)) and not self._hosted.agent.keeps(vm):
                name = f"VM '{config.name}'"
                raise RunError(f"{failed}: {name} is {state.value}, and prints no more{self._tails(vm)}")

    def _check_reports(self, reports: int) -> None:
        if self._stop_on_report and len(self._witness.reports) > reports:
            report = self._witness.reports[reports]
            raise GuestParkedError(report, self._tails(self._index(report.vm)))

    def _ended_error(self, ended: Outcome, failed: str = "") -> RunEndedError:
        states = ", ".join(f"{name} {state}" for name, state in ended.vms.items())
        over = f"the run is over ({ended.ending.name.lower()}: {states})"
        lines = [f"{failed}: {over}" if failed else over, *ended.failures]
        lines += conditions(self._hosted.plan, ended, self._witness.names)
        return RunEndedError("\n".join(lines) + self._tails(None), self.outcome)

    def _tails(self, vm: int | None) -> str:
        """What consoles have shown last, below an error."""
        text = ""
        for config, transcript in zip(self._machine.vms, self._witness.transcripts, strict=True):
            if vm in (None, config.index) and (tail := transcript.tail(_TAIL)):
                text += f"\nthe console of VM '{config.name}' ends:\n{tail}"
        return text
