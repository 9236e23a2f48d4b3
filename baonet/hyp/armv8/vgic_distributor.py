"""The SPIs of one VM and GICD_CTLR: what Bao keeps in ``struct vgicd``. Lives on the VM's master pcpu.

An SPI is here until it can be delivered: enabled, pending (or active), and routed to a vcpu that exists. Then it is
forwarded to that vcpu's pcpu, its holder, and the distributor knows no more of its state. A change to what is held
takes effect here at once and recalls the interrupt; with the release it is decided anew.

    released --(deliverable: forward)--> held --(recall or end: release)--> released
                                          |  release(active)                    ^
                                          +------> held, active only ----(end)--+

Recalls and releases may cross. A holder ignores a recall of what it has just released, and as channels are FIFO, a
recall reaches the holder before anything that is forwarded later.

A hardware SPI is also pending while its line is high (level) or after it rose (edge), but is taken only while enabled
and neither pending, active nor held: as the physical interrupt, which is active all that time. So a line that is still
high at the guest's end fires again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, Protocol, final

from baonet.hyp.armv8.gic import (
    AFFINITY_MASK,
    CONFIG_EDGE,
    IROUTER_IRM,
    IROUTER_MASK,
    LOWEST_PRIORITY,
    MAX_INTERRUPTS,
    PRIVATE,
)
from baonet.hyp.armv8.vgic_messages import VgicForward
from baonet.hyp.armv8.vgic_spi import NOBODY, SPI, Spi
from baonet.hyp.armv8.vgic_words import RegisterWords, blank, put
from baonet.machine.armv8.affinity import vcpu_at
from baonet.machine.saved import Saved, StateForm

_FORM: Final = StateForm("a VM's distributor", 1, enabled=bool, recalls=int, spis=list)


class Holders(Protocol):
    """How the distributor reaches the pcpus that hold SPIs."""

    def forward(self, vcpu: int, spi: VgicForward) -> None: ...
    def recall(self, vcpu: int, intid: int, deactivate: bool) -> None: ...
    def software_state(self, vcpu: int, intid: int) -> tuple[bool, bool]: ...
    def is_pending(self, vcpu: int, intid: int) -> bool: ...


@final
class Distributor:
    """``master`` is the vcpu of the pcpu that this is on; ``enable_all`` tells every vcpu of a change of CTLR.

    ``here``: False on another pcpu, where it has no SPIs and is only a shape for the register map.
    """

    __slots__ = (
        "_all_targets",
        "_by_targets",
        "_enable_all",
        "_hardware",
        "_here",
        "_holders",
        "_master",
        "_packets",
        "_spis",
        "_vcpus",
        "enabled",
        "interrupts",
        "priority_mask",
        "recalls",
        "targets",
        "words",
    )

    def __init__(
        self,
        vcpus: int,
        master: int,
        *,
        interrupts: int,
        hardware: Collection[int],
        version: int,
        holders: Holders,
        enable_all: Callable[[bool], None],
        here: bool,
    ) -> None:
        self._vcpus = vcpus
        self._master = master
        self._all_targets = (1 << vcpus) - 1
        self._by_targets = version == 2
        self.priority_mask = 0xFF if version == 3 else 0xF8
        self._holders = holders
        self._packets: dict[int, VgicForward] = {}
        self._enable_all = enable_all
        self.enabled = False
        self.recalls = 0
        self.interrupts = range(PRIVATE, min(interrupts, MAX_INTERRUPTS))
        self._here = here
        self._hardware = frozenset(hardware)
        self._spis: dict[int, Spi] = {}
        shown = self.interrupts if here else range(0)
        self.words = RegisterWords(shown, LOWEST_PRIORITY)
        self.targets = blank(shown.stop, 8)  # as registers show them

    def spi(self, intid: int) -> Spi:
        """One of ``interrupts``. It is made when it is first asked for, as a guest of a few VMs uses a few of them."""
        found = self._spis.get(intid)
        if found is None:
            found = self._spis[intid] = Spi(intid, intid in self._hardware, self._master)
        return found

    def _made(self) -> list[Spi]:
        """In their order. The others are as they are made."""
        return [self._spis[intid] for intid in sorted(self._spis)]

    def reset(self) -> None:
        self.enabled = False
        for spi in self._spis.values():
            spi.reset(self._master)
        self._show()

    def set_enabled(self, enabled: bool) -> None:
        if enabled is not self.enabled:
            self.enabled = enabled
            self._enable_all(enabled)

    # Between here and the holders

    def _target(self, spi: Spi) -> int:
        """The vcpu to deliver to, -1 for none. Of several the lowest, except that "any" is who evaluates."""
        if self._by_targets:
            targets = spi.targets
            return (targets & -targets).bit_length() - 1
        if spi.route & IROUTER_IRM:
            return spi.evaluator
        vcpu = vcpu_at(spi.route & AFFINITY_MASK, self._vcpus)
        return NOBODY if vcpu is None else vcpu

    def _evaluate(self, spi: Spi) -> None:
        """Forward an SPI that nobody holds, if there is anything to deliver."""
        if spi.holder != NOBODY or not spi.enabled:
            return
        if not (spi.pending or spi.active):
            if not (spi.hardware and (spi.level or spi.latched) and self._takes(spi)):
                return
            spi.pending = True
            self.words.stir(spi.intid)
        target = self._target(spi)
        if target == NOBODY:
            return
        packet = self._packet(spi)
        spi.pending = spi.active = False
        spi.holder = target
        self._holders.forward(target, packet)

    def _packet(self, spi: Spi) -> VgicForward:
        """Mostly the same as before, and to make one takes longer than to send it."""
        last, pending, active = self._packets.get(spi.intid), spi.pending, spi.active
        if last is None or last.priority != spi.priority or last.pending != pending or last.active != active:
            last = self._packets[spi.intid] = VgicForward(spi.intid, spi.priority, spi.hardware, pending, active)
        return last

    def _takes(self, spi: Spi) -> bool:
        """Whether the physical interrupt fires: an edge is used up by that, a level stays."""
        if spi.latched:
            spi.latched = False
            return True
        return not spi.config & CONFIG_EDGE

    def _recall(self, spi: Spi) -> None:
        """Have the holder release an SPI, once however much is changed meanwhile."""
        if not spi.recalled and not (spi.only_active and not spi.drop_active):
            spi.recalled = True
            self.recalls += 1
            self._holders.recall(spi.holder, spi.intid, spi.drop_active)

    def released(self, vcpu: int, intid: int, pending: bool, active: bool) -> None:
        """What a holder says of its own accord or when asked. From anyone else it means nothing."""
        spi = self._spis.get(intid)
        if spi is None or spi.holder != vcpu:
            return
        spi.recalled = False
        if pending and not spi.drop_pending:
            spi.pending = True
        spi.drop_pending = False
        if active:
            spi.only_active, spi.active = True, False
            if spi.drop_active:  # asked for after the recall had left
                self._recall(spi)
            return
        spi.holder = NOBODY
        spi.only_active = spi.drop_active = False
        self._evaluate(spi)

    def _waits(self, spi: Spi) -> bool:
        return spi.holder == NOBODY and (spi.pending or (spi.hardware and (spi.level or spi.latched)))

    def disabled(self) -> list[int]:
        """INTIDs of SPIs that are pending, or whose line is high, and that the guest has not enabled."""
        return [spi.intid for spi in self._made() if not spi.enabled and self._waits(spi)]

    def unrouted(self) -> list[int]:
        """INTIDs of enabled SPIs that are pending and go to no vcpu."""
        return [spi.intid for spi in self._made() if spi.enabled and self._waits(spi) and self._target(spi) == NOBODY]

    # Sources

    def inject(self, intid: int) -> None:
        """An interrupt from another VM: set pending, as seen from the master's vcpu."""
        if self._here and intid in self.interrupts:
            self.pend(intid, self._master)

    def line(self, intid: int, level: bool, sequence: int) -> None:
        """A device's line, after ``sequence`` changes of it. Between two changes that are heard it may have risen."""
        if not (self._here and intid in self._hardware and intid in self.interrupts):
            return
        spi = self.spi(intid)
        if sequence <= spi.sequence:
            return
        if spi.config & CONFIG_EDGE and ((level and not spi.level) or sequence - spi.sequence > 1):
            spi.latched = True
            self.words.stir(intid)
        spi.level, spi.sequence = level, sequence
        self._evaluate(spi)

    def is_idle(self, intid: int) -> bool:
        """Whether ``inject`` would have it forwarded to the master's vcpu, and its release leave it as it is now."""
        spi = self._spis.get(intid)
        if spi is None or spi.hardware or not spi.enabled or spi.holder != NOBODY or spi.evaluator != self._master:
            return False
        left = spi.pending or spi.active or spi.only_active or spi.recalled or spi.drop_pending or spi.drop_active
        return not left and self._target(spi) == self._master

    # Registers

    def _belongs(self, spi: Spi) -> bool:
        """Whether an SPI is held where it would be delivered now."""
        return spi.holder != NOBODY and spi.enabled and spi.holder == self._target(spi)

    def _stirring(self, word: int) -> list[Spi]:
        """Those of a word that are pending, active or held; that others were so is forgotten."""
        found = []
        for intid in self.words.stirring(word):
            spi = self.spi(intid)
            if self._has_state(spi):
                found.append(spi)
            else:
                self.words.settle(intid)
        return found

    def _has_state(self, spi: Spi) -> bool:
        """Which a write of ICPENDR or ICACTIVER may change."""
        return spi.pending or spi.active or spi.only_active or spi.latched or spi.holder != NOBODY

    def pending_of(self, word: int) -> int:
        """As far as software knows: what is in a list register does not show, as in Bao.

        Nor what waits for the end of an active one, which Bao adds to its list register.
        """
        bits = 0
        for spi in self._stirring(word):
            if (spi.pending and not self._belongs(spi)) or (
                spi.holder != NOBODY and self._holders.software_state(spi.holder, spi.intid)[0]
            ):
                bits |= 1 << spi.intid % 32
        return bits

    def active_of(self, word: int) -> int:
        """As ``pending_of``; but one that Bao has taken out of its list register shows, wherever it is here."""
        bits = 0
        for spi in self._stirring(word):
            if (
                spi.active
                or (spi.only_active and not self._belongs(spi))
                or (spi.holder != NOBODY and self._holders.software_state(spi.holder, spi.intid)[1])
            ):
                bits |= 1 << spi.intid % 32
        return bits

    def enable(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        if not spi.enabled:
            spi.enabled = True
            self.words.enable(intid, True)
            spi.evaluator = vcpu
            self._evaluate(spi)

    def disable(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        if spi.enabled:
            spi.enabled = False
            self.words.enable(intid, False)
            self._change(spi)

    def _change(self, spi: Spi) -> None:
        if spi.holder != NOBODY:
            self._recall(spi)
        else:
            self._evaluate(spi)

    def pend(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        spi.evaluator = vcpu
        if spi.holder != NOBODY and not spi.recalled and self._holders.is_pending(spi.holder, intid):
            return
        spi.pending = True
        self.words.stir(intid)
        self._change(spi)

    def unpend(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        spi.pending = spi.latched = False
        if spi.holder == NOBODY:
            self._evaluate(spi)
        else:
            if not spi.only_active:
                spi.drop_pending = True
            self._recall(spi)
        self._settle(spi)

    def activate(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        spi.evaluator = vcpu
        spi.drop_active = False
        if not spi.only_active or spi.recalled:
            spi.active = True
            self.words.stir(intid)
            self._change(spi)

    def deactivate(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        spi.active = False
        if spi.holder != NOBODY:
            spi.drop_active = True
        self._change(spi)
        self._settle(spi)

    def _settle(self, spi: Spi) -> None:
        if not self._has_state(spi):
            self.words.settle(spi.intid)

    def set_priority(self, intid: int, value: int, vcpu: int) -> None:
        spi = self.spi(intid)
        value &= self.priority_mask
        if spi.priority != value:
            spi.priority = value
            self.words.prioritize(intid, value)
            self._change(spi)

    def set_config(self, intid: int, value: int, vcpu: int) -> None:
        spi = self.spi(intid)
        if spi.config != value:
            spi.config = value
            self.words.configure(intid, value)
            self._evaluate(spi)

    def set_route(self, intid: int, value: int, vcpu: int) -> None:
        """GICD_IROUTER (version 3)."""
        spi = self._spis.get(intid) or self.spi(intid)
        if value == spi.route and spi.evaluator == vcpu and spi.holder == NOBODY:
            return
        spi.route = value & IROUTER_MASK
        spi.evaluator = vcpu
        self._reroute(spi)

    def set_targets(self, intid: int, value: int, vcpu: int) -> None:
        """GICD_ITARGETSR (version 2): a vcpu mask."""
        spi = self.spi(intid)
        spi.targets = value & self._all_targets
        put(self.targets, 8, intid, spi.targets)
        self._reroute(spi)

    def _reroute(self, spi: Spi) -> None:
        if spi.holder == NOBODY:
            self._evaluate(spi)
        elif spi.holder != self._target(spi):
            self._recall(spi)

    def save(self) -> Saved:
        """Of the SPIs those that are not as they were made."""
        new = SPI.save(Spi(0, False, self._master))
        rows = ([spi.intid, SPI.save(spi)] for spi in self._made())
        return _FORM.save(enabled=self.enabled, recalls=self.recalls, spis=[row for row in rows if row[1] != new])

    def load(self, data: object) -> None:
        """Be as one was that has been saved; nobody is told. Raises StateError for what is not its state."""
        fields = _FORM.load(data)
        self.enabled, self.recalls = fields["enabled"], fields["recalls"]
        self._spis = {}
        for intid, row in fields["spis"]:
            if not self._here or intid not in self.interrupts:
                raise _FORM.damaged(f"it has an SPI {intid!r:.20}")
            SPI.load(self.spi(intid), row)
        self._show()

    def _show(self) -> None:
        """In registers, all that there is now: an SPI that is not made is as one that was reset."""
        self.words.reset()
        self.words.show(self._spis.values())
        self.targets[:] = [0] * len(self.targets)
        for spi in self._spis.values():
            put(self.targets, 8, spi.intid, spi.targets)
