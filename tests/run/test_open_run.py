"""A machine that a Python program runs: it waits, types, looks, and the machine is the same each time."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import trio

import baonet
from baonet.trace.reader import TraceReader
from tests.patience import LIMIT
from tests.system.digests import ROOT, known
from tests.system.machine import gone, pair, vm, write
from tests.system.virtual import PLACEMENTS, SILENT, islands

VIRTUAL = {"clock.mode": "virtual"}


def machine(directory: Path, value: dict[str, Any], mode: str = "virtual") -> baonet.Machine:
    return baonet.load(write(directory, value), set={"clock.mode": mode})


def children() -> list[int]:
    return [int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]


async def talk(loaded: baonet.Machine, placement: str, **options: Any) -> tuple[list[str], baonet.RunOutcome]:
    """Type and wait, stand for a moment that is not a window's end, and type again."""
    async with baonet.open_run(loaded, placement=placement, timeout=LIMIT, **options) as run:
        echo = run.console("echo")
        heard = [await echo.wait_for("type a line, or quit", timeout="1s")]
        echo.send("one\n")
        heard.append(await echo.wait_for("one"))
        await run.for_("1234567ns")
        echo.send("two\nquit\n")
        await run.until("echo:two", "timer:latency min", timeout="5s")
        heard.append(echo.text)
    return heard, run.outcome


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_typing_and_waiting_repeats_in_every_placement(tmp_path: Path, placement: str) -> None:
    loaded = machine(tmp_path, islands())
    first = await talk(loaded, "one-process")
    again = await talk(loaded, placement)
    assert again[0] == first[0]
    assert again[1].digest == first[1].digest
    assert again[1].digest is not None
    assert again[1].ending is baonet.Ending.DONE


async def test_what_is_typed_can_be_recorded_and_given_as_input(tmp_path: Path) -> None:
    loaded = machine(tmp_path, islands())
    heard, outcome = await talk(loaded, "process-per-island", record=tmp_path / "typed.yaml", trace=tmp_path / "t.bnt")
    with TraceReader(tmp_path / "t.bnt") as trace:
        assert trace.footer is not None
        assert trace.footer.digest == outcome.digest
    async with baonet.open_run(loaded, input=tmp_path / "typed.yaml", timeout=LIMIT) as run:
        await run.console("echo").wait_for("two")
        assert run.console("echo").text == heard[-1]


@pytest.mark.parametrize("name", ["configs/hello.yaml", "configs/ping-pong.yaml"])
async def test_a_machine_that_went_for_a_time_has_the_digest_of_a_run_that_did(name: str) -> None:
    async with baonet.open_run(baonet.load(ROOT / name, set=VIRTUAL), timeout=LIMIT) as run:
        for part in ("3ms", "7us", "1ms", "15993us"):
            if name == "configs/hello.yaml":
                with pytest.raises(baonet.RunEndedError, match="the run is over"):
                    await run.for_("20ms")
                break
            await run.for_(part)
            assert run.outcome.digest is None
    assert run.outcome.digest == known()[name]


async def test_registers_and_memory_are_seen_while_it_stands(tmp_path: Path) -> None:
    async with baonet.open_run(machine(tmp_path, pair()), timeout=LIMIT) as run:
        ping = run.memory("ping")
        before = ping.read(0x70000000, 16)
        await run.console("ping").wait_for("batch 1")
        registers = await run.registers("ping")
        assert 0x40000000 <= registers["pc"] < 0x41000000
        assert ping.read(0x70000000, 16) != before == bytes(16)
        assert ping.read(0x70000000, 16) == run.memory("pong").read(0x70000000, 16)
        ping.write(0x40F00000, b"baonet")
        await run.for_("10us")
        assert ping.read(0x40F00000, 6) == b"baonet"
        with pytest.raises(ValueError, match="2 bytes at 0x40ffffff are not inside one region of VM 'ping'"):
            ping.read(0x40FFFFFF, 2)
        run.resume()
        with pytest.raises(baonet.RunError, match="the machine runs: pause"):
            ping.read(0x40000000, 1)
        with pytest.raises(baonet.RunError, match="the machine runs: pause"):
            await run.registers("ping")


@pytest.mark.parametrize("placement", ["one-process", "process-per-cpu"])
async def test_under_the_hosts_clock_it_runs_freely_and_can_be_paused(tmp_path: Path, placement: str) -> None:
    async with baonet.open_run(machine(tmp_path, pair(), "host"), placement=placement, timeout=LIMIT) as run:
        await run.console("ping").wait_for("batch 1", timeout="30s")
        await run.pause()
        seen = run.memory("ping").read(0x70000000, 16)
        registers = await run.registers("pong")
        with trio.move_on_after(0.05):
            await trio.sleep_forever()
        assert run.memory("ping").read(0x70000000, 16) == seen
        assert await run.registers("pong") == registers
        with pytest.raises(baonet.RunError, match="the machine stands"):
            await run.console("ping").wait_for("done")
        run.resume()
        outcome = await run.finished(timeout="30s")
    assert (outcome.ending, outcome.vms) == (baonet.Ending.DONE, {"ping": "off", "pong": "off"})
    assert outcome.digest is None
    assert "ping: done" in run.console("ping").text


