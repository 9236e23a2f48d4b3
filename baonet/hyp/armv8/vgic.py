"""The virtual interrupt controller of one vcpu, on its pcpu. Mirrors Bao's ``vgic.c``.

Three parts: ``Private`` (the vcpu's own interrupts) and ``Held`` (SPIs that the distributor has forwarded here) share
the list registers of ``Interface``; ``Distributor`` (all SPIs of the VM) is on the VM's master pcpu only. ``vgicv3``
and ``vgicv2`` say which register is where, ``RegisterWindows`` which of them an access is for. What the guest writes on
the wrong pcpu for it goes there by message.

How a pcpu uses it:

``windows``
    (base, size) of what to emulate.
``read(ipa, size)``, ``write(ipa, size, value)``
    An access of the guest in a window; ``value`` has ``size`` bytes. None or False: not possible here; nothing has
    happened.
``ask_read(ipa, size)``, ``ask_write(ipa, size, value)``
    After that: send the access to its home and pause the vcpu until ``VgicResult`` comes, whose value is what a load
    gets. False: no register takes such an access, and Bao hangs.
``write_sgi1r(value)``
    The guest writes ICC_SGI1R_EL1.
``interrupt(intid)``, ``deactivated(intid)``, ``maintenance()``
    The core's exits of those names.
``line(intid, level, sequence)``
    A device's line has changed, as seen here.
``inject(intid)``
    An interrupt in software, on the VM's master pcpu: a notification from another VM.
``message(source, message)``
    A ``VgicMessage`` from another pcpu; from one that does not run this VM it is ignored. ``VgicResult`` is the
    caller's affair.
``enter(entry, context)``
    Resets the CPU for a vcpu that starts, and keeps its interrupts, as CPU_ON after CPU_OFF does. Use it in place of
    ``Cpu.reset``, which clears the list registers.
``reset()``
    The VM starts anew. What devices drive on their lines stays.
``statistics()``
    Counts since the start.
``save()``, ``load(data)``
    The state as plain data, beside the CPU's; it is loaded without touching the CPU. StateError: it is no such state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, final

from baonet.hyp.architecture import InterruptStatistics
from baonet.hyp.armv8 import gic, vgicv2, vgicv3
from baonet.hyp.armv8.cpu import ICH_LR0, Armv8Cpu
from baonet.hyp.armv8.vgic_distributor import Distributor
from baonet.hyp.armv8.vgic_interface import Interface
from baonet.hyp.armv8.vgic_messages import (
    VgicForward,
    VgicInject,
    VgicMessage,
    VgicRead,
    VgicRecall,
    VgicRelease,
    VgicResult,
    VgicUpdateEnable,
    VgicWrite,
)
from baonet.hyp.armv8.vgic_private import Held, Private
from baonet.hyp.armv8.vgic_windows import RegisterWindows
from baonet.hyp.cpu import FROM_CPU, NOTE_RAISED
from baonet.hyp.messages import SpiLine
from baonet.machine import Vm
from baonet.machine.armv8 import Armv8Vm
from baonet.machine.dataclass import dataclass
from baonet.machine.saved import Saved, StateForm

Send = Callable[[int, VgicMessage], None]

_FORM: Final = StateForm("a vcpu's vGIC", 1, interface=dict, private=dict, held=dict, distributor=dict | None)


@final
@dataclass(frozen=True, slots=True)
class HeldBack:
    """INTIDs of pending interrupts that the guest has not enabled, and of SPIs that go to no vcpu.

    ``distributor``: whether GICD_CTLR forwards anything.
    """

    distributor: bool
    disabled: tuple[int, ...]
    unrouted: tuple[int, ...]


@final
class Vgic:
    """``pcpus[n]`` runs vcpu n of ``vm``; ``master`` is the pcpu that is home to its distributor."""

    __slots__ = (
        "_cpu",
        "_distributor",
        "_handlers",
        "_held",
        "_here",
        "_interface",
        "_known",
        "_master",
        "_me",
        "_pcpu",
        "_pcpus",
        "_private",
        "_send",
        "_sgis",
        "_vcpus",
        "_version",
        "_windows",
        "windows",
    )

    def __init__(  # noqa: PLR0917 - each is one thing that only the pcpu knows
        self,
        vm: Vm,
        vcpu: int,
        pcpus: Sequence[int],
        master: int,
        cpu: Armv8Cpu,
        send: Send,
        list_registers: int | None = None,
    ) -> None:
        config = Armv8Vm.of(vm).gic
        self._cpu = cpu
        self._me = vcpu
        self._pcpus = tuple(pcpus)
        self._pcpu = self._pcpus[vcpu]
        self._vcpus = {pcpu: n for n, pcpu in enumerate(self._pcpus)}
        self._master = master
        self._send = send
        self._version = config.version
        self._interface = Interface(cpu, list_registers or config.list_registers, config.version)
        self._private = Private(cpu, self._interface, vm.interrupts, config.version)
        self._held = Held(self._interface, self._release)
        # Elsewhere than on the master this is only a shape for the register map: what has its home there is not used.
        self._distributor = Distributor(
            len(self._pcpus),
            self._vcpus[master],
            interrupts=config.interrupts,
            hardware=vm.interrupts,
            version=config.version,
            holders=self,
            enable_all=self._enable_all,
            here=self._pcpu == master,
        )
        if config.version == 3:
            registers: vgicv3.Gicv3Map | vgicv2.Gicv2Map = vgicv3.Gicv3Map(
                config, pcpus=self._pcpus, master=master, distributor=self._distributor, private=self._private
            )
        else:
            registers = vgicv2.Gicv2Map(
                config,
                vcpu,
                pcpus=self._pcpus,
                master=master,
                distributor=self._distributor,
                private=self._private,
                send_sgi=self._send_sgi,
            )
        self._windows = RegisterWindows(config, registers, vcpu, len(self._pcpus), self._pcpu)
        self._here = self._windows.here
        self._known = self._windows.known
        self.windows = self._windows.ranges
        self._note_control()
        self._sgis = tuple(VgicInject(intid, vcpu) for intid in range(gic.SGIS))
        self._handlers: dict[type, Callable[[int, Any], None]] = {
            VgicUpdateEnable: self._on_update_enable,
            VgicInject: self._on_inject,
            VgicForward: self._on_forward,
            VgicRecall: self._on_recall,
            VgicRelease: self._on_release,
            VgicRead: self._on_read,
            VgicWrite: self._on_write,
            SpiLine: self._on_line,
        }

    # The guest's accesses

    def covers(self, ipa: int) -> bool:
        """Whether an address is in a window."""
        return self._windows.covers(ipa)

    def read(self, ipa: int, size: int) -> int | None:
        value = self._known[size].get(ipa)
        if value is not None:
            return value
        register = self._here[size].get(ipa) or self._windows.find_here(ipa, size)
        return None if register is None else register.read(ipa, size)

    def write(self, ipa: int, size: int, value: int) -> bool:
        register = self._here[size].get(ipa) or self._windows.find_here(ipa, size)
        if register is None:
            return False
        if self._interface.spilled:  # _catch_up(), at hand
            self._end_missed()
        register.write(ipa, size, value, self._me)
        return True

    def ask_read(self, ipa: int, size: int) -> bool:
        return self._ask(ipa, size, VgicRead(ipa, size))

    def ask_write(self, ipa: int, size: int, value: int) -> bool:
        return self._ask(ipa, size, VgicWrite(ipa, size, value & (1 << 8 * size) - 1))

    def _ask(self, ipa: int, size: int, question: VgicRead | VgicWrite) -> bool:
        register = self._windows.find_away(ipa, size)
        if register is None:
            return False
        self._send(register.home, question)
        return True

    def write_sgi1r(self, value: int) -> None:
        self._catch_up()
        targets = vgicv3.sgi_targets(value, self._me, len(self._pcpus))
        self._send_sgi(targets, value >> gic.SGI1R_INTID_SHIFT & 0xF)

    def _send_sgi(self, targets: int, intid: int) -> None:
        self._cpu.note(NOTE_RAISED, intid, FROM_CPU, 0)
        while targets:
            lowest = targets & -targets
            targets ^= lowest
            vcpu = lowest.bit_length() - 1
            if vcpu == self._me:
                self._inject_sgi(intid, vcpu)
            else:
                self._send(self._pcpus[vcpu], self._sgis[intid])

    def _inject_sgi(self, intid: int, source: int) -> None:
        if self._version == 2:
            self._private.inject_sgi(intid, source)
        else:
            self._private.inject(intid)

    # What the core and the devices do

    def interrupt(self, intid: int) -> None:
        self._catch_up()
        self._private.interrupt(intid)

    def deactivated(self, intid: int) -> None:
        self._catch_up()
        self._held.deactivated(intid)

    def maintenance(self) -> None:
        interface = self._interface
        none_pending, underflow = interface.low()
        self._end_missed()
        for interrupt in interface.take_ended():
            (self._private if interrupt.intid < gic.PRIVATE else self._held).ended(interrupt)
        if none_pending or underflow:
            interface.refill(none_pending)

    def _end_missed(self) -> None:
        """Attend to ends that were only counted: they are of what is spilled now."""
        for interrupt in self._interface.take_missed():
            if interrupt.intid < gic.PRIVATE:
                self._private.missed(interrupt)
            else:
                self._held.ended(interrupt)

    def _catch_up(self) -> None:
        """Do that before anything moves: the core reports such ends at its next exit, and this may come before it."""
        if self._interface.spilled:
            self._end_missed()

    def line(self, intid: int, level: int, sequence: int) -> None:
        if self._pcpu == self._master:
            self._catch_up()
            self._distributor.line(intid, bool(level), sequence)
        else:
            self._send(self._master, SpiLine(intid, bool(level), sequence))

    def inject(self, intid: int) -> None:
        self._catch_up()
        if intid >= gic.PRIVATE:
            assert self._pcpu == self._master, "only the master has the SPIs"
            self._distributor.inject(intid)
        elif intid < gic.SGIS:
            self._inject_sgi(intid, 0)
        else:
            self._private.inject(intid)

    def expects(self, intid: int) -> tuple[int, int] | None:
        """The list register, and what would be in it, if ``inject`` did nothing else and ``maintenance`` undid it."""
        if self._pcpu != self._master or not self._distributor.is_idle(intid):
            return None
        interrupt = self._held.idle(intid, self._distributor.spi(intid).priority)
        return None if interrupt is None else self._interface.expects(interrupt)

    def listed(self, intid: int) -> None:
        """It has been put there. What the guest has made of it since stays."""
        ich = self._cpu.ich
        now, ich[ICH_LR0] = ich[ICH_LR0], 0
        self.inject(intid)
        ich[ICH_LR0] = now

    def enter(self, entry: int, context: int) -> None:
        self._catch_up()
        interface = self._interface
        self._private.forget_hardware()
        listed = interface.withdraw()
        self._cpu.reset(entry, context)
        interface.clear()
        for interrupt in listed:
            interface.place(interrupt)

    def reset(self) -> None:
        self._interface.reset()
        self._private.reset()
        self._held.reset()
        self._distributor.reset()
        self._note_control()

    def statistics(self) -> InterruptStatistics:
        return InterruptStatistics(self._interface.spills, self._distributor.recalls, len(self._held.interrupts))

    def held_back(self) -> HeldBack:
        """What is pending and goes to nobody, as far as this pcpu is home to it."""
        disabled, unrouted = self._private.disabled(), []
        if self._pcpu == self._master:
            disabled += self._distributor.disabled()
            unrouted = self._distributor.unrouted()
        return HeldBack(self._interface.enabled, tuple(disabled), tuple(unrouted))

    def save(self) -> Saved:
        """Its parts, as far as they are here: the distributor is on the master only."""
        return _FORM.save(
            interface=self._interface.save(),
            private=self._private.save(),
            held=self._held.save(),
            distributor=self._distributor.save() if self._pcpu == self._master else None,
        )

    def load(self, data: object) -> None:
        fields = _FORM.load(data)
        if (fields["distributor"] is None) is not (self._pcpu != self._master):
            raise _FORM.damaged("it is of a pcpu with another part")
        self._private.load(fields["private"])
        self._held.load(fields["held"])
        self._interface.load(fields["interface"], (*self._private.interrupts, *self._held.interrupts.values()))
        if self._pcpu == self._master:
            self._distributor.load(fields["distributor"])
        self._note_control()

    # Distributor and holders

    def _note_control(self) -> None:
        if self._pcpu == self._master:
            self._windows.note_control()

    def _enable_all(self, enabled: bool) -> None:
        self._note_control()
        self._interface.enable(enabled)
        for pcpu in self._pcpus:
            if pcpu != self._pcpu:
                self._send(pcpu, VgicUpdateEnable(enabled))

    def forward(self, vcpu: int, spi: VgicForward) -> None:
        """Of the distributor: hand an SPI to its holder."""
        if vcpu == self._me:
            self._held.forward(spi)
        else:
            self._send(self._pcpus[vcpu], spi)

    def recall(self, vcpu: int, intid: int, deactivate: bool) -> None:
        """Of the distributor: have an SPI back."""
        if vcpu == self._me:
            self._held.recall(intid, deactivate)
        else:
            self._send(self._pcpus[vcpu], VgicRecall(intid, deactivate))

    def software_state(self, vcpu: int, intid: int) -> tuple[bool, bool]:
        """Of the distributor: whether an SPI shows in ISPENDR and ISACTIVER of a holder on this pcpu."""
        return self._held.software_state(intid) if vcpu == self._me else (False, False)

    def is_pending(self, vcpu: int, intid: int) -> bool:
        """Of the distributor: whether an SPI is known to be pending already."""
        return vcpu == self._me and self._held.is_pending(intid)

    def _release(self, intid: int, pending: bool, active: bool) -> None:
        if self._pcpu == self._master:
            self._distributor.released(self._me, intid, pending, active)
        else:
            self._send(self._master, VgicRelease(intid, pending, active))

    # Messages

    def message(self, source: int, message: VgicMessage) -> None:
        handler = self._handlers.get(type(message))
        if handler is not None and source in self._vcpus:
            self._catch_up()
            handler(source, message)

    def _on_update_enable(self, source: int, message: VgicUpdateEnable) -> None:
        if source == self._master:
            self._interface.enable(message.enabled)

    def _on_inject(self, source: int, message: VgicInject) -> None:
        if 0 <= message.intid < gic.SGIS:
            self._inject_sgi(message.intid, self._vcpus[source])

    def _on_forward(self, source: int, message: VgicForward) -> None:
        if source == self._master and gic.PRIVATE <= message.intid < gic.MAX_INTERRUPTS:
            self._held.forward(message)

    def _on_recall(self, source: int, message: VgicRecall) -> None:
        if source == self._master:
            self._held.recall(message.intid, message.deactivate)

    def _on_release(self, source: int, message: VgicRelease) -> None:
        if self._pcpu == self._master:
            self._distributor.released(self._vcpus[source], message.intid, message.pending, message.active)

    def _on_read(self, source: int, message: VgicRead) -> None:
        register = self._windows.find_here(message.address, message.size)
        value = 0 if register is None else register.read(message.address, message.size)
        self._send(source, VgicResult(value))

    def _on_write(self, source: int, message: VgicWrite) -> None:
        size = message.size
        register = self._windows.find_here(message.address, size)
        if register is not None:
            register.write(message.address, size, message.value & (1 << 8 * size) - 1, self._vcpus[source])
        self._send(source, VgicResult(0))

    def _on_line(self, source: int, message: SpiLine) -> None:
        if self._pcpu == self._master:
            self._distributor.line(message.interrupt, message.level, message.sequence)
