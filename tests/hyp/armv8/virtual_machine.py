"""One VM's interrupt controllers on a fake network: per vcpu a ``Vgic`` with the reference CPU interface behind it.

Channels are FIFO; which one moves next is the test's choice. The physical side is here too: a PPI's line is taken as a
core takes it (active until deactivated), hardware SPIs leave a DEACTIVATED exit. Exits of a core are handled after each
step of its guest, maintenance until it is quiet, so that a storm shows as a failure.
"""

from __future__ import annotations

from collections import deque

from baonet.hyp.armv8.cpu import ICH_REGISTERS
from baonet.hyp.armv8.gic import PRIVATE
from baonet.hyp.armv8.vgic import Vgic
from baonet.hyp.armv8.vgic_messages import VgicMessage, VgicResult
from baonet.machine.armv8 import Armv8Vm, Gic
from tests.hyp.armv8.virtual_interface import Gicv, Icc, VirtualInterface
from tests.hyp.machines import vm

GICD = 0x0800_0000
GICR = 0x080A_0000
GICC = 0x0801_0000
INTERRUPTS = 96
SPURIOUS = 1023


def gic(version: int, list_registers: int = 4, interrupts: int = INTERRUPTS) -> Gic:
    gicr = GICR if version == 3 else None
    gicc = GICC if version == 2 else None
    return Gic(version, GICD, gicc, gicr, interrupts=interrupts, list_registers=list_registers)


class Core:
    """A CPU without instructions, and its physical PPIs: lines, and which are active."""

    def __init__(self) -> None:
        self.x = [0] * 31
        self.pc = 0
        self.exit = [0] * 6
        self.ich = [0] * ICH_REGISTERS
        self.high: set[int] = set()
        self.active: set[int] = set()

    def reset(self, entry: int, context: int) -> None:
        self.pc, self.x[0] = entry, context
        self.ich[:] = [0] * ICH_REGISTERS
        self.high.clear()
        self.active.clear()

    def restart(self, entry: int, context: int) -> None:
        self.pc, self.x[0] = entry, context

    def state(self) -> dict[str, int]:
        return {}

    def timers(self) -> list[tuple[int, bool, int, int, int]]:
        return []

    def uarts(self) -> list[tuple[int, int, int]]:
        return []

    def note(self, kind: int, a: int, b: int, c: int) -> None: ...

    def deactivate(self, intid: int) -> None:
        self.active.discard(intid)


