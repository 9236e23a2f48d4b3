"""A GICv3 VM as its guest sees it. "Observed": what the real Bao gave to a probe guest."""

from __future__ import annotations

import gc

import pytest

from baonet.hyp.armv8.cpu import HCR_NPIE, HCR_UIE, ICH_HCR
from baonet.hyp.armv8.vgic_distributor import Spi
from tests.hyp.armv8.virtual_interface import Icc
from tests.hyp.armv8.virtual_machine import GICD, GICR, SPURIOUS, VirtualMachine

ISENABLER, ICENABLER, ISPENDR, ICPENDR = GICD + 0x100, GICD + 0x180, GICD + 0x200, GICD + 0x280
ISACTIVER, ICACTIVER, IPRIORITYR, ITARGETSR = GICD + 0x300, GICD + 0x380, GICD + 0x400, GICD + 0x800
ICFGR, IROUTER, PIDR2 = GICD + 0xC00, GICD + 0x6000, GICD + 0xFFE8
IRM = 1 << 40


def sgi(intid: int, targets: int = 0) -> int:
    return intid << 24 | targets


def with_sgis(vcpus: int) -> VirtualMachine:
    vm = VirtualMachine(vcpus).open()
    for n in range(vcpus):
        for intid in range(16):
            vm.enable(n, intid)
    return vm


def heard(vm: VirtualMachine) -> list[list[int]]:
    vm.settle()
    return [vm.take_all(n) for n in range(len(vm.vgics))]


# Identification and plain registers


def test_an_spi_is_made_when_it_is_asked_for() -> None:
    """They are a thousand, and of each of hundreds of VMs they took more time and memory than all else of it."""

    def spis() -> int:
        return sum(isinstance(each, Spi) for each in gc.get_objects())

    gc.collect()
    before = spis()
    vm = VirtualMachine(2)
    assert spis() == before
    assert vm.read(0, ISENABLER + 4) == 0
    vm.vgics[0].inject(52)
    assert spis() == before + 1


def test_control_register_observed() -> None:
    vm = VirtualMachine(2)
    assert vm.read(0, GICD) == 0x10
    vm.write(0, GICD, 0x37)
    assert vm.read(0, GICD) == 0x12
    assert vm.read(1, GICD) == 0x12
    vm.write(1, GICD, 1)
    assert vm.read(0, GICD) == 0x10


def test_types_and_ids() -> None:
    """Observed: GICD_TYPER 0x480027 with 2 vcpus and 256 interrupts, GICR_TYPER, IIDR 0x43B, PIDR2 0x3B."""
    vm = VirtualMachine(2)
    assert vm.read(0, GICD + 4) == 0x480022  # 96 interrupts
    assert vm.read(0, GICD + 8) == 0x43B
    assert vm.read(1, PIDR2) == 0x3B
    assert vm.read(0, GICR + 8, size=8) == 0
    assert vm.read(0, GICR + 0x20008, size=8) == 0x1_0000_0110
    assert (vm.read(1, GICR + 0x20008), vm.read(1, GICR + 0x2000C)) == (0x110, 1)
    assert vm.read(0, GICR + 4) == 0
    assert vm.read(0, GICR + 0xFFE8) == 0x3B


def test_configuration_registers_observed() -> None:
    vm = VirtualMachine(1)
    assert vm.read(0, vm.private(0) + 0xC00) == 0xAAAA_AAAA
    assert vm.read(0, vm.private(0) + 0xC04) == 0
    vm.write(0, ICFGR + 8, 0xFFFF_FFFF)
    assert vm.read(0, ICFGR + 8) == 0xFFFF_FFFF
    vm.write(0, ICFGR + 8, 0x1234_5678)
    assert vm.read(0, ICFGR + 8) == 0x1234_5678
    assert (vm.write(0, ICFGR + 0x80, 0xFFFF_FFFF), vm.read(0, ICFGR + 0x80)) == (True, 0)


@pytest.mark.parametrize("offset", [0x10, 0x40, 0x80, 0x84, 0xD04, 0xE00, 0xF00, 0xF10, 0x5000, 0x9000])
def test_read_as_zero_write_ignored(offset: int) -> None:
    vm = VirtualMachine(1)
    assert vm.write(0, GICD + offset, 0xFFFF_FFFF)
    assert vm.read(0, GICD + offset) == 0


