"""A VM whose messages cross: every order that FIFO channels allow, by Hypothesis.

What a guest gets then depends on what overtakes what, so this holds less than ``test_vgic_model``, but always: an SPI
is with one vcpu at a time; nothing is delivered more often than it was caused; nothing that was caused is lost; every
question is answered; and when the network has come to rest, nothing disabled is signalled.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from baonet.hyp.armv8.cpu import LR_STATE
from baonet.hyp.armv8.vgic_messages import VgicResult
from tests.examples import examples
from tests.hyp.armv8 import shown
from tests.hyp.armv8.virtual_interface import Icc
from tests.hyp.armv8.virtual_machine import GICD, GICR, SPURIOUS, VirtualMachine

TIMER = 27
DEVICE = 33
SHARED = (DEVICE, 40, 41, 50)
SGIS = (1, 2)
OFFSETS = {"enable": 0x100, "disable": 0x180, "pend": 0x200, "unpend": 0x280, "activate": 0x300, "deactivate": 0x380}


class VgicOnANetwork(RuleBasedStateMachine):
    """``caused`` and ``heard`` count; ``due`` holds what must still be heard, unless the guest clears it.

    ``clearing`` vcpus are in the middle of clearing an SPI's pending state: what is caused meanwhile may go with it.
    """

    vm: VirtualMachine

    @initialize(vcpus=st.integers(2, 4), lists=st.sampled_from([1, 2, 4, 16]), data=st.data())
    def start(self, vcpus: int, lists: int, data: st.DataObject) -> None:
        self.master = data.draw(st.integers(0, vcpus - 1), label="master")
        self.vm = vm = VirtualMachine(vcpus, hardware=(TIMER, DEVICE), master=self.master, lists=lists).open()
        self.vcpus = vcpus
        for n in range(vcpus):
            for intid in SGIS:
                vm.enable(n, intid, 0x60)
        for intid in SHARED:
            vm.enable(0, intid, 0x80)
        vm.settle()
        self.paused: set[int] = set()
        self.clearing: dict[int, int] = {}
        self.active: list[list[int]] = [[] for _ in range(vcpus)]
        self.caused: dict[tuple[int, int], int] = {}
        self.heard: dict[tuple[int, int], int] = {}
        self.due: set[tuple[int, int]] = set()
        # An end that misses names no interrupt; with active ones that were never acknowledged, Bao's guess is wrong.
        self.may_activate = lists == 16
        self.activated = False
        self.level = False
        self.sequence = 0

    # The guests

    def running(self, n: int) -> int | None:
        n %= self.vcpus
        return None if n in self.paused else n

    def access(self, n: int, address: int, value: int | None, size: int = 4) -> None:
        """An access that waits for its answer while the others go on."""
        vgic = self.vm.vgics[n]
        done = vgic.read(address, size) is not None if value is None else vgic.write(address, size, value)
        if not done:
            self.paused.add(n)
            assert vgic.ask_read(address, size) if value is None else vgic.ask_write(address, size, value)
        self.vm.serve(n)

    def key(self, intid: int, vcpu: int = -1) -> tuple[int, int]:
        return (vcpu if intid < 32 else -1, intid)

    def cause(self, intid: int, vcpu: int = -1) -> None:
        key = self.key(intid, vcpu)
        self.caused[key] = self.caused.get(key, 0) + 1
        if intid not in self.clearing.values():
            self.due.add(key)

    @rule(n=st.integers(0, 3), what=st.sampled_from(sorted(OFFSETS)), intid=st.sampled_from(SHARED))
    def change(self, n: int, what: str, intid: int) -> None:
        vcpu = self.running(n)
        if vcpu is None or (what.endswith("activate") and (intid == DEVICE or not self.may_activate)):
            return
        if what == "pend":
            self.cause(intid)
        elif what == "unpend":
            self.due.discard(self.key(intid))
            self.clearing[vcpu] = intid
        elif what.endswith("activate"):
            self.activated = True
        self.access(vcpu, GICD + OFFSETS[what] + intid // 32 * 4, 1 << intid % 32)
        if vcpu not in self.paused:
            self.clearing.pop(vcpu, None)

    @rule(n=st.integers(0, 3), intid=st.sampled_from(SHARED), where=st.sampled_from([0, 1, 2, 3, 9, 1 << 31]))
    def route(self, n: int, intid: int, where: int) -> None:
        vcpu = self.running(n)
        if vcpu is not None:
            self.access(vcpu, GICD + 0x6000 + 8 * intid, where, size=8)

    @rule(n=st.integers(0, 3), intid=st.sampled_from(SHARED), priority=st.sampled_from([0x20, 0x40, 0x80]))
    def prioritize(self, n: int, intid: int, priority: int) -> None:
        vcpu = self.running(n)
        if vcpu is not None:
            self.access(vcpu, GICD + 0x400 + intid, priority, size=1)

    @rule(n=st.integers(0, 3), offset=st.sampled_from([0, 0x104, 0x204, 0x304, 0x420]))
    def read(self, n: int, offset: int) -> None:
        vcpu = self.running(n)
        if vcpu is not None:
            self.access(vcpu, GICD + offset, None)

    @rule(n=st.integers(0, 3), other=st.integers(0, 3))
    def read_redistributor(self, n: int, other: int) -> None:
        vcpu = self.running(n)
        if vcpu is not None:
            self.access(vcpu, GICR + 0x20000 * (other % self.vcpus) + 0x10200, None)

    @rule(n=st.integers(0, 3), mask=st.integers(1, 15), intid=st.sampled_from(SGIS))
    def sgi(self, n: int, mask: int, intid: int) -> None:
        vcpu = self.running(n)
        if vcpu is None:
            return
        for target in range(self.vcpus):
            if mask >> target & 1:
                self.cause(intid, target)
        self.vm.sgi1r(vcpu, intid << 24 | mask)

    @rule(n=st.integers(0, 3))
    def acknowledge(self, n: int) -> None:
        vcpu = self.running(n)
        if vcpu is not None:
            self.take(vcpu)

    def take(self, vcpu: int) -> int:
        intid = self.vm.acknowledge(vcpu)
        if intid != SPURIOUS:
            key = self.key(intid, vcpu)
            self.heard[key] = self.heard.get(key, 0) + 1
            self.due.discard(key)
            self.active[vcpu].append(intid)
        return intid

    @rule(n=st.integers(0, 3), lower=st.booleans(), exits=st.booleans())
    def end(self, n: int, lower: bool, exits: bool) -> None:
        vcpu = self.running(n)
        if vcpu is not None and self.active[vcpu]:
            intid = self.active[vcpu].pop()
            if intid == DEVICE and lower:
                self.drive(vcpu, False)
            self.vm.end(vcpu, intid, exits=exits)

    # What comes from outside

    @rule(intid=st.sampled_from(SHARED))
    def notify(self, intid: int) -> None:
        self.cause(intid)
        self.vm.vgics[self.master].inject(intid)
        self.vm.serve(self.master)

    @rule(n=st.integers(0, 3), level=st.booleans())
    def drive(self, n: int, level: bool) -> None:
        if self.level is not level:
            self.level = level
            self.sequence += 1
            vcpu = n % self.vcpus
            self.vm.vgics[vcpu].line(DEVICE, int(level), self.sequence)
            self.vm.serve(vcpu)

    @rule(which=st.integers(0, 15), count=st.integers(1, 3))
    def deliver(self, which: int, count: int) -> None:
        for _ in range(count):
            waiting = self.vm.waiting()
            if waiting:
                source, target = waiting[which % len(waiting)]
                if isinstance(self.vm.deliver((source, target)), VgicResult):
                    self.paused.discard(target)
                    self.clearing.pop(target, None)

    def settle(self) -> None:
        while self.vm.waiting():
            self.deliver(0, 1)
        assert not self.paused, "a question without an answer"

    @rule()
    def rest(self) -> None:
        """With nothing under way, what is disabled is not signalled."""
        self.settle()
        enabled = self.vm.read(0, GICD + 0x104)
        assert enabled is not None
        for vcpu in range(self.vcpus):
            signalled = self.vm.interfaces[vcpu].read(Icc.HPPIR1)
            if signalled in SHARED:
                assert enabled >> signalled - 32 & 1

    # What must hold

    @invariant()
    def what_registers_show(self) -> None:
        for vgic in self.vm.vgics:
            shown.check(vgic)

    @invariant()
    def an_spi_is_in_one_place(self) -> None:
        for intid in SHARED:
            places = [
                vcpu
                for vcpu in range(self.vcpus)
                if any(lr & LR_STATE and lr & 0x3FF == intid for lr in self.vm.cpus[vcpu].ich[:16])
                or intid in self.vm.vgics[vcpu]._interface.spilled
            ]
            assert len(places) <= 1, f"{intid} is with vcpus {places}"

    @invariant()
    def nothing_comes_more_often_than_it_was_caused(self) -> None:
        for key, count in self.heard.items():
            if key != (-1, DEVICE):
                assert count <= self.caused.get(key, 0), key

    def teardown(self) -> None:
        """Let everything through: all that is due is heard, and nothing comes for ever."""
        if not hasattr(self, "vm"):
            return
        self.settle()
        if self.activated:
            for intid in SHARED:
                self.vm.write(0, GICD + 0x380 + 4, 1 << intid - 32)
        for vcpu in range(self.vcpus):
            while self.active[vcpu]:
                self.end(vcpu, True, True)
        self.settle()
        if self.activated:
            self.vm.write(0, GICD + 0x384, 0xFFFF_FFFF)
        for number, intid in enumerate(SHARED):
            self.vm.write(0, GICD + 0x6000 + 8 * intid, number % self.vcpus, size=8)
            self.vm.enable(self.vcpus - 1, intid, 0x80)
        self.settle()
        if self.level:
            self.due.add((-1, DEVICE))
        for _ in range(50):
            for vcpu in range(self.vcpus):
                while self.take(vcpu) != SPURIOUS:
                    self.end(vcpu, True, True)
                    self.settle()
        assert not self.due, "lost"
        for vcpu in range(self.vcpus):
            assert self.vm.vgics[vcpu].statistics().held == 0


TestVgicOnANetwork = VgicOnANetwork.TestCase
TestVgicOnANetwork.settings = settings(max_examples=examples(80), stateful_step_count=50)
