"""Whole VMs against a simple GIC, by Hypothesis: what is delivered, to whom, in which order, and what registers say.

``Model`` knows nothing of list registers, homes or messages. Here the network settles after every step, so that the two
must agree exactly; ``test_vgic_network`` leaves messages under way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from baonet.hyp.armv8.cpu import HCR_EN, HCR_NPIE, ICH_HCR, LR_ACTIVE
from tests.examples import examples
from tests.hyp.armv8 import shown
from tests.hyp.armv8.virtual_interface import Icc
from tests.hyp.armv8.virtual_machine import GICD, SPURIOUS, VirtualMachine

TIMER = 27
DEVICES = (33, 34)
SHARED = (33, 34, 40, 41, 50, 63, 64)
PRIVATE = (0, 7, 20, TIMER)
EFFECTIVE = 0xF8
IDLE = 0x100

priorities = st.sampled_from([0x00, 0x20, 0x40, 0x44, 0x80, 0xC0, 0xF0, 0xFF])


@dataclass
class Line:
    """One interrupt of the model. ``vcpu`` of a private one; an SPI's ``target`` is -1 while it has none.

    ``sources`` sent a GICv2 SGI; ``whole`` is what the last acknowledge returned, the source included.
    """

    intid: int
    vcpu: int = -1
    hardware: bool = False
    enabled: bool = False
    pending: bool = False
    active: int = -1
    priority: int = 0xFF
    edge: bool = False
    level: bool = False
    latched: bool = False
    target: int = -1
    anyone: bool = False
    sources: set[int] = field(default_factory=set)
    whole: int = 0

    def sample(self) -> None:
        """The physical interrupt fires while it may."""
        if self.hardware and self.enabled and not self.pending and self.active < 0:
            if self.latched:
                self.pending, self.latched = True, False
            elif self.level and not self.edge:
                self.pending = True


@dataclass
class Model:
    vcpus: int
    version: int
    enabled: bool = False
    pmr: list[int] = field(default_factory=list)
    running: list[list[Line]] = field(default_factory=list)
    lines: dict[tuple[int, int], Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pmr = [EFFECTIVE] * self.vcpus
        self.running = [[] for _ in range(self.vcpus)]
        for intid in SHARED:
            line = Line(intid, hardware=intid in DEVICES, anyone=self.version == 3)
            self.lines[-1, intid] = line
        for vcpu in range(self.vcpus):
            for intid in PRIVATE:
                sgi = intid < 16
                line = Line(intid, vcpu, intid == TIMER, target=vcpu, edge=sgi and self.version == 3)
                line.enabled = sgi and self.version == 2
                self.lines[vcpu, intid] = line

    def find(self, vcpu: int, intid: int) -> Line:
        return self.lines[vcpu if intid < 32 else -1, intid]

    def limit(self, vcpu: int) -> int:
        """Only better priorities than this are heard."""
        current = min((line.priority & EFFECTIVE for line in self.running[vcpu]), default=IDLE)
        return min(current, self.pmr[vcpu])


class VgicAgainstModel(RuleBasedStateMachine):
    vm: VirtualMachine
    model: Model

    @initialize(
        vcpus=st.integers(1, 4), version=st.sampled_from([2, 3]), lists=st.sampled_from([1, 2, 4]), data=st.data()
    )
    def start(self, vcpus: int, version: int, lists: int, data: st.DataObject) -> None:
        master = data.draw(st.integers(0, vcpus - 1), label="master")
        self.vm = VirtualMachine(vcpus, version=version, hardware=(TIMER, *DEVICES), master=master, lists=lists).open()
        self.model = Model(vcpus, version, enabled=True)
        self.sequence = dict.fromkeys(DEVICES, 0)

    # Helpers

    def vcpu(self, n: int) -> int:
        return n % self.model.vcpus

    def base(self, n: int, intid: int) -> int:
        return self.vm.private(n) if intid < 32 else GICD

    def write_bit(self, n: int, owner: int, offset: int, intid: int) -> None:
        """Vcpu n writes one bit for an interrupt of vcpu ``owner`` (GICv3) or a shared one."""
        address = self.base(owner, intid) + offset + intid // 32 * 4
        assert self.vm.write(n, address, 1 << intid % 32)
        self.vm.settle()

    def owner(self, n: int, other: int) -> int:
        """GICv2 has no way to another vcpu's private interrupts."""
        return self.vcpu(other) if self.model.version == 3 else n

    def deliverable(self, n: int) -> list[Line]:
        """What the model would let vcpu n have, whatever its priority."""
        if not self.model.enabled:
            return []
        found = []
        for line in self.model.lines.values():
            if line.enabled and line.pending and line.active < 0:
                target = line.target
                if line.anyone and line.vcpu < 0:
                    spi = self.vm.vgics[self.vm.master]._distributor.spi(line.intid)
                    target = spi.holder
                    assert target >= 0, f"{line.intid} for any vcpu is with none"
                if target == n:
                    found.append(line)
        return found

    # What guests and devices do

    @rule(n=st.integers(0, 3), other=st.integers(0, 3), intid=st.sampled_from(SHARED + PRIVATE), on=st.booleans())
    def enable(self, n: int, other: int, intid: int, on: bool) -> None:
        n = self.vcpu(n)
        owner = self.owner(n, other)
        line = self.model.find(owner, intid)
        self.write_bit(n, owner, 0x100 if on else 0x180, intid)
        if not (self.model.version == 2 and intid < 16):
            line.enabled = on
        line.sample()

    @rule(n=st.integers(0, 3), other=st.integers(0, 3), intid=st.sampled_from(SHARED + PRIVATE), on=st.booleans())
    def pend(self, n: int, other: int, intid: int, on: bool) -> None:
        n = self.vcpu(n)
        owner = self.owner(n, other)
        line = self.model.find(owner, intid)
        self.write_bit(n, owner, 0x200 if on else 0x280, intid)
        if not (self.model.version == 2 and intid < 16):
            line.pending = on
            if not on:
                line.latched = False
        line.sample()

    @rule(n=st.integers(0, 3), other=st.integers(0, 3), intid=st.sampled_from(SHARED + PRIVATE), priority=priorities)
    def prioritize(self, n: int, other: int, intid: int, priority: int) -> None:
        n = self.vcpu(n)
        owner = self.owner(n, other)
        line = self.model.find(owner, intid)
        if line.active >= 0:  # whose end is counted and not named: its priority tells which it is
            return
        assert self.vm.write(n, self.base(owner, intid) + 0x400 + intid, priority, size=1)
        self.vm.settle()
        line.priority = priority if self.model.version == 3 else priority & EFFECTIVE

    @rule(n=st.integers(0, 3), intid=st.sampled_from(SHARED), edge=st.booleans())
    def configure(self, n: int, intid: int, edge: bool) -> None:
        n = self.vcpu(n)
        address, shift = GICD + 0xC00 + intid // 16 * 4, intid % 16 * 2
        word = self.vm.read(n, address)
        assert word is not None
        self.vm.write(n, address, word & ~(3 << shift) | (2 if edge else 0) << shift)
        self.vm.settle()
        line = self.model.find(n, intid)
        line.edge = edge
        line.sample()

    @rule(n=st.integers(0, 3), intid=st.sampled_from(SHARED), vcpu=st.integers(-1, 5), mask=st.integers(0, 0x1F))
    def route(self, n: int, intid: int, vcpu: int, mask: int) -> None:
        n = self.vcpu(n)
        line = self.model.find(n, intid)
        if self.model.version == 3:
            self.vm.write(n, GICD + 0x6000 + 8 * intid, 1 << 31 if vcpu < 0 else vcpu, size=8)
            line.anyone = vcpu < 0
            line.target = vcpu if vcpu < self.model.vcpus else -1
        else:
            self.vm.write(n, GICD + 0x800 + intid, mask, size=1)
            mask &= (1 << self.model.vcpus) - 1
            line.target = (mask & -mask).bit_length() - 1
        self.vm.settle()

    @rule(n=st.integers(0, 3), mask=st.integers(0, 31), intid=st.sampled_from([0, 7]))
    def sgi(self, n: int, mask: int, intid: int) -> None:
        n = self.vcpu(n)
        if self.model.version == 3:
            self.vm.sgi1r(n, intid << 24 | mask)
        else:
            self.vm.write(n, GICD + 0xF00, mask << 16 | intid)
        self.vm.settle()
        for vcpu in range(self.model.vcpus):
            if mask >> vcpu & 1:
                line = self.model.find(vcpu, intid)
                line.pending = True
                line.sources.add(n if self.model.version == 2 else 0)

    @rule(intid=st.sampled_from(SHARED))
    def notify(self, intid: int) -> None:
        self.vm.vgics[self.vm.master].inject(intid)
        self.vm.serve(self.vm.master)
        self.vm.settle()
        self.model.find(0, intid).pending = True

    @rule(n=st.integers(0, 3), intid=st.sampled_from(DEVICES), level=st.booleans())
    def drive(self, n: int, intid: int, level: bool) -> None:
        line = self.model.find(0, intid)
        if line.level is level:
            return
        self.sequence[intid] += 1
        n = self.vcpu(n)
        self.vm.vgics[n].line(intid, int(level), self.sequence[intid])
        self.vm.serve(n)
        self.vm.settle()
        line.level = level
        line.latched = line.latched or (level and line.edge)
        line.sample()

    @rule(n=st.integers(0, 3), level=st.booleans())
    def tick(self, n: int, level: bool) -> None:
        n = self.vcpu(n)
        line = self.model.find(n, TIMER)
        line.level = level
        if level:
            self.vm.raise_line(n, TIMER)
        else:
            self.vm.lower_line(n, TIMER)
        line.sample()

    @rule(n=st.integers(0, 3), on=st.booleans())
    def control(self, n: int, on: bool) -> None:
        self.vm.write(self.vcpu(n), GICD, 3 if on else 0)
        self.vm.settle()
        self.model.enabled = on

    @rule(n=st.integers(0, 3), mask=st.sampled_from([0, 0x40, 0x80, 0xFF]))
    def mask(self, n: int, mask: int) -> None:
        n = self.vcpu(n)
        self.vm.interfaces[n].write(Icc.PMR, mask)
        self.vm.serve(n)
        self.model.pmr[n] = mask & EFFECTIVE

    @rule(n=st.integers(0, 3))
    def acknowledge(self, n: int) -> None:
        n = self.vcpu(n)
        heard = [line for line in self.deliverable(n) if line.priority & EFFECTIVE < self.model.limit(n)]
        whole = self.vm.acknowledge(n)
        intid = whole & 0x3FF
        self.vm.settle()
        if not heard:
            assert intid == SPURIOUS
            return
        best = min(line.priority & EFFECTIVE for line in heard)
        assert intid in [line.intid for line in heard if line.priority & EFFECTIVE == best]
        line = self.model.find(n, intid)
        line.active = n
        if intid < 16 and self.model.version == 2:
            assert whole >> 10 == max(line.sources)
            line.sources.remove(whole >> 10)
            line.pending = bool(line.sources)
        else:
            line.pending = False
        line.whole = whole
        self.model.running[n].append(line)

    @rule(n=st.integers(0, 3))
    def end(self, n: int) -> None:
        n = self.vcpu(n)
        if self.model.running[n]:
            line = self.model.running[n].pop()
            self.vm.end(n, line.whole)
            self.vm.settle()
            line.active = -1
            line.sample()

    # What must hold

    @invariant()
    def what_is_signalled(self) -> None:
        for n in range(self.model.vcpus):
            heard = any(line.priority & EFFECTIVE < self.model.limit(n) for line in self.deliverable(n))
            assert self.vm.interfaces[n].irq is heard, f"vcpu {n}"

    @invariant()
    def what_is_active(self) -> None:
        """While the interface is disabled, ends are only counted."""
        if not self.model.enabled:
            return
        for n in range(self.model.vcpus):
            expected = sorted(line.intid for line in self.model.lines.values() if line.active == n)
            spilled = self.vm.vgics[n]._interface.spilled
            listed = [lr & 0x3FF for lr in self.vm.cpus[n].ich[:16] if lr & LR_ACTIVE]
            assert sorted(listed + [i.intid for i in spilled.values() if i.active]) == expected

    @invariant()
    def what_registers_show(self) -> None:
        for vgic in self.vm.vgics:
            shown.check(vgic)

    @invariant()
    def when_maintenance_is_asked_for(self) -> None:
        for n in range(self.model.vcpus):
            hcr = self.vm.cpus[n].ich[ICH_HCR]
            assert bool(hcr & HCR_EN) is self.model.enabled
            if any(not each.active for each in self.vm.vgics[n]._interface.spilled.values()):
                assert hcr & HCR_NPIE
            assert not self.vm.interfaces[n].maintenance

    @rule(n=st.integers(0, 3), other=st.integers(0, 3))
    def read_back(self, n: int, other: int) -> None:
        n = self.vcpu(n)
        owner = self.owner(n, other)
        for intid in SHARED + PRIVATE:
            line = self.model.find(owner, intid)
            base, word, bit = self.base(owner, intid), intid // 32 * 4, 1 << intid % 32
            enabled, pending, active = (self.vm.read(n, base + offset + word) for offset in (0x100, 0x200, 0x300))
            assert enabled is not None
            assert pending is not None
            assert active is not None
            assert bool(enabled & bit) is line.enabled
            assert self.vm.read(n, base + 0x400 + intid, size=1) == line.priority
            if pending & bit:
                assert line.pending
            elif line.pending:
                assert line.enabled, "only what is enabled may be in a list register"
            if active & bit:
                assert line.active >= 0
            elif line.active >= 0:
                assert line.enabled

    def teardown(self) -> None:
        """Nothing is lost: with everything open, all that is pending comes."""
        if not hasattr(self, "vm"):
            return
        self.control(0, True)
        for n in range(self.model.vcpus):
            self.mask(n, 0xFF)
            while self.model.running[n]:
                self.end(n)
        for intid in SHARED:
            if self.model.version == 3:
                self.route(0, intid, 0, 0)
            else:
                self.route(0, intid, 0, 1)
        for n in range(self.model.vcpus):
            self.tick(n, False)
            for intid in SHARED if n == 0 else ():
                if intid in DEVICES:
                    self.drive(0, intid, False)
            for intid in PRIVATE + (SHARED if n == 0 else ()):
                self.prioritize(n, n, intid, 0x80)
                self.enable(n, n, intid, True)
        for n in range(self.model.vcpus):
            while self.deliverable(n):
                self.acknowledge(n)
                self.end(n)
            assert self.vm.acknowledge(n) == SPURIOUS


TestVgicAgainstModel = VgicAgainstModel.TestCase
TestVgicAgainstModel.settings = settings(max_examples=examples(60), stateful_step_count=40)
