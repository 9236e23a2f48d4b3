"""A machine of Armv8 CPUs that are fake, in a fake network.

``Guest`` is one vcpu seen from inside: what it calls, loads and stores, and what it gets back.
"""

from __future__ import annotations

from baonet.hyp.armv8.cpu import EXIT_ESR, EXIT_FAR, EXIT_INTID, EXIT_IPA, EXIT_REGISTER, EXIT_VALUE, Exit
from baonet.hyp.armv8.report import Armv8Report
from baonet.hyp.armv8.wing import ARMV8
from baonet.hyp.effects import Park
from baonet.hyp.pcpu import Pcpu
from baonet.hyp.vcpu import State
from baonet.hyp.vmm import plan
from baonet.machine import Machine, uarts
from baonet.machine.armv8 import Armv8Platform, Armv8Vm
from tests.hyp.armv8.virtual_interface import SPURIOUS_GROUP1, Gicv, Icc
from tests.hyp.fake_cpu import FakeCpu
from tests.hyp.network import Network

_SPIS = 32


class Guest:
    """One vcpu's program: every call is one instruction."""

    def __init__(self, fabric: Fabric, pcpu: Pcpu, cpu: FakeCpu) -> None:
        self._fabric = fabric
        self.pcpu = pcpu
        self.cpu = cpu

    @property
    def state(self) -> State:
        return self.pcpu.state

    @property
    def x0(self) -> int:
        """As a signed 64-bit number."""
        value = self.cpu.x[0]
        return value - (1 << 64) if value >> 63 else value

    def _exit(self, reason: Exit) -> None:
        assert self.state is State.RUNNING, "a stopped guest executes nothing"
        self.pcpu.on_exit(reason)
        self._fabric.collect(self.pcpu)

    def call(self, function: int, *arguments: int, smc: bool = False) -> int | None:
        """HVC or SMC; what comes back in x0, or None while the guest is stopped."""
        for n, value in enumerate((function, *arguments)):
            self.cpu.x[n] = value & (1 << 64) - 1
        self.cpu.exit[EXIT_ESR] = (0x17 if smc else 0x16) << 26 | 1 << 25
        if not smc:
            self.cpu.pc += 4
        self._exit(Exit.SMC if smc else Exit.HVC)
        return self.x0 if self.state is State.RUNNING else None

    def load(self, ipa: int, size: int = 4, register: int = 1, esr: int = 0) -> int | None:
        """A load, as the core does it; None while the guest is stopped."""
        value = self.pcpu.read_emulated(ipa, size) if self._emulated(ipa) and not esr else None
        self._fabric.collect(self.pcpu)
        if value is not None:
            self.cpu.x[register] = value
            self.cpu.pc += 4
        else:
            self._abort(ipa, esr or data_abort(size, register, write=False))
        return self.cpu.x[register] if self.state is State.RUNNING else None

    def load_settled(self, ipa: int, size: int = 4) -> int:
        """A load, and every message that it takes."""
        value = self.load(ipa, size)
        if value is None:
            self._fabric.settle()
            value = self.cpu.x[1]
        assert self.state is State.RUNNING
        return value

    def store(self, ipa: int, value: int, size: int = 4, register: int = 1, esr: int = 0) -> None:
        """A store, as the core does it."""
        self.cpu.x[register] = value
        value &= (1 << 8 * size) - 1
        done = self._emulated(ipa) and not esr and self.pcpu.write_emulated(ipa, size, value)
        self._fabric.collect(self.pcpu)
        if done:
            self.cpu.pc += 4
        else:
            self._abort(ipa, esr or data_abort(size, register, write=True))

    # The virtual CPU interface, which never traps; what it leads to does

    def open(self) -> None:
        """Let the CPU interface pass everything."""
        interface = self.cpu.interface
        if interface.version == 3:
            interface.write(Icc.PMR, 0xFF)
            interface.write(Icc.IGRPEN1, 1)
        else:
            interface.write_frame(Gicv.PMR, 0xFF)
            interface.write_frame(Gicv.CTLR, 1)

    def take(self) -> int:
        """Acknowledge an interrupt and end it; 1023 when there is none."""
        self._serve()
        interface = self.cpu.interface
        intid = interface.read(Icc.IAR1) if interface.version == 3 else interface.read_frame(Gicv.IAR)
        if intid < SPURIOUS_GROUP1:
            if interface.version == 3:
                interface.write(Icc.EOIR1, intid)
            else:
                interface.write_frame(Gicv.EOIR, intid)
            self._serve()
        return intid

    def _serve(self) -> None:
        """The exits that a core takes before its guest's next instruction."""
        cpu = self.cpu
        for _ in range(100):
            if fired := sorted(cpu.high - cpu.active):
                cpu.active.add(fired[0])
                cpu.exit[EXIT_INTID] = fired[0]
                self._exit(Exit.INTERRUPT)
            elif cpu.interface.deactivated:
                intid = cpu.interface.deactivated.pop(0)
                if intid < _SPIS:
                    cpu.deactivate(intid)
                else:
                    cpu.exit[EXIT_INTID] = intid
                    self._exit(Exit.DEACTIVATED)
            elif cpu.interface.maintenance:
                self._exit(Exit.MAINTENANCE)
            else:
                return
        raise AssertionError("exits without end")

    def _emulated(self, ipa: int) -> bool:
        return any(base <= ipa < base + size for base, size in self.pcpu.windows)

    def _abort(self, ipa: int, esr: int) -> None:
        self.cpu.exit[EXIT_ESR], self.cpu.exit[EXIT_FAR], self.cpu.exit[EXIT_IPA] = esr, ipa, ipa
        self._exit(Exit.DATA_ABORT)

    def fault(self, esr: int, far: int = 0, ipa: int = 0) -> None:
        """Another exception to EL2."""
        self.cpu.exit[EXIT_ESR], self.cpu.exit[EXIT_FAR], self.cpu.exit[EXIT_IPA] = esr, far, ipa
        self._exit(Exit.FAULT)

    def write_register(self, encoding: int, value: int) -> None:
        """MSR to a trapped system register."""
        self.cpu.exit[EXIT_REGISTER], self.cpu.exit[EXIT_VALUE] = encoding, value
        self._exit(Exit.SYSTEM_REGISTER)


def data_abort(size: int, register: int, *, write: bool) -> int:
    """ESR_EL2 of a translation fault at level 3 with a valid syndrome."""
    sas = size.bit_length() - 1
    return 0x24 << 26 | 1 << 25 | 1 << 24 | sas << 22 | register << 16 | int(write) << 6 | 7


class Fabric(Network[FakeCpu]):
    """All pcpus of a machine that a VM wants, started."""

    def __init__(self, machine: Machine, *, start: bool = True) -> None:
        placed = plan(machine)
        cpus = {
            n: FakeCpu(Armv8Platform.of(machine.platform).gic.list_registers, Armv8Vm.of(machine.vms[a.vm]).gic.version)
            for n, a in enumerate(placed.pcpus)
            if a is not None
        }
        for vm in placed.vms:
            for n in vm.pcpus:
                cpus[n].uart_states = [(0, 0, 0) for _ in uarts(machine.platform, vm.config)]
        super().__init__(placed, cpus, ARMV8, start=start)

    def guest(self, vm: int, vcpu: int) -> Guest:
        pcpu = self.plan.vms[vm].pcpus[vcpu]
        return Guest(self, self.pcpus[pcpu], self.cpus[pcpu])

    @property
    def reports(self) -> list[Armv8Report]:
        return [
            effect.report
            for _, effect in self.others
            if isinstance(effect, Park) and isinstance(effect.report, Armv8Report)
        ]