@pytest.mark.parametrize("offset", [0, 0x14, 0x70, 0x78, 0x10080, 0x10104, 0x10D00, 0x10420])
def test_read_as_zero_write_ignored_in_a_redistributor(offset: int) -> None:
    vm = VirtualMachine(1)
    assert vm.write(0, GICR + offset, 0xFFFF_FFFF)
    assert vm.read(0, GICR + offset) == 0


@pytest.mark.parametrize("offset", [0x100, 0x104, 0x184, 0x204, 0x304, 0x400, 0x410, 0x800, 0x820, 0xC00])
def test_private_interrupts_are_not_in_the_distributor(offset: int) -> None:
    vm = VirtualMachine(1)
    before = vm.read(0, vm.private(0) + 0x100)
    vm.write(0, GICD + (offset & ~4), 0xFFFF_FFFF)
    assert vm.read(0, GICD + (offset & ~4)) == 0
    assert vm.read(0, vm.private(0) + 0x100) == before


def test_widths_that_hang() -> None:
    """Neither these widths nor what is not aligned to its own; the same from a vcpu that is not at the home."""
    vm = VirtualMachine(2)
    for n in (0, 1):
        for address, size in [
            (GICD, 1),
            (GICD, 2),
            (GICD, 8),
            (GICD + 2, 4),
            (ISENABLER, 8),
            (ISENABLER + 1, 1),
            (IPRIORITYR + 32, 2),
            (IPRIORITYR + 32, 8),
            (IPRIORITYR + 34, 4),
            (ITARGETSR + 32, 2),
            (IROUTER + 32 * 8, 1),
            (IROUTER + 32 * 8, 2),
            (IROUTER + 32 * 8 + 4, 8),
            (IROUTER + 1000 * 8, 2),
            (GICD + 0x10, 8),
            (GICR + 8, 1),
            (GICR + 0xC, 8),
            (GICR + 0x10100, 1),
        ]:
            assert vm.read(n, address, size) is None, hex(address)
            assert not vm.write(n, address, 0, size), hex(address)
    assert vm.read(0, GICR + 0x40000) is None, "beyond the last redistributor"
    assert not vm.vgics[0].covers(GICR + 0x40000)
    assert vm.vgics[0].covers(GICR + 0x3FFFC)


def test_widths_that_work() -> None:
    vm = VirtualMachine(2)
    for n in (0, 1):
        assert vm.write(n, IPRIORITYR + 33, 0xA3, size=1)
        assert vm.read(n, IPRIORITYR + 32) == 0xFFFF_A3FF
        assert vm.read(n, IPRIORITYR + 33, size=1) == 0xA3
        assert vm.write(n, IPRIORITYR + 32, 0xFFFF_FFFF)
        assert vm.read(n, ITARGETSR + 33, size=1) == 0


def test_fields_of_interrupts_that_do_not_exist() -> None:
    vm = VirtualMachine(1)
    for offset in (0x100 + 12, 0x200 + 12, 0x400 + 96, 0xC00 + 24):
        vm.write(0, GICD + offset, 0xFFFF_FFFF)
        assert vm.read(0, GICD + offset) == 0
    vm.write(0, IROUTER + 96 * 8, 1, size=8)
    assert vm.read(0, IROUTER + 96 * 8, size=8) == 0
    vm.vgics[0].inject(500)
    vm.vgics[0].line(500, 1, 1)


def test_set_and_clear_bits() -> None:
    vm = VirtualMachine(2)
    for n in (0, 1):
        for base in (GICD + 4, vm.private(1 - n)):
            for set_offset, clear_offset in ((0x100, 0x180), (0x200, 0x280), (0x300, 0x380)):
                vm.write(n, base + set_offset, 0x0011_0033)
                vm.write(n, base + set_offset, 0x8000_0000)
                assert vm.read(n, base + set_offset) == 0x8011_0033
                vm.write(n, base + clear_offset, 0x8000_0030)
                assert vm.read(n, base + clear_offset) == 0x0011_0003
                vm.write(n, base + clear_offset, 0xFFFF_FFFF)
                assert vm.read(n, base + set_offset) == 0


# Routing


def test_initial_route_observed_and_halves() -> None:
    vm = VirtualMachine(2)
    route = IROUTER + 40 * 8
    assert vm.read(0, route) == 0xFFFF_0000
    vm.write(0, route, 1)
    assert vm.read(1, route, size=8) == 1
    vm.write(1, route + 4, 0xFFFF_FFAA)
    assert vm.read(0, route, size=8) == 0xAA_0000_0001
    assert vm.read(0, route + 4) == 0xAA
    vm.write(0, route, 0xFFFF_FFFF_8000_0001, size=8)
    assert vm.read(0, route, size=8) == 0xFF_8000_0001
    assert vm.read(0, IROUTER + 8, size=8) == 0


