"""PSCI's power states: entry, on and off across pcpus in any interleaving, suspend, and truthful AFFINITY_INFO."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.armv8.cpu import ICH_AP1R0
from baonet.hyp.armv8.psci import vmpidr
from baonet.hyp.vcpu import State
from baonet.machine import Faithful, Machine
from tests.examples import examples
from tests.hyp.fabric import Fabric, Guest
from tests.hyp.machines import MAILBOX, armv8, machine, mailbox, vm

CPU_SUSPEND, CPU_OFF, CPU_ON, AFFINITY_INFO = 0xC400_0001, 0x8400_0002, 0xC400_0003, 0xC400_0004
ENTRY = 0x4008_0000
POWERDOWN_STATE = 1 << 16


def test_only_vcpu_0_starts() -> None:
    fabric = Fabric(machine(vm(0, 3, context=0x4800_0000)))
    assert [fabric.guest(0, n).state for n in range(3)] == [State.RUNNING, State.POWERDOWN, State.POWERDOWN]
    assert fabric.guest(0, 0).cpu.entries == [(0x4000_0000, 0x4800_0000)]
    assert fabric.guest(0, 1).cpu.entries == []


def test_vcpu_0_starts_where_it_is_not_the_master() -> None:
    """Affinity makes pcpu 2 the master; vcpu 0 runs on pcpu 0."""
    fabric = Fabric(machine(vm(0, 2, cpu_affinity=(2,)), cpus=3))
    assert (fabric.pcpus[0].state, fabric.pcpus[2].state) == (State.RUNNING, State.POWERDOWN)


@pytest.mark.parametrize(("vcpu", "cpus", "value"), [(0, 1, 0xC000_0000), (0, 2, 0x8000_0000), (3, 4, 0x8000_0003)])
def test_vmpidr(vcpu: int, cpus: int, value: int) -> None:
    assert vmpidr(vcpu, cpus) == value


@pytest.mark.parametrize("master", [0, 1, 2])
def test_cpu_on_off_on(master: int) -> None:
    """The same for the guest wherever the home is: on the caller's pcpu, on the target's, or on neither."""
    fabric = Fabric(machine(vm(0, 3, cpu_affinity=(master,))))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)

    def call(guest: Guest, *arguments: int) -> int:
        result = guest.call(*arguments)
        if result is None:
            assert guest.state is State.PAUSED
            fabric.settle()
            result = guest.x0
        assert guest.state is State.RUNNING
        return result

    assert call(boot, CPU_ON, 1, ENTRY, 0x1234) == 0
    assert call(boot, CPU_ON, 1, ENTRY, 0x1234) == -4
    fabric.settle()
    assert (second.state, second.cpu.pc, second.cpu.x[0], sum(second.cpu.x[1:])) == (State.RUNNING, ENTRY, 0x1234, 0)
    assert call(second, CPU_ON, 1, ENTRY, 0) == -4
    assert call(second, CPU_ON, 0, ENTRY, 0) == -4
    assert call(boot, AFFINITY_INFO, 1, 0) == 0
    assert second.call(CPU_OFF) is None
    assert second.state is State.POWERDOWN
    fabric.settle()
    assert call(boot, AFFINITY_INFO, 1, 0) == 1
    assert call(boot, CPU_ON, 1, ENTRY + 8, 5) == 0
    fabric.settle()
    assert second.cpu.entries[-1] == (ENTRY + 8, 5)


@pytest.mark.parametrize("powerdown", [False, True])
def test_a_cpu_that_comes_back_keeps_what_bao_does_not_reset(powerdown: bool) -> None:
    """Unless CPU_OFF has taken its power; and not in another life of the VM."""
    fabric = Fabric(machine(vm(0, 2), powerdown=powerdown))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    assert boot.call(CPU_ON, 1, ENTRY, 0) == 0
    fabric.settle()
    second.cpu.ich[ICH_AP1R0] = 0x10
    assert second.call(CPU_OFF) is None
    fabric.settle()
    assert boot.call(CPU_ON, 1, ENTRY + 8, 5) == 0
    fabric.settle()
    assert (second.cpu.pc, second.cpu.x[0]) == (ENTRY + 8, 5)
    assert second.cpu.ich[ICH_AP1R0] == (0 if powerdown else 0x10)
    for guest in (boot, second):
        guest.pcpu.halt()
    for guest in (boot, second):
        guest.pcpu.reset_vm()
        fabric.collect(guest.pcpu)
    fabric.settle()
    assert boot.call(CPU_ON, 1, ENTRY, 0) == 0
    fabric.settle()
    assert second.cpu.ich[ICH_AP1R0] == 0


def test_on_pending_is_visible_and_refused() -> None:
    fabric = Fabric(machine(vm(0, 2)))
    boot = fabric.guest(0, 0)
    assert boot.call(CPU_ON, 1, ENTRY, 0) == 0
    assert boot.call(AFFINITY_INFO, 1, 0) == 2
    assert boot.call(CPU_ON, 1, ENTRY, 0) == -4
    assert boot.call(AFFINITY_INFO, 5, 0) == -2
    assert boot.call(AFFINITY_INFO, 0, 1) == -2


def test_affinity_info_is_always_on_in_bao() -> None:
    guest = Fabric(machine(vm(0, 2), faithful=Faithful.STRICT)).guest(0, 0)
    for target, level in [(0, 0), (1, 0), (9, 0), (0, 1), (1, 3)]:
        assert guest.call(AFFINITY_INFO, target, level) == 0


def suspended(power_state: int, **platform: Any) -> Guest:
    fabric = Fabric(machine(vm(0), **platform))
    guest = fabric.guest(0, 0)
    assert guest.call(CPU_SUSPEND, power_state, ENTRY, 0x77) is None
    assert guest.state is State.STANDBY
    return guest


def test_standby_returns_0() -> None:
    guest = suspended(0)
    pc = guest.cpu.pc
    guest.pcpu.wake()
    assert (guest.state, guest.x0, guest.cpu.pc) == (State.RUNNING, 0, pc)


@pytest.mark.parametrize(
    "platform",
    [
        {"powerdown": False},
        {"powerdown": True, "arch": armv8(state_type_bit=0)},
        {"powerdown": True, "arch": armv8(state_type_bit=30)},
    ],
)
def test_powerdown_degrades_to_standby(platform: dict[str, Any]) -> None:
    """Where the platform has none, or where its state type bit is another one."""
    guest = suspended(POWERDOWN_STATE, **platform)
    guest.pcpu.wake()
    assert (guest.state, guest.x0, len(guest.cpu.entries)) == (State.RUNNING, 0, 1)


def test_powerdown_resumes_at_the_entry() -> None:
    guest = suspended(POWERDOWN_STATE, powerdown=True)
    guest.pcpu.wake()
    assert (guest.state, guest.cpu.entries[-1]) == (State.RUNNING, (ENTRY, 0x77))


@pytest.mark.parametrize("smc", [False, True])
def test_suspend_with_an_interrupt_waiting_does_not_sleep(smc: bool) -> None:
    guest = Fabric(machine(vm(0), powerdown=True)).guest(0, 0)
    guest.cpu.ich[2] = 1 << 62 | 27
    assert guest.call(CPU_SUSPEND, 0, ENTRY, 0, smc=smc) == 0
    assert guest.call(CPU_SUSPEND, POWERDOWN_STATE, ENTRY, 9, smc=smc) == 9
    assert guest.cpu.pc == ENTRY


def test_a_message_ends_a_suspend() -> None:
    fabric = Fabric(machine(vm(0, ipcs=(mailbox(52),)), vm(1, ipcs=(mailbox(52),)), shared_memory=(MAILBOX,)))
    sleeper, other = fabric.guest(0, 0), fabric.guest(1, 0)
    sleeper.call(CPU_SUSPEND, 0)
    other.call(0xC600_0001, 0, 0)
    fabric.settle()
    assert (sleeper.state, sleeper.x0) == (State.RUNNING, 0)


def test_wake_means_nothing_to_a_guest_that_is_off() -> None:
    fabric = Fabric(machine(vm(0, 2, cpu_affinity=(1,))))
    fabric.guest(0, 1).pcpu.wake()
    assert fabric.guest(0, 1).state is State.POWERDOWN
    asking = fabric.guest(0, 0)
    assert asking.call(CPU_ON, 1, ENTRY, 0) is None
    asking.pcpu.wake()
    assert asking.state is State.PAUSED


def four(master: int) -> Machine:
    return machine(vm(0, 4, cpu_affinity=(master,)))


@settings(max_examples=examples(60))
@given(st.data())
def test_hotplug_in_any_interleaving(data: st.DataObject) -> None:
    """Guests turn themselves off and one another on, at random, while messages crawl.

    What must hold: a vcpu enters exactly as often as a CPU_ON of it returned 0, with the arguments of those calls in
    that order; nobody is paused for ever; a vcpu that runs is on in the table and one that is off is off.
    """
    fabric = Fabric(four(data.draw(st.integers(0, 3))))
    guests = [fabric.guest(0, n) for n in range(4)]
    asked: dict[int, tuple[int, int]] = {}
    granted: list[list[int]] = [[], [], [], []]
    context = 0

    def note(caller: int, result: int) -> None:
        target, value = asked.pop(caller)
        assert result in (0, -4)
        if result == 0:
            granted[target].append(value)

    def answers() -> None:
        for n in [n for n in asked if guests[n].state is State.RUNNING]:
            note(n, guests[n].x0)

    for _ in range(data.draw(st.integers(1, 40))):
        running = [n for n in range(4) if guests[n].state is State.RUNNING]
        channels = fabric.waiting()
        if channels and (not running or data.draw(st.booleans())):
            fabric.deliver(data.draw(st.sampled_from(channels)))
        elif running:
            n = data.draw(st.sampled_from(running))
            if len(running) > 1 and data.draw(st.booleans()):
                guests[n].call(CPU_OFF)
            else:
                context += 1
                asked[n] = (data.draw(st.integers(0, 3)), context)
                result = guests[n].call(CPU_ON, asked[n][0], ENTRY, context)
                if result is not None:
                    note(n, result)
        # answers must be taken before the guest executes anything else
        answers()
    fabric.settle(lambda channels: data.draw(st.sampled_from(channels)))
    answers()
    assert not asked
    for n, guest in enumerate(guests):
        entered = [c for _, c in guest.cpu.entries[1 if n == 0 else 0 :]]
        assert sorted(entered) == sorted(granted[n])
    survivor = next((g for g in guests if g.state is State.RUNNING), None)
    if survivor is not None:
        for n, guest in enumerate(guests):
            info = survivor.call(AFFINITY_INFO, n, 0)
            if info is None:
                fabric.settle()
                info = survivor.x0
            assert info == (0 if guest.state is State.RUNNING else 1)
