"""What registers of a field for each interrupt are to be read as: by a look at every interrupt."""

from __future__ import annotations

from baonet.hyp.armv8.cpu import LR_ACTIVE
from baonet.hyp.armv8.gic import LOWEST_PRIORITY, PRIVATE
from baonet.hyp.armv8.vgic import Vgic
from baonet.hyp.armv8.vgic_distributor import Distributor
from baonet.hyp.armv8.vgic_interrupt import Interrupt
from baonet.hyp.armv8.vgic_private import Private
from baonet.hyp.armv8.vgic_registers import Bank
from baonet.hyp.armv8.vgic_spi import NOBODY, Spi

Shown = tuple[int, int, int, int, int]
"""Of one: enabled, pending, active, priority, configuration."""


def check(vgic: Vgic) -> None:
    """Of the interrupts that this pcpu is home to; those that have never been asked for are as they are made."""
    private = vgic._private
    assert shown(private, range(PRIVATE)) == [_private(private, intid) for intid in range(PRIVATE)]
    assert not {each.intid for each in private.interrupts if _clearable(private, each)} - _stirred(private)
    distributor = vgic._distributor
    if distributor._here:
        states = {each.intid for each in distributor._spis.values() if _left(each)}
        assert not states - _stirred(distributor)
        assert shown(distributor, distributor.interrupts) == [
            _shared(distributor, distributor._spis.get(intid)) for intid in distributor.interrupts
        ]
        targets = [_field(distributor.targets, 8, intid) for intid in distributor.interrupts]
        assert targets == [
            0 if (spi := distributor._spis.get(intid)) is None else spi.targets for intid in distributor.interrupts
        ]


def shown(bank: Bank, interrupts: range) -> list[Shown]:
    words = range(interrupts.stop // 32 + (interrupts.stop % 32 != 0))
    pending = [bank.pending_of(word) if bank.words.stirred[word] else 0 for word in words]
    active = [bank.active_of(word) if bank.words.stirred[word] else 0 for word in words]
    return [
        (
            _field(bank.words.enabled, 1, intid),
            _field(pending, 1, intid),
            _field(active, 1, intid),
            _field(bank.words.priorities, 8, intid),
            _field(bank.words.configs, 2, intid),
        )
        for intid in interrupts
    ]


def _field(words: list[int], bits: int, intid: int) -> int:
    word, place = divmod(intid * bits, 32)
    return words[word] >> place & (1 << bits) - 1


def _stirred(bank: Bank) -> set[int]:
    return {32 * word + bit for word, bits in enumerate(bank.words.stirred) for bit in range(32) if bits >> bit & 1}


def _clearable(private: Private, each: Interrupt) -> bool:
    """What a write of ICPENDR or ICACTIVER would end."""
    return each.pending or each.active or private._interface.state(each) != 0


def _left(spi: Spi) -> bool:
    """As ``_clearable``."""
    return spi.pending or spi.active or spi.latched or spi.holder != NOBODY


def _private(private: Private, intid: int) -> Shown:
    each = private.interrupts[intid]
    pending = each.pending and (each.lr < 0 or not each.enabled)
    active = each.active or (not each.enabled and private._interface.state(each) & LR_ACTIVE != 0)
    return each.enabled, pending, active, each.priority, each.config


def _shared(distributor: Distributor, spi: Spi | None) -> Shown:
    if spi is None:
        return 0, 0, 0, LOWEST_PRIORITY, 0
    held = (False, False) if spi.holder == NOBODY else distributor._holders.software_state(spi.holder, spi.intid)
    pending = (spi.pending and not distributor._belongs(spi)) or held[0]
    active = spi.active or (spi.only_active and not distributor._belongs(spi)) or held[1]
    return spi.enabled, pending, active, spi.priority, spi.config