@pytest.mark.parametrize("mode", ["host", "virtual"])
async def test_a_report_ends_a_wait_at_once(tmp_path: Path, mode: str) -> None:
    loaded = machine(tmp_path, {"vms": [vm("misbehave-unmapped-read"), vm("spin", devices=SILENT)]}, mode)
    with pytest.raises(baonet.GuestParkedError, match="no emulation handler for abort") as caught:
        async with baonet.open_run(loaded, timeout=LIMIT) as run:
            await run.finished()
    assert caught.value.report.vm == "misbehave-unmapped-read"
    assert "=> 0x" in caught.value.report.text
    assert run.outcome.reports == (caught.value.report,)
    assert run.outcome.ending is baonet.Ending.INTERRUPTED


async def test_a_report_can_be_waited_past(tmp_path: Path) -> None:
    loaded = machine(tmp_path, {"vms": [vm("misbehave-unmapped-read")]})
    async with baonet.open_run(loaded, timeout=LIMIT, stop_on_report=False) as run:
        outcome = await run.finished()
    assert outcome.ending is baonet.Ending.PARKED
    assert len(outcome.reports) == 1


@pytest.mark.parametrize("mode", ["host", "virtual"])
async def test_what_does_not_come_in_time_says_what_came(tmp_path: Path, mode: str) -> None:
    loaded = machine(tmp_path, {"vms": [vm("echo")]}, mode)
    async with baonet.open_run(loaded, timeout=LIMIT) as run:
        await run.console("echo").wait_for("or quit", timeout="30s")
        run.console("echo").send("once\n")
        why = "within 50ms" if mode == "host" else ": every CPU waits, and nothing is to come"
        with pytest.raises(TimeoutError, match=rf"VM 'echo' has not printed 'twice' ?{why}\n.*\n.*or quit"):
            await run.console("echo").wait_for("twice", timeout="50ms")
        run.console("echo").send("and 42 more\n")
        assert "42" in await run.console("echo").wait_for(re.compile(r"and (\d+)"), timeout="30s")


async def test_nothing_to_come_is_told(tmp_path: Path) -> None:
    async with baonet.open_run(machine(tmp_path, {"vms": [vm("echo")]}), timeout=LIMIT) as run:
        with pytest.raises(baonet.RunError, match="every CPU waits, and nothing is to come"):
            await run.console("echo").wait_for("never")


async def test_a_run_that_is_over_says_how(tmp_path: Path) -> None:
    loaded = machine(tmp_path, {"vms": [vm("hello")]})
    async with baonet.open_run(loaded, timeout=LIMIT) as run:
        with pytest.raises(baonet.RunError, match=r"(?s)over \(done: hello off\)|VM 'hello' is off.*hello"):
            await run.console("hello").wait_for("never")
        assert (await run.finished()).vms == {"hello": "off"}


@pytest.mark.parametrize("mode", ["host", "virtual"])
async def test_a_cancelled_block_leaves_no_process(tmp_path: Path, mode: str) -> None:
    before = children()
    with trio.CancelScope() as scope:
        async with baonet.open_run(machine(tmp_path, {"vms": [vm("spin", devices=SILENT)]}, mode)) as run:
            made = [pid for pid in children() if pid not in before]
            scope.deadline = trio.current_time() + 0.1
            await run.finished()
    assert scope.cancelled_caught
    assert made
    assert gone(made)
    assert run.outcome.ending is baonet.Ending.INTERRUPTED


async def test_what_the_block_raises_comes_out_as_it_is(tmp_path: Path) -> None:
    before = children()
    made: list[int] = []

    async def fail() -> None:
        async with baonet.open_run(machine(tmp_path, {"vms": [vm("hello")]})):
            made.extend(pid for pid in children() if pid not in before)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert made
    assert gone(made)


async def test_the_timeout_is_the_hosts(tmp_path: Path) -> None:
    loaded = machine(tmp_path, {"vms": [vm("spin", devices=SILENT)]})

    async def wait() -> None:
        async with baonet.open_run(loaded, timeout="300ms") as run:
            await run.console("spin").wait_for("never")

    with pytest.raises(baonet.RunEndedError, match="timeout: spin running"):
        await wait()


MISUSES = [
    ({"placement": "somewhere"}, "there is no placement 'somewhere': it can be one-process, "),
    ({"timeout": "60"}, "has no unit: write 60ns"),
    ({"threads": 0}, "threads=0: it takes 1 at least"),
    ({"trace": "machine.yaml"}, "trace .*machine.yaml would be lost"),
]


