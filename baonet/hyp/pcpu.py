"""One physical CPU of the hypervisor: what its core's exits and the other pcpus' messages lead to.

No clock, no I/O: an exit or a message comes in, registers of the stopped guest change, and effects are appended to
``effects``. The caller drains that list, in order and in place, after every call; the core leaves the guest when an
emulated access has put something there.

Everything is total: a message that makes no sense here is counted as dropped, whatever it says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final, get_args

from baonet.hyp.armv8.aborts import Aborts
from baonet.hyp.armv8.psci import Psci
from baonet.hyp.armv8.smccc import FUNCTION_ID, Smccc
from baonet.hyp.armv8.vgic import Vgic, VgicStatistics
from baonet.hyp.armv8.vgic_messages import SpiLine, VgicResult
from baonet.hyp.cpu import EXIT_INTID, EXIT_VALUE, FROM_IPC, NOTE_RAISED, Cpu, Exit
from baonet.hyp.effects import Effect
from baonet.hyp.ipc import Ipc
from baonet.hyp.messages import (
    HypMessage,
    IpcNotify,
    PsciAffinityInfo,
    PsciCpuOn,
    PsciOn,
    PsciResult,
    PsciState,
    VmBarrier,
)
from baonet.hyp.restart import Restart
from baonet.hyp.vcpu import State, Vcpu
from baonet.hyp.vmm import Plan

_FIRST_SPI = 32
_MESSAGES = get_args(HypMessage)
_FROM_ANY_VM = frozenset((IpcNotify, SpiLine))  # the rest is a VM's own business


@final
@dataclass(frozen=True, slots=True)
class PcpuStatistics:
    """Counts since the start: exits by name, messages by type name, questions asked, messages that came to nothing.

    Exits WFI, BUDGET and KICKED are counted by the core: its caller need not pass them on.
    """

    exits: dict[str, int]
    received: dict[str, int]
    sent: dict[str, int]
    asked: int
    dropped: int
    lives: int
    interrupts: VgicStatistics


@final
class Pcpu:
    """The pcpu ``pcpu`` of ``plan``, on its core. Raises ValueError for one that no VM wants.

    Give the core ``windows``, ``read_emulated``, ``write_emulated`` and ``effects``; call ``start``; then act on
    ``state`` (see ``State``), and after each run of the core pass on its exit.
    """

    __slots__ = (
        "_aborts",
        "_calls",
        "_counts",
        "_cpu",
        "_exits",
        "_family",
        "_handlers",
        "_ipc",
        "_line_homes",
        "_received",
        "_restart",
        "_unknown_call",
        "_x",
        "dropped",
        "effects",
        "id",
        "read_emulated",
        "vcpu",
        "vgic",
        "windows",
        "write_emulated",
    )

    def __init__(self, plan: Plan, pcpu: int, cpu: Cpu) -> None:
        self.id = pcpu
        self.effects: list[Effect] = []
        self.dropped = 0
        self.vcpu = Vcpu(plan, pcpu, cpu, self.effects)
        self._cpu = cpu
        self._x = cpu.x
        self._counts = [0] * len(Exit)
        self._received = dict.fromkeys(_MESSAGES, 0)
        self._family = frozenset(self.vcpu.vm.pcpus)
        self._line_homes = {i: vm.master for vm in plan.vms for i in vm.config.interrupts if i >= _FIRST_SPI}
        self._restart = Restart(tuple(other for other in self.vcpu.vm.pcpus if other != pcpu))
        vm = self.vcpu.vm
        self.vgic = vgic = Vgic(
            vm.config,
            self.vcpu.id,
            pcpus=vm.pcpus,
            master=vm.master,
            cpu=cpu,
            send=self.vcpu.send,
            list_registers=self.vcpu.list_registers,
        )
        self.vcpu.reset_cpu = vgic.enter
        self.windows = vgic.windows
        self.read_emulated = vgic.read  # the core's callbacks, without a call between: most traps of a guest end here
        self.write_emulated = vgic.write
        self._build()

    def _build(self) -> None:
        """Everything that a life of the VM starts with."""
        psci = Psci(self.vcpu)
        self._ipc = Ipc(self.vcpu)
        smccc = Smccc(self.vcpu, psci, self._ipc)
        self._aborts = aborts = Aborts(self.vcpu, self.vgic)
        vgic = self.vgic
        self._calls = smccc.calls
        self._unknown_call = smccc.unknown
        self._exits: list[Callable[[], None]] = [self._nothing] * len(Exit)
        for reason, handler in (
            (Exit.HVC, self._hvc),
            (Exit.SMC, self._smc),
            (Exit.DATA_ABORT, aborts.data_abort),
            (Exit.SYSTEM_REGISTER, aborts.system_register),
            (Exit.INTERRUPT, self._interrupt),
            (Exit.MAINTENANCE, vgic.maintenance),
            (Exit.DEACTIVATED, self._deactivated),
            (Exit.LINE, self._line),
            (Exit.FAULT, aborts.fault),
        ):
            self._exits[reason] = handler
        self._handlers: dict[type, Callable[[int, Any], None]] = dict.fromkeys(_MESSAGES, vgic.message)
        self._handlers |= {
            PsciOn: psci.on,
            PsciCpuOn: psci.cpu_on,
            PsciAffinityInfo: psci.affinity_info,
            PsciResult: psci.result,
            PsciState: psci.state,
            IpcNotify: self._notified,
            SpiLine: self._line_told,
            VgicResult: aborts.result,
            VmBarrier: self._barrier,
        }

    @property
    def state(self) -> State:
        return self.vcpu.state

    def start(self) -> None:
        """Start the guest if this is vcpu 0; the others wait for CPU_ON."""
        if self.vcpu.id == 0:
            self.vcpu.enter(self.vcpu.config.entry, self.vcpu.config.context)

    def wake(self) -> None:
        """A physical interrupt (a timer) has come while the state was STANDBY."""
        self.vcpu.wake()

    # Exits

    def on_exit(self, exit: int) -> None:
        """The core has stopped for this reason (an ``Exit``)."""
        self._counts[exit] += 1
        self._exits[exit]()

    def _nothing(self) -> None:
        pass

    def _hvc(self) -> None:
        self._calls.get(self._x[0] & FUNCTION_ID, self._unknown_call)()

    def _smc(self) -> None:
        self._cpu.pc += 4  # first: the call may move the PC elsewhere
        self._calls.get(self._x[0] & FUNCTION_ID, self._unknown_call)()

    def _interrupt(self) -> None:
        """A PPI that the VM does not have never arrives: in Bao it is not enabled physically."""
        intid = self._cpu.exit[EXIT_INTID]
        if intid in self.vcpu.config.interrupts:
            self.vgic.interrupt(intid)

    def _deactivated(self) -> None:
        self.vgic.deactivated(self._cpu.exit[EXIT_INTID])

    def _line(self) -> None:
        value = self._cpu.exit[EXIT_VALUE]
        self.line(self._cpu.exit[EXIT_INTID], value & 1, value >> 1)

    # Messages

    def message(self, source: int, message: HypMessage) -> None:
        """What pcpu ``source`` says. Any message ends CPU_SUSPEND, as any IPI does in Bao."""
        kind = type(message)
        self._received[kind] += 1
        if source not in self._family and kind not in _FROM_ANY_VM:
            self.dropped += 1
            return
        if self._restart.under_way and kind is not VmBarrier:
            self.dropped += not self._restart.hold(source, message)
            return
        self._handlers[kind](source, message)
        self.vcpu.wake()

    def _notified(self, source: int, notify: IpcNotify) -> None:
        """A parked or halted master hears nothing, as in Bao, though the interrupt may be for another vcpu."""
        interrupt = self._ipc.interrupt(notify)
        if not self.vcpu.is_home or self.vcpu.state in (State.PARKED, State.OFF):
            self.dropped += 1
        elif interrupt is not None:
            self._cpu.note(NOTE_RAISED, interrupt, FROM_IPC, 0)
            self.vgic.inject(interrupt)

    def line(self, intid: int, level: int, sequence: int) -> None:
        """A device's line has changed, as seen here. It goes to the VM that owns the interrupt, which may be another.

        ``sequence`` counts the line's changes, so that news from several pcpus can be put in order.
        """
        home = self._line_homes.get(intid)
        if home == self.id:
            self.vgic.line(intid, bool(level), sequence)
        elif home is not None:
            self.vcpu.send(home, SpiLine(intid, bool(level), sequence))

    def _line_told(self, source: int, change: SpiLine) -> None:
        if self._line_homes.get(change.intid) == self.id:
            self.vgic.line(change.intid, change.level, change.sequence)

    # The life of the VM

    def halt(self) -> None:
        """The VM goes off or is about to be reset: the guest does not run any more."""
        self.vcpu.stop(State.OFF)

    def reset_vm(self) -> None:
        """Start the VM anew, its memory having been loaded again and all its pcpus halted.

        The guest runs when every pcpu of the VM has been told and their barriers have crossed.
        """
        self.halt()
        barrier = self._restart.begin()
        for peer in self._restart.peers:
            self.vcpu.send(peer, barrier)
        self._reset_if_complete()

    def _barrier(self, source: int, message: VmBarrier) -> None:
        self._restart.barrier(source, message)
        self._reset_if_complete()

    def _reset_if_complete(self) -> None:
        if not self._restart.under_way or not self._restart.complete():
            return
        self.vcpu.stop(State.POWERDOWN)
        self.vcpu.started = False
        self.vgic.reset()
        self._build()
        held = self._restart.finish()
        self.start()
        for source, message in held:
            self._handlers[type(message)](source, message)

    def statistics(self) -> PcpuStatistics:
        return PcpuStatistics(
            exits={reason.name: self._counts[reason] for reason in Exit},
            received={kind.__name__: count for kind, count in self._received.items()},
            sent={kind.__name__: count for kind, count in self.vcpu.sent.items()},
            asked=self.vcpu.asked,
            dropped=self.dropped,
            lives=self._restart.life,
            interrupts=self.vgic.statistics(),
        )