def test_a_never_routed_spi_goes_to_who_enables_it_observed() -> None:
    vm = VirtualMachine(3, master=0).open()
    vm.enable(2, 40)
    vm.pend(2, 40)
    assert heard(vm) == [[], [], [40]]


def test_a_never_routed_notification_goes_to_the_master_observed() -> None:
    vm = VirtualMachine(2, master=1).open()
    for intid in (52, 53):
        vm.enable(0, intid)
        vm.vgics[1].inject(intid)
    assert heard(vm) == [[], [52, 53]]


def test_a_notification_waits_for_its_route_and_enable() -> None:
    vm = VirtualMachine(2).open()
    vm.vgics[0].inject(52)
    assert vm.read(1, ISPENDR + 4) == 1 << 20
    vm.write(0, IROUTER + 52 * 8, 7, size=8)
    vm.enable(0, 52)
    assert heard(vm) == [[], []]
    assert vm.read(1, ISPENDR + 4) == 1 << 20, "no such vcpu"
    vm.write(1, IROUTER + 52 * 8, 1, size=8)
    assert heard(vm) == [[], [52]]


@pytest.mark.parametrize("target", [0, 1, 2])
@pytest.mark.parametrize("writer", [0, 1, 2])
@pytest.mark.parametrize("master", [0, 2])
def test_a_route_to_one_vcpu(target: int, writer: int, master: int) -> None:
    vm = VirtualMachine(3, master=master).open()
    vm.write(writer, IROUTER + 50 * 8, target, size=8)
    vm.enable(writer, 50)
    vm.pend(writer, 50)
    assert heard(vm) == [[50] if n == target else [] for n in range(3)]


def test_a_pending_interrupt_follows_its_route() -> None:
    vm = VirtualMachine(3).open()
    vm.enable(0, 50)
    vm.pend(0, 50)
    for target in (1, 2, 0, 2):
        vm.write(0, IROUTER + 50 * 8, target)
        vm.settle()
        assert [bool(i.irq) for i in vm.interfaces] == [n == target for n in range(3)]
    assert heard(vm) == [[], [], [50]]


def test_an_active_interrupt_stays_and_its_next_one_goes() -> None:
    vm = VirtualMachine(2).open()
    vm.enable(0, 50)
    vm.pend(0, 50)
    assert vm.acknowledge(0) == 50
    vm.write(0, IROUTER + 50 * 8, 1)
    vm.pend(0, 50)
    assert vm.take_all(1) == []
    vm.end(0, 50)
    assert heard(vm) == [[], [50]]


# SGIs


@pytest.mark.parametrize("n", [0, 1, 2])
def test_sgi_target_list(n: int) -> None:
    vm = with_sgis(3)
    vm.sgi1r(n, sgi(5, 0b110))
    assert heard(vm) == [[], [5], [5]]


def test_sgi_to_self_observed() -> None:
    vm = with_sgis(2)
    vm.sgi1r(1, sgi(9, 0b10))
    assert vm.waiting() == []
    assert heard(vm) == [[], [9]]


def test_sgi_to_all_but_self_observed() -> None:
    vm = with_sgis(3)
    vm.sgi1r(1, sgi(3) | IRM | 0b10)
    assert heard(vm) == [[3], [], [3]]


def test_sgi_out_of_range_targets_are_ignored() -> None:
    vm = with_sgis(2)
    vm.sgi1r(0, sgi(3, 0xFFFC))
    assert heard(vm) == [[], []]
    vm.sgi1r(0, sgi(3, 0xFFFF))
    assert heard(vm) == [[3], [3]]


def test_sgi_affinities_are_ignored_observed() -> None:
    vm = with_sgis(2)
    vm.sgi1r(0, sgi(4, 2) | 9 << 16 | 3 << 32 | 1 << 48 | 2 << 44)
    assert heard(vm) == [[], [4]]


