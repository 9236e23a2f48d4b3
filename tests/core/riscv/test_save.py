"""A hart as plain data: what is kept, and what is refused. That nothing shows of it, all tests that travel see to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, ECALL, NOP, WFI
from tests.core.riscv.bench import CODE, HANDLER, HZ, UART, Hart, Memory, core_of
from tests.core.travelling import as_bytes

REST = 64  # where it is in a state
OF_INSTRUCTIONS = {"pc": 512, "sepc": 712}  # likewise, in the library's CPU
OF_THE_HOST = ("blocks_translated", "lines_invalidated", "broadcasts", "instructions_foreseen")
WORK = (asm.sb(A1, A2), asm.csrr(A3, asm.TIME), asm.c_addi(A0, 1), asm.fence_i(), NOP, asm.C_NOP, asm.c_j(-20))
IDENTITIES = 255


def worker(memory: Memory | None = None) -> Hart:
    """It prints, looks at its clock, and counts for ever."""
    hart = Hart("virtual", memory=memory, records=True, identities=IDENTITIES)
    hart.enter(*WORK, a0=0, a1=ord("x"), a2=UART)
    return hart


def loaded(saved: dict[str, Any], memory: Memory) -> Hart:
    """A hart that is made anew with memory that has been kept."""
    again = Memory()
    again.ram[:], again.uart[:] = memory.ram[:], memory.uart[:]
    hart = worker(again)
    again.uart[:] = memory.uart[:]
    hart.core.load(as_bytes(saved))
    return hart


def outcome(hart: Hart) -> list[Any]:
    core = hart.core
    records = b"".join(data for data, _, _ in core.take_records(True))
    counts = {name: count for name, count in core.statistics().items() if name not in OF_THE_HOST}
    counts.pop("exits")
    file = [list(each) if not isinstance(each, int) else each for each in core.file()]
    return [core.time, core.pc, list(core.x), core.state(), file, counts, records, core.take_output()]


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(1, 4000), st.booleans()), min_size=1, max_size=6))
def test_what_nobody_has_taken_is_kept(steps: list[tuple[int, bool]]) -> None:
    """Records and console output, in pieces that are not whole."""
    left, other = worker(), worker()
    limit = left.core.time
    for step, travels in steps:
        limit += step
        for each in (left, other):
            while each.core.time < limit:
                assert each.core.run_until(limit) in (RiscvExit.BUDGET, RiscvExit.KICKED)
        if travels:
            other = loaded(other.core.save(), other.memory)
    assert outcome(left) == outcome(other)


def test_to_save_a_core_changes_nothing() -> None:
    hart, other = worker(), worker()
    hart.core.run_until(500)
    saved = hart.core.save()
    assert as_bytes(saved) == saved
    assert hart.core.save() == saved
    other.core.run_until(500)
    assert outcome(hart) == outcome(other)


@pytest.mark.parametrize("hz", [0, HZ])
def test_a_hart_that_is_not_on_yet(hz: int) -> None:
    """The secondary ones of a machine, until somebody starts them."""
    saved, made = core_of(Memory(), hz=hz).save(), core_of(Memory(), hz=hz)
    made.load(as_bytes(saved))
    made.reset(CODE, 5)
    fresh = core_of(Memory(), hz=hz)
    fresh.reset(CODE, 5)
    ours, theirs = ({**core.state(), "time": 0} for core in (made, fresh))
    assert ours == theirs


def test_a_hart_that_waits_goes_on_waiting() -> None:
    hart, made = (Hart("virtual") for _ in range(2))
    for each in (hart, made):
        each.enter(WFI, ECALL)
    assert hart.stay() == RiscvExit.WFI
    made.core.load(hart.core.save())
    for each in (hart, made):
        each.core.skip_to(700)
        assert each.stay() == RiscvExit.ECALL
    assert (made.core.time, made.core.pc) == (hart.core.time, hart.core.pc)


def test_all_that_a_guest_can_change_is_kept() -> None:
    """CSRs, FP registers with their rounding mode and flags, the interrupt file, what is pending, the reservation."""
    hart = worker()
    values = {
        asm.SSCRATCH: 5,
        asm.SEPC: 6,
        asm.SCAUSE: 7,
        asm.STVAL: 8,
        asm.SIE: 0x222,
        asm.STIMECMP: 123_456,
        asm.FCSR: 0x71,
        asm.SCOUNTEREN: 2,
        asm.SENVCFG: 0x70,
        asm.SSTATUS: 0x8000_0002_0001_E000 | asm.SSTATUS_SUM | asm.SSTATUS_MXR,
        asm.STVEC: HANDLER | 1,
    }
    for csr, value in values.items():
        hart.set(csr, value)
    registers = {f"a{n}": 0x4000_0000_0000_0000 + n for n in range(8)}
    hart.go(*(asm.fmv_d_x(n + 10, A0 + n) for n in range(8)), ECALL, user=False, **registers)
    write = (asm.csrw(asm.SISELECT, A0), asm.csrw(asm.SIREG, A1), ECALL)
    for register, value in ((0x70, 1), (0x72, 9), (0xC0, 0xF0), (0xC6, 1 << 63)):
        assert hart.go(*write, a0=register, a1=value) == RiscvExit.ECALL
    for identity in (4, 200, 255):
        hart.core.inject(identity)
    hart.core.software = True
    hart.core.external = True
    other = loaded(hart.core.save(), hart.memory)
    for each in (hart, other):
        each.core.run_until(each.core.time + 1)
    assert other.core.state() == hart.core.state()
    assert (other.core.software, other.core.external, other.core.timer) == (True, True, False)
    assert outcome(other)[4] == [1, 9, [4, 200, 255], [4, 5, 6, 7, 255]]
    for csr, value in values.items():
        assert other.get(csr) == value, hex(csr)
    assert other.go(*(asm.fmv_x_d(A0 + n, n + 10) for n in range(8)), ECALL) == RiscvExit.ECALL
    assert [other.core.x[A0 + n] for n in range(8)] == list(registers.values())
    assert other.get(asm.SISELECT) == 0xC6


def test_a_rounding_mode_rounds_after_a_load_too() -> None:
    hart = worker()
    hart.set(asm.FRM, 3)
    other = loaded(hart.core.save(), hart.memory)
    divide = (asm.fmv_d_x(1, A0), asm.fmv_d_x(2, A1), asm.fdiv_d(3, 1, 2), asm.fmv_x_d(A2, 3), ECALL)
    assert other.go(*divide, a0=0x3FF0_0000_0000_0000, a1=0x4008_0000_0000_0000) == RiscvExit.ECALL
    assert hex(other.core.x[A2]) == hex(0x3FD5_5555_5555_5556)
    assert other.get(asm.FFLAGS) == 1


@pytest.mark.parametrize("between", [False, True])
def test_a_reservation(between: bool) -> None:
    """An SC after a load may fail or not, as on hardware; in a run that is kept it does what it did in the other."""
    hart = Hart("virtual")
    place = CODE + 0x8000
    hart.enter(asm.amo("lr", "d", A0, 0, A1), asm.jal(0, 4), asm.amo("sc", "d", A2, A1, A1), ECALL, a1=place)
    hart.core.run_until(hart.core.time + 1)
    if between:
        made = Hart("virtual", memory=hart.memory)
        made.core.load(hart.core.save())
        hart = made
    assert hart.stay() == RiscvExit.ECALL
    assert (hart.core.x[A2], hart.memory.read(place)) == (0, place)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("version", 9, r"has version 9, and this baonet reads version \d+: load it with the baonet that saved it"),
        ("made", [1, 2], r"made in another way, with \[1, 2\] where this has .*load it into the machine"),
        ("state", b"", r"is damaged: state is too short"),
        ("cpu", b"x", r"is damaged: cpu"),
        ("cpu", [], r"is damaged: its fields"),
        ("uarts", [], r"is damaged: uarts"),
        ("other", 1, r"is damaged: its fields"),
    ],
)
def test_what_is_no_state_of_it_is_refused(field: str, value: Any, message: str) -> None:
    saved = worker().core.save() | {field: value}
    with pytest.raises(ValueError, match=message):
        worker().core.load(saved)


def test_the_rest_of_a_block_is_no_longer_than_one() -> None:
    saved = worker().core.save()
    state = saved["state"][:REST] + (513).to_bytes(4, "little") + saved["state"][REST + 4 :]
    with pytest.raises(ValueError, match="damaged: state"):
        worker().core.load(saved | {"state": state})


FILE_REGISTERS = {"eidelivery": 0x70, "eithreshold": 0x72, "eip0": 0x80, "eip6": 0x86, "eie0": 0xC0, "eie6": 0xC6}


def where_it_is(select: int) -> int:
    """Of a register of the interrupt file, in a core's state: where a one that is written changes it."""
    states = []
    for value in (0, 2, 0):
        hart = Hart("virtual", identities=IDENTITIES)
        enter = (asm.csrw(asm.SISELECT, A0), asm.csrw(asm.SIREG, A1), ECALL)
        assert hart.go(*enter, a0=select, a1=value if select != 0x70 else value // 2) == RiscvExit.ECALL
        states.append(hart.core.save()["state"])
    assert states[0] == states[2]
    (place,) = [n for n, (a, b) in enumerate(zip(states[0], states[1], strict=True)) if a != b]
    return place


@pytest.mark.parametrize(
    ("register", "offset", "value"),
    [
        ("eidelivery", 0, 2),
        ("eidelivery", 7, 1),
        ("eithreshold", 1, 8),
        ("eip0", 0, 1),
        ("eie0", 0, 1),
        ("eip6", 8, 1),
        ("eie6", 8, 1),
    ],
)
def test_an_interrupt_file_has_what_a_guest_can_leave_in_it(register: str, offset: int, value: int) -> None:
    """Identity 0 is none, and so are those behind the last: an APLIC's or a store's never come to be pending."""
    place = where_it_is(FILE_REGISTERS[register]) + offset
    hart = Hart("virtual", identities=IDENTITIES)
    hart.enter(NOP, ECALL)
    saved = hart.core.save()
    state = bytearray(saved["state"])
    state[place] |= value
    with pytest.raises(ValueError, match="is damaged: state or cpu"):
        hart.core.load(saved | {"state": bytes(state)})
    hart.core.load(saved)


@pytest.mark.parametrize("register", OF_INSTRUCTIONS)
def test_no_instruction_is_at_an_odd_address(register: str) -> None:
    """No guest can come to one, so a state that has one is none."""
    hart = worker()
    hart.core.run_until(700)
    before = hart.core.save()
    damaged = bytearray(before["cpu"])
    damaged[OF_INSTRUCTIONS[register]] |= 1
    with pytest.raises(ValueError, match="is damaged"):
        hart.core.load(before | {"cpu": bytes(damaged)})


@settings(max_examples=100)
@given(
    st.sampled_from(["state", "cpu"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=400),
)
def test_damaged_bytes_are_refused_or_run(field: str, places: list[tuple[float, int]]) -> None:
    """Whatever is in them, the process lives, and a stay ends where it should."""
    hart = worker()
    hart.core.run_until(700)
    saved = hart.core.save()
    damaged = bytearray(saved[field])
    for place, byte in places:
        damaged[4 + int(place * (len(damaged) - 4))] = byte
    made = worker()
    try:
        made.core.load(saved | {field: bytes(damaged)})
    except ValueError:
        return
    for _ in range(20):
        made.core.run_until(min(made.core.time, 1 << 62) + 100)
    made.core.state()


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=4000)
@given(st.sampled_from(["state", "cpu"]), st.integers(4, 1 << 16), st.integers(0, 255))
def test_one_damaged_byte(field: str, place: int, byte: int) -> None:
    hart = worker()
    hart.core.run_until(700)
    saved = hart.core.save()
    damaged = bytearray(saved[field])
    damaged[4 + place % (len(damaged) - 4)] = byte
    try:
        hart.core.load(saved | {field: bytes(damaged)})
    except ValueError:
        return
    for _ in range(20):
        hart.core.run_until(min(hart.core.time, 1 << 62) + 100)


def test_when_a_timer_is_due_follows_from_the_timer() -> None:
    """One that says another moment would be looked at again and again, and never fire."""

    def armed() -> Hart:
        hart = Hart("virtual")
        hart.set(asm.SIE, 1 << cpu.TIMER)
        hart.set(asm.STIMECMP, 1 << 40)
        hart.enter(NOP, asm.C_NOP, asm.c_j(-6))
        return hart

    hart, made = armed(), armed()
    hart.core.run_until(hart.core.time + 100)
    saved = hart.core.save()
    due = ((1 << 40) * 100).to_bytes(8, "little")
    assert saved["state"].count(due) == 1
    made.core.load(saved | {"state": saved["state"].replace(due, bytes(8))})
    assert made.core.run_until(made.core.time + 1000) == RiscvExit.BUDGET
    assert made.core.save()["state"].count(due) == 1


def test_a_core_is_not_saved_during_a_stay() -> None:
    hart = Hart("virtual")
    errors: list[str] = []

    def read(address: int, size: int) -> int:
        for act in (hart.core.save, lambda: hart.core.load({})):
            with pytest.raises(RuntimeError) as error:
                act()
            errors.append(str(error.value))
        return 5

    hart.core.emulate(((0x0C00_0000, 0x1000),), read, lambda *_: True, [])
    assert hart.go(asm.ld(A0, A1), ECALL, a1=0x0C00_0000) == RiscvExit.ECALL
    assert errors == ["a core is saved between two stays", "a core is loaded between two stays"]
