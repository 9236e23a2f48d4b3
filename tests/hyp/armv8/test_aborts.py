"""What the guest may not do: which line Bao prints, what the report adds, and who goes on living."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.cpu import EXIT_ESR, EXIT_FAR
from baonet.hyp.armv8.report import decode_syndrome
from baonet.hyp.vcpu import State
from tests.hyp.fabric import Fabric, data_abort
from tests.hyp.machines import GIC_V3, MAILBOX, machine, mailbox, vm

GICD = GIC_V3.gicd
ICC_SGI0R_EL1, ICC_ASGI1R_EL1, ICC_SGI1R_EL1 = (3 << 14 | 12 << 7 | 11 << 3 | op2 for op2 in (7, 6, 5))
NO_SYNDROME = 0x24 << 26 | 1 << 25 | 7
HOLE = 0x3000_0000


def one() -> Fabric:
    return Fabric(machine(vm(0)))


def parked(fabric: Fabric) -> tuple[str, str]:
    (report,) = fabric.reports
    assert fabric.pcpus[report.pcpu].state is State.PARKED
    return report.reason, report.explanation


def test_access_to_nothing() -> None:
    fabric = one()
    guest = fabric.guest(0, 0)
    guest.cpu.x[7] = 0xAB
    guest.cpu.pc = 0x4000_0120
    assert guest.load(HOLE + 8, size=8) is None
    reason, explanation = parked(fabric)
    assert reason == "no emulation handler for abort(0x30000008 at 0x40000120)"
    assert "64-bit load from guest-physical 0x30000008" in explanation
    assert "below it a device ends at 0x9000fff" in explanation
    assert "above it RAM starts at 0x40000000" in explanation
    (report,) = fabric.reports
    assert (report.vm_name, report.vm, report.vcpu, report.pcpu) == ("vm0", 0, 0, 0)
    assert (report.pc, report.far, report.ipa, report.registers[7]) == (0x4000_0120, HOLE + 8, HOLE + 8, 0xAB)
    assert dict(report.syndrome)["DFSC"] == "translation fault, level 3"
    text = "\n".join(report.lines())
    assert "0x0000000040000120" in text
    assert "x7 0x00000000000000ab" in text


@pytest.mark.parametrize("ipa", [GICD, HOLE])
def test_pair_exclusive_and_simd_accesses_have_no_syndrome(ipa: int) -> None:
    fabric = one()
    fabric.guest(0, 0).load(ipa, esr=NO_SYNDROME)
    reason, explanation = parked(fabric)
    assert reason == f"no information to handle data abort ({ipa:#x})"
    assert ("of the interrupt controller" in explanation) == (ipa == GICD)


def test_walk_of_the_guests_tables_outside_its_memory() -> None:
    """The core does not know where it went."""
    fabric = one()
    guest = fabric.guest(0, 0)
    guest.cpu.exit[EXIT_FAR] = 0x1234
    guest._abort((1 << 64) - 1, NO_SYNDROME | 1 << 7)
    assert "walk of the guest's page tables" in parked(fabric)[1]


def test_far_not_valid() -> None:
    fabric = one()
    fabric.guest(0, 0).load(GICD, esr=data_abort(4, 1, write=False) | 1 << 10)
    assert parked(fabric)[0] == "no information to handle data abort (0x8000000)"


def test_other_fault_than_a_missing_mapping() -> None:
    fabric = one()
    fabric.guest(0, 0).load(GICD, esr=data_abort(4, 1, write=False) & ~0x3F | 0x10)
    assert parked(fabric)[0] == "data abort is not translation fault - cant deal with it"


def test_width_that_no_register_takes() -> None:
    fabric = one()
    fabric.guest(0, 0).store(GICD, 1, size=2)
    reason, explanation = parked(fabric)
    assert reason == "data abort emulation failed (0x8000000)"
    assert "16-bit store to 0x8000000" in explanation


@pytest.mark.parametrize(("ec", "name"), [(0x00, "unknown reason"), (0x20, "instruction abort"), (0x07, "SIMD")])
def test_exceptions_without_a_handler(ec: int, name: str) -> None:
    fabric = one()
    fabric.guest(0, 0).fault(ec << 26 | 1 << 25, far=HOLE, ipa=HOLE)
    assert fabric.reports[0].far == (HOLE if ec == 0x20 else 0)
    assert parked(fabric)[0] == f"no handler for abort ec = {ec:#x}"
    assert name in dict(fabric.reports[0].syndrome)["EC"]


def test_a_fetch_from_a_device() -> None:
    fabric = one()
    fabric.guest(0, 0).fault(0x20 << 26 | 1 << 25 | 0xF, far=0x0900_0004, ipa=0x0900_0004)
    reason, explanation = parked(fabric)
    assert reason == "no handler for abort ec = 0x20"
    assert "fetched an instruction from a device: 0x9000004, in a device at 0x9000000..0x9000fff" in explanation
    assert dict(fabric.reports[0].syndrome)["IFSC"] == "permission fault, level 3"


def test_an_emulator_that_gives_up_stops_that_vcpu_alone() -> None:
    fabric = one()
    fabric.guest(0, 0).fault(0, far=HOLE, ipa=HOLE)
    assert "the emulator gave up at guest-physical 0x30000000" in parked(fabric)[1]


@pytest.mark.parametrize(("register", "number"), [(ICC_SGI0R_EL1, "0x3e3016"), (ICC_ASGI1R_EL1, "0x3c3016")])
def test_sgi_registers_that_bao_does_not_emulate(register: int, number: str) -> None:
    fabric = one()
    guest = fabric.guest(0, 0)
    guest.cpu.exit[EXIT_ESR], guest.cpu.exit[EXIT_FAR] = 0x1234, 0x5678  # of an earlier exit
    guest.write_register(register, 0x1)
    assert parked(fabric)[0] == f"no emulation handler for register access ({number} at {guest.cpu.pc:#x})"
    (report,) = fabric.reports
    assert (report.esr, report.far, report.ipa) == (0, 0, 0)
    assert "wrote 0x1 to ICC_" in report.explanation
    assert not any(line.startswith("esr") for line in report.lines())


def test_sgi1r_steps_over_the_write() -> None:
    guest = one().guest(0, 0)
    pc = guest.cpu.pc
    guest.write_register(ICC_SGI1R_EL1, 1 << 24 | 1)
    assert (guest.state, guest.cpu.pc) == (State.RUNNING, pc + 4)


def test_load_to_the_zero_register() -> None:
    """xzr takes nothing and stores zero; with IL = 0 the instruction has two bytes."""
    guest = one().guest(0, 0)
    before, pc = list(guest.cpu.x), guest.cpu.pc
    guest._abort(GICD, data_abort(4, 31, write=False))
    guest._abort(GICD, data_abort(4, 31, write=True) & ~(1 << 25))
    assert (guest.cpu.x, guest.cpu.pc, guest.state) == (before, pc + 6, State.RUNNING)


def test_a_load_that_the_home_answers() -> None:
    fabric = Fabric(machine(vm(0, 2, cpu_affinity=(1,))))
    guest = fabric.guest(0, 0)
    pc = guest.cpu.pc
    assert guest.load(GICD, register=9) is None
    assert (guest.state, guest.cpu.pc) == (State.PAUSED, pc)
    fabric.settle()
    assert (guest.state, guest.cpu.pc, guest.cpu.x[9]) == (State.RUNNING, pc + 4, 0x10)


def test_a_parked_home_still_answers() -> None:
    """Bao's vcpus share their VM's state: when the master spins, the others do not notice."""
    fabric = Fabric(machine(vm(0, 3)))
    home, second = fabric.guest(0, 0), fabric.guest(0, 1)
    home.call(0xC400_0003, 1, 0x4000_0000, 0)
    fabric.settle()
    home.load(HOLE)
    assert home.state is State.PARKED
    assert second.load_settled(GICD) == 0x10
    assert second.call(0xC400_0003, 2, 0x4000_0000, 0) is None
    fabric.settle()
    assert (second.x0, fabric.guest(0, 2).state, home.state) == (0, State.RUNNING, State.PARKED)


def test_a_parked_master_hears_no_notification() -> None:
    ipcs = (mailbox(52),)
    fabric = Fabric(machine(vm(0, ipcs=ipcs), vm(1, ipcs=ipcs), shared_memory=(MAILBOX,)))
    fabric.guest(1, 0).load(HOLE)
    assert fabric.guest(0, 0).call(0xC600_0001, 0, 0) == 0
    fabric.settle()
    assert fabric.pcpus[1].statistics().dropped == 1
    assert (fabric.guest(0, 0).state, fabric.guest(1, 0).state) == (State.RUNNING, State.PARKED)


def test_decoding_of_a_register_trap() -> None:
    esr = 0x18 << 26 | 1 << 25 | 3 << 20 | 5 << 17 | 0 << 14 | 12 << 10 | 3 << 5 | 11 << 1
    assert dict(decode_syndrome(esr)) == {
        "EC": "0x18 MSR, MRS or system instruction",
        "IL": "32-bit",
        "register": "ICC_SGI1R_EL1",
        "Rt": "x3",
        "direction": "write",
    }
