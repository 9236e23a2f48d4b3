"""What one vcpu's pcpu keeps: the vcpu's own interrupts (SGIs, PPIs), and the SPIs that it holds for the distributor.

Both live in the same list registers. Mirrors the private half of Bao's ``vgic.c``, and what ownership is there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final, final

from baonet.hyp.armv8.cpu import LR_ACTIVE, LR_PENDING, Armv8Cpu
from baonet.hyp.armv8.gic import LOWEST_PRIORITY, PRIVATE, SGIS
from baonet.hyp.armv8.vgic_interface import Interface
from baonet.hyp.armv8.vgic_interrupt import KEPT, Interrupt
from baonet.hyp.armv8.vgic_messages import VgicForward
from baonet.hyp.armv8.vgic_words import RegisterWords
from baonet.hyp.cpu import NOTE_PENDING
from baonet.machine.saved import Saved, StateForm

V3_SGI_CONFIG = 0b10

_PRIVATE_FORM: Final = StateForm("a vcpu's private interrupts", 1, interrupts=list)
_HELD_FORM: Final = StateForm("the SPIs that a vcpu holds", 1, interrupts=list)


@final
class Private:
    """The 32 private interrupts of one vcpu.

    ``hardware`` lists the INTIDs that belong to hardware. The core keeps the physical PPI active from the moment that
    it is taken until the guest or ``Cpu.deactivate`` ends it, and takes it whether or not the guest has enabled it. A
    disabled one is left as it is (``untaken``) and looked at again when it is enabled.
    """

    __slots__ = ("_by_source", "_cpu", "_hardware", "_interface", "_version", "interrupts", "priority_mask", "words")

    interrupts: list[Interrupt]

    def __init__(self, cpu: Armv8Cpu, interface: Interface, hardware: Collection[int], version: int) -> None:
        self._cpu = cpu
        self._interface = interface
        self._hardware = hardware
        self._version = version
        self._by_source = version == 2
        self.priority_mask = 0xFF if version == 3 else 0xF8
        self.words = RegisterWords(range(PRIVATE), LOWEST_PRIORITY)
        self.reset()

    def reset(self) -> None:
        self.interrupts = []
        for intid in range(PRIVATE):
            sgi = intid < SGIS
            interrupt = Interrupt(
                intid,
                hardware=not sgi and intid in self._hardware,
                by_source=sgi and self._by_source,
            )
            if sgi and self._version == 3:
                interrupt.config = V3_SGI_CONFIG
            self._interface.prioritize(interrupt, LOWEST_PRIORITY)
            self.interrupts.append(interrupt)
        self.words.show(self.interrupts)

    def _settle(self, interrupt: Interrupt, had_state: bool) -> None:
        """An interrupt that was pulled and changed: deactivate what no longer is, place what is."""
        if had_state and interrupt.hardware and not (interrupt.pending or interrupt.active):
            self._cpu.deactivate(interrupt.intid)
        self._interface.place(interrupt)

    def _pull(self, intid: int) -> tuple[Interrupt, bool]:
        interrupt = self.interrupts[intid]
        self._interface.pull(interrupt)
        return interrupt, interrupt.pending or interrupt.active

    # Sources

    def inject(self, intid: int) -> None:
        """Make an interrupt pending in software: a GICv3 SGI, an IPC, a guest's write of ISPENDR."""
        interrupt = self.interrupts[intid]
        if interrupt.lr >= 0:
            if self._interface.state(interrupt) & LR_PENDING:
                return
            self._interface.pull(interrupt)
        elif interrupt.spilled:
            self._interface.pull(interrupt)
        interrupt.pending = True
        self.words.stir(intid)
        self._cpu.note(NOTE_PENDING, intid, 0, 0)
        self._interface.place(interrupt)

    def inject_sgi(self, intid: int, source: int) -> None:
        """A GICv2 SGI of vcpu ``source``."""
        interrupt = self.interrupts[intid]
        self._interface.pull(interrupt)
        assert interrupt.sources is not None
        interrupt.sources |= 1 << source
        interrupt.pending = True
        self.words.stir(intid)
        self._cpu.note(NOTE_PENDING, intid, 0, 0)
        self._interface.place(interrupt)

    def interrupt(self, intid: int) -> None:
        """The core has taken a physical PPI."""
        interrupt = self.interrupts[intid]
        if interrupt.enabled:
            self.inject(intid)
        else:
            interrupt.untaken = True

    def ended(self, interrupt: Interrupt) -> None:
        """The guest has ended an interrupt whose list register asked for maintenance then."""
        self._interface.place(interrupt)

    def missed(self, interrupt: Interrupt) -> None:
        """The guest has ended an interrupt that was spilled."""
        self._settle(interrupt, True)

    def forget_hardware(self) -> None:
        """The core's timers were reset: nothing is taken any more."""
        for interrupt in self.interrupts[SGIS:]:
            if interrupt.hardware:
                self._interface.pull(interrupt)
                interrupt.pending = interrupt.active = interrupt.untaken = False

    def disabled(self) -> list[int]:
        """INTIDs that are pending, or whose line is high, and that the guest has not enabled."""
        return [each.intid for each in self.interrupts if not each.enabled and (each.pending or each.untaken)]

    # Registers

    def _stirring(self, word: int) -> list[Interrupt]:
        """Those that have a state, here or in a list register; that others had one is forgotten."""
        found = []
        for intid in self.words.stirring(word):
            interrupt = self.interrupts[intid]
            if _has_state(interrupt):
                found.append(interrupt)
            else:
                self.words.settle(intid)
        return found

    def pending_of(self, word: int) -> int:
        """As far as software knows: what is in a list register, or waits for the end of that, does not show."""
        bits = 0
        for interrupt in self._stirring(word):
            if interrupt.pending and (interrupt.lr < 0 or not interrupt.enabled):
                bits |= 1 << interrupt.intid
        return bits

    def active_of(self, word: int) -> int:
        """As ``pending_of``; but a disabled one shows, wherever it is."""
        bits = 0
        for interrupt in self._stirring(word):
            if interrupt.active or (not interrupt.enabled and self._interface.state(interrupt) & LR_ACTIVE):
                bits |= 1 << interrupt.intid
        return bits

    def enable(self, intid: int, vcpu: int) -> None:
        self._set_enabled(intid, True)

    def disable(self, intid: int, vcpu: int) -> None:
        self._set_enabled(intid, False)

    def _set_enabled(self, intid: int, enabled: bool) -> None:
        if self.interrupts[intid].enabled is enabled or (self._by_source and intid < SGIS):
            return
        interrupt, _ = self._pull(intid)
        interrupt.enabled = enabled
        self.words.enable(intid, enabled)
        if interrupt.untaken:
            interrupt.untaken = False
            self._cpu.deactivate(intid)
        self._interface.place(interrupt)

    def pend(self, intid: int, vcpu: int) -> None:
        if not (self._by_source and intid < SGIS):
            self.inject(intid)

    def unpend(self, intid: int, vcpu: int) -> None:
        if self._by_source and intid < SGIS:
            return
        interrupt, had_state = self._pull(intid)
        interrupt.pending = False
        self._settle(interrupt, had_state)
        self._forget(interrupt)

    def activate(self, intid: int, vcpu: int) -> None:
        interrupt, _ = self._pull(intid)
        listed, interrupt.active = interrupt.active, True
        self.words.stir(intid)
        if interrupt.enabled or listed:
            self._interface.place(interrupt)

    def deactivate(self, intid: int, vcpu: int) -> None:
        interrupt, had_state = self._pull(intid)
        interrupt.active = False
        self._settle(interrupt, had_state)
        self._forget(interrupt)

    def _forget(self, interrupt: Interrupt) -> None:
        if not _has_state(interrupt):
            self.words.settle(interrupt.intid)

    def set_priority(self, intid: int, value: int, vcpu: int) -> None:
        value &= self.priority_mask
        if self.interrupts[intid].priority != value:
            interrupt, _ = self._pull(intid)
            self._interface.prioritize(interrupt, value)
            self.words.prioritize(intid, value)
            self._interface.place(interrupt)

    def set_config(self, intid: int, value: int, vcpu: int) -> None:
        self.interrupts[intid].config = value
        self.words.configure(intid, value)

    def save(self) -> Saved:
        return _PRIVATE_FORM.save(interrupts=[KEPT.save(each) for each in self.interrupts])

    def load(self, data: object) -> None:
        """Be as one was that has been saved; then the interface is loaded. Raises StateError for another state."""
        rows: list[Any] = _PRIVATE_FORM.load(data)["interrupts"]
        if len(rows) != PRIVATE:
            raise _PRIVATE_FORM.damaged(f"{len(rows)} interrupts, where there are {PRIVATE}")
        for interrupt, row in zip(self.interrupts, rows, strict=True):
            KEPT.load(interrupt, row)
        self.words.show(self.interrupts)