@pytest.mark.parametrize(
    ("fields", "reached"),
    [
        pytest.param(0b11, [0, 1], id="cluster 0"),
        pytest.param(1 << 16 | 0b11, [16, 17], id="cluster 1"),
        pytest.param(1 << 16 | 0xFFFF, list(range(16, 32)), id="all of a cluster"),
        pytest.param(2 << 16 | 0xFFFF, [32, 33], id="the last, which is short"),
        pytest.param(3 << 16 | 1, [], id="a cluster that is not there"),
        pytest.param(1 << 32 | 1, [], id="Aff2"),
        pytest.param(1 << 44 | 1, [], id="a range of Aff0 above 15"),
        pytest.param(1 << 48 | 1, [], id="Aff3"),
        pytest.param(IRM | 1 << 16 | 1, [vcpu for vcpu in range(34) if vcpu != 5], id="all but self"),
    ],
)
def test_an_sgi_names_its_cluster_beyond_16_vcpus(fields: int, reached: list[int]) -> None:
    vm = with_sgis(34)
    vm.sgi1r(5, sgi(3) | fields)
    assert [vcpu for vcpu, taken in enumerate(heard(vm)) if taken == [3]] == reached


def test_affinities_beyond_16_vcpus() -> None:
    vm = VirtualMachine(18).open()
    frames = [vm.read(0, GICR + 0x20000 * vcpu + 8, size=8) for vcpu in (15, 16, 17)]
    assert frames == [0xF << 32 | 15 << 8, 0x100 << 32 | 16 << 8, 0x101 << 32 | 17 << 8 | 1 << 4]
    vm.enable(0, 50)
    for route, vcpu in ((0x101, 17), (0xF, 15), (0x100, 16)):
        vm.write(0, IROUTER + 50 * 8, route)
        vm.pend(0, 50)
        assert [n for n, taken in enumerate(heard(vm)) if taken == [50]] == [vcpu]
    vm.write(0, IROUTER + 50 * 8, 17)
    vm.pend(0, 50)
    assert not any(heard(vm)), "no vcpu has Aff0 17"


def test_sgis_merge_while_pending_and_not_while_active() -> None:
    vm = with_sgis(2)
    for _ in range(3):
        vm.sgi1r(0, sgi(7, 2))
    vm.settle()
    assert vm.acknowledge(1) == 7
    vm.sgi1r(0, sgi(7, 2))
    vm.settle()
    assert vm.acknowledge(1) == SPURIOUS
    vm.end(1, 7)
    assert vm.take_all(1) == [7]


def test_a_disabled_sgi_waits() -> None:
    vm = VirtualMachine(2).open()
    vm.sgi1r(0, sgi(6, 2))
    vm.settle()
    assert vm.acknowledge(1) == SPURIOUS
    assert vm.read(0, vm.private(1) + 0x200) == 1 << 6
    vm.write(0, vm.private(1) + 0x100, 1 << 6)
    assert vm.acknowledge(1) == SPURIOUS, "the initial priority is the mask's highest value, and so never heard"
    vm.write(0, vm.private(1) + 0x400 + 6, 0xF0, size=1)
    assert vm.take_all(1) == [6]


def test_another_vcpus_redistributor_observed() -> None:
    """A write lands on the vcpu whose frame it is (at 738e3dc a forwarded one landed on vcpu 0)."""
    vm = VirtualMachine(3).open()
    vm.write(0, vm.private(2) + 0x100, 1 << 20)
    vm.write(1, vm.private(2) + 0x400 + 20, 0x30, size=1)
    assert [vm.read(n, vm.private(n) + 0x100) for n in range(3)] == [0, 0, 1 << 20]
    assert [vm.read(0, vm.private(n) + 0x400 + 20, size=1) for n in range(3)] == [0xFF, 0xFF, 0x30]
    vm.write(1, vm.private(2) + 0x200, 1 << 20)
    assert heard(vm) == [[], [], [20]]


# Enable, masks, order


def test_distributor_enable_reaches_every_vcpu() -> None:
    vm = with_sgis(2)
    vm.write(1, GICD, 0)
    vm.sgi1r(0, sgi(1, 3))
    assert heard(vm) == [[], []]
    vm.write(0, GICD, 2)
    assert heard(vm) == [[1], [1]]


def test_eight_spis_on_four_list_registers_observed() -> None:
    """Strictly by priority, ties by list register and not by INTID; only spilled ones show as pending."""
    vm = VirtualMachine(1).open()
    for intid, priority in zip(range(64, 72), (60, 60, 60, 50, 40, 30, 20, 10), strict=True):
        vm.enable(0, intid, priority & 0xF8 | 4)
        vm.pend(0, intid)
    assert vm.read(0, ISPENDR + 8) == 0b0000_1111
    assert vm.take_all() == [71, 70, 69, 68, 67, 64, 66, 65]