class VirtualMachine:
    """``master`` is the vcpu whose pcpu is home to the distributor; vcpu n runs on pcpu ``n + 10``."""

    def __init__(
        self, vcpus: int = 1, *, version: int = 3, hardware: tuple[int, ...] = (), master: int = 0, lists: int = 4
    ) -> None:
        config = vm(0, vcpus, arch=Armv8Vm(gic(version, lists)), interrupts=hardware)
        self.version = version
        self.master = master
        self.pcpus = tuple(n + 10 for n in range(vcpus))
        self.network: dict[tuple[int, int], deque[VgicMessage]] = {}
        self.cpus = [Core() for _ in self.pcpus]
        self.vgics: list[Vgic] = []
        self.interfaces: list[VirtualInterface] = []
        self.answers: list[int | None] = [None] * vcpus
        for n in range(vcpus):

            def send(pcpu: int, message: VgicMessage, n: int = n) -> None:
                self.network.setdefault((n, pcpu - 10), deque()).append(message)

            vgic = Vgic(config, n, self.pcpus, self.pcpus[master], self.cpus[n], send)
            vgic.enter(0x4000_0000, 0)
            self.vgics.append(vgic)
            self.interfaces.append(VirtualInterface(self.cpus[n].ich, lists, version))

    # The network

    def waiting(self) -> list[tuple[int, int]]:
        return sorted(channel for channel, queue in self.network.items() if queue)

    def deliver(self, channel: tuple[int, int]) -> VgicMessage:
        source, target = channel
        message = self.network[channel].popleft()
        if isinstance(message, VgicResult):
            self.answers[target] = message.value
        else:
            self.vgics[target].message(self.pcpus[source], message)
        self.serve(target)
        return message

    def settle(self) -> int:
        """Deliver all; how many messages that took."""
        for count in range(10_000):
            waiting = self.waiting()
            if not waiting:
                return count
            self.deliver(waiting[0])
        raise AssertionError("the network does not come to rest")

    # The core

    def serve(self, n: int) -> None:
        """Handle the exits that a core has for its hypervisor."""
        cpu, vgic, interface = self.cpus[n], self.vgics[n], self.interfaces[n]
        for _ in range(100):
            taken = sorted(cpu.high - cpu.active)
            if taken:
                cpu.active.add(taken[0])
                vgic.interrupt(taken[0])
            elif interface.deactivated:
                intid = interface.deactivated.pop(0)
                if intid < PRIVATE:
                    cpu.deactivate(intid)
                else:
                    vgic.deactivated(intid)
            elif interface.maintenance:
                vgic.maintenance()
            else:
                return
        raise AssertionError(f"a storm on vcpu {n}: MISR {interface.misr:#x}")

    def raise_line(self, n: int, intid: int) -> None:
        """A PPI's line goes high."""
        self.cpus[n].high.add(intid)
        self.serve(n)

    def lower_line(self, n: int, intid: int) -> None:
        self.cpus[n].high.discard(intid)

    def reset(self, n: int, entry: int = 0x4000_0000) -> None:
        """CPU_OFF, then CPU_ON."""
        self.vgics[n].enter(entry, 0)
        self.interfaces[n].deactivated.clear()

    # The guest

    def read(self, n: int, ipa: int, size: int = 4) -> int | None:
        """None for an access that Bao hangs at. Settles the network if the home is elsewhere."""
        value = self.vgics[n].read(ipa, size)
        if value is None and self.vgics[n].ask_read(ipa, size):
            value = self._answer(n)
        self.serve(n)
        return value

    def write(self, n: int, ipa: int, value: int, size: int = 4) -> bool:
        done = self.vgics[n].write(ipa, size, value)
        if not done and self.vgics[n].ask_write(ipa, size, value):
            self._answer(n)
            done = True
        self.serve(n)
        return done

    def _answer(self, n: int) -> int:
        self.answers[n] = None
        self.settle()
        answer = self.answers[n]
        assert answer is not None, "the home does not answer"
        return answer

    def sgi1r(self, n: int, value: int) -> None:
        self.vgics[n].write_sgi1r(value)
        self.serve(n)

    def acknowledge(self, n: int = 0) -> int:
        interface = self.interfaces[n]
        intid = interface.read(Icc.IAR1) if self.version == 3 else interface.read_frame(Gicv.IAR)
        self.serve(n)
        return intid

    def end(self, n: int, intid: int, *, exits: bool = True) -> None:
        """Without ``exits`` the core leaves its guest only after something else that the guest does."""
        interface = self.interfaces[n]
        if self.version == 3:
            interface.write(Icc.EOIR1, intid)
        else:
            interface.write_frame(Gicv.EOIR, intid)
        if exits:
            self.serve(n)

    def deactivate(self, n: int, intid: int) -> None:
        interface = self.interfaces[n]
        if self.version == 3:
            interface.write(Icc.DIR, intid)
        else:
            interface.write_frame(Gicv.DIR, intid)
        self.serve(n)

    def take(self, n: int = 0) -> int:
        """Acknowledge and end."""
        intid = self.acknowledge(n)
        if intid & 0x3FF < 1020:
            self.end(n, intid)
        return intid

    def take_all(self, n: int = 0) -> list[int]:
        """What a guest sees that ends each before it takes the next."""
        seen = []
        while (intid := self.take(n)) != SPURIOUS:
            seen.append(intid)
            self.settle()
            assert len(seen) < 1000, "an interrupt comes for ever"
        return seen

    def open(self, *, split: bool = False) -> VirtualMachine:
        """Let every vcpu hear everything: distributor, priority mask, groups."""
        for n, interface in enumerate(self.interfaces):
            if self.version == 3:
                interface.write(Icc.PMR, 0xFF)
                interface.write(Icc.IGRPEN1, 1)
                interface.write(Icc.CTLR, 2 if split else 0)
            else:
                interface.write_frame(Gicv.PMR, 0xFF)
                interface.write_frame(Gicv.CTLR, 0x201 if split else 1)
            if n == 0:
                self.write(0, GICD, 3)
        self.settle()
        return self

    def private(self, n: int) -> int:
        """Where the private interrupts' registers of vcpu n are, as that vcpu sees them."""
        return GICR + 0x20000 * n + 0x10000 if self.version == 3 else GICD

    def enable(self, n: int, intid: int, priority: int = 0x80) -> None:
        """Vcpu n sets up an interrupt of its own or a shared one."""
        base = self.private(n) if intid < PRIVATE else GICD
        self.write(n, base + 0x400 + intid, priority, size=1)
        self.write(n, base + 0x100 + intid // 32 * 4, 1 << intid % 32)

    def pend(self, n: int, intid: int) -> None:
        base = self.private(n) if intid < PRIVATE else GICD
        self.write(n, base + 0x200 + intid // 32 * 4, 1 << intid % 32)
