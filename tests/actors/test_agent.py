"""The node agent by itself: what pcpus tell it, in every order, and what becomes of the VMs and of the run."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Set
from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing

from baonet.actors.agent import Agent
from baonet.actors.awaited import AwaitedText
from baonet.actors.ending import Ending
from baonet.actors.life import GRACE
from baonet.actors.notices import MOST
from baonet.actors.outcome import Outcome
from baonet.hyp.armv8.report import Armv8Report
from baonet.hyp.report import Report
from baonet.hyp.vmm import plan
from baonet.machine import Device
from baonet.outlets.backlog import Backlog
from baonet.outlets.outlet import Outlets
from baonet.wire import messages as wire
from baonet.wire.port import GONE, Port
from tests.hyp import machines
from tests.hyp.armv8.test_condition import PLAIN

OFF = "system_off"
UART = 0x0900_0000


class Channels:
    """A port whose peers are the test."""

    congested = False

    def __init__(self) -> None:
        self.coming: deque[tuple[int, wire.Message]] = deque()
        self.sent: list[tuple[int, wire.Message]] = []
        self.ended: list[tuple[int, str]] = []
        self.arrived = trio.Event()
        self.held: Set[int] = frozenset()
        self.stopped: Callable[[int], None] = lambda peer: None

    def come(self, peer: int, *messages: wire.Message) -> None:
        self.coming += [(peer, message) for message in messages]
        self.arrived.set()

    def send(self, peer: int, message: wire.Message) -> None:
        self.sent.append((peer, message))
        if isinstance(message, wire.Start | wire.Reset):
            self.come(peer, wire.Running())
        if isinstance(message, wire.Stop):
            self.come(peer, wire.Statistics(peer, {"instructions": 7}), wire.Stopped(peer))
            self.stopped(peer)

    def hold(self, peers: Set[int]) -> None:
        self.held = peers
        if any(peer not in peers for peer, _ in self.coming):
            self.arrived.set()

    def take(self) -> list[tuple[int, wire.Message]]:
        taken = [each for each in self.coming if each[0] not in self.held]
        self.coming = deque(each for each in self.coming if each[0] in self.held)
        self.arrived = trio.Event()
        return taken

    def last_words(self, peer: int) -> list[tuple[int, wire.Message]]:
        return self.take()

    def closed(self) -> list[tuple[int, str]]:
        ended, self.ended = self.ended, []
        return ended

    async def wait(self, seconds: float | None) -> None:
        with trio.move_on_after(seconds if seconds is not None else 60):
            await self.arrived.wait()

    async def flush(self, peer: int | None = None, seconds: float = math.inf) -> None:
        await trio.lowlevel.checkpoint()

    def close(self) -> None: ...


class Processes:
    """A node whose processes do nothing, and end when they have said that they stopped."""

    def __init__(self, pcpus: tuple[int, ...]) -> None:
        self.channels = Channels()
        self.port: Port = self.channels
        self.carries: dict[int, tuple[int, ...]] = {pcpu: (pcpu,) for pcpu in pcpus}
        self.killed: list[int] = []
        self.loads: list[int] = []
        self.broken = False
        self.died: Callable[..., None] = lambda pcpu, why, words="": None

    async def supervise(self, died: Callable[..., None]) -> None:
        self.died = died
        async with trio.open_nursery() as nursery:

            def stopped(pcpu: int) -> None:
                nursery.start_soon(end, pcpu)

            async def end(pcpu: int) -> None:
                died(pcpu, "ended with status 0")

            self.channels.stopped = stopped
            await trio.sleep_forever()

    def kick(self, pcpu: int) -> None: ...

    def kill(self, pcpu: int) -> None:
        self.killed.append(pcpu)

    def reload(self, vm: int, loaded: Callable[[str | None], None]) -> None:
        if not self.broken:
            self.loads.append(vm)
        loaded("image: No such file or directory" if self.broken else None)


class Bench:
    """An agent of two VMs with one UART, ``vm0`` on pcpus 0 and 1, ``vm1`` on pcpu 2."""

    def __init__(self, **options: Any) -> None:
        machine = machines.machine(machines.vm(0, 2), machines.vm(1, devices=(Device(UART, UART, 0x1000, ()),)))
        self.shown: list[tuple[int, bytes]] = []
        self.notices: list[tuple[str, str]] = []
        self.reports: list[tuple[Report, bytes]] = []
        self.node = Processes((0, 1, 2))
        self.port = self.node.channels
        self.agent = Agent(
            plan(machine),
            self.node,
            self,
            notice=lambda level, text: self.notices.append((level, text)),
            reported=lambda report, code: self.reports.append((report, code)),
            **options,
        )

    def show(self, vm: int, data: bytes) -> None:
        self.shown.append((vm, data))

    def interrupt(self) -> bool:
        return False

    def tick(self) -> None: ...

    def finish(self) -> None: ...

    async def settled(self) -> None:
        await trio.testing.wait_all_tasks_blocked()

    async def live(self, script: Callable[[Bench], Any], limit: float | None = 30) -> Outcome:
        """Run the agent while ``script`` plays the pcpus; fails if the agent does not end soon after."""
        outcome: list[Outcome] = []
        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:

                async def run() -> None:
                    outcome.append(await self.agent.run(limit))

                nursery.start_soon(run)
                await self.settled()
                for pcpu in self.node.carries:
                    self.port.come(pcpu, wire.Hello(wire.VERSION, pcpu))
                await self.settled()
                await script(self)
        return outcome[0]

    def told(self, kind: type) -> list[int]:
        """To whom messages of this kind went."""
        return [peer for peer, message in self.port.sent if isinstance(message, kind)]


def report(vm: int, vcpu: int = 0) -> Armv8Report:
    return Armv8Report(
        f"vm{vm}", vm, vcpu, 0, "reason", "explanation", 0x40000000, 0, 0, 0, tuple(range(31)), 0x3C5, 0, 0, 0, 0
    )


async def test_all_start_when_all_are_there_and_the_run_ends_when_all_are_off(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        assert bench.told(wire.Start) == [0, 1, 2]
        bench.port.come(2, wire.VmOff(1, OFF))
        await bench.settled()
        assert bench.told(wire.Stop) == [2]
        bench.port.come(1, wire.VmOff(0, OFF))

    outcome = await bench.live(script)
    assert outcome.ending is Ending.DONE
    assert outcome.vms == {"vm0": "off", "vm1": "off"}
    assert outcome.statistics == {pcpu: {"instructions": 7} for pcpu in (0, 1, 2)}
    assert (outcome.failures, bench.node.killed) == ([], [])


async def test_nobody_starts_before_the_last_has_come(autojump_clock: object) -> None:
    bench = Bench()
    bench.node.carries = {pcpu: (pcpu,) for pcpu in (0, 1, 2)}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.agent.run, 5)
        await bench.settled()
        for pcpu in (0, 2):
            bench.port.come(pcpu, wire.Hello(wire.VERSION, pcpu))
        await bench.settled()
        assert bench.told(wire.Start) == []


async def test_another_protocol_version_ends_the_run(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.port.come(1, wire.Hello(wire.VERSION + 1, 1))

    outcome = await bench.live(script)
    assert outcome.ending is Ending.FAILED
    assert outcome.failures == [f"pcpu 1 speaks protocol version {wire.VERSION + 1}, the agent {wire.VERSION}"]


async def test_a_parked_vm_waits_for_the_others_and_makes_the_status_3(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.port.come(0, wire.Parked(report(0), b"\0\0\0\0"))
        await bench.settled()
        assert bench.told(wire.Stop) == []
        bench.port.come(2, wire.VmOff(1, OFF))

    outcome = await bench.live(script)
    assert outcome.ending is Ending.PARKED
    assert outcome.ending.status == 3
    assert outcome.vms == {"vm0": "parked", "vm1": "off"}
    assert bench.reports == [(report(0), b"\0\0\0\0")]
    assert outcome.parked == {(0, 0): 1}


async def test_timeout_and_a_user_who_ends_it(autojump_clock: object) -> None:
    async def nothing(bench: Bench) -> None: ...

    outcome = await Bench().live(nothing, limit=3)
    assert outcome.ending is Ending.TIMEOUT
    assert outcome.vms == {"vm0": "running", "vm1": "running"}
    assert outcome.statistics.keys() == {0, 1, 2}

    async def stop(bench: Bench) -> None:
        bench.agent.stop(Ending.INTERRUPTED)
        bench.agent.stop(Ending.TERMINATED)  # the first counts

    assert (await Bench().live(stop)).ending is Ending.INTERRUPTED


async def test_a_pcpu_that_says_no_farewell_is_killed(autojump_clock: object) -> None:
    bench = Bench()
    bench.port.send = lambda peer, message: bench.port.sent.append((peer, message))  # type: ignore[method-assign]

    async def stop(bench: Bench) -> None:
        bench.agent.stop(Ending.DONE)

    start = trio.current_time()
    await bench.live(stop)
    assert bench.node.killed == [0, 1, 2]
    assert trio.current_time() - start < 2 * GRACE


async def test_a_dead_pcpu_takes_its_vm_down_alone(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.node.died(1, "was killed by SIGKILL")
        await bench.settled()
        assert bench.node.killed == [0]
        assert bench.told(wire.Stop) == []
        bench.port.come(2, wire.VmOff(1, OFF))

    outcome = await bench.live(script)
    assert outcome.ending is Ending.FAILED
    assert outcome.vms == {"vm0": "dead", "vm1": "off"}
    assert outcome.failures == ["pcpu 1 (VM 'vm0', vcpu 1) was killed by SIGKILL"]


async def test_what_has_become_of_a_process_is_told_before_what_it_wrote(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.node.died(2, "was killed by SIGSEGV", "Fatal Python error\n")
        bench.agent.stop(Ending.DONE)

    outcome = await bench.live(script)
    why, words = outcome.failures
    assert why.endswith("was killed by SIGSEGV"), "a study shows the first line"
    assert words == "pcpu 2 wrote:\nFatal Python error\n"


async def test_what_a_pcpu_said_before_it_died_counts(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.port.come(2, wire.ConsoleOutput(1, 0, 0, b"bye"), wire.Failure(2, "Traceback"))
        bench.node.died(2, "ended with status 1")
        bench.port.come(0, wire.VmOff(0, OFF))

    outcome = await bench.live(script)
    assert outcome.failures == ["pcpu 2: Traceback", "pcpu 2 (VM 'vm1', vcpu 0) ended with status 1"]
    assert bench.shown == [(1, b"bye")]


async def test_a_channel_that_is_merely_gone_is_no_failure_of_its_own(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.port.ended += [(0, GONE), (2, "does not keep to the protocol: no")]
        bench.port.arrived.set()
        await bench.settled()
        bench.agent.stop(Ending.DONE)

    outcome = await bench.live(script)
    assert outcome.failures == ["pcpu 2 (VM 'vm1', vcpu 0) does not keep to the protocol: no"]
    assert bench.node.killed == [2]


async def test_the_output_that_a_dead_pcpu_kept_does_not_hold_up_the_others(autojump_clock: object) -> None:
    bench = Bench(until=[AwaitedText(None, b"wanted")])

    async def script(bench: Bench) -> None:
        bench.port.come(2, wire.ConsoleOutput(1, 0, 5, b"wanted"))  # the first 5 bytes are with pcpu 0
        await bench.settled()
        assert bench.shown == []
        bench.node.died(0, "was killed by SIGKILL")
        await trio.sleep(10)
        assert (bench.told(wire.StatisticsRequest), bench.shown) == (
            [2],
            [],
        )  # it may be with pcpu 2, which has not answered
        bench.port.come(2, wire.Statistics(2, {}))

    outcome = await bench.live(script)
    assert outcome.ending is Ending.DONE
    assert bench.shown == [(1, b"wanted")]


@pytest.mark.parametrize("cut", range(1, 6))
async def test_until_is_found_across_pieces(autojump_clock: object, cut: int) -> None:
    bench = Bench(until=[AwaitedText(None, b"wanted")])

    async def script(bench: Bench) -> None:
        text = b"wanwanted"
        bench.port.come(2, wire.ConsoleOutput(1, 0, 0, b"wan"))
        bench.port.come(0, wire.ConsoleOutput(0, 0, 3, b"ted"))
        await bench.settled()
        assert bench.agent._ending is None  # two VMs said it together
        position = 6
        for piece in (text[:cut], text[cut:7], text[7:]):
            bench.port.come(2, wire.ConsoleOutput(1, 0, position, piece))
            position += len(piece)
            await bench.settled()

    assert (await bench.live(script)).ending is Ending.DONE


@pytest.mark.parametrize(
    ("printed", "ending", "missing"),
    [
        ([(0, b"up"), (1, b"up")], Ending.DONE, []),
        ([(1, b"up")], Ending.MISSED, [AwaitedText(0, b"up")]),
        ([], Ending.MISSED, [AwaitedText(0, b"up"), AwaitedText(None, b"up")]),
    ],
)
async def test_a_run_that_ends_before_all_was_printed_has_missed_it(
    autojump_clock: object, printed: list[tuple[int, bytes]], ending: Ending, missing: list[AwaitedText]
) -> None:
    bench = Bench(until=[AwaitedText(0, b"up"), AwaitedText(None, b"up")])

    async def script(bench: Bench) -> None:
        for place, (vm, data) in enumerate(printed):
            bench.port.come(0 if vm == 0 else 2, wire.ConsoleOutput(vm, 0, 2 * place, data))
        bench.port.come(1, wire.VmOff(0, OFF))
        bench.port.come(2, wire.VmOff(1, OFF))

    outcome = await bench.live(script)
    assert (outcome.ending, outcome.missing) == (ending, missing)


async def test_a_timeout_before_a_text_has_come_is_a_timeout(autojump_clock: object) -> None:
    bench = Bench(until=[AwaitedText(None, b"never")])
    outcome = await bench.live(lambda bench: bench.settled(), limit=3)
    assert (outcome.ending, outcome.missing) == (Ending.TIMEOUT, [AwaitedText(None, b"never")])


async def test_how_each_vcpu_was_is_in_the_outcome(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.port.come(1, wire.Examined(replace(PLAIN, pcpu=1)))
        await bench.settled()
        bench.agent.stop(Ending.INTERRUPTED)

    outcome = await bench.live(script)
    assert (outcome.started, list(outcome.conditions)) == (True, [1])


async def test_a_vm_that_is_parked_is_reported_when_it_happens(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        for _ in range(2):
            bench.port.come(2, wire.Parked(report(1), b"\0\0\0\0"))
            await bench.settled()
        assert bench.reports == [(report(1), b"\0\0\0\0")] * 2
        bench.port.come(1, wire.VmOff(0, OFF))

    outcome = await bench.live(script)
    assert (outcome.ending, outcome.parked) == (Ending.PARKED, {(1, 0): 2})


async def test_a_reset_loads_once_all_are_out_of_the_guest(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.port.come(1, wire.VmReset(0))
        await bench.settled()
        assert bench.told(wire.Halt) == [0, 1]
        bench.port.come(0, wire.Halted())
        await bench.settled()
        assert (bench.node.loads, bench.told(wire.Reset)) == ([], [])
        bench.port.come(1, wire.Halted())
        await bench.settled()
        assert (bench.node.loads, bench.told(wire.Reset)) == ([0], [0, 1])
        bench.port.come(0, wire.VmReset(0), wire.Halted())
        bench.port.come(1, wire.Halted())
        await bench.settled()
        assert bench.node.loads == [0, 0]
        bench.agent.stop(Ending.DONE)

    outcome = await bench.live(script)
    assert outcome.vms == {"vm0": "running", "vm1": "running"}


async def test_off_during_a_reset_is_off(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.port.come(2, wire.VmOff(1, OFF))
        bench.port.come(0, wire.VmReset(0))
        bench.port.come(1, wire.VmOff(0, OFF))
        bench.port.come(0, wire.Halted())
        bench.port.come(1, wire.Halted())

    outcome = await bench.live(script)
    assert outcome.ending is Ending.DONE
    assert outcome.vms == {"vm0": "off", "vm1": "off"}
    assert bench.node.loads == []


async def test_a_death_during_a_reset_is_final(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.port.come(0, wire.VmReset(0), wire.Halted())
        await bench.settled()
        bench.port.come(1, wire.Halted())
        bench.node.died(0, "was killed by SIGKILL")
        bench.port.come(2, wire.VmOff(1, OFF))

    outcome = await bench.live(script)
    assert outcome.ending is Ending.FAILED
    assert outcome.vms["vm0"] == "dead"


@pytest.mark.parametrize("parked_first", [True, False])
async def test_a_vm_that_starts_anew_wakes_its_parked_cpu(autojump_clock: object, parked_first: bool) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        both: list[tuple[int, wire.Message]] = [(1, wire.Parked(report(0, 1), b"")), (0, wire.VmReset(0))]
        for pcpu, message in both if parked_first else reversed(both):
            bench.port.come(pcpu, message)
        await bench.settled()
        for pcpu in (0, 1):
            bench.port.come(pcpu, wire.Halted())
        await bench.settled()
        assert bench.told(wire.Reset) == [0, 1]
        bench.port.come(0, wire.VmOff(0, OFF))
        bench.port.come(2, wire.VmOff(1, OFF))

    outcome = await bench.live(script)
    assert outcome.ending is Ending.PARKED
    assert outcome.vms == {"vm0": "off", "vm1": "off"}


async def test_a_reset_whose_image_has_gone_ends_that_vm_alone(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.node.broken = True
        bench.port.come(0, wire.VmReset(0), wire.Halted())
        bench.port.come(1, wire.Halted())
        await bench.settled()
        bench.port.come(2, wire.VmOff(1, OFF))

    outcome = await bench.live(script)
    assert outcome.ending is Ending.FAILED
    assert outcome.vms == {"vm0": "dead", "vm1": "off"}
    assert "VM 'vm0' cannot start anew" in outcome.failures[0]
    assert "No such file" in outcome.failures[0]
    assert bench.node.killed == [0, 1]


@pytest.mark.parametrize(
    "message",
    [
        wire.Start(),
        wire.Hello(wire.VERSION, 0),
        wire.Stopped(0),
        wire.ConsoleOutput(0, 0, 0, b"not me"),
        wire.ConsoleOutput(1, 7, 0, b"no such device"),
        wire.ConsoleOutput(-1, 0, 0, b"no such VM"),
        wire.InputTaken(0, 1),
        wire.VmOff(0, OFF),
        wire.VmOff(9, OFF),
        wire.VmReset(0),
        wire.Parked(report(0), b""),
        wire.Parked(report(1, 1), b""),
        wire.Notice(0, "WARNING", "somebody else's"),
        wire.Failure(0, "somebody else's"),
        wire.Statistics(0, {}),
        wire.Digest(0, bytes(32)),
        wire.TraceChunk(0, b"", 0, 0),
    ],
)
async def test_who_speaks_for_others_is_ended_and_not_heard(autojump_clock: object, message: wire.Message) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.port.come(2, wire.Notice(2, "WARNING", "mine"), message)
        await bench.settled()
        bench.port.come(0, wire.VmOff(0, OFF))

    outcome = await bench.live(script)
    kind = type(message).__name__
    assert outcome.failures == [f"pcpu 2 (VM 'vm1', vcpu 0) has no say in what it told the agent: {kind}"]
    assert outcome.vms == {"vm0": "off", "vm1": "dead"}
    assert bench.notices == [("WARNING", "pcpu 2: mine")]
    assert (bench.shown, bench.reports, outcome.digests) == ([], [], {})
    assert bench.node.killed == [2]


async def test_what_a_process_says_reaches_the_terminal_as_text_and_not_without_end(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        for _ in range(MOST + 3):
            bench.port.come(0, wire.Notice(0, "WARNING", "\x1b]0;title"))
        bench.port.come(1, wire.Failure(1, "one\n\x1b[2J"), wire.Failure(1, "another"))
        await bench.settled()
        bench.agent.stop(Ending.DONE)

    outcome = await bench.live(script)
    assert bench.notices == [("WARNING", r"pcpu 0: \x1b]0;title")] * MOST + [("WARNING", "pcpu 0: 3 more of anything")]
    assert outcome.failures == [
        "pcpu 1: one\n\\x1b[2J",
        "pcpu 1 (VM 'vm0', vcpu 1) has no say in what it told the agent: Failure",
    ]


async def test_typing_goes_to_the_vms_master(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.agent.write(1, b"hi")
        bench.agent.stop(Ending.DONE)

    await bench.live(script)
    assert (2, wire.ConsoleInput(1, b"hi")) in bench.port.sent


async def test_a_reader_that_stops_holds_one_vm_and_is_not_its_death() -> None:
    outlets = Outlets()
    own = outlets.add(Backlog(10), vm=0)
    bench = Bench(outlets=outlets)

    async def script(bench: Bench) -> None:
        own._bytes += bytes(11)
        bench.port.come(2, wire.ConsoleOutput(1, 0, 0, b"other"))
        await bench.settled()
        await bench.settled()
        assert bench.port.held == {0, 1}
        bench.port.come(0, wire.VmOff(0, OFF))
        bench.port.come(2, wire.ConsoleOutput(1, 0, 5, b" goes on"))
        await bench.settled()
        assert bench.shown == [(1, b"other"), (1, b" goes on")]
        assert bench.told(wire.Stop) == []
        for _ in range(3):
            bench.agent.life.passed(GRACE, bench.agent._held)
        own._taken(11)
        own.relieved()
        await bench.settled()
        assert bench.port.held == frozenset()
        assert sorted(bench.told(wire.Stop)) == [0, 1]
        bench.agent.stop(Ending.DONE)

    outcome = await bench.live(script)
    assert outcome.failures == []
