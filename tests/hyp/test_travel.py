"""A machine whose hypervisor is saved and made anew at any moment goes on as one that was left alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from baonet.hyp.armv8.aborts import ICC_SGI1R_EL1
from baonet.hyp.armv8.vgic_interrupt import KEPT, Interrupt
from baonet.hyp.armv8.vgic_spi import SPI, Spi
from baonet.hyp.effects import VmOff, VmReset, Warn
from baonet.hyp.vcpu import State
from baonet.machine import Device, Machine
from baonet.machine.armv8 import Armv8Vm
from baonet.machine.saved import StateError, StateRow
from baonet.wire.codec import encode
from tests.contents import WRONG, attributes, contents, places, replaced
from tests.examples import examples
from tests.hyp.armv8.virtual_interface import Gicv, Icc
from tests.hyp.fabric import Fabric, Guest
from tests.hyp.machines import GIC_V2, GIC_V3, MAILBOX, armv8, machine, mailbox, platform, vm
from tests.hyp.network import undump

SUSPEND, OFF, ON, INFO, SYSTEM_OFF, SYSTEM_RESET, IPC = (
    *(0xC400_0001, 0x8400_0002, 0xC400_0003, 0xC400_0004, 0x8400_0008, 0x8400_0009),
    0xC600_0001,
)
GICD, GICR = 0x0800_0000, 0x080A_0000
LINES = (33, 40)
INTIDS = (0, 3, 20, 27, 33, 40, 52, 70)
VCPUS = (0, 1, 2)
ENTRY = 0x4000_0000

guests = st.sampled_from([(0, 0), (0, 1), (0, 2), (1, 0)])
words = st.sampled_from([0x100, 0x180, 0x200, 0x280, 0x300, 0x380])  # ISENABLER to ICACTIVER


def built(version: int, lists: int, master: int, bit: int) -> Machine:
    """A VM of three vcpus with two devices' interrupts, and one that it shares memory with."""
    gic = GIC_V3 if version == 3 else GIC_V2
    gic = dataclasses.replace(gic, interrupts=96, list_registers=lists)
    ipcs = (mailbox(52, 3),)
    devices = (Device(0x0900_0000, 0x0900_0000, 0x1000, LINES),)
    first = vm(0, 3, arch=Armv8Vm(gic), ipcs=ipcs, cpu_affinity=(master,), devices=devices, interrupts=(27, *LINES))
    board = platform(4, arch=armv8(gic, bit), powerdown=bool(bit))
    return machine(first, vm(1, arch=Armv8Vm(gic), ipcs=ipcs), shared_memory=(MAILBOX,), platform=board)


def as_bytes(data: dict[str, Any]) -> dict[str, Any]:
    """Out and in again."""
    return cast(dict[str, Any], msgpack.unpackb(msgpack.packb(data)))


def anew(fabric: Fabric) -> Fabric:
    """What was saved of it, as bytes, in a machine that is built again."""
    made = Fabric(fabric.plan.machine, start=False)
    made.load(as_bytes(fabric.save()))
    made.others = list(fabric.others)
    for n, cpu in made.cpus.items():
        cpu.notes = list(fabric.cpus[n].notes)
    return made


