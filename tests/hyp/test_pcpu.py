"""A whole pcpu: what it counts, what it drops, and the reset of a VM across its pcpus."""

from __future__ import annotations

import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.armv8.cpu import EXIT_INTID, EXIT_VALUE, Exit
from baonet.hyp.armv8.psci_messages import PowerState, PsciOn, PsciResult
from baonet.hyp.armv8.wing import ARMV8
from baonet.hyp.effects import Send, VmReset
from baonet.hyp.messages import SHARED, HypMessage, SpiLine, VmBarrier
from baonet.hyp.pcpu import Pcpu
from baonet.hyp.vcpu import State
from baonet.hyp.vmm import plan
from tests.examples import examples
from tests.hyp.fabric import Fabric
from tests.hyp.fake_cpu import FakeCpu
from tests.hyp.machines import MAILBOX, machine, mailbox, vm

CPU_ON, SYSTEM_RESET, IPC = 0xC400_0003, 0x8400_0009, 0xC600_0001
GICD = 0x0800_0000


def test_a_pcpu_that_no_vm_wants() -> None:
    with pytest.raises(ValueError, match="pcpu 1 is powered down"):
        Pcpu(plan(machine(vm(0), cpus=2)), 1, FakeCpu(), ARMV8)


def test_every_message_of_the_architecture_has_a_handler_of_its_own() -> None:
    messages = Fabric(machine(vm(0))).pcpus[0].wing.messages
    assert messages.keys() - {fact.kind for fact in SHARED} == {fact.kind for fact in ARMV8.messages}


def test_statistics() -> None:
    ipcs = (mailbox(52),)
    fabric = Fabric(machine(vm(0, 2, ipcs=ipcs), vm(1, ipcs=ipcs), shared_memory=(MAILBOX,)))
    guest = fabric.guest(0, 0)
    guest.call(0x8400_0000)
    guest.call(IPC, 0, 0)
    guest.call(CPU_ON, 1, 0x4000_0000, 0, smc=True)
    fabric.guest(0, 0).pcpu.on_exit(Exit.WFI)
    fabric.settle()
    fabric.guest(0, 1).call(CPU_ON, 0, 0, 0)
    fabric.settle()
    home, second, other = (fabric.pcpus[n].statistics() for n in range(3))
    assert (home.exits["HVC"], home.exits["SMC"], home.exits["WFI"], home.exits["DATA_ABORT"]) == (2, 1, 1, 0)
    assert (home.sent["IpcNotify"], home.sent["PsciOn"], home.sent["PsciResult"]) == (1, 1, 1)
    assert (home.received["PsciState"], home.received["PsciCpuOn"]) == (1, 1)
    assert (second.received["PsciOn"], second.asked, second.received["PsciResult"]) == (1, 1, 1)
    assert (other.received["IpcNotify"], other.dropped) == (1, 0)


def test_messages_that_nobody_asked_for_change_nothing() -> None:
    fabric = Fabric(machine(vm(0), vm(1)))
    guest = fabric.guest(0, 0)
    guest.cpu.x[0] = 42
    guest.pcpu.message(1, PsciResult(7))
    guest.pcpu.message(1, PsciOn(0x1000, 5))
    assert (guest.x0, guest.state, len(guest.cpu.entries)) == (42, State.RUNNING, 1)


def test_messages_of_the_vm_come_from_the_vm() -> None:
    """Another VM's pcpu cannot start a vcpu, nor answer for the home."""
    fabric = Fabric(machine(vm(0, 2), vm(1)))
    fabric.pcpus[1].message(2, PsciOn(0x1000, 5))
    assert (fabric.pcpus[1].state, fabric.pcpus[1].statistics().dropped) == (State.POWERDOWN, 1)


def test_reset_of_a_vm_with_one_vcpu() -> None:
    fabric = Fabric(machine(vm(0, context=9), vm(1)))
    guest = fabric.guest(0, 0)
    guest.store(GICD, 2)
    assert guest.load(GICD) == 0x12
    guest.call(SYSTEM_RESET)
    assert fabric.others == [(0, VmReset(0))]
    guest.pcpu.reset_vm()
    assert (guest.state, guest.cpu.entries, guest.load(GICD)) == (State.RUNNING, [(0x4000_0000, 9)] * 2, 0x10)
    assert guest.pcpu.statistics().lives == 1


def test_a_halted_vm_wakes_for_nothing() -> None:
    ipcs = (mailbox(52),)
    fabric = Fabric(machine(vm(0, ipcs=ipcs), vm(1, ipcs=ipcs), shared_memory=(MAILBOX,)))
    fabric.pcpus[1].halt()
    fabric.guest(0, 0).call(IPC, 0, 0)
    fabric.settle()
    fabric.pcpus[1].wake()
    assert (fabric.pcpus[1].state, fabric.pcpus[1].statistics().dropped) == (State.OFF, 1)


