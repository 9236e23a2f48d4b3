"""RISC-V's words for people: conditions, storms, traces."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baonet.hyp.condition import Doing, doing
from baonet.hyp.riscv.condition import RiscvCondition
from baonet.hyp.riscv.cpu import RiscvExit
from baonet.hyp.riscv.names import RiscvNames
from baonet.machine import Faithful
from baonet.machine.riscv import Aia, Plic, RiscvVm
from tests.hyp.riscv.board import UART, Board
from tests.hyp.riscv.fabric import RAM, Guest, RiscvFabric, machine, vm

SIE = 1 << 1
PLAIN = RiscvCondition(
    pcpu=0, doing=Doing.WAITING, pc=RAM, privilege=1, sstatus=SIE, stvec=0x800, sie=0x222, sip=0, exceptions=0,
    last_cause=0, last_epc=0, last_tval=0, armed=False, due=0, delivery=True, threshold=0, listed=(), disabled=(),
    unheard=(), lines_up=(),
)  # fmt: skip


def said(condition: RiscvCondition) -> str:
    return "\n".join(condition.lines(lambda address: f" <at_{address:x}>"))


def of(guest: Guest, *, waiting: bool = False) -> RiscvCondition:
    found = guest.pcpu.wing.examine(doing(guest.pcpu.vcpu, waiting=waiting, crashed=False))
    assert isinstance(found, RiscvCondition)
    return found


def test_what_a_guest_does() -> None:
    fabric = RiscvFabric(machine(vm(0, 2)))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    assert said(of(boot, waiting=True)).startswith("waits for an interrupt (WFI) in S mode\npc 0x0000000080200000 <at_")
    assert said(of(second)) == "is stopped, and waits for SBI hart start"
    boot.call(0x48_534D, 2, 1)
    assert of(boot).doing is Doing.CALL
    fabric.settle()
    boot.trap(2)
    assert said(of(boot)) == "is parked, as it was reported"


def test_the_timer_of_a_guest() -> None:
    """One that it has never touched is pending, and nobody is to look at it."""
    guest = RiscvFabric(machine(vm(0))).guest(0, 0)
    assert guest.cpu.pending == 1 << 5
    assert "timer" not in said(of(guest))
    guest.cpu.csrs["sie"] = 1 << 5
    assert "pending: the timer (STIP); not taken, as sstatus.SIE masks it" in said(of(guest))
    guest.cpu.csrs["stimecmp"], guest.cpu.csrs["time"] = 15_000, 0
    assert "timer (stimecmp): armed, due in 1.500 ms" in said(of(guest))
    guest.cpu.csrs["time"] = 15_010
    assert "timer (stimecmp): armed, due 1.000 us ago" in said(of(guest))
    guest.cpu.csrs["sie"] = 0
    assert "timer (stimecmp): due 1.000 us ago, not enabled in sie" in said(of(guest)), "nobody is woken by it"
    guest.cpu.csrs["stimecmp"] = (1 << 64) - 1
    assert "timer" not in said(of(guest))
    without = RiscvFabric(machine(vm(0), sstc=False)).guest(0, 0)
    assert "timer" not in said(of(without))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"sip": 2, "sie": 0}, "pending: the software interrupt (SSIP); not enabled in sie"),
        ({"sip": 0x20, "sstatus": 0}, "pending: the timer (STIP); not taken, as sstatus.SIE masks it"),
        ({"sip": 0x200}, "pending: an external interrupt (SEIP); not taken yet"),
        ({"sip": 0x200, "sstatus": 0, "privilege": 0}, "pending: an external interrupt (SEIP); not taken yet"),
        ({"listed": (3, 9), "delivery": False}, "in the interrupt file: message 3, 9; eidelivery is 0"),
        ({"listed": (9,), "threshold": 5}, "in the interrupt file: message 9; not below eithreshold 5"),
        ({"disabled": (4,)}, "pending in the interrupt file, but not enabled there: message 4"),
    ],
)
def test_why_an_interrupt_is_not_taken(changes: dict[str, int], line: str) -> None:
    assert line in said(replace(PLAIN, **changes)).splitlines()  # type: ignore[arg-type]


def test_what_waits_in_an_interrupt_file() -> None:
    guest = RiscvFabric(machine(vm(0, arch=RiscvVm(Aia(0x0D00_0000, 0x2800_0000))))).guest(0, 0)
    guest.cpu.interrupt_file = (1, 0, (9, 1, 4), (4, 1))
    found = of(guest)
    assert (found.delivery, found.listed, found.disabled) == (True, (1, 4), (9,))


@pytest.mark.parametrize(
    ("irqc", "steps"),
    [
        (Plic(0x0C00_0000), [(0x0C00_0028, 1), (0x0C00_2080, 1 << 10), (0x0C20_1000, 0)]),
        (Aia(0x0D00_0000, 0x2800_0000), [(0x0D00_0028, 6), (0x0D00_1EDC, 10), (0x0D00_0000, 0x100)]),
        (Aia(0x0D00_0000), [(0x0D00_0028, 6), (0x0D00_1EDC, 10), (0x0D00_0000, 0x100)]),
    ],
    ids=["plic", "aia", "direct"],
)
def test_a_line_that_the_controller_lets_through_to_nobody(irqc: Plic | Aia, steps: list[tuple[int, int]]) -> None:
    """Until the last of its registers is as it must be."""
    board = Board(irqc, faithful=Faithful.PRACTICAL)
    if isinstance(irqc, Plic):
        board.put(0, 0x0C20_1000, 7)
    board.drive(True)
    for address, value in steps:
        found = of(board.guest(0, 0))
        assert found.unheard == (UART,)
        assert "let through to no hart by the guest's interrupt controller: source 10" in said(found)
        assert of(board.guest(0, 1)).unheard == ()
        board.put(0, address, value)
    assert of(board.guest(0, 0)).unheard == ()


def test_a_uart_whose_interrupt_nobody_has() -> None:
    """The VM's first vcpu tells it alone."""
    fabric = RiscvFabric(machine(vm(0, 2, interrupts=())))
    for n in range(2):
        fabric.guest(0, n).cpu.uart_states = [(1, 5, 3)]
    words = "UART uart0 holds interrupt 10 up (enabled in IER: RDA, 3 characters to read); but no VM has interrupt 10"
    assert words in said(of(fabric.guest(0, 0)))
    assert of(fabric.guest(0, 1)).lines_up == ()


