"""What the guest may not do: which line Bao prints, what the report adds, and who goes on living."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.hyp.riscv.cpu import EXIT_CAUSE, EXIT_IPA, EXIT_NUMBER, EXIT_VALUE, RiscvExit
from baonet.hyp.riscv.instructions import Transfer, decode, length
from baonet.hyp.vcpu import MASK64, State
from tests.hyp.riscv.fabric import PLIC, RAM, REMOTE, Guest, RiscvFabric, machine, vm

PC = 0x8020_0B80
HSM = 0x48_534D
LW, LD, LB, LH, LWU, SW, SD, SB = (
    *(0x0005_2503, 0x0005_3503, 0x0005_0503, 0x0005_1503, 0x0005_6503),  # to a0 from (a0)
    *(0x00B5_2023, 0x00B5_3023, 0x00B5_0023),  # a1 to (a0)
)
AMOADD, SC, FLW, FSW, FLD, CBO_ZERO = 0x00B5_252F, 0x18B5_252F, 0x0005_2007, 0x0005_2027, 0x0005_3007, 0x0045_200F
C_SW, C_SD, C_LW, C_LD = 0xC108, 0xE108, 0x4108, 0x6108  # a0 to and from (a0)


def one(cpus: int = 1) -> tuple[RiscvFabric, Guest]:
    fabric = RiscvFabric(machine(vm(0, cpus)))
    guest = fabric.guest(0, 0)
    guest.cpu.pc = PC
    return fabric, guest


def parked(fabric: RiscvFabric) -> tuple[str, str]:
    (report,) = fabric.reports
    assert fabric.pcpus[report.pcpu].state is State.PARKED
    return report.reason, report.explanation


# Lines of real Bao. In a window all but words of 4 bytes fail here, as with a vPLIC's priorities.
@pytest.mark.parametrize(
    ("ipa", "instruction", "line"),
    [
        (0, SW, "no emulation handler for abort(0x0 at 0x80200b80)"),
        (0x8420_0000, SW, "no emulation handler for abort(0x84200000 at 0x80200b80)"),
        (0x0200_0000, LW, "no emulation handler for abort(0x2000000 at 0x80200b80)"),
        (1 << 39, LW, "no emulation handler for abort(0x0 at 0x80200b80)"),
        (MASK64 - 3, LW, "no emulation handler for abort(0xfffffffc at 0x80200b80)"),
        (0x1000, AMOADD, "no emulation handler for abort(0x1000 at 0x80200b80)"),
        (0x1000, CBO_ZERO, "no emulation handler for abort(0x1000 at 0x80200b80)"),
        (PLIC + 0x2000, LW, "no emulation handler for abort(0xc002000 at 0x80200b80)"),
        (PLIC - 4, LW, "no emulation handler for abort(0xbfffffc at 0x80200b80)"),
        (PLIC + 8, SD, "emulation handler failed (0xc000008 at 0x80200b80)"),
        (PLIC + 8, C_SD, "emulation handler failed (0xc000008 at 0x80200b80)"),
        (PLIC + 4, LB, "emulation handler failed (0xc000004 at 0x80200b80)"),
        (PLIC + 4, LH, "emulation handler failed (0xc000004 at 0x80200b80)"),
        (PLIC + 5, LW, "emulation handler failed (0xc000005 at 0x80200b80)"),
        (PLIC + 4, AMOADD, "cant decode ld/st instruction"),
        (PLIC + 4, SC, "cant decode ld/st instruction"),
        (PLIC + 4, FSW, "cant decode ld/st instruction"),
        (PLIC + 8, FLD, "cant decode ld/st instruction"),
        (PLIC + 8, CBO_ZERO, "cant decode ld/st instruction"),
        (PLIC + 8, 0, "cant decode ld/st instruction"),
    ],
)
@pytest.mark.parametrize("cause", [21, 23])
def test_lines_of_the_real_bao(ipa: int, instruction: int, line: str, cause: int) -> None:
    fabric, guest = one()
    guest.trap(cause, instruction, tval=ipa, ipa=ipa)
    assert parked(fabric)[0] == line


@pytest.mark.parametrize("cause", [0, 1, 2, 4, 5, 6, 7, 20, 22, 24, 63])
def test_what_is_not_delegated(cause: int) -> None:
    fabric, guest = one()
    guest.trap(cause, 0xC000_2573, tval=0xC000_2573)
    assert parked(fabric)[0] == f"unknown synchronous exception ({cause})"


def test_access_to_nothing_is_explained() -> None:
    fabric, guest = one()
    guest.cpu.x[7] = 0xAB
    guest.trap(21, LD, tval=0x4000_0010, ipa=0x3000_0008)
    reason, explanation = parked(fabric)
    assert reason == "no emulation handler for abort(0x30000008 at 0x80200b80)"
    assert "64-bit load from guest-physical 0x30000008 (virtual 0x40000010)" in explanation
    assert "below it a device ends at 0x10000fff" in explanation
    assert "above it RAM starts at 0x80200000" in explanation
    (report,) = fabric.reports
    assert (report.vm_name, report.vm, report.vcpu, report.pcpu) == ("vm0", 0, 0, 0)
    assert (report.pc, report.cause, report.value, report.ipa) == (PC, 21, 0x4000_0010, 0x3000_0008)
    text = "\n".join(report.lines())
    assert "pc 0x0000000080200b80" in text
    assert "scause 21: load guest-page fault" in text
    assert "t2 0x00000000000000ab" in text
    assert report.instruction(LD.to_bytes(4, "little")) == "ld a0, 0(a0)"
    assert report.instruction(b"\x08\xc1") == "c.sw a0, 0(a0)"
    assert report.instruction(b"\xff" * 4) == ""


def test_a_walk_of_the_guests_tables() -> None:
    """To nothing, and into a window."""
    fabric, guest = one()
    guest.trap(21, LD, tval=0x10, ipa=0x4000_0012, implicit=True)
    reason, explanation = parked(fabric)
    assert reason == "no emulation handler for abort(0x40000012 at 0x80200b80)"
    assert explanation.startswith("walk of the guest's page tables to guest-physical 0x40000012 (virtual 0x10)")
    fabric, guest = one()
    guest.trap(23, SD, tval=0x10, ipa=PLIC, implicit=True)
    assert parked(fabric)[0] == "fault on 1st stage page table walk"


def test_a_fetch_from_nothing() -> None:
    fabric, guest = one()
    guest.trap(20, tval=0x1234, ipa=0x0C00_0000)
    reason, explanation = parked(fabric)
    assert reason == "unknown synchronous exception (20)"
    assert explanation.startswith("a fetch went to guest-physical 0xc000000, where the VM has neither memory")


def test_the_instruction_is_in_the_words_of_those_who_look() -> None:
    fabric, guest = one()
    guest.trap(22, 0xC000_2573, tval=0xC000_2573)
    assert "cycle" in parked(fabric)[1]
    assert fabric.reports[0].instruction((0xC000_2573).to_bytes(4, "little")) == "rdcycle a0"


def test_an_emulator_that_gives_up_stops_that_vcpu_alone() -> None:
    fabric, guest = one(2)
    guest.cpu.exit[EXIT_CAUSE], guest.cpu.exit[EXIT_IPA] = 2, 0x3000_0000
    guest.exit(RiscvExit.FAULT)
    assert "the emulator gave up at guest-physical 0x30000000" in parked(fabric)[1]
    assert fabric.guest(0, 1).state is State.POWERDOWN


# What is emulated


@pytest.mark.parametrize(("instruction", "step"), [(LW, 4), (LWU, 4), (C_LW, 2)])
def test_a_load_is_not_extended(instruction: int, step: int) -> None:
    _, guest = one()
    guest.controller.words[PLIC + 4] = 0xFFFF_FFFF
    guest.cpu.x[10] = PLIC + 4
    guest.load(PLIC + 4, instruction)
    assert (guest.cpu.x[10], guest.cpu.pc, guest.state) == (0xFFFF_FFFF, PC + step, State.RUNNING)


@pytest.mark.parametrize(("instruction", "register", "step"), [(SW, 11, 4), (C_SW, 10, 2)])
def test_a_store_has_the_whole_register(instruction: int, register: int, step: int) -> None:
    """What of it counts is for who takes it: a vPLIC's threshold has all of a byte's register."""
    _, guest = one()
    guest.cpu.x[register] = 0x1_2345_6789
    guest.store(PLIC + 4, instruction)
    assert guest.controller.words == {PLIC + 4: 0x1_2345_6789}
    assert guest.cpu.pc == PC + step


def test_the_zero_register() -> None:
    _, guest = one()
    guest.controller.words[PLIC + 4] = 5
    before = list(guest.cpu.x)
    guest.load(PLIC + 4, 0x0005_2003)
    guest.store(PLIC + 8, 0x0005_2023)
    assert (guest.cpu.x, guest.controller.words[PLIC + 8]) == (before, 0)


def test_an_access_that_the_home_answers() -> None:
    fabric = RiscvFabric(machine(vm(0, 2, cpu_affinity=(1,))))
    guest = fabric.guest(0, 0)
    guest.cpu.pc = PC
    guest.load(REMOTE)
    assert (guest.state, guest.cpu.pc) == (State.PAUSED, PC)
    fabric.finish(guest, 0xFFFF_FFFF)
    assert (guest.state, guest.cpu.pc, guest.cpu.x[10]) == (State.RUNNING, PC + 4, 0xFFFF_FFFF)
    guest.store(REMOTE, C_SW)
    assert guest.state is State.PAUSED
    fabric.finish(guest)
    assert (guest.state, guest.cpu.pc, guest.cpu.x[10]) == (State.RUNNING, PC + 6, 0xFFFF_FFFF)
    assert guest.controller.asked == [(REMOTE, 4, -1), (REMOTE, 4, 0xFFFF_FFFF)]
    fabric.finish(guest)
    assert guest.cpu.pc == PC + 6, "an answer to nothing is none"


def test_an_access_that_nobody_takes() -> None:
    fabric = RiscvFabric(machine(vm(0, 2, cpu_affinity=(1,))))
    fabric.guest(0, 0).load(REMOTE + 1)
    assert parked(fabric)[0].startswith("emulation handler failed (0xc001001 at")


def test_a_line_of_a_device() -> None:
    _, guest = one()
    guest.cpu.exit[EXIT_NUMBER], guest.cpu.exit[EXIT_VALUE] = 10, 7 << 1 | 1
    guest.exit(RiscvExit.LINE)
    assert guest.controller.lines == [(10, True, 7)]


# Decoding


@pytest.mark.parametrize(
    ("instruction", "transfer"),
    [
        (0x0005_0503, Transfer(False, 1, 10, 4)),  # lb a0, 0(a0)
        (0xFFF5_9F83, Transfer(False, 2, 31, 4)),  # lh t6, -1(a1)
        (0x0005_6503, Transfer(False, 4, 10, 4)),  # lwu
        (0x0005_3503, Transfer(False, 8, 10, 4)),  # ld
        (0x0005_4503, Transfer(False, 1, 10, 4)),  # lbu
        (0x0005_5503, Transfer(False, 2, 10, 4)),  # lhu
        (0x01F5_0023, Transfer(True, 1, 31, 4)),  # sb t6, 0(a0)
        (0x00B5_1023, Transfer(True, 2, 11, 4)),
        (0x00B5_3023, Transfer(True, 8, 11, 4)),
        (0x4108, Transfer(False, 4, 10, 2)),  # c.lw a0, 0(a0)
        (0xC10C, Transfer(True, 4, 11, 2)),  # c.sw a1, 0(a0)
        (0x6108, Transfer(False, 8, 10, 2)),  # c.ld
        (0xE108, Transfer(True, 8, 10, 2)),  # c.sd
        (0x4502, Transfer(False, 4, 10, 2)),  # c.lwsp a0, 0(sp)
        (0xC02A, Transfer(True, 4, 10, 2)),  # c.swsp a0, 0(sp)
        (0x6502, Transfer(False, 8, 10, 2)),  # c.ldsp
        (0xE02A, Transfer(True, 8, 10, 2)),  # c.sdsp
        (0x4002, None),  # c.lwsp to x0 is reserved
        (0x0005_7503, None),  # funct3 7
        (0x00B5_4023, None),
        (0x2108, None),  # c.fld
        (AMOADD, None),
        (FLW, None),
        (0x0000_0013, None),  # nop
        (0x0001, None),  # c.nop
    ],
)
def test_loads_and_stores(instruction: int, transfer: Transfer | None) -> None:
    assert decode(instruction) == transfer


@given(st.integers(0, 0xFFFF_FFFF) | st.integers(0, 0xFFFF))
def test_anything_is_decoded_or_not(instruction: int) -> None:
    found = decode(instruction)
    if found is not None:
        assert found.size in (1, 2, 4, 8)
        assert 0 <= found.register < 32
        assert found.length == length(instruction)


@given(
    st.integers(0, 63),
    st.integers(0, MASK64),
    st.integers(0, 0xFFFF_FFFF),
    st.sampled_from([PLIC, RAM, 0]),
    st.booleans(),
)
def test_any_trap_parks_or_is_done(cause: int, tval: int, instruction: int, base: int, implicit: bool) -> None:
    fabric, guest = one()
    guest.trap(cause, instruction, tval=tval, ipa=base + tval % 0x4000, implicit=implicit)
    if guest.state is State.PARKED:
        assert all(isinstance(line, str) for line in fabric.reports[0].lines())
    else:
        assert (guest.state, guest.cpu.pc) == (State.RUNNING, PC + length(instruction))
