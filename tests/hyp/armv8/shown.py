"""What registers of a field for each interrupt are to be read as: by a look at every interrupt."""

from __future__ import annotations

from baonet.hyp.armv8.cpu import LR_ACTIVE
from baonet.hyp.armv8.gic import LOWEST_PRIORITY, PRIVATE
from baonet.hyp.armv8.vgic import Vgic
from baonet.hyp.armv8.vgic_distributor import Distributor
from baonet.hyp.armv8.vgic_private import Private
from baonet.hyp.armv8.vgic_registers import Bank
from baonet.hyp.armv8.vgic_spi import NOBODY, Spi

Shown = tuple[int, int, int, int, int]
"""Of one: enabled, pending, active, priority, configuration."""


def check(vgic: Vgic) -> None:
    """Of the interrupts that this pcpu is home to; those that have never been asked for are as they are made."""
    assert shown(vgic._private, range(PRIVATE)) == [_private(vgic._private, intid) for intid in range(PRIVATE)]
    distributor = vgic._distributor
    if distributor._here:
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
