"""A machine of RISC-V harts that are fake, in a fake network.

``Guest`` is one vcpu seen from inside: what it calls, loads and stores, and what it gets back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from baonet.hyp.architecture import Architecture, Handler, InterruptStatistics, LineChanged, Wing
from baonet.hyp.effects import Park
from baonet.hyp.pcpu import Pcpu
from baonet.hyp.riscv.cpu import (
    EXIT_CAUSE,
    EXIT_IMPLICIT,
    EXIT_INSTRUCTION,
    EXIT_IPA,
    EXIT_TVAL,
    LOAD_GUEST_PAGE,
    STORE_GUEST_PAGE,
    RiscvExit,
)
from baonet.hyp.riscv.irqc_messages import IrqcResult
from baonet.hyp.riscv.report import RiscvReport
from baonet.hyp.riscv.sbi_codes import A0, A1, A6, A7
from baonet.hyp.riscv.wing import Riscv, RiscvWing
from baonet.hyp.vcpu import State, Vcpu
from baonet.hyp.vmm import plan
from baonet.machine import Device, Faithful, Machine, Platform, PlatformDevice, RamBank, Region, Vm, uarts
from baonet.machine.riscv import Plic, RiscvPlatform, RiscvVm
from baonet.machine.saved import Saved
from tests.hyp import machines
from tests.hyp.network import Network
from tests.hyp.riscv.fake_cpu import FakeHart

PLIC = 0x0C00_0000
REMOTE = PLIC + 0x1000
"""What lies from here on has its home on the VM's master."""
RAM = 0x8020_0000
UART = 0x1000_0000


def machine(*vms: Vm, sstc: bool = True, faithful: Faithful = Faithful.PRACTICAL, **changes: Any) -> Machine:
    cpus, irqc = changes.pop("cpus", sum(each.cpus for each in vms)), changes.pop("irqc", Plic(PLIC))
    board = Platform(
        name="test",
        cpus=cpus,
        ram=(RamBank(RAM, 4 << 30),),
        arch=RiscvPlatform(irqc, sstc=sstc),
        devices=(PlatformDevice("uart0", "16550", UART, 0x1000, 10),),
        timer_frequency=10_000_000,
        powerdown=False,
    )
    return machines.machine(*vms, faithful=faithful, platform=board, **changes)


def vm(index: int, cpus: int = 1, **changes: Any) -> Vm:
    base = machines.vm(
        index,
        cpus,
        entry=RAM + 0x1000 * index,
        regions=(Region(RAM, 64 << 20),),
        devices=(Device(UART, UART, 0x1000, (10,)),) if index == 0 else (),
        arch=RiscvVm(Plic(PLIC)),
        interrupts=(10,) if index == 0 else (),
    )
    return replace(base, **changes)


class FakeController:
    """Words of 4 bytes, which anybody has here up to ``REMOTE``, and from there on the master alone."""

    def __init__(self, vcpu: Vcpu) -> None:
        self.windows: tuple[tuple[int, int], ...] = ((PLIC, 0x2000),)
        self.messages: Mapping[type, Handler] = {}
        self.vcpu = vcpu
        self.words: dict[int, int] = {}
        self.asked: list[tuple[int, int, int]] = []
        self.injected: list[int] = []
        self.lines: list[tuple[int, bool, int]] = []

    def covers(self, ipa: int) -> bool:
        return PLIC <= ipa < PLIC + 0x2000

    def _here(self, ipa: int, size: int) -> bool:
        return size == 4 and ipa % 4 == 0 and (ipa < REMOTE or self.vcpu.is_home)

    def read(self, ipa: int, size: int) -> int | None:
        return self.words.get(ipa, 0) if self._here(ipa, size) else None

    def write(self, ipa: int, size: int, value: int) -> bool:
        if not self._here(ipa, size):
            return False
        self.words[ipa] = value
        return True

    def leaves_alone(self, ipa: int, size: int) -> bool:
        return False

    def breaks(self, ipa: int, size: int, value: int) -> str | None:
        return None

    def answered(self, result: IrqcResult) -> None: ...

    def _ask(self, ipa: int, size: int, value: int) -> bool:
        if size != 4 or ipa % 4 or ipa < REMOTE:
            return False
        self.asked.append((ipa, size, value))
        return True

    def ask_read(self, ipa: int, size: int) -> bool:
        return self._ask(ipa, size, -1)

    def ask_write(self, ipa: int, size: int, value: int) -> bool:
        return self._ask(ipa, size, value)

    def expects(self, source: int) -> None: ...

    def listed(self, source: int) -> None: ...

    def inject(self, source: int) -> None:
        self.injected.append(source)

    def line(self, source: int, level: bool, sequence: int) -> None:
        self.lines.append((source, level, sequence))

    def reset(self) -> None:
        self.words.clear()

    def unheard(self) -> tuple[int, ...]:
        return ()

    def statistics(self) -> InterruptStatistics:
        return InterruptStatistics(0, 0, 0)

    def save(self) -> Saved:
        return {"words": [[ipa, word] for ipa, word in self.words.items()]}

    def load(self, data: object) -> None:
        assert isinstance(data, dict)
        self.words = dict(data["words"])


