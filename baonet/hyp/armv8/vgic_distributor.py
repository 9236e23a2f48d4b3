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
from baonet.machine.armv8.affinity import vcpu_at
from baonet.machine.saved import Saved, StateForm, StateRow

# Bao's initial route of an SPI. Its IRM bit makes an SPI that was never routed deliverable.
_INITIAL_ROUTE = 0xFFFF_0000
_NOBODY = -1

_FORM: Final = StateForm("a VM's distributor", 1, enabled=bool, recalls=int, spis=list)
SPI: Final = StateRow(
    "an SPI",
    level=bool,
    sequence=int,
    latched=bool,
    enabled=bool,
    pending=bool,
    active=bool,
    priority=int,
    config=int,
    route=int,
    targets=int,
    evaluator=int,
    holder=int,
    only_active=bool,
    recalled=bool,
    drop_pending=bool,
    drop_active=bool,
)
"""What is saved of one, beside its INTID."""


class Holders(Protocol):
    """How the distributor reaches the pcpus that hold SPIs."""

    def forward(self, vcpu: int, spi: VgicForward) -> None: ...
    def recall(self, vcpu: int, intid: int, deactivate: bool) -> None: ...
    def software_state(self, vcpu: int, intid: int) -> tuple[bool, bool]: ...
    def is_pending(self, vcpu: int, intid: int) -> bool: ...


