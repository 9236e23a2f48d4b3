"""A core as plain data: what is kept, and what is refused. That nothing shows of it, all tests that travel see to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import UART, Memory
from tests.core.travelling import as_bytes
from tests.core.virtual import HVC, ISB, NOP, WFI, core, write
from tests.examples import examples

ADD, BACK = 0x91000400, 0x17FFFFFA  # add x0, x0, #1; b .-24
STRB = 0x39000041  # strb w1, [x2]
DBGDTR = (2, 3, 0, 4, 0)
OSLAR, DBGBVR0, DBGBCR0 = (2, 0, 1, 0, 4), (2, 0, 0, 0, 4), (2, 0, 0, 0, 5)
CNTV_CTL, CNTV_CVAL = (3, 3, 14, 3, 1), (3, 3, 14, 3, 2)
REST = 64  # where it is in a state
OF_THE_HOST = ("blocks_translated", "lines_invalidated", "broadcasts", "instructions_foreseen")
WORK = (STRB, write(DBGDTR, 0), ADD, ISB, NOP, NOP, BACK)


def worker(memory: Memory | None = None) -> native.Core:
    """It prints, marks and counts for ever."""
    made = core(*WORK, memory=memory)
    made.x[1], made.x[2] = ord("x"), UART
    return made


def loaded(saved: dict[str, Any], memory: Memory) -> tuple[native.Core, Memory]:
    """A core that is made anew with memory that has been kept."""
    again = Memory()
    again.ram[:], again.uart[:] = memory.ram[:], memory.uart[:]
    made = core(*WORK, memory=again)
    made.load(as_bytes(saved))
    return made, again


def outcome(made: native.Core) -> list[Any]:
    records = b"".join(data for data, _, _ in made.take_records(True))
    counts = {name: count for name, count in made.statistics().items() if name not in OF_THE_HOST}
    exits = counts.pop("exits")
    assert isinstance(exits, list)
    return [made.time, made.pc, list(made.x), made.state(), made.timers(), counts, records, made.take_output()]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 4000), st.booleans()), min_size=1, max_size=6))
def test_what_nobody_has_taken_is_kept(steps: list[tuple[int, bool]]) -> None:
    """Records and console output, in pieces that are not whole."""
    left, memory = worker(), Memory()
    other, limit = worker(memory), 0
    for step, travels in steps:
        limit += step
        for each in (left, other):
            while each.time < limit:
                assert each.run_until(limit) in (Exit.BUDGET, Exit.KICKED)
        if travels:
            other, memory = loaded(other.save(), memory)
    assert outcome(left) == outcome(other)


def test_to_save_a_core_changes_nothing() -> None:
    guest = worker()
    guest.run_until(500)
    saved = guest.save()
    assert as_bytes(saved) == saved
    assert guest.save() == saved
    other = worker()
    other.run_until(500)
    assert outcome(guest) == outcome(other)


def test_a_core_that_waits_goes_on_waiting() -> None:
    guest = core(WFI, HVC)
    assert guest.run_until(1000) == Exit.WFI
    made = core(WFI, HVC)
    made.load(guest.save())
    for each in (guest, made):
        each.skip_to(700)
        assert each.run_until(1000) == Exit.HVC
    assert outcome(made) == outcome(guest)


def test_a_core_that_is_loaded_has_no_translation_of_what_was_there() -> None:
    memory = Memory()
    guest = core(ADD, HVC, memory=memory)
    saved = guest.save()
    assert guest.run_until(100) == Exit.HVC
    memory.load(0x4000_0000, HVC.to_bytes(4, "little"))
    guest.load(saved)
    assert guest.run_until(100) == Exit.HVC
    assert guest.x[0] == 0


def test_a_reset_leaves_no_breakpoint() -> None:
    """The library ends blocks at those that it still has."""
    straight = (NOP, NOP, NOP, NOP, HVC)
    setting = (write(OSLAR, 31), write(DBGBVR0, 2), write(DBGBCR0, 3), ISB, HVC)
    guest = core(*straight, *setting)
    guest.pc += 4 * len(straight)
    guest.x[2], guest.x[3] = 0x4000_0008, 1 | 1 << 1 | 0xF << 5
    assert guest.run_until(100) == Exit.HVC
    before = guest.statistics()["blocks_translated"]
    guest.reset(0x4000_0000, 0)
    assert guest.run_until(200) == Exit.HVC
    after = guest.statistics()["blocks_translated"]
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after - before == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("version", 9, r"has version 9, and this baonet reads version 2: load it with the baonet that saved it"),
        ("version", "x", r"is damaged: it has no version"),
        (
            "made",
            [1, 2],
            r"made in another way, with \[1, 2\] where this has \[0, 1000000000, .*load it into the machine",
        ),
        ("state", b"", r"is damaged: state is too short"),
        ("state", bytes(17144), r"has version 0, and this baonet reads version"),
        ("cpu", b"x", r"is damaged: cpu"),
        ("cpu", [], r"is damaged: its fields"),
        ("uarts", [], r"is damaged: uarts"),
        ("uarts", [[0, "x" * 20000]], r"is damaged: uarts"),
        ("pieces", [[0, 1]], r"is damaged: pieces"),
        ("chunks", [[b"", "x", 0]], r"is damaged: chunks"),
        ("records", bytes(33), r"is damaged: records"),
        ("records", bytes(32 * 2048), r"is damaged: records"),
        ("other", 1, r"is damaged: its fields"),
        ("version", 2**64 + 1, r"has version 18446744073709551617, and"),
        ("version", True, r"is damaged: it has no version"),
        ("uarts", [[-1, b""]], r"is damaged: uarts"),
        ("uarts", [[2**64, b""]], r"is damaged: uarts"),
        ("pieces", [[1, 0, b"of a UART that is not there"]], r"is damaged: pieces"),
        ("pieces", [[-1, 0, b""]], r"is damaged: pieces"),
        ("pieces", [[0, 2**64, b""]], r"is damaged: pieces"),
        ("pieces", [[False, 0, b""]], r"is damaged: pieces"),
        ("pieces", [None], r"is damaged: pieces"),
        ("chunks", [[bytes(32), -1, 0]], r"is damaged: chunks"),
        ("chunks", [[bytes(31), 0, 0]], r"is damaged: chunks"),
        ("began", -1, r"is damaged: its fields"),
        ("began", 2**64, r"is damaged: its fields"),
    ],
)
def test_what_is_no_state_of_it_is_refused(field: str, value: Any, message: str) -> None:
    guest = worker()
    saved = guest.save() | {field: value}
    with pytest.raises(ValueError, match=message):
        worker().load(saved)


def test_events_that_make_no_sense_are_refused() -> None:
    guest = worker()
    saved = guest.save()
    state = bytearray(saved["state"])
    head = state.rfind(bytes(8), 0, len(state) - 1024 * 16)
    assert head > 0
    state[-1024 * 16 - 8 : -1024 * 16] = (0).to_bytes(4, "little") + (1).to_bytes(4, "little")
    with pytest.raises(ValueError, match="damaged: state"):
        worker().load(saved | {"state": bytes(state)})


@pytest.mark.parametrize(
    ("offset", "word"),
    [
        pytest.param(332, 2, id="no execution state"),
        pytest.param(332, 0, id="AArch32 in a mode above EL0"),
        pytest.param(328, 9, id="EL2"),
        pytest.param(328, 13, id="EL3"),
        pytest.param(328, 1, id="no mode"),
        pytest.param(952, 0, id="EL1 in AArch32 by HCR_EL2"),
        pytest.param(960, 0, id="no EL2 by SCR_EL3"),
    ],
)
def test_a_cpu_that_no_guest_has_is_refused(offset: int, word: int) -> None:
    """The library aborts at its first fault, and the whole process with it."""
    saved = worker().save()
    cpu = bytearray(saved["cpu"])
    cpu[offset : offset + 4] = word.to_bytes(4, "little")
    with pytest.raises(ValueError, match="damaged: state or cpu"):
        worker().load(saved | {"cpu": bytes(cpu)})


def test_the_rest_of_a_block_is_no_longer_than_one() -> None:
    saved = worker().save()
    state = saved["state"][:REST] + (513).to_bytes(4, "little") + saved["state"][REST + 4 :]
    with pytest.raises(ValueError, match="damaged: state"):
        worker().load(saved | {"state": state})


@settings(max_examples=examples(150))
@given(
    st.sampled_from(["state", "cpu"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=400),
)
def test_damaged_bytes_are_refused_or_run(field: str, places: list[tuple[float, int]]) -> None:
    """Whatever is in them, the process lives, and a stay ends where it should."""
    guest = worker()
    guest.run_until(700)
    saved = guest.save()
    damaged = bytearray(saved[field])
    for place, byte in places:
        damaged[4 + int(place * (len(damaged) - 4))] = byte
    made = worker()
    try:
        made.load(saved | {field: bytes(damaged)})
    except ValueError:
        return
    for _ in range(20):
        made.run_until(min(made.time, 1 << 62) + 100)
    outcome(made)


def test_when_a_timer_is_due_follows_from_the_timer() -> None:
    """One that says another moment would be looked at again and again, and never fire."""
    guest = core(write(CNTV_CVAL, 2), write(CNTV_CTL, 3), NOP, NOP, 0x17FFFFFE)
    guest.x[2], guest.x[3] = 1 << 40, 1
    guest.run_until(100)
    saved = guest.save()
    due = (1 << 44).to_bytes(8, "little")  # 16 cycles to a tick
    assert saved["state"].count(due) == 1
    made = core(write(CNTV_CVAL, 2), write(CNTV_CTL, 3), NOP, NOP, 0x17FFFFFE)
    made.load(saved | {"state": saved["state"].replace(due, bytes(8))})
    assert made.run_until(1000) == Exit.BUDGET
    assert made.save()["state"].count(due) == 1


def test_a_core_is_not_saved_during_a_stay() -> None:
    guest = core(0xF9400040, HVC)  # ldr x0, [x2]
    errors: list[str] = []

    def read(address: int, size: int) -> int:
        for act in (guest.save, lambda: guest.load({})):
            with pytest.raises(RuntimeError) as error:
                act()
            errors.append(str(error.value))
        return 5

    guest.emulate(((0x0800_0000, 0x1000),), read, lambda *_: True, [])
    guest.x[2] = 0x0800_0000
    assert guest.run_until(100) == Exit.HVC
    assert errors == ["a core is saved between two stays", "a core is loaded between two stays"]