def test_pending_in_a_list_register_does_not_show_observed() -> None:
    vm = VirtualMachine(1).open()
    vm.enable(0, 40)
    vm.pend(0, 40)
    vm.pend(0, 41)
    assert vm.read(0, ISPENDR + 4) == 1 << 9
    assert vm.acknowledge() == 40
    assert vm.read(0, ISACTIVER + 4) == 0
    vm.end(0, 40)
    assert vm.acknowledge() == SPURIOUS


def test_pending_again_while_active_does_not_show_observed() -> None:
    """Bao has both states in the list register; a disabled one, or one that is routed elsewhere, it takes out."""
    vm = VirtualMachine(2).open()
    vm.write(0, IROUTER + 40 * 8, 0)
    vm.enable(0, 40)
    vm.pend(0, 40)
    assert vm.acknowledge() == 40
    vm.pend(0, 40)
    assert (vm.read(0, ISPENDR + 4), vm.read(0, ISACTIVER + 4)) == (0, 0)
    vm.write(0, IROUTER + 40 * 8, 1)
    vm.settle()
    assert (vm.read(0, ISPENDR + 4), vm.read(0, ISACTIVER + 4)) == (1 << 8, 1 << 8)
    vm.end(0, 40)
    assert heard(vm) == [[], [40]]


@pytest.mark.parametrize("priority", [0x40, 0x80])
def test_spilled_interrupts_of_one_priority_come_in_order_observed(priority: int) -> None:
    """Those of the list registers first, all of them: plain spilling asks for maintenance when none is pending."""
    vm = VirtualMachine(1).open()
    for intid in range(64, 72):
        vm.enable(0, intid, priority)
    vm.write(0, ISPENDR + 8, 0xFF)
    assert vm.cpus[0].ich[ICH_HCR] & (HCR_NPIE | HCR_UIE) == HCR_NPIE
    assert vm.take_all() == list(range(64, 72))
    assert vm.cpus[0].ich[ICH_HCR] & (HCR_NPIE | HCR_UIE) == 0


def test_spilling_for_the_better_asks_for_maintenance_when_few_are_left_observed() -> None:
    """Something is taken out of a list register then: with the last one pending the others are filled again."""
    vm = VirtualMachine(1).open()
    for intid, priority in zip(range(64, 72), (0x60, 0x60, 0x60, 0x50, 0x40, 0x30, 0x20, 0x10), strict=True):
        vm.enable(0, intid, priority)
    vm.write(0, ISPENDR + 8, 0xFF)
    assert vm.cpus[0].ich[ICH_HCR] & (HCR_NPIE | HCR_UIE) == HCR_NPIE | HCR_UIE
    assert vm.take_all() == [71, 70, 69, 68, 67, 64, 66, 65]


def test_a_newcomer_does_not_pass_a_better_one_that_is_spilled() -> None:
    vm = VirtualMachine(1).open()
    for intid in range(64, 70):
        vm.enable(0, intid, 0x80 if intid < 69 else 0xA0)
    vm.write(0, ISPENDR + 8, 0x1F)
    assert vm.take() == 64
    vm.pend(0, 69)
    assert vm.take_all() == [68, 65, 66, 67, 69], "of one priority by list register, which 68 got first"


def test_disable_takes_back_what_is_pending() -> None:
    vm = VirtualMachine(2).open()
    vm.write(0, IROUTER + 40 * 8, 1)
    vm.enable(0, 40)
    vm.pend(0, 40)
    vm.settle()
    assert vm.interfaces[1].irq
    vm.write(0, ICENABLER + 4, 1 << 8)
    vm.settle()
    assert not vm.interfaces[1].irq
    assert vm.read(0, ISPENDR + 4) == 1 << 8
    vm.write(0, ICPENDR + 4, 1 << 8)
    vm.enable(0, 40)
    assert heard(vm) == [[], []]