def test_the_last_exception() -> None:
    text = said(replace(PLAIN, exceptions=7, last_cause=13, last_epc=0x1234, last_tval=0xDEAD))
    assert "last of 7 exceptions: sepc 0x1234 <at_1234>, stvec 0x800, scause 13: load page fault, stval 0xdead" in text
    assert "scause 8: environment call from U mode" in said(replace(PLAIN, exceptions=1, last_cause=8, last_tval=5))
    assert "has taken no exception but interrupts" in said(PLAIN)


def test_a_storm_names_who_where_and_why() -> None:
    guest = RiscvFabric(machine(vm(0, 2))).guest(0, 0)
    guest.cpu.csrs.update(last_epc=0x44, last_cause=12, last_tval=0x44, stvec=0x44, sie=0x20)
    assert guest.pcpu.wing.storm(4096, 12, interrupts=False) == (
        "VM 'vm0', vcpu 0 is in an exception loop: 4096 exceptions with 12 instructions between them, the last from pc "
        "0x44, stvec 0x44, scause 12: instruction page fault, stval 0x44"
    )
    text = guest.pcpu.wing.storm(4096, 4100, interrupts=True)
    assert "its handler does not silence the timer (STIP) (stvec 0x44)" in text


def test_registers_by_their_names() -> None:
    guest = RiscvFabric(machine(vm(0, context=7))).guest(0, 0)
    registers = guest.pcpu.wing.registers()
    assert (registers["a1"], registers["pc"], registers["sp"], registers["privilege"]) == (7, RAM, 0, 1)
    assert "zero" not in registers


PLIC, AIA = {"plic": 0x0C00_0000}, {"aplic": 0x0D00_0000, "imsic": 0x2800_0000}


@pytest.mark.parametrize(
    ("part", "address", "name"),
    [
        (PLIC, 0x0C00_0028, "PLIC_PRIORITY10"),
        (PLIC, 0x0C00_1004, "PLIC_PENDING1"),
        (PLIC, 0x0C00_2084, "PLIC_ENABLE1 of context 1"),
        (PLIC, 0x0C20_1000, "PLIC_THRESHOLD of context 1"),
        (PLIC, 0x0C20_3004, "PLIC_CLAIM of context 3"),
        (PLIC, 0x0C20_1008, "PLIC+0x201008"),
        (PLIC, 0x0C20_4000, None),
        (PLIC, 0x0BFF_FFFC, None),
        (AIA, 0x0D00_0000, "APLIC_DOMAINCFG"),
        (AIA, 0x0D00_0028, "APLIC_SOURCECFG10"),
        (AIA, 0x0D00_1EDC, "APLIC_SETIENUM"),
        (AIA, 0x0D00_3028, "APLIC_TARGET10"),
        (AIA, 0x0D00_2008, "APLIC+0x2008"),
        (AIA, 0x0D00_403C, "APLIC_CLAIMI of hart 1"),
        (AIA, 0x2800_1000, "IMSIC_SETEIPNUM_LE of hart 1"),
        (AIA, 0x2800_2000, None),
    ],
)
def test_registers_of_the_controller(part: dict[str, int], address: int, name: str | None) -> None:
    assert RiscvNames().register(part, 2, address) == name


@pytest.mark.parametrize(
    ("number", "name"), [(10, "10"), (1025, "software interrupt"), (1029, "timer"), (2048 + 7, "message 7")]
)
def test_interrupts(number: int, name: str) -> None:
    assert RiscvNames().interrupt(number) == name


@pytest.mark.parametrize(
    ("reason", "detail", "text"),
    [
        (RiscvExit.ECALL, 0x73_5049, "ECALL SBI send IPI"),
        (RiscvExit.ECALL, 0x1234, "ECALL 0x1234"),
        (RiscvExit.TRAP, 22, "trap: virtual instruction"),
        (RiscvExit.LINE, 10, "line 10"),
        (RiscvExit.WFI, 0, None),
    ],
)
def test_exits(reason: RiscvExit, detail: int, text: str | None) -> None:
    assert RiscvNames().exit(reason, detail, hex) == text


def test_the_controller_of_a_vm() -> None:
    assert RiscvNames().vm(AIA) == "APLIC 0xd000000, IMSIC 0x28000000"