@settings(max_examples=examples(60))
@given(st.data())
def test_reset_in_any_interleaving(data: st.DataObject) -> None:
    """Nothing said in one life is heard in the next, and what the new life says early is not lost.

    In every life vcpu 0 starts the others with that life's number as context; pcpus are told to reset in any order,
    while messages of the old life are still under way.
    """
    fabric = Fabric(machine(vm(0, 3, cpu_affinity=(data.draw(st.integers(0, 2)),)), vm(1)))
    boot = fabric.guest(0, 0)

    def some() -> None:
        for _ in range(data.draw(st.integers(0, 6))):
            if fabric.waiting():
                fabric.deliver(data.draw(st.sampled_from(fabric.waiting())))

    for life in range(3):
        for target in (1, 2):
            if boot.call(CPU_ON, target, 0x4000_0000, life) is None:
                if data.draw(st.booleans()):
                    break  # reset while it is still asking
                fabric.settle(lambda channels: data.draw(st.sampled_from(channels)))
            assert boot.x0 == 0
            some()
        for pcpu in range(3):
            fabric.pcpus[pcpu].halt()
        for pcpu in data.draw(st.permutations(range(3))):
            fabric.pcpus[pcpu].reset_vm()
            fabric.collect(fabric.pcpus[pcpu])
            some()
        starts = {n: len(fabric.cpus[n].entries) for n in range(3)}
        fabric.settle(lambda channels: data.draw(st.sampled_from(channels)))
        assert boot.state is State.RUNNING
        assert len(boot.cpu.entries) == life + 2
        for n in (1, 2):
            assert fabric.guest(0, n).state is State.POWERDOWN
            assert len(fabric.cpus[n].entries) == starts[n]


def test_a_peer_may_start_before_the_last_barrier() -> None:
    """vcpu 0 has all barriers and calls CPU_ON while vcpu 1 still waits for vcpu 2's barrier: it is kept."""
    fabric = Fabric(machine(vm(0, 3)))
    for pcpu in range(3):
        fabric.pcpus[pcpu].halt()
    for pcpu in range(3):
        fabric.pcpus[pcpu].reset_vm()
        fabric.collect(fabric.pcpus[pcpu])
    for channel in [(1, 0), (2, 0), (0, 1)]:
        assert fabric.deliver(channel) == VmBarrier(1)
    assert fabric.guest(0, 0).call(CPU_ON, 1, 0x4000_0000, 3) == 0
    fabric.deliver((0, 1))
    assert fabric.pcpus[1].state is State.OFF
    fabric.deliver((2, 1))
    assert (fabric.pcpus[1].state, fabric.cpus[1].entries) == (State.RUNNING, [(0x4000_0000, 3)])


def test_a_line_goes_to_the_vm_that_owns_the_interrupt() -> None:
    """Two VMs may map one UART; its interrupt belongs to the first, whoever made it change."""
    fabric = Fabric(machine(vm(0), vm(1)))
    fabric.cpus[1].exit[EXIT_INTID], fabric.cpus[1].exit[EXIT_VALUE] = 33, 5 << 1 | 1
    fabric.pcpus[1].on_exit(Exit.LINE)
    fabric.collect(fabric.pcpus[1])
    assert fabric.deliver((1, 0)) == SpiLine(33, True, 5)
    fabric.pcpus[1].line(40, 1, 1)
    assert fabric.pcpus[1].effects == []
    assert [fabric.pcpus[n].statistics().dropped for n in range(2)] == [0, 0]


INTEGERS = st.one_of(st.integers(-2, 70), st.integers(-(2**63), 2**64 - 1))
MESSAGES = st.one_of(
    *(
        st.builds(
            kind,
            **{
                name: {int: INTEGERS, bool: st.booleans()}.get(annotation, st.sampled_from(PowerState))
                for name, annotation in typing.get_type_hints(kind).items()
            },
        )
        for kind in (fact.kind for fact in (*SHARED, *ARMV8.messages))
    )
)


@settings(max_examples=examples(80))
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), MESSAGES), max_size=12))
def test_no_message_breaks_a_pcpu(messages: list[tuple[int, int, HypMessage]]) -> None:
    """Whatever the codec lets through, from whomever: no exception, and nothing that other pcpus choke on."""
    ipcs = (mailbox(52),)
    fabric = Fabric(machine(vm(0, 2, ipcs=ipcs), vm(1, ipcs=ipcs), shared_memory=(MAILBOX,)))
    for source, target, message in messages:
        fabric.pcpus[target].message(source, message)
        fabric.collect(fabric.pcpus[target])
    fabric.settle()


def test_effects_is_one_list() -> None:
    fabric = Fabric(machine(vm(0, 2)))
    pcpu = fabric.pcpus[0]
    outbox = pcpu.effects
    fabric.cpus[0].x[:4] = [CPU_ON, 1, 0x4000_0000, 0]
    pcpu.on_exit(Exit.HVC)
    assert pcpu.effects is outbox
    assert outbox == [Send(1, PsciOn(0x4000_0000, 0))]