class Travelling(RuleBasedStateMachine):
    """``left`` is left alone; ``other`` is saved and made anew between any two steps."""

    @initialize(
        version=st.sampled_from([2, 3]),
        lists=st.sampled_from([1, 2, 3]),
        master=st.integers(0, 2),
        bit=st.sampled_from([0, 16]),
    )
    def start(self, version: int, lists: int, master: int, bit: int) -> None:
        self.version = version
        self.left, self.other = (Fabric(built(version, lists, master, bit)) for _ in range(2))
        self.sequences = dict.fromkeys(LINES, 0)
        for vcpu in VCPUS[1:]:
            self.power((0, 0), ON, vcpu, 0)
            self.both(Fabric.settle)
        for who in ((0, 0), (0, 1), (0, 2), (1, 0)):
            self.open(who)
            for intid in INTIDS:
                self.change(who, who[1], intid, 0x100)
                self.prioritize(who, who[1], intid, 0xF0 - intid)
                self.settle()

    def both(self, step: Callable[[Fabric], Any]) -> Any:
        left, other = step(self.left), step(self.other)
        assert left == other
        return left

    def run(self, who: tuple[int, int], step: Callable[[Guest], Any]) -> None:
        """One instruction of a guest, if it runs."""

        def one(fabric: Fabric) -> Any:
            guest = fabric.guest(*who)
            return step(guest) if guest.state is State.RUNNING else None

        self.both(one)

    @rule()
    def travel(self) -> None:
        before = [contents(pcpu, ("baonet.hyp",)) for pcpu in self.other.pcpus.values()]
        self.other = anew(self.other)
        assert [contents(pcpu, ("baonet.hyp",)) for pcpu in self.other.pcpus.values()] == before

    # Guests

    @rule(who=guests)
    def open(self, who: tuple[int, int]) -> None:
        self.run(who, Guest.open)
        self.run(who, lambda guest: guest.store(GICD, 3))

    @rule(
        who=guests,
        function=st.sampled_from([SUSPEND, OFF, ON, INFO]),
        to=st.integers(0, 3),
        x=st.sampled_from([0, 1 << 16]),
    )
    def power(self, who: tuple[int, int], function: int, to: int, x: int) -> None:
        self.run(who, lambda guest: guest.call(function, to | x, ENTRY + 4 * to, x))

    @rule(who=guests, index=st.integers(0, 1), event=st.integers(0, 2))
    def notify(self, who: tuple[int, int], index: int, event: int) -> None:
        self.run(who, lambda guest: guest.call(IPC, index, event))

    def bank(self, vcpu: int, intid: int) -> int:
        return GICR + 0x20000 * vcpu + 0x10000 if intid < 32 and self.version == 3 else GICD

    @rule(who=guests, owner=st.integers(0, 2), intid=st.sampled_from(INTIDS), word=words)
    def change(self, who: tuple[int, int], owner: int, intid: int, word: int) -> None:
        address = self.bank(owner if who[0] == 0 else 0, intid) + word + intid // 32 * 4
        self.run(who, lambda guest: guest.store(address, 1 << intid % 32))

    @rule(
        who=guests,
        owner=st.integers(0, 2),
        intid=st.sampled_from(INTIDS),
        priority=st.sampled_from([0, 0x40, 0x80, 0xF8]),
    )
    def prioritize(self, who: tuple[int, int], owner: int, intid: int, priority: int) -> None:
        address = self.bank(owner if who[0] == 0 else 0, intid) + 0x400 + intid
        self.run(who, lambda guest: guest.store(address, priority, size=1))

    @rule(who=guests, intid=st.sampled_from(INTIDS[4:]), to=st.sampled_from([0, 1, 2, 5, 1 << 31]))
    def route(self, who: tuple[int, int], intid: int, to: int) -> None:
        if self.version == 3:
            self.run(who, lambda guest: guest.store(GICD + 0x6000 + 8 * intid, to, size=8))
        else:
            self.run(who, lambda guest: guest.store(GICD + 0x800 + intid, to & 7, size=1))

    @rule(who=guests, intid=st.sampled_from(INTIDS[4:]), value=st.sampled_from([0, 0xAAAA_AAAA]))
    def configure(self, who: tuple[int, int], intid: int, value: int) -> None:
        self.run(who, lambda guest: guest.store(GICD + 0xC00 + intid // 16 * 4, value))

    @rule(who=guests, mask=st.integers(0, 7), intid=st.sampled_from([0, 3]))
    def sgi(self, who: tuple[int, int], mask: int, intid: int) -> None:
        if self.version == 3:
            self.run(who, lambda guest: guest.write_register(ICC_SGI1R_EL1, intid << 24 | mask))
        else:
            self.run(who, lambda guest: guest.store(GICD + 0xF00, mask << 16 | intid))

    @rule(who=guests, intids=st.sets(st.sampled_from(INTIDS), max_size=5))
    def pend(self, who: tuple[int, int], intids: set[int]) -> None:
        for intid in sorted(intids):
            self.change(who, who[1], intid, 0x200)
            self.change(who, who[1], intid, 0x100)

    @rule(who=guests, owner=st.integers(0, 2), intid=st.sampled_from(INTIDS), word=words)
    def look(self, who: tuple[int, int], owner: int, intid: int, word: int) -> None:
        self.run(who, lambda guest: guest.load(self.bank(owner if who[0] == 0 else 0, intid) + word + intid // 32 * 4))

    @rule(who=guests)
    def take(self, who: tuple[int, int]) -> None:
        self.run(who, Guest.take)

    @rule(who=guests)
    def acknowledge(self, who: tuple[int, int]) -> None:
        """Without an end: it stays active, and others come on top of it."""

        def one(guest: Guest) -> int:
            interface = guest.cpu.interface
            return interface.read(Icc.IAR1) if interface.version == 3 else interface.read_frame(Gicv.IAR)

        self.run(who, one)

    @rule(who=guests, intid=st.sampled_from(INTIDS))
    def end(self, who: tuple[int, int], intid: int) -> None:
        """Of whatever it names; the exits for it come with what the guest does next."""

        def one(guest: Guest) -> None:
            interface = guest.cpu.interface
            if interface.version == 3:
                interface.write(Icc.EOIR1, intid)
            else:
                interface.write_frame(Gicv.EOIR, intid)

        self.run(who, one)

    @rule(who=guests)
    def wrong(self, who: tuple[int, int]) -> None:
        """What Bao stops a pcpu for."""
        if self.both(lambda fabric: len(fabric.reports)) == 0:
            self.run(who, lambda guest: guest.fault(0x20 << 26 | 1 << 25))

    # What comes from outside

    @rule(who=guests, high=st.booleans())
    def timer(self, who: tuple[int, int], high: bool) -> None:
        def one(fabric: Fabric) -> None:
            guest = fabric.guest(*who)
            (guest.cpu.high.add if high else guest.cpu.high.discard)(27)
            if high:
                guest.pcpu.wake()
                fabric.collect(guest.pcpu)

        self.both(one)

    @rule(who=guests, intid=st.sampled_from(LINES), level=st.booleans())
    def line(self, who: tuple[int, int], intid: int, level: bool) -> None:
        self.sequences[intid] += 1

        def one(fabric: Fabric) -> None:
            pcpu = fabric.guest(*who).pcpu
            pcpu.line(intid, int(level), self.sequences[intid])
            fabric.collect(pcpu)

        self.both(one)

    @rule(n=st.integers(0, 20))
    def deliver(self, n: int) -> None:
        def one(fabric: Fabric) -> Any:
            waiting = fabric.waiting()
            return fabric.deliver(waiting[n % len(waiting)]) if waiting else None

        self.both(one)

    @rule()
    def settle(self) -> None:
        self.both(Fabric.settle)

    @rule(who=guests, reset=st.booleans())
    def ask_for_the_end(self, who: tuple[int, int], reset: bool) -> None:
        """The VM goes off, or is reset later: ``begin`` does that, a pcpu at a time."""
        if self.both(lambda fabric: len(fabric.others)) < 3:
            self.run(who, lambda guest: guest.call(SYSTEM_RESET if reset else SYSTEM_OFF))

    @rule(n=st.integers(0, 3))
    def halt(self, n: int) -> None:
        if any(isinstance(effect, VmOff | VmReset) for _, effect in self.left.others):
            self.both(lambda fabric: fabric.pcpus[n].halt())

    @rule(n=st.integers(0, 3))
    def reset(self, n: int) -> None:
        if not any(isinstance(effect, VmReset) for _, effect in self.left.others):
            return

        def one(fabric: Fabric) -> None:
            fabric.pcpus[n].reset_vm()
            fabric.collect(fabric.pcpus[n])

        self.both(one)

    @invariant()
    def nothing_shows(self) -> None:
        if not hasattr(self, "left"):
            return
        left, other = self.left, self.other
        assert left.others == other.others
        assert {channel: queue for channel, queue in left.channels.items() if queue} == {
            channel: queue for channel, queue in other.channels.items() if queue
        }
        for n, pcpu in left.pcpus.items():
            twin = other.pcpus[n]
            assert left.cpus[n].save() == other.cpus[n].save()
            assert left.cpus[n].notes == other.cpus[n].notes
            assert (pcpu.statistics(), pcpu.state) == (twin.statistics(), twin.state)


TestTravelling = Travelling.TestCase
TestTravelling.settings = settings(max_examples=15, stateful_step_count=50)


def moved() -> tuple[Fabric, dict[str, Any]]:
    """A machine in mid-work, and one of its pcpus as data: spilled, active and held interrupts, a question, a reset."""
    fabric = Fabric(built(3, 1, 1, 16))
    guest = fabric.guest(0, 0)
    guest.open()
    guest.store(GICD, 3)
    fabric.settle()
    for intid in (20, 27):
        guest.store(GICR + 0x10000 + 0x100, 1 << intid)
        guest.store(GICR + 0x10000 + 0x200, 1 << intid)
    for offset in (0x104, 0x204):
        guest.store(GICD + offset, 1 << 1)
        fabric.settle()
    guest.call(INFO, 1, 0)
    data = as_bytes(guest.pcpu.save(encode))
    assert data["vcpu"]["state"] == "paused"
    assert data["wing"]["vgic"]["interface"]["spilled"]
    assert data["wing"]["vgic"]["held"]["interrupts"]
    return fabric, data


@settings(max_examples=examples(60))
@given(st.data())
def test_damaged_state_is_refused_or_taken(data: st.DataObject) -> None:
    """Whatever is in it, it is a StateError or a state; nothing else comes of it."""
    fabric, saved = moved()
    place = data.draw(st.sampled_from(places(saved)))
    value = data.draw(st.sampled_from(WRONG))
    pcpu = Fabric(fabric.plan.machine, start=False).guest(0, 0).pcpu
    with suppress(StateError):
        pcpu.load(replaced(saved, place, value), undump)


def test_state_of_another_version_says_what_to_do() -> None:
    fabric, saved = moved()
    pcpu = Fabric(fabric.plan.machine, start=False).guest(0, 0).pcpu
    saved["wing"]["vgic"]["version"] = 7
    with pytest.raises(StateError, match=r"a vcpu's vGIC has version 7, and this baonet reads version 1: load it with"):
        pcpu.load(saved, undump)


def test_state_of_another_pcpu_is_refused() -> None:
    fabric, saved = moved()
    with pytest.raises(StateError, match=r"is of armv8 pcpu 0 \(vm 0, vcpu 0\), and this is armv8 pcpu 1 "):
        fabric.pcpus[1].load(saved, undump)


def test_what_a_pcpu_has_sent_and_nobody_has_taken_is_kept() -> None:
    fabric, _ = moved()
    pcpu = fabric.pcpus[1]
    pcpu.reset_vm()
    waiting = [*pcpu.effects]
    assert waiting
    again = Fabric(fabric.plan.machine, start=False).pcpus[1]
    outbox = again.effects
    again.load(pcpu.save(encode), undump)
    assert outbox == waiting
    pcpu.effects.clear()
    again.load(pcpu.save(encode), undump)
    assert not outbox


def test_a_pcpu_with_other_effects_under_way_is_not_saved() -> None:
    fabric, _ = moved()
    pcpu = fabric.pcpus[1]
    pcpu.effects.append(Warn("Unknown hypercall id 9"))
    with pytest.raises(ValueError, match="pcpu 1 has effects that nobody has performed"):
        pcpu.save(encode)


@pytest.mark.parametrize(
    ("row", "kind", "fixed"),
    [(KEPT, Interrupt, {"intid", "rank", "listed"}), (SPI, Spi, {"intid", "hardware"})],
    ids=["interrupt", "SPI"],
)
def test_every_attribute_of_an_interrupt_is_kept(row: StateRow, kind: type, fixed: set[str]) -> None:
    """But those that follow from the others, or from the machine file."""
    assert set(row.fields) == attributes(kind) - fixed
