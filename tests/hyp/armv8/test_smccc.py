"""HVC and SMC as a guest sees them: the results that were observed on the real Bao, and ours where we depart."""

from __future__ import annotations

import pytest

from baonet.hyp.effects import Effect, Info, VmOff, VmReset, Warn
from baonet.hyp.vcpu import State
from baonet.machine import Faithful
from tests.hyp.fabric import Fabric
from tests.hyp.machines import machine, vm

STRICT = Faithful.STRICT

# What the real Bao gave to a probe guest with 2 vcpus, 1 VM: (x0, x1, x2, x3) -> x0.
OBSERVED = [
    ((0x8400_0000,), 0x10001),
    ((0x8400_000A, 0xC400_0003), 0),
    ((0x8400_000A, 0x8400_0002), 0),
    ((0x8400_000A, 0xC400_0001), 0),
    ((0x8400_000A, 0xC400_0004), 0),
    ((0x8400_000A, 0x8400_0000), 0),
    ((0x8400_000A, 0x8400_000A), 0),
    ((0x8400_000A, 0x8400_0008), -1),
    ((0x8400_000A, 0x8400_0006), -1),
    ((0x8400_000A, 0x8000_0000), -1),
    ((0x8000_0000,), -1),
    ((0x8400_0006,), 2),
    ((0xC400_0004, 0, 0), 0),
    ((0xC400_0004, 1, 0), 0),
    ((0xC400_0004, 77, 3), 0),
    ((0x8400_0008,), -1),
    ((0x8400_0009,), -1),
    ((0xC400_0003, 0, 0x4000_0000, 0), -4),
    ((0xC400_0003, 2, 0x4000_0000, 0), -2),
    ((0xC400_0003, 0x100, 0x4000_0000, 0), -2),
    ((0xC600_0001, 0, 0), -3),
    ((0xC600_0002, 0, 0), -3),
    ((0xC600_0000,), -2),
    ((0xC600_0003,), -2),
    ((0x8600_0001, 0, 0), -3),
    ((0x8600_0000,), -2),
    ((0x8400_0050,), -1),
    ((0xFFFF_FFFF_8400_0000,), 0x10001),
    ((0x1_8400_0000,), 0x10001),
    ((0x8000_0000_8400_0000,), 0x10001),
    ((0xFFFF_FFFF_C600_0001, 0, 0), -3),
    ((0x1_8600_0003,), -2),
    ((0x1_0400_0000,), -1),
]  # fmt: skip


@pytest.mark.parametrize("smc", [False, True])
@pytest.mark.parametrize(("call", "result"), OBSERVED)
def test_results_of_the_real_bao(call: tuple[int, ...], result: int, smc: bool) -> None:
    guest = Fabric(machine(vm(0, 2), faithful=STRICT)).guest(0, 0)
    guest.cpu.x[5:18] = marks = list(range(0x50, 0x50 + 13))
    assert guest.call(*call, smc=smc) == result
    assert guest.cpu.x[5:18] == marks
    assert guest.cpu.x[1 : len(call)] == list(call[1:])
    assert guest.cpu.pc == guest.pcpu.vcpu.config.entry + 4, "an SMC leaves the PC on itself, an HVC does not"


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (0x8400_0008, Info("unknown psci smc_fid 0x84000008")),
        (0x8400_0005, Info("unknown psci smc_fid 0x84000005")),
        (0x8400_0050, Info("unknown smc_fid 0x84000050")),
        (0x8600_0003, Warn("Unknown hypercall id 3")),
        (0x8000_0000, Warn("Unknown system call fid 0x80000000")),
        (1, Warn("Unknown system call fid 0x1")),
        (0x1_8000_0000, Warn("Unknown system call fid 0x80000000")),
    ],
)
def test_lines_that_bao_prints(function: int, line: Effect) -> None:
    fabric = Fabric(machine(vm(0), faithful=STRICT))
    fabric.guest(0, 0).call(function)
    assert fabric.others == [(0, line)]


def test_known_calls_print_nothing() -> None:
    fabric = Fabric(machine(vm(0, 2), faithful=STRICT))
    for call in [(0x8400_0000,), (0x8400_000A, 0x8400_0008), (0xC400_0003, 1, 0), (0xC600_0001, 5), (0xC600_0002,)]:
        fabric.guest(0, 0).call(*call)
    assert fabric.others == []


def test_system_off_and_reset_are_granted_in_practice() -> None:
    fabric = Fabric(machine(vm(0), vm(1)))
    guest, other = fabric.guest(0, 0), fabric.guest(1, 0)
    assert guest.call(0x8400_000A, 0x8400_0008) == 0
    assert guest.call(0x8400_000A, 0x8400_0009) == 0
    assert guest.call(0x8400_0008) is None
    assert other.call(0x8400_0009) is None
    assert (guest.state, other.state) == (State.OFF, State.OFF)
    assert [type(effect) for _, effect in fabric.others] == [VmOff, VmReset]
    assert fabric.others[1] == (1, VmReset(1))
