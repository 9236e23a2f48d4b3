"""One vcpu's list registers, and what does not fit in them.

Mirrors the list register half of Bao's ``vgic.c``. An interrupt's state is in ONE place: in its list register, where
the guest's acknowledges and ends change it, or in its ``pending`` and ``active`` here. To change anything of it, the
owner pulls it out, changes it, and places it again:

    interface.pull(interrupt); interrupt.enabled = False; interface.place(interrupt)

``place`` puts what is deliverable into a free list register. When there is none, a worse interrupt gives way, or the
new one is spilled. Maintenance interrupts tell when to refill from what is spilled: NP (no list register is pending) is
asked for from the first spill on, U (at most one is valid) from when something was taken out of a list register;
neither any more when nothing is left to refill with. The order in which interrupts of one priority are seen follows
from that, and is Bao's: by list register, not by INTID.

An active interrupt stays listed whatever becomes of its enable bit, for the guest will end it. (Bao takes one that is
disabled out of its list register, and the end misses it.) When the list registers hold only active ones and something
is pending, the worst active one gives way, whatever its priority, or the guest would never see it and NP never end.

Ends that miss, because the active interrupt was spilled, are counted by hardware (EOIcount): they end the best of the
spilled active ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

from baonet.hyp.armv8.cpu import (
    HCR_EN,
    HCR_EOICOUNT,
    HCR_EOICOUNT_SHIFT,
    HCR_LRENPIE,
    HCR_NPIE,
    HCR_UIE,
    ICH_HCR,
    ICH_LISTS,
    ICH_REGISTERS,
    ICH_VMCR,
    LR_ACTIVE,
    LR_EOI,
    LR_GROUP,
    LR_HW,
    LR_PENDING,
    LR_PINTID_SHIFT,
    LR_PRIORITY_SHIFT,
    LR_SOURCE_SHIFT,
    LR_STATE_SHIFT,
    VMCR_VBPR0_SHIFT,
    VMCR_VBPR1_SHIFT,
    VMCR_VFIQEN,
    Armv8Cpu,
)
from baonet.hyp.armv8.gic import IMPLEMENTED_PRIORITY, MINIMUM_BPR0, MINIMUM_BPR1, PRIVATE
from baonet.hyp.armv8.vgic_interrupt import Interrupt
from baonet.hyp.cpu import NOTE_DELIVERED
from baonet.machine.saved import Saved, StateForm

_ENDED = LR_HW | LR_EOI  # with no state and only EOI of these: the guest has ended it and maintenance is due
_INTID_BITS = 10

_FORM: Final = StateForm("a vcpu's list registers", 1, asked=int, enabled=bool, spills=int, spilled=list)


@final
class Interface:
    """The list registers of ``cpu``; ``group`` is LR_GROUP for GICv3, 0 for GICv2."""

    __slots__ = (
        "_asked",
        "_group",
        "_ich",
        "_initial_vmcr",
        "_lists",
        "_occupants",
        "cpu",
        "enabled",
        "spilled",
        "spills",
    )

    def __init__(self, cpu: Armv8Cpu, list_registers: int, version: int) -> None:
        self.cpu = cpu
        self._ich = cpu.ich
        self._lists = range(min(list_registers, ICH_LISTS))
        self._group = LR_GROUP if version == 3 else 0
        self._initial_vmcr = MINIMUM_BPR1 << VMCR_VBPR1_SHIFT | MINIMUM_BPR0 << VMCR_VBPR0_SHIFT
        if version == 3:
            self._initial_vmcr |= VMCR_VFIQEN
        self._occupants: list[Interrupt | None] = [None] * len(self._lists)
        self.spilled: dict[int, Interrupt] = {}
        self._asked = 0  # for which maintenance interrupts: HCR_UIE, HCR_NPIE
        self.enabled = False
        self.spills = 0
        self.clear()

    def clear(self) -> None:
        """Power-on state of the CPU interface's registers."""
        ich = self._ich
        for n in range(ICH_REGISTERS):
            ich[n] = 0
        ich[ICH_VMCR] = self._initial_vmcr
        self._update_hcr()

    def reset(self) -> None:
        """No interrupt is here any more, and the interface is disabled."""
        self._occupants = [None] * len(self._lists)
        self.spilled.clear()
        self._asked = 0
        self.enabled = False
        self.clear()

    def enable(self, enabled: bool) -> None:
        """The distributor's enable bit reaches the guest through the virtual CPU interface's."""
        self.enabled = enabled
        self._update_hcr()

    def _update_hcr(self) -> None:
        hcr = HCR_LRENPIE | self._asked | (self._ich[ICH_HCR] & HCR_EOICOUNT)
        self._ich[ICH_HCR] = hcr | HCR_EN if self.enabled else hcr

    def _ask(self, maintenance: int) -> None:
        """Ask for maintenance interrupts. U never ends where there is but one list register."""
        if len(self._lists) == 1:
            maintenance &= ~HCR_UIE
        if maintenance & ~self._asked:
            self._asked |= maintenance
            self._update_hcr()

    def prioritize(self, interrupt: Interrupt, priority: int) -> None:
        """Set the priority of an interrupt that is in no list register."""
        effective = priority & IMPLEMENTED_PRIORITY
        intid = interrupt.intid
        interrupt.priority = priority
        interrupt.rank = effective << _INTID_BITS | intid
        listed = intid | effective << LR_PRIORITY_SHIFT | self._group
        if interrupt.hardware:
            listed |= LR_HW | intid << LR_PINTID_SHIFT
        elif intid >= PRIVATE:
            listed |= LR_EOI
        interrupt.listed = listed

    def state(self, interrupt: Interrupt) -> int:
        """LR_PENDING and LR_ACTIVE as they are now, wherever the state is (a GICv2 SGI's waiting sources aside)."""
        if interrupt.lr >= 0:
            return self._ich[interrupt.lr] & (LR_PENDING | LR_ACTIVE)
        return (LR_PENDING if interrupt.pending else 0) | (LR_ACTIVE if interrupt.active else 0)

    # Into and out of the list registers

    def place(self, interrupt: Interrupt) -> None:
        """Let the guest have what can be delivered of an interrupt that is in no list register and not spilled."""
        if not (interrupt.active or (interrupt.pending and interrupt.enabled)):
            return
        n = self._free()
        while n >= 0 and self.spilled and (better := self._better(interrupt)) is not None:
            self._unspill(better, n)
            n = self._free()
        if n < 0:
            n = self._victim(interrupt)
            if n < 0:
                self._spill(interrupt)
                return
            self._evict(n)
        self._write(interrupt, n)

    def expects(self, interrupt: Interrupt) -> tuple[int, int] | None:
        """Where ``place`` would put a pending one, and what, if nobody had to give way now or is refilled at its end.

        Only the first, which no other comes before by becoming free.
        """
        if self.spilled or self._asked or self._free() or self._occupants[0] is not None:
            return None
        return 0, interrupt.listed | LR_PENDING

    def pull(self, interrupt: Interrupt) -> None:
        """Take an interrupt, wherever it is, into its software state."""
        if interrupt.spilled:
            interrupt.spilled = False
            del self.spilled[interrupt.intid]
            return
        n = interrupt.lr
        if n < 0:
            return
        interrupt.lr = -1
        self._occupants[n] = None
        lr = self._ich[n]
        self._ich[n] = 0
        if lr < LR_PENDING:
            if interrupt.hardware and lr & _ENDED == LR_EOI and interrupt.intid < PRIVATE:
                self.cpu.deactivate(interrupt.intid)
            return
        self._ask(HCR_UIE | HCR_NPIE if lr & LR_PENDING and interrupt.enabled else HCR_UIE)
        if interrupt.sources is None:
            interrupt.pending = interrupt.pending or lr & LR_PENDING != 0
            interrupt.active = lr >= LR_ACTIVE
        else:
            source = lr >> LR_SOURCE_SHIFT & 7
            if lr >= LR_ACTIVE:
                interrupt.active, interrupt.source = True, source
            else:
                interrupt.sources |= 1 << source
                interrupt.pending = True

    def _free(self) -> int:
        """The first empty list register, -1 when there is none."""
        ich = self._ich
        for n in self._lists:
            lr = ich[n]
            if lr < LR_PENDING and lr & _ENDED != LR_EOI:
                return n
        return -1

    def _write(self, interrupt: Interrupt, n: int) -> None:
        previous = self._occupants[n]
        if previous is not None:
            previous.lr = -1
        self._occupants[n] = interrupt
        interrupt.lr = n
        if interrupt.sources is not None:
            self._ich[n] = self._sgi(interrupt, interrupt.sources)
        elif not interrupt.active:
            interrupt.pending = False
            self._ich[n] = interrupt.listed | LR_PENDING
        elif interrupt.pending and interrupt.enabled:
            interrupt.pending = interrupt.active = False
            # A hardware interrupt cannot be both in a list register that is linked to it: end it in software.
            bare = interrupt.listed & ~(LR_HW | interrupt.intid << LR_PINTID_SHIFT)
            self._ich[n] = bare | LR_PENDING | LR_ACTIVE | (LR_EOI if interrupt.hardware else interrupt.listed & LR_EOI)
        else:
            interrupt.active = False
            self._ich[n] = interrupt.listed | LR_ACTIVE
        if self._ich[n] & LR_PENDING:
            self.cpu.note(NOTE_DELIVERED, interrupt.intid, 0, 0)

    def _sgi(self, interrupt: Interrupt, sources: int) -> int:
        """A GICv2 SGI: one source at a time, the highest first; its end lets the next one in."""
        if interrupt.active:
            interrupt.active = False
            lr = interrupt.listed | interrupt.source << LR_SOURCE_SHIFT | LR_ACTIVE
        else:
            source = sources.bit_length() - 1
            sources &= ~(1 << source)
            interrupt.sources = sources
            interrupt.pending = sources != 0
            lr = interrupt.listed | source << LR_SOURCE_SHIFT | LR_PENDING
        return lr | LR_EOI if sources else lr

    # Spilling

    def _spill(self, interrupt: Interrupt) -> None:
        interrupt.spilled = True
        self.spilled[interrupt.intid] = interrupt
        self.spills += 1
        self._ask(HCR_NPIE)

    def _unspill(self, interrupt: Interrupt, n: int) -> None:
        interrupt.spilled = False
        del self.spilled[interrupt.intid]
        self._write(interrupt, n)

    def _better(self, newcomer: Interrupt) -> Interrupt | None:
        """What is spilled, pending and better than a newcomer. Bao lets the newcomer pass."""
        waiting = [each for each in self.spilled.values() if each.pending and each.enabled and not each.active]
        best = min(waiting, key=_rank, default=newcomer)
        return None if newcomer.active or best.rank >= newcomer.rank else best

    def _evict(self, n: int) -> None:
        victim = self._occupants[n]
        assert victim is not None
        self.pull(victim)
        self._spill(victim)

    def _victim(self, newcomer: Interrupt) -> int:
        """The list register that gives way to an interrupt that has none, -1 when it has to wait.

        The worst pending one, if more than one is pending, else the worst active one, and it must be worse than
        ``newcomer``. Beyond Bao, for one that is pending: the only pending one also gives way, and with none pending an
        active one always does.
        """
        pending = active = -1
        worst_pending = worst_active = newcomer.rank
        count = 0
        highest_active, any_active = -1, -1
        for n in self._lists:
            occupant, lr = self._occupants[n], self._ich[n]
            if occupant is None or lr < LR_PENDING:
                continue
            rank = occupant.rank
            if lr >= LR_ACTIVE:
                if rank > worst_active:
                    worst_active, active = rank, n
                if rank > highest_active:
                    highest_active, any_active = rank, n
            else:
                count += 1
                if rank > worst_pending:
                    worst_pending, pending = rank, n
        if count > 1:
            return pending
        if newcomer.active or active >= 0:
            return active
        return pending if count else any_active

    def refill(self, none_pending: bool) -> None:
        """Give free list registers to the best of what is spilled, with ``none_pending`` to a pending one first.

        Beyond Bao, where all list registers are active and something is pending, one of them gives way.
        """
        spilled = self.spilled
        while True:
            n = self._free()
            if n < 0 and not none_pending:
                break
            some = [
                interrupt
                for interrupt in spilled.values()
                if not none_pending or (interrupt.pending and interrupt.enabled and not (n < 0 and interrupt.active))
            ]
            if not some:
                self._asked = 0
                break
            best = min(some, key=_rank)
            if n < 0:
                n = self._victim(best)
                if n < 0:
                    break  # a better one is pending by now: what ended meanwhile has fired again
                self._evict(n)
            self._unspill(best, n)
            none_pending = False
        self._update_hcr()

    # Maintenance

    def low(self) -> tuple[bool, bool]:
        """Whether hardware says NP, and U."""
        asked = self._asked
        if not asked:
            return False, False
        states = [self._ich[n] >> LR_STATE_SHIFT for n in self._lists]
        return (
            asked & HCR_NPIE != 0 and 1 not in states,
            asked & HCR_UIE != 0 and len(states) - states.count(0) <= 1,
        )

    def take_ended(self) -> list[Interrupt]:
        """Empty the list registers that ask for maintenance at their end; what was in them."""
        ended = []
        for n in self._lists:
            lr, occupant = self._ich[n], self._occupants[n]
            if lr < LR_PENDING and lr & _ENDED == LR_EOI and occupant is not None:
                self.pull(occupant)
                ended.append(occupant)
        return ended

    def take_missed(self) -> list[Interrupt]:
        """The spilled interrupts that the guest has ended, best first; each was active and now is not."""
        hcr = self._ich[ICH_HCR]
        count = (hcr & HCR_EOICOUNT) >> HCR_EOICOUNT_SHIFT
        if not count:
            return []
        self._ich[ICH_HCR] = hcr & ~HCR_EOICOUNT
        missed = []
        for _ in range(count):
            actives = [interrupt for interrupt in self.spilled.values() if interrupt.active]
            if not actives:
                break
            interrupt = min(actives, key=_rank)
            self.pull(interrupt)
            interrupt.active = False
            missed.append(interrupt)
        return missed

    def withdraw(self) -> list[Interrupt]:
        """Pull everything that is in a list register; in their order."""
        listed = [occupant for occupant in self._occupants if occupant is not None]
        for interrupt in listed:
            self.pull(interrupt)
        return listed

    def save(self) -> Saved:
        """What the list registers' own state does not tell; which interrupt is where, these tell."""
        return _FORM.save(asked=self._asked, enabled=self.enabled, spills=self.spills, spilled=list(self.spilled))

    def load(self, data: object, interrupts: Iterable[Interrupt]) -> None:
        """Be as one was that has been saved, with these interrupts; no register of the CPU changes.

        Raises StateError for what is not its state.
        """
        fields = _FORM.load(data)
        self._asked, self.enabled, self.spills = fields["asked"], fields["enabled"], fields["spills"]
        self._occupants = [None] * len(self._lists)
        spilled = {}
        for interrupt in interrupts:
            self.prioritize(interrupt, interrupt.priority)
            if interrupt.spilled:
                spilled[interrupt.intid] = interrupt
            if interrupt.lr >= 0:
                if interrupt.lr not in self._lists or self._occupants[interrupt.lr] is not None:
                    raise _FORM.damaged(f"interrupt {interrupt.intid} is in list register {interrupt.lr}")
                self._occupants[interrupt.lr] = interrupt
        if spilled.keys() != set(fields["spilled"]):
            raise _FORM.damaged("what is spilled is not the interrupts that say so")
        self.spilled = {intid: spilled[intid] for intid in fields["spilled"]}


def _rank(interrupt: Interrupt) -> int:
    return interrupt.rank