def _has_state(interrupt: Interrupt) -> bool:
    """Here or in a list register."""
    return interrupt.pending or interrupt.active or interrupt.lr >= 0


@final
class Held:
    """The SPIs that the distributor has forwarded to this vcpu.

    ``release(intid, pending, active)`` gives one back: see ``VgicRelease``.
    """

    __slots__ = ("_interface", "_known", "_release", "interrupts")

    def __init__(self, interface: Interface, release: Callable[[int, bool, bool], None]) -> None:
        self._interface = interface
        self._release = release
        self._known: dict[int, Interrupt] = {}
        self.interrupts: dict[int, Interrupt] = {}

    def reset(self) -> None:
        self._known.clear()
        self.interrupts.clear()

    def forward(self, spi: VgicForward) -> None:
        """Hold an SPI from now on. One that is held already is joined, which no distributor asks for."""
        intid = spi.intid
        interrupt = self._known.get(intid)
        if interrupt is None:
            interrupt = self._known[intid] = Interrupt(intid, hardware=spi.hardware)
            interrupt.enabled = True
            self._interface.prioritize(interrupt, spi.priority)
        else:
            self._interface.pull(interrupt)
            if interrupt.priority != spi.priority:
                self._interface.prioritize(interrupt, spi.priority)
        interrupt.pending = interrupt.pending or spi.pending
        interrupt.active = interrupt.active or spi.active
        self.interrupts[intid] = interrupt
        if spi.pending:
            self._interface.cpu.note(NOTE_PENDING, intid, 0, 0)
        self._interface.place(interrupt)

    def idle(self, intid: int, priority: int) -> Interrupt | None:
        """One that was held with this priority, and of which nothing is here now."""
        interrupt = self._known.get(intid)
        if interrupt is None or interrupt.hardware or interrupt.priority != priority or intid in self.interrupts:
            return None
        return None if interrupt.lr >= 0 or interrupt.pending or interrupt.active or interrupt.spilled else interrupt

    def recall(self, intid: int, deactivate: bool) -> None:
        """Release what may be released. One that is not held was released already, and that is the answer."""
        interrupt = self.interrupts.get(intid)
        if interrupt is None:
            return
        self._interface.pull(interrupt)
        pending = interrupt.pending
        interrupt.pending = False
        if deactivate:
            interrupt.active = False
        if interrupt.active:
            self._interface.place(interrupt)
            self._release(intid, pending, True)
        else:
            del self.interrupts[intid]
            self._release(intid, pending, False)

    def deactivated(self, intid: int) -> None:
        """The guest has ended a hardware SPI in its list register."""
        interrupt = self.interrupts.get(intid)
        if interrupt is not None and not interrupt.spilled and not self._interface.state(interrupt):
            self._interface.pull(interrupt)
            self.ended(interrupt)

    def ended(self, interrupt: Interrupt) -> None:
        """The guest has ended an SPI; the interface has it no more."""
        if interrupt.pending:
            self._interface.place(interrupt)
            return
        del self.interrupts[interrupt.intid]
        self._release(interrupt.intid, False, False)

    def software_state(self, intid: int) -> tuple[bool, bool]:
        """(pending, active) of a spilled SPI; what is in a list register is not seen."""
        interrupt = self.interrupts.get(intid)
        return (interrupt.pending, interrupt.active) if interrupt is not None else (False, False)

    def is_pending(self, intid: int) -> bool:
        """Whether an SPI waits here, also in a list register."""
        interrupt = self.interrupts.get(intid)
        return interrupt is not None and self._interface.state(interrupt) & LR_PENDING != 0

    def save(self) -> Saved:
        return _HELD_FORM.save(interrupts=[[intid, KEPT.save(each)] for intid, each in self.interrupts.items()])

    def load(self, data: object) -> None:
        """Be as one was that has been saved; then the interface is loaded. Raises StateError for another state.

        Of what was held once and is not any more nothing counts but that it has no state.
        """
        self.reset()
        for intid, row in _HELD_FORM.load(data)["interrupts"]:
            interrupt = self.interrupts[intid] = self._known[intid] = Interrupt(intid)
            KEPT.load(interrupt, row)
