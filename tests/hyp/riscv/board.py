"""Two VMs on harts that are fake, with the real interrupt controllers: the machine that real Bao was asked on.

VM 0 has two harts and sources 10 (a UART's), 20 and 21 with no device, and hears of VM 1 with 52 and 53; VM 1 has one
hart. ``get`` and ``put`` deliver all messages
that there are.
"""

from __future__ import annotations

from typing import Final

from baonet.hyp.effects import Send
from baonet.hyp.messages import IpcNotify
from baonet.hyp.riscv.cpu import LOAD_GUEST_PAGE, STORE_GUEST_PAGE
from baonet.hyp.riscv.wing import RISCV
from baonet.hyp.vcpu import State
from baonet.machine import Faithful, Ipc, SharedMemory
from baonet.machine.riscv import Aia, Plic, RiscvVm
from tests.hyp.riscv.fabric import Guest, RiscvFabric, machine, vm

APLIC: Final = 0x0D00_0000
IMSIC: Final = 0x2800_0000
UART: Final = 10
FIRST_IPC: Final = 52

_LOADS: Final = {1: 0x0005_4503, 2: 0x0005_5503, 4: 0x0005_6503, 8: 0x0005_3503}
_STORES: Final = {1: 0x00B5_0023, 2: 0x00B5_1023, 4: 0x00B5_2023, 8: 0x00B5_3023}
_A0: Final = 10
_A1: Final = 11
LEFT_ALONE: Final = 0xFFFF_FFFF_FFFF_A55A
"""What the register of a load has before."""


class Board(RiscvFabric):
    """``irqc`` as a machine has it. ``harts`` of VM 0, of which ``home`` is its master's."""

    def __init__(
        self,
        irqc: Plic | Aia,
        *,
        faithful: Faithful = Faithful.STRICT,
        harts: int = 2,
        cpus: int = 4,
        home: int = 0,
    ) -> None:
        arch = RiscvVm(irqc)
        first = vm(
            0,
            harts,
            arch=arch,
            cpu_affinity=(home,),
            interrupts=(UART, 20, 21),
            ipcs=(Ipc(0x7000_0000, 0x1_0000, 0, (FIRST_IPC, 53)),),
        )
        second = vm(1, 1, arch=arch, cpu_affinity=(harts,), ipcs=(Ipc(0x7800_0000, 0x1_0000, 0, (60, 61, 62)),))
        super().__init__(
            machine(
                first, second, irqc=irqc, cpus=cpus, faithful=faithful, shared_memory=(SharedMemory("shmem", 0x1_0000),)
            ),
            architecture=RISCV,
        )
        self.home = self.plan.vms[0].master
        assert self.home == home
        self.sequences: dict[int, int] = {}
        for n in range(1, harts):
            self.guest(0, n).pcpu.vcpu.enter(0x8020_0000, 0)

    # What guests do

    def begin_get(self, guest: Guest, ipa: int, size: int = 4) -> int | None:
        """As the core does it: the emulation first, and what that does not do leaves the guest."""
        assert guest.state is State.RUNNING
        value = guest.pcpu.read_emulated(ipa, size)
        self.collect(guest.pcpu)
        if value is not None:
            return value
        guest.cpu.x[_A0] = LEFT_ALONE
        guest.trap(LOAD_GUEST_PAGE, _LOADS[size], tval=ipa, ipa=ipa)
        return guest.cpu.x[_A0] if guest.state is State.RUNNING else None

    def begin_put(self, guest: Guest, ipa: int, value: int, size: int = 4) -> None:
        assert guest.state is State.RUNNING
        done = guest.pcpu.write_emulated(ipa, size, value)
        self.collect(guest.pcpu)
        if not done:
            guest.cpu.x[_A1] = value
            guest.trap(STORE_GUEST_PAGE, _STORES[size], tval=ipa, ipa=ipa)

    def get(self, hart: int, ipa: int, size: int = 4) -> int:
        """With all messages that there are. Fails for a hart that does not go on behind it."""
        guest = self.guest(0, hart)
        value = self.begin_get(guest, ipa, size)
        self.settle()
        if value is None:
            assert guest.state is State.RUNNING, guest.state
            value = guest.cpu.x[_A0]
        return value

    def put(self, hart: int, ipa: int, value: int, size: int = 4) -> None:
        self.begin_put(self.guest(0, hart), ipa, value, size)
        self.settle()
        assert self.guest(0, hart).state is State.RUNNING

    # What comes from outside

    def notify(self, event: int) -> None:
        """VM 1 rings; the message is under way."""
        teller = self.plan.vms[1].master
        self.pcpus[teller].effects.append(Send(self.home, IpcNotify(0, event)))
        self.collect(self.pcpus[teller])

    def drive(self, level: bool, source: int = UART) -> None:
        """A device's line, as the home's core tells it."""
        sequence = self.sequences[source] = self.sequences.get(source, 0) + 1
        home = self.pcpus[self.home]
        home.line(source, int(level), sequence)
        self.collect(home)

    def external(self, hart: int) -> bool:
        return self.guest(0, hart).cpu.external

    def injected(self, hart: int) -> list[int]:
        """Identities that came to a hart's interrupt file since this was asked last."""
        cpu = self.guest(0, hart).cpu
        came, cpu.injected = cpu.injected, []
        return came