@pytest.mark.parametrize(("options", "message"), MISUSES)
async def test_a_misuse_is_told_in_one_line(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    loaded = machine(tmp_path, {"vms": [vm("hello")]})
    given: dict[str, Any] = {name: str(tmp_path / each) if name == "trace" else each for name, each in options.items()}
    with pytest.raises(ValueError, match=message):
        async with baonet.open_run(loaded, **given):
            raise AssertionError


async def test_names_that_are_not_there_are_told(tmp_path: Path) -> None:
    async with baonet.open_run(machine(tmp_path, {"vms": [vm("hello")]})) as run:
        with pytest.raises(ValueError, match="there is no VM 'goodbye': this machine has hello"):
            run.console("goodbye")
        with pytest.raises(ValueError, match="VM 'hello' has no vcpu 1: they are numbered from 0 to 0"):
            await run.registers("hello", 1)
        with pytest.raises(ValueError, match="an empty text"):
            await run.until("hello:")
        with pytest.raises(ValueError, match="is no time"):
            await run.for_("0ms")


def test_a_file_with_mistakes_tells_all_of_them(tmp_path: Path) -> None:
    path = write(tmp_path, {"vms": [vm("hello", cpus=99), vm("nobody")]})
    with pytest.raises(baonet.ConfigError) as caught:
        baonet.load(path)
    assert len(caught.value.problems) >= 2
    assert re.search(r"machine.yaml:\d+:\d+: vms\[0\].cpus", str(caught.value))


async def test_in_virtual_time_it_can_go_on_by_itself_and_stand_again(tmp_path: Path) -> None:
    async with baonet.open_run(machine(tmp_path, pair()), timeout=LIMIT) as run:
        assert run.time == 0
        run.resume()
        await run.console("ping").wait_for("batch 1", timeout="30s")
        with pytest.raises(baonet.RunError, match="goes on by itself: pause"):
            await run.for_("1ms")
        await run.pause()
        stood = run.time
        assert stood > 0
        assert run.outcome.ending is None
        await run.for_("3us")
        assert run.time == stood + 3000
        run.resume()
        assert (await run.finished(timeout="30s")).vms == {"ping": "off", "pong": "off"}
    assert run.outcome.digest is not None


async def test_what_a_trace_cannot_take_is_told(tmp_path: Path) -> None:
    loaded = machine(tmp_path, {"vms": [vm("hello")]})

    async def trace() -> None:
        async with baonet.open_run(loaded, trace="/dev/full", timeout=LIMIT) as run:
            await run.finished()

    with pytest.raises(baonet.RunError, match="trace /dev/full: No space left on device"):
        await trace()


def test_another_loop_than_trios_is_told_so(tmp_path: Path) -> None:
    loaded = machine(tmp_path, {"vms": [vm("hello")]})

    async def run() -> None:
        async with baonet.open_run(loaded):
            pass

    with pytest.raises(baonet.RunError, match=r"open_run is for Trio"):
        asyncio.run(run())


async def test_what_was_typed_is_recorded_of_a_block_that_failed_too(tmp_path: Path) -> None:
    loaded = machine(tmp_path, {"vms": [vm("echo")]})

    async def fail() -> None:
        async with baonet.open_run(loaded, record=tmp_path / "typed.yaml", timeout=LIMIT) as run:
            run.console("echo").send("hello\n")
            await run.console("echo").wait_for(b"1: hello")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await fail()
    async with baonet.open_run(loaded, input=tmp_path / "typed.yaml", timeout=LIMIT) as run:
        await run.console("echo").wait_for(re.compile(rb"\d: hello"))
    with pytest.raises(FileNotFoundError):
        async with baonet.open_run(loaded, record=tmp_path / "nowhere" / "typed.yaml"):
            pass


async def test_threads_are_of_virtual_time(tmp_path: Path) -> None:
    loaded = machine(tmp_path, {"vms": [vm("hello")]}, "host")
    message = r"threads is of virtual time: load the machine with set=\{'clock.mode': 'virtual'\}"
    with pytest.raises(ValueError, match=message):
        async with baonet.open_run(loaded, threads=2):
            raise AssertionError


async def test_one_text_where_several_can_be_is_told(tmp_path: Path) -> None:
    loaded = machine(tmp_path, {"vms": [vm("hello")]})
    with pytest.raises(ValueError, match=r"until can be several: write until=\['done'\]"):
        async with baonet.open_run(loaded, until="done"):
            pass
    with pytest.raises(ValueError, match=r"set can be several: write set=\['clock.mode=host'\]"):
        baonet.load(loaded.path, set="clock.mode=host")


async def test_memory_is_of_whole_bytes(tmp_path: Path) -> None:
    async with baonet.open_run(machine(tmp_path, {"vms": [vm("spin")]}), timeout=LIMIT) as run:
        memory = run.memory("spin")
        assert memory.read(0x41000000, 0) == b""
        for address, size in ((0x40000010, -4), (0x41000004, -8)):
            with pytest.raises(ValueError, match="are not inside one region"):
                memory.read(address, size)
        memory.write(0x40F00000, memoryview(bytes(range(8))).cast("I"))
        assert memory.read(0x40F00000, 8) == bytes(range(8))
