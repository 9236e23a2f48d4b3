"""An agent whose machine stands: whoever asks for that, how often, and whatever happens meanwhile."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import trio

from baonet.actors.ending import Ending
from baonet.actors.life import FREEZING
from baonet.outlets.backlog import Backlog
from baonet.outlets.outlet import Outlets
from baonet.wire import messages as wire
from tests.actors.test_agent import Bench

PCPUS = (0, 1, 2)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """``now``: nanoseconds of the host's clock."""
    time = SimpleNamespace(now=0)
    monkeypatch.setattr("time.monotonic_ns", lambda: time.now)
    return time


def freeze(bench: Bench) -> None:
    for pcpu in PCPUS:
        bench.port.come(pcpu, wire.Frozen())


async def test_an_old_answer_is_not_that_to_a_new_question(autojump_clock: object) -> None:
    """A pause that was given up has been answered when the next one has been asked for."""
    bench = Bench()

    async def script(bench: Bench) -> None:
        with trio.move_on_after(0.01):
            await bench.agent.pause()
        bench.agent.resume()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.agent.pause)
            await bench.settled()
            assert len(bench.told(wire.Freeze)) == 2 * len(PCPUS)
            freeze(bench)
            await bench.settled()
            assert not bench.agent.standing
            freeze(bench)
        assert bench.agent.standing
        bench.agent.stop(Ending.DONE)

    await bench.live(script)


async def test_two_may_ask_for_it_and_one_have_it_go_on(autojump_clock: object) -> None:
    bench = Bench()
    standing: list[bool] = []

    async def script(bench: Bench) -> None:
        async def shortly() -> None:
            await bench.agent.pause()
            bench.agent.resume()

        async def long() -> None:
            await bench.agent.pause()
            standing.append(bench.agent.standing)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(shortly)
            nursery.start_soon(long)
            for _ in range(3):
                await bench.settled()
                while asked := [pcpu for pcpu in PCPUS for _ in range(bench.agent.life._actors[pcpu].asked)]:
                    bench.port.come(asked[0], *[wire.Frozen()] * asked.count(asked[0]))
                    await bench.settled()
        bench.agent.stop(Ending.DONE)

    await bench.live(script)
    assert standing == [True]


async def test_who_is_told_to_go_on_need_not_have_frozen_in_time(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        with trio.move_on_after(0.01):
            await bench.agent.pause()
        bench.agent.resume()
        for _ in range(2):
            bench.agent.life.passed(FREEZING)
        await bench.settled()
        assert bench.node.killed == []
        bench.agent.stop(Ending.DONE)

    await bench.live(script)


async def test_it_stands_since_the_last_has_frozen_whoever_waits_for_that(
    autojump_clock: object, host: SimpleNamespace
) -> None:
    """Time in which it stood is none for its guests, though nobody waited any more when it came to stand."""
    bench = Bench()

    async def script(bench: Bench) -> None:
        with trio.move_on_after(0.01):
            await bench.agent.pause()
        host.now = 5
        freeze(bench)
        await bench.settled()
        host.now = 1005
        bench.agent.resume()
        assert [message for _, message in bench.port.sent if isinstance(message, wire.Thaw)] == [wire.Thaw(1000)] * 3
        bench.agent.stop(Ending.DONE)

    await bench.live(script)


async def test_two_who_ask_one_after_the_other_do_not_shorten_it(autojump_clock: object, host: SimpleNamespace) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.agent.pause)
            await bench.settled()
            freeze(bench)
        host.now = 700
        await bench.agent.pause()
        host.now = 1000
        bench.agent.resume()
        assert [message for _, message in bench.port.sent if isinstance(message, wire.Thaw)] == [wire.Thaw(1000)] * 3
        bench.agent.resume()
        assert len(bench.told(wire.Thaw)) == 3, "nobody stands any more"
        bench.agent.stop(Ending.DONE)

    await bench.live(script)


async def test_a_machine_in_the_hosts_time_cannot_be_let_go_to_a_moment(autojump_clock: object) -> None:
    bench = Bench()

    async def script(bench: Bench) -> None:
        with pytest.raises(ValueError, match="has no moments"):
            await bench.agent.advance(1000)
        assert not bench.agent.standing
        bench.agent.stop(Ending.DONE)

    await bench.live(script)


@pytest.mark.parametrize("vm", [None, 0])
async def test_who_reads_nothing_keeps_no_machine_from_standing(vm: int | None) -> None:
    """What guests have printed so far is taken; when they go on they wait for the reader again."""
    outlets = Outlets()
    full = outlets.add(Backlog(10), vm=vm)
    bench = Bench(outlets=outlets)

    async def script(bench: Bench) -> None:
        full._bytes += bytes(11)
        await bench.settled()
        bench.port.come(0, wire.ConsoleOutput(0, 0, 0, b"before"))
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bench.agent.pause)
                await bench.settled()
                assert bench.told(wire.Freeze) == [0, 1, 2]
                freeze(bench)
            bench.port.come(1, wire.Registers(1, {"pc": 4}))
            assert await bench.agent.registers(1) == {"pc": 4}
        assert bench.shown == [(0, b"before")]
        bench.agent.resume()
        await trio.sleep(0.3)  # who listens already takes once more
        bench.port.come(0, wire.ConsoleOutput(0, 0, 6, b" and after"))
        await trio.sleep(0.3)
        assert bench.shown == [(0, b"before")]
        full._taken(11)
        full.relieved()
        await trio.sleep(0.3)
        assert bench.shown == [(0, b"before"), (0, b" and after")]
        bench.agent.stop(Ending.DONE)

    await bench.live(script)


async def test_a_vm_that_is_about_to_start_anew_does_so_before_the_machine_stands(autojump_clock: object) -> None:
    """Who writes to its memory then would lose that."""
    bench = Bench()

    async def script(bench: Bench) -> None:
        bench.port.come(0, wire.VmReset(0))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.agent.pause)
            await bench.settled()
            freeze(bench)
            await bench.settled()
            assert not bench.agent.standing
            assert bench.node.loads == []
            bench.port.come(0, wire.Halted())
            bench.port.come(1, wire.Halted())
        assert bench.agent.standing
        assert bench.node.loads == [0]
        bench.agent.stop(Ending.DONE)

    await bench.live(script)
