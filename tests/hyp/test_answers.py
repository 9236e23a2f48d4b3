"""Answers that may be given in place of the hypervisor are those that it gives, and it does nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.answers import FixedAnswer
from baonet.hyp.armv8.cpu import Exit
from baonet.hyp.pcpu import Pcpu
from baonet.hyp.riscv.cpu import RiscvExit
from baonet.hyp.vcpu import State
from baonet.machine import Faithful
from tests.hyp import machines
from tests.hyp.fabric import Fabric
from tests.hyp.machines import MAILBOX, mailbox
from tests.hyp.riscv import fabric as riscv

FAITHFUL = list(Faithful)
# Two objects that others have, one that nobody else has, and one that is not there
IPCS = (mailbox(52), mailbox(53, shmem=2), mailbox(54, shmem=1), mailbox(shmem=9))
SHARED = (MAILBOX, MAILBOX, MAILBOX)


def armv8(faithful: Faithful) -> tuple[Pcpu, Any]:
    vms = machines.vm(0, ipcs=IPCS), machines.vm(1, ipcs=IPCS[:2])
    guest = Fabric(machines.machine(*vms, faithful=faithful, shared_memory=SHARED)).guest(0, 0)
    return guest.pcpu, guest.cpu


def hart(faithful: Faithful) -> tuple[Pcpu, Any]:
    vms = riscv.vm(0, ipcs=IPCS), riscv.vm(1, ipcs=IPCS[:2])
    guest = riscv.RiscvFabric(riscv.machine(*vms, faithful=faithful, shared_memory=SHARED)).guest(0, 0)
    return guest.pcpu, guest.cpu


MADE = {(made, each): made(each) for made in (armv8, hart) for each in FAITHFUL}


def first(answers: tuple[FixedAnswer, ...], x: list[int]) -> FixedAnswer | None:
    for answer in answers:
        if all(x[number] & mask == value for number, mask, value in answer.conditions):
            return answer
    return None


def state(pcpu: Pcpu) -> dict[str, Any]:
    saved = pcpu.save(lambda message: message)
    return {name: value for name, value in saved.items() if name != "exits"}


def near(value: int) -> st.SearchStrategy[int]:
    """A value, and those that differ from it in a bit."""
    return st.one_of(st.just(value), st.integers(0, 63).map(lambda bit: value ^ 1 << bit), st.integers(0, 9))


@pytest.mark.parametrize("faithful", FAITHFUL)
@pytest.mark.parametrize(
    ("make", "calls"), [(armv8, (Exit.HVC, Exit.SMC)), (hart, (RiscvExit.ECALL,))], ids=["armv8", "riscv"]
)
@given(data=st.data())
@settings(max_examples=60)
def test_the_hypervisor_answers_so_and_does_nothing_else(
    make: Any, calls: tuple[int, ...], faithful: Faithful, data: st.DataObject
) -> None:
    pcpu, cpu = MADE[make, faithful]
    answers = pcpu.wing.answers
    chosen = data.draw(st.sampled_from(answers))
    x = [7 * n for n in range(len(cpu.x))]
    for number, _, value in (*chosen.conditions, *data.draw(st.sampled_from(answers)).conditions):
        x[number] = data.draw(near(value))
    answer, call, before = first(answers, x), data.draw(st.sampled_from(calls)), state(pcpu)
    if answer is None or answer.results is None:
        return
    cpu.x[:], cpu.pc = x, 0x4000
    pcpu.on_exit(call)
    for number, value in answer.results:
        x[number] = value
    assert (list(cpu.x), cpu.pc) == (x, 0x4004 if call == Exit.SMC and make is armv8 else 0x4000)
    assert (pcpu.effects, pcpu.state, state(pcpu)) == ([], State.RUNNING, before)


@pytest.mark.parametrize("make", [armv8, hart])
def test_who_tells_others_is_asked(make: Any) -> None:
    """By the index of the ipc, which is the last condition: of those that there are, and any other."""
    answers = make(Faithful.STRICT)[0].wing.answers
    asks = [[value for _, _, value in each.conditions][-1] for each in answers if each.results is None]
    assert sorted(set(asks)) == [0, 1]