class FakeRiscv:
    """RISC-V, but for the interrupt controller."""

    def __init__(self) -> None:
        real = Riscv()
        self.name, self.exits, self.messages = real.name, real.exits, real.messages
        self.call_registers, self.private, self.sent = real.call_registers, real.private, real.sent
        self.ended = real.ended
        self.report, self.condition, self.names = real.report, real.condition, real.names
        self.platform_part, self.vm_part = real.platform_part, real.vm_part

    def wing(self, vcpu: Vcpu, line: LineChanged) -> Wing:
        return RiscvWing(vcpu, line, FakeController(vcpu))


class Guest:
    """One vcpu's program: every call is one instruction."""

    def __init__(self, fabric: RiscvFabric, pcpu: Pcpu, cpu: FakeHart) -> None:
        self._fabric = fabric
        self.pcpu = pcpu
        self.cpu = cpu

    @property
    def state(self) -> State:
        return self.pcpu.state

    @property
    def controller(self) -> FakeController:
        wing = self.pcpu.wing
        assert isinstance(wing, RiscvWing)
        assert isinstance(wing.controller, FakeController)
        return wing.controller

    @property
    def answer(self) -> tuple[int, int]:
        """a0, a signed error, and a1."""
        error = self.cpu.x[A0]
        return error - (1 << 64) if error >> 63 else error, self.cpu.x[A1]

    def exit(self, reason: RiscvExit) -> None:
        assert self.state is State.RUNNING, "a stopped guest executes nothing"
        self.pcpu.on_exit(reason)
        self._fabric.collect(self.pcpu)

    def call(self, extension: int, function: int, *arguments: int) -> tuple[int, int] | None:
        """ECALL; what comes back in a0 and a1, or None while the guest is stopped."""
        for n, value in enumerate(arguments):
            self.cpu.x[A0 + n] = value & (1 << 64) - 1
        self.cpu.x[A6], self.cpu.x[A7] = function & (1 << 64) - 1, extension & (1 << 64) - 1
        self.cpu.pc += 4
        self.exit(RiscvExit.ECALL)
        return self.answer if self.state is State.RUNNING else None

    def settled(self, extension: int, function: int, *arguments: int) -> tuple[int, int]:
        """The same, with every message that it takes."""
        answer = self.call(extension, function, *arguments)
        if answer is None:
            assert self.state is State.PAUSED
            self._fabric.settle()
            answer = self.answer
        assert self.state is State.RUNNING
        return answer

    def trap(self, cause: int, instruction: int = 0, *, tval: int = 0, ipa: int = 0, implicit: bool = False) -> None:
        details = self.cpu.exit
        details[EXIT_CAUSE], details[EXIT_TVAL], details[EXIT_IPA] = cause, tval, ipa
        details[EXIT_INSTRUCTION], details[EXIT_IMPLICIT] = instruction, int(implicit)
        self.exit(RiscvExit.TRAP)

    def load(self, ipa: int, instruction: int = 0x0005_2503) -> None:
        """Out of the middle of its run, as the core leaves what ``read_emulated`` has not done. lw a0, 0(a0)."""
        self.trap(LOAD_GUEST_PAGE, instruction, tval=ipa, ipa=ipa)

    def store(self, ipa: int, instruction: int = 0x00B5_2023) -> None:
        """sw a1, 0(a0)."""
        self.trap(STORE_GUEST_PAGE, instruction, tval=ipa, ipa=ipa)


class RiscvFabric(Network[FakeHart]):
    """All pcpus of a machine that a VM wants, started. ``architecture``: with another controller than the fake."""

    def __init__(self, machine: Machine, *, start: bool = True, architecture: Architecture | None = None) -> None:
        placed = plan(machine)
        sstc = RiscvPlatform.of(machine.platform).sstc
        cpus = {n: FakeHart(a.vcpu, sstc=sstc) for n, a in enumerate(placed.pcpus) if a is not None}
        for each in placed.vms:
            for n in each.pcpus:
                cpus[n].uart_states = [(0, 0, 0) for _ in uarts(machine.platform, each.config)]
        super().__init__(placed, cpus, architecture or FakeRiscv(), start=start)

    def guest(self, vm: int, vcpu: int) -> Guest:
        pcpu = self.plan.vms[vm].pcpus[vcpu]
        return Guest(self, self.pcpus[pcpu], self.cpus[pcpu])

    def finish(self, guest: Guest, value: int = 0) -> None:
        """What the home answers."""
        guest.pcpu.message(guest.pcpu.vcpu.home, IrqcResult(value))
        self.collect(guest.pcpu)

    @property
    def reports(self) -> list[RiscvReport]:
        return [
            effect.report
            for _, effect in self.others
            if isinstance(effect, Park) and isinstance(effect.report, RiscvReport)
        ]