@pytest.mark.parametrize("intid", [3, 20, 40])
def test_disabling_an_active_interrupt_does_not_orphan_it(intid: int) -> None:
    vm = VirtualMachine(1).open()
    base = vm.private(0) if intid < 32 else GICD + 4
    vm.enable(0, intid)
    vm.pend(0, intid)
    assert vm.acknowledge() == intid
    vm.write(0, base + 0x180, 1 << intid % 32)
    assert vm.read(0, base + 0x300) == 1 << intid % 32
    vm.pend(0, intid)
    vm.end(0, intid)
    assert vm.read(0, base + 0x300) == 0
    assert vm.acknowledge() == SPURIOUS
    vm.write(0, base + 0x100, 1 << intid % 32)
    assert vm.take_all() == [intid]


def test_priority_change_of_a_pending_interrupt() -> None:
    vm = VirtualMachine(1).open()
    for intid in (40, 41):
        vm.enable(0, intid, 0x80)
        vm.pend(0, intid)
    vm.write(0, IPRIORITYR + 41, 0x40, size=1)
    assert vm.take_all() == [41, 40]


def test_clear_and_set_active() -> None:
    vm = VirtualMachine(2).open()
    vm.write(0, IROUTER + 40 * 8, 1)
    vm.enable(0, 40)
    vm.pend(0, 40)
    vm.settle()
    assert vm.acknowledge(1) == 40
    vm.write(0, ICACTIVER + 4, 1 << 8)
    vm.settle()
    assert vm.cpus[1].ich[:4] == [0] * 4
    vm.write(0, ISACTIVER + 4, 1 << 8)
    vm.pend(0, 40)
    vm.settle()
    assert vm.acknowledge(1) == SPURIOUS
    vm.interfaces[1].write(Icc.CTLR, 2)
    vm.deactivate(1, 40)
    vm.settle()
    assert vm.acknowledge(1) == SPURIOUS, "the running priority of the first is still there"
    vm.end(1, 40)
    vm.settle()
    assert vm.acknowledge(1) == 40


def test_more_active_than_list_registers_is_no_storm() -> None:
    """Nested interrupts: each preempts the one before, then they end from the inside out."""
    vm = VirtualMachine(1).open()
    nested = list(range(40, 50))
    for depth, intid in enumerate(nested):
        vm.enable(0, intid, 0xF0 - 0x10 * depth)
    for intid in nested:
        vm.pend(0, intid)
        assert vm.acknowledge() == intid
    for intid in reversed(nested):
        vm.end(0, intid)
    assert vm.cpus[0].ich[:4] == [0] * 4
    assert vm.vgics[0].statistics().held == 0
    for intid in nested:
        vm.pend(0, intid)
    assert vm.take_all() == nested[::-1]


# Hardware interrupts


def test_timer_interrupt_fires_again_while_its_line_is_high() -> None:
    vm = VirtualMachine(1, hardware=(27,)).open()
    vm.enable(0, 27)
    vm.raise_line(0, 27)
    assert [vm.take(), vm.take()] == [27, 27]
    assert vm.acknowledge() == 27
    vm.lower_line(0, 27)
    vm.end(0, 27)
    assert vm.acknowledge() == SPURIOUS


def test_a_timer_that_is_disabled_is_looked_at_again() -> None:
    vm = VirtualMachine(1, hardware=(27,)).open()
    vm.raise_line(0, 27)
    assert vm.read(0, vm.private(0) + 0x200) == 0, "a physical interrupt that is not taken does not show"
    vm.lower_line(0, 27)
    vm.enable(0, 27)
    assert vm.acknowledge() == SPURIOUS
    vm.raise_line(0, 27)
    assert vm.acknowledge() == 27


@pytest.mark.parametrize("master", [0, 1])
def test_level_spi_fires_again_until_its_line_is_low(master: int) -> None:
    vm = VirtualMachine(2, hardware=(33,), master=master).open()
    vm.write(0, IROUTER + 33 * 8, 0)
    vm.enable(0, 33)
    vm.vgics[0].line(33, 1, 1)
    vm.settle()
    assert vm.acknowledge(0) == 33
    vm.end(0, 33)
    vm.settle()
    assert vm.acknowledge(0) == 33, "the line is still high"
    vm.vgics[0].line(33, 0, 2)
    vm.end(0, 33)
    assert heard(vm) == [[], []]


def test_old_news_of_a_line_is_ignored() -> None:
    vm = VirtualMachine(1, hardware=(33,)).open()
    vm.enable(0, 33)
    vm.vgics[0].line(33, 0, 2)
    vm.vgics[0].line(33, 1, 1)
    assert vm.acknowledge() == SPURIOUS
    vm.vgics[0].line(40, 1, 1)
    vm.enable(0, 40)
    assert vm.acknowledge() == SPURIOUS, "no hardware"