@final
class Spi:
    """``pending`` and ``active`` are what the holder does not have; while it is held, what comes on top of that.

    ``evaluator`` is the vcpu that last had it evaluated, to which an SPI for any vcpu goes. ``only_active``: the
    holder has said that it has the active state, and no pending one. ``recalled``: the answer to a recall is due;
    with it, ``drop_pending`` and ``drop_active`` tell what of the holder's state the guest has cleared.
    """

    __slots__ = (
        "active",
        "config",
        "drop_active",
        "drop_pending",
        "enabled",
        "evaluator",
        "hardware",
        "holder",
        "intid",
        "latched",
        "level",
        "only_active",
        "pending",
        "priority",
        "recalled",
        "route",
        "sequence",
        "targets",
    )

    def __init__(self, intid: int, hardware: bool, evaluator: int) -> None:
        self.intid = intid
        self.hardware = hardware
        self.level = self.latched = False
        self.sequence = 0
        self.reset(evaluator)

    def reset(self, evaluator: int) -> None:
        """All but the line, which the device drives."""
        self.enabled = self.pending = self.active = self.latched = False
        self.priority = LOWEST_PRIORITY
        self.config = 0
        self.route = _INITIAL_ROUTE
        self.targets = 0
        self.evaluator = evaluator
        self.holder = _NOBODY
        self.only_active = self.recalled = self.drop_pending = self.drop_active = False


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
        "_priority_mask",
        "_spis",
        "_vcpus",
        "enabled",
        "interrupts",
        "recalls",
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
        self._priority_mask = 0xFF if version == 3 else 0xF8
        self._holders = holders
        self._packets: dict[int, VgicForward] = {}
        self._enable_all = enable_all
        self.enabled = False
        self.recalls = 0
        self.interrupts = range(PRIVATE, min(interrupts, MAX_INTERRUPTS))
        self._here = here
        self._hardware = frozenset(hardware)
        self._spis: dict[int, Spi] = {}

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
        return _NOBODY if vcpu is None else vcpu

    def _evaluate(self, spi: Spi) -> None:
        """Forward an SPI that nobody holds, if there is anything to deliver."""
        if spi.holder != _NOBODY or not spi.enabled:
            return
        if not (spi.pending or spi.active):
            if not (spi.hardware and (spi.level or spi.latched) and self._takes(spi)):
                return
            spi.pending = True
        target = self._target(spi)
        if target == _NOBODY:
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
        spi.holder = _NOBODY
        spi.only_active = spi.drop_active = False
        self._evaluate(spi)

    def _waits(self, spi: Spi) -> bool:
        return spi.holder == _NOBODY and (spi.pending or (spi.hardware and (spi.level or spi.latched)))

    def disabled(self) -> list[int]:
        """INTIDs of SPIs that are pending, or whose line is high, and that the guest has not enabled."""
        return [spi.intid for spi in self._made() if not spi.enabled and self._waits(spi)]

    def unrouted(self) -> list[int]:
        """INTIDs of enabled SPIs that are pending and go to no vcpu."""
        return [spi.intid for spi in self._made() if spi.enabled and self._waits(spi) and self._target(spi) == _NOBODY]

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
        spi.level, spi.sequence = level, sequence
        self._evaluate(spi)

    # Registers

    def _belongs(self, spi: Spi) -> bool:
        """Whether an SPI is held where it would be delivered now."""
        return spi.holder != _NOBODY and spi.enabled and spi.holder == self._target(spi)

    def is_enabled(self, intid: int) -> bool:
        spi = self._spis.get(intid)
        return spi is not None and spi.enabled

    def is_pending(self, intid: int) -> bool:
        """As far as software knows: what is in a list register does not show, as in Bao.

        Nor what waits for the end of an active one, which Bao adds to its list register.
        """
        spi = self.spi(intid)
        if spi.pending and not self._belongs(spi):
            return True
        return spi.holder != _NOBODY and self._holders.software_state(spi.holder, intid)[0]

    def is_active(self, intid: int) -> bool:
        """As ``is_pending``; but one that Bao has taken out of its list register shows, wherever it is here."""
        spi = self.spi(intid)
        if spi.active or (spi.only_active and not self._belongs(spi)):
            return True
        return spi.holder != _NOBODY and self._holders.software_state(spi.holder, intid)[1]

    def priority(self, intid: int) -> int:
        return self.spi(intid).priority

    def config(self, intid: int) -> int:
        return self.spi(intid).config

    def enable(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        if not spi.enabled:
            spi.enabled = True
            spi.evaluator = vcpu
            self._evaluate(spi)

    def disable(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        if spi.enabled:
            spi.enabled = False
            self._change(spi)

    def _change(self, spi: Spi) -> None:
        if spi.holder != _NOBODY:
            self._recall(spi)
        else:
            self._evaluate(spi)

    def pend(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        spi.evaluator = vcpu
        if spi.holder != _NOBODY and not spi.recalled and self._holders.is_pending(spi.holder, intid):
            return
        spi.pending = True
        self._change(spi)

    def unpend(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        spi.pending = spi.latched = False
        if spi.holder != _NOBODY and not spi.only_active:
            spi.drop_pending = True
        self._change(spi)

    def activate(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        spi.evaluator = vcpu
        spi.drop_active = False
        if not spi.only_active or spi.recalled:
            spi.active = True
            self._change(spi)

    def deactivate(self, intid: int, vcpu: int) -> None:
        spi = self.spi(intid)
        spi.active = False
        if spi.holder != _NOBODY:
            spi.drop_active = True
        self._change(spi)

    def set_priority(self, intid: int, value: int, vcpu: int) -> None:
        spi = self.spi(intid)
        value &= self._priority_mask
        if spi.priority != value:
            spi.priority = value
            self._change(spi)

    def set_config(self, intid: int, value: int, vcpu: int) -> None:
        spi = self.spi(intid)
        spi.config = value
        self._evaluate(spi)

    def set_route(self, intid: int, value: int, vcpu: int) -> None:
        """GICD_IROUTER (version 3)."""
        spi = self.spi(intid)
        spi.route = value & IROUTER_MASK
        spi.evaluator = vcpu
        self._reroute(spi)

    def targets(self, intid: int) -> int:
        return self.spi(intid).targets

    def set_targets(self, intid: int, value: int, vcpu: int) -> None:
        """GICD_ITARGETSR (version 2): a vcpu mask."""
        spi = self.spi(intid)
        spi.targets = value & self._all_targets
        self._reroute(spi)

    def _reroute(self, spi: Spi) -> None:
        if spi.holder == _NOBODY or spi.holder != self._target(spi):
            self._change(spi)

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