def test_edge_spi_fires_once_for_each_rise() -> None:
    vm = VirtualMachine(1, hardware=(33,)).open()
    vm.write(0, ICFGR + 8, 0b10 << 2)
    vm.vgics[0].line(33, 1, 1)
    vm.enable(0, 33)
    assert vm.take_all() == [33]
    vm.vgics[0].line(33, 0, 2)
    assert vm.take_all() == []
    vm.vgics[0].line(33, 0, 4)
    assert vm.take_all() == [33], "it rose and fell between two messages"


def test_set_pending_of_an_active_hardware_spi() -> None:
    vm = VirtualMachine(1, hardware=(33,)).open()
    vm.enable(0, 33)
    vm.pend(0, 33)
    assert vm.acknowledge() == 33
    vm.pend(0, 33)
    vm.end(0, 33)
    assert vm.take_all() == [33]


def test_set_pending_of_an_active_timer_interrupt() -> None:
    vm = VirtualMachine(1, hardware=(27,)).open()
    vm.enable(0, 27)
    vm.raise_line(0, 27)
    assert vm.acknowledge() == 27
    vm.lower_line(0, 27)
    vm.pend(0, 27)
    vm.end(0, 27)
    assert vm.take_all() == [27]
    assert vm.cpus[0].active == set(), "the physical interrupt is deactivated"
    vm.raise_line(0, 27)
    assert vm.acknowledge() == 27


def test_clearing_a_timer_interrupt_looks_at_its_line() -> None:
    vm = VirtualMachine(1, hardware=(27,)).open()
    vm.enable(0, 27)
    vm.raise_line(0, 27)
    vm.write(0, vm.private(0) + 0x280, 1 << 27)
    assert vm.acknowledge() == 27, "still high"
    vm.lower_line(0, 27)
    vm.write(0, vm.private(0) + 0x380, 1 << 27)
    assert vm.cpus[0].active == set()


def test_spilled_active_hardware_interrupts_reach_the_line() -> None:
    vm = VirtualMachine(1, hardware=(27, 33), lists=2).open()
    for intid, priority in ((27, 0xE0), (33, 0xD0), (40, 0x80), (41, 0x70), (42, 0x60)):
        vm.enable(0, intid, priority)
    vm.raise_line(0, 27)
    assert vm.acknowledge() == 27
    vm.vgics[0].line(33, 1, 1)
    assert vm.acknowledge() == 33
    for intid in (40, 41, 42):
        vm.pend(0, intid)
        assert vm.acknowledge() == intid
    for intid in (42, 41, 40):
        vm.end(0, intid)
    vm.vgics[0].line(33, 0, 2)
    vm.end(0, 33)
    vm.lower_line(0, 27)
    vm.end(0, 27)
    assert vm.cpus[0].active == set()
    assert vm.vgics[0].statistics().held == 0
    vm.raise_line(0, 27)
    assert vm.acknowledge() == 27


# The life of a vcpu and of the VM


def test_cpu_off_and_on_keeps_what_is_pending() -> None:
    vm = VirtualMachine(2, hardware=(27,)).open()
    for intid in range(6):
        vm.write(1, vm.private(1) + 0x100, 1 << intid)
        vm.sgi1r(0, sgi(intid, 2))
    vm.settle()
    vm.enable(1, 27)
    vm.raise_line(1, 27)
    vm.reset(1)
    assert vm.acknowledge(1) == SPURIOUS, "the CPU interface is as after a reset"
    vm.interfaces[1].write(Icc.PMR, 0xF0)
    vm.interfaces[1].write(Icc.IGRPEN1, 1)
    assert vm.take_all(1) == []
    vm.interfaces[1].write(Icc.PMR, 0xFF)
    for intid in range(6):
        vm.write(1, vm.private(1) + 0x400 + intid, 0x80, size=1)
    assert sorted(vm.take_all(1)) == list(range(6))
    vm.raise_line(1, 27)
    assert vm.acknowledge(1) == 27


def test_an_active_interrupt_survives_cpu_off() -> None:
    """In a list register, spilled, and held from the distributor."""
    vm = VirtualMachine(1, lists=1).open()
    for intid, priority in ((40, 0xC0), (41, 0x40)):
        vm.enable(0, intid, priority)
        vm.pend(0, intid)
        if intid == 40:
            vm.acknowledge()
    vm.acknowledge()
    vm.reset(0)
    vm.interfaces[0].write(Icc.PMR, 0xFF)
    vm.interfaces[0].write(Icc.IGRPEN1, 1)
    vm.write(0, ICACTIVER + 4, 3 << 8)
    vm.pend(0, 40)
    vm.pend(0, 41)
    assert vm.take_all() == [41, 40]


def test_reset_of_the_vm_keeps_the_lines() -> None:
    vm = VirtualMachine(2, hardware=(33,)).open()
    vm.enable(0, 33)
    vm.enable(0, 40)
    vm.vgics[0].line(33, 1, 5)
    vm.pend(0, 40)
    vm.sgi1r(1, sgi(1, 1))
    vm.network.clear()
    for n in (0, 1):
        vm.vgics[n].reset()
        vm.vgics[n].enter(0, 0)
        vm.interfaces[n].deactivated.clear()
    assert vm.read(0, GICD) == 0x10
    assert vm.read(0, ISENABLER + 4) == 0
    assert vm.read(0, IROUTER + 33 * 8) == 0xFFFF_0000
    vm.open()
    assert heard(vm) == [[], []]
    vm.enable(0, 33)
    assert vm.acknowledge(0) == 33
    vm.vgics[0].line(33, 0, 6)
    vm.end(0, 33)
    assert vm.acknowledge(0) == SPURIOUS


def test_what_is_spilled_waits_for_a_line_that_fires_again_at_once() -> None:
    """With one list register: 33 is ended while spilled and fires again, before maintenance has placed 40."""
    vm = VirtualMachine(1, hardware=(33,), lists=1).open()
    for intid, priority in ((1, 0x60), (33, 0x20), (40, 0x80)):
        vm.enable(0, intid, priority)
    vm.vgics[0].line(33, 1, 1)
    vm.serve(0)
    vm.sgi1r(0, sgi(1, 1))
    assert vm.acknowledge(0) == 33
    vm.vgics[0].inject(40)
    vm.serve(0)
    vm.end(0, 33, exits=False)
    assert vm.acknowledge(0) == 1
    vm.end(0, 1)
    vm.vgics[0].line(33, 0, 2)
    assert vm.take_all(0) == [33, 40]


# Very many vcpus


def test_with_very_many_vcpus_each_is_reached_by_its_affinity_and_knows_its_place() -> None:
    vcpus = 300
    vm = with_sgis(vcpus)
    for n in (0, 15, 16, 255, 256, 299):
        vm.sgi1r(1, sgi(7, 1 << n % 16) | n // 16 << 16)
        assert [n for n, took in enumerate(heard(vm)) if took] == [n]
        frame = GICR + 0x20000 * n
        for reader in (n, 2):
            typer = n // 16 << 40 | n % 16 << 32 | n << 8 | (0x10 if n == vcpus - 1 else 0)
            assert vm.read(reader, frame + 8, size=8) == typer
            assert (vm.read(reader, frame + 8), vm.read(reader, frame + 12)) == (typer & 0xFFFF_FFFF, typer >> 32)
    vm.sgi1r(256, sgi(8) | IRM)
    assert [took for n, took in enumerate(heard(vm)) if n != 256] == [[8]] * (vcpus - 1)
    vm.sgi1r(0, sgi(9, 0xFFFF) | 18 << 16)
    assert [n for n, took in enumerate(heard(vm)) if took] == list(range(288, 300))
    vm.sgi1r(0, sgi(9, 0xFFFF) | 19 << 16)
    assert not any(heard(vm))


def test_what_a_guest_looks_at_of_others_is_not_kept() -> None:
    """A guest that reads all frames of a VM of a thousand vcpus has a million registers."""
    vm = VirtualMachine(64)
    for vcpu in range(64):
        for offset in range(0x10000, 0x10400, 4):
            vm.vgics[0].read(GICR + 0x20000 * vcpu + offset, 4)
    assert len(vm.vgics[0]._windows._at) < 512


def test_a_register_of_another_vcpu_is_read_and_written_there() -> None:
    vm = VirtualMachine(40)
    enable = GICR + 0x20000 * 39 + 0x10100
    assert vm.vgics[0].read(enable, 4) is None
    assert vm.write(0, enable, 0x8000_0001)
    assert (vm.read(0, enable), vm.read(39, enable), vm.read(38, enable - 0x20000)) == (0x8000_0001, 0x8000_0001, 0)
