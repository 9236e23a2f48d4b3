"""Errands under the host's clock: a core tells others by the rings of its pcpu, and its hypervisor is not asked."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from baonet.core import _node
from baonet.core.armv8.engine import native
from baonet.hyp.answers import FixedAnswer, Notification, RegisterValue, whole
from baonet.hyp.armv8.cpu import ICH_HCR, ICH_LR0, LR_EOI, LR_GROUP, LR_PENDING, Exit
from tests.core.bench import RAM, Memory, core_of
from tests.core.virtual import HVC, LOOP, NOP, WFI, core
from tests.wire.rings import Joined

SHMEM, EVENT, INTERRUPT = 5, 7, 84
LISTED = INTERRUPT | LR_PENDING | LR_GROUP | LR_EOI
FRAME, OTHER = b"\0\0\0\4tell", b"\0\0\0\4else"
BUDGET = 100_000
LDR = 0xF9400041  # ldr x1, [x2]
DEVICE = 0x0800_0000
TELL = Notification(FixedAnswer((whole(0, 0),), (RegisterValue(3, 9),)), 2, SHMEM, (1,))


class Pcpu:
    """Pcpu 0, whose guest runs these instructions; ``peer`` has the rings of pcpu 1."""

    def __init__(self, *code: int, expected: Any = (INTERRUPT, 0, LISTED), rings: Any = None) -> None:
        joined = Joined()
        self.slots, self.peer, self.rings = joined.slots, joined.rings(1), rings or joined.rings(0)
        memory = Memory(1)
        memory.slots = joined.slots
        self.core = core_of(memory)
        memory.load(RAM, b"".join(word.to_bytes(4, "little") for word in code))
        self.core.reset(RAM, 0)
        self.core.emulate(((DEVICE, 0x1000),), lambda *_: 1, lambda *_: True, [])
        self.asked: list[Any] = []
        self.expected = expected
        self.core.run_errands_promptly(
            (TELL,),
            self._expects,
            self._take_back,
            self.rings.ringside(),
            self._hears,
            self._frame,
        )
        self.core.x[2] = EVENT
        self.core.lend(False, False, 40, {})

    def _expects(self, shmem: int, event: int) -> Any:
        self.asked.append((shmem, event))
        return self.expected

    def _take_back(self) -> None:
        self.asked.append("take back")
        self.core.take_back()

    def _hears(self, peer: int, data: bytes) -> tuple[int, int] | None:
        self.asked.append((peer, data))
        return (SHMEM, EVENT) if data == FRAME else None

    def _frame(self, shmem: int, event: int) -> bytes:
        assert (shmem, event) == (SHMEM, EVENT)
        return FRAME

    def run(self) -> Exit:
        return Exit(self.core.run_lent(BUDGET))

    def end(self) -> None:
        """What the guest's end of the interrupt makes of the list register."""
        self.core.ich[ICH_HCR] = 1
        self.core.ich[ICH_LR0] = INTERRUPT | LR_GROUP | LR_EOI

    def done(self) -> Any:
        """Sent so far, told, heard, exits, and what is in hand."""
        taken = self.core.take_back()
        assert taken is not None
        assert not taken[0]
        assert taken[1] is not None
        _, _, sent, told, heard, exits, _, held = taken[1]
        return sent, told, heard, exits, held and held[1:]


HELD = (1, 0, SHMEM, EVENT)


def test_a_call_is_put_into_the_ring_and_the_guest_goes_on() -> None:
    pcpu = Pcpu(HVC, HVC, LOOP)
    pcpu.core.x[3] = 0
    assert pcpu.run() == Exit.BUDGET
    assert (pcpu.peer.news(), pcpu.peer.get(0), pcpu.core.x[3]) == ([0], 2 * FRAME, 9)
    assert pcpu.done() == (42, 2, 0, [(Exit.HVC, 2)], None)


def test_another_call_is_the_hypervisors() -> None:
    pcpu = Pcpu(HVC)
    pcpu.core.x[0] = 1
    assert pcpu.run() == Exit.HVC
    assert (pcpu.peer.news(), pcpu.done()) == ([], (40, 0, 0, [], None))


def test_nobody_is_told_where_there_is_no_room() -> None:
    pcpu = Pcpu(HVC)
    while pcpu.rings.put(1, bytes(100)) == 100:
        pass
    assert pcpu.run() == Exit.HVC
    assert pcpu.done() == (40, 0, 0, [], None)


def test_one_that_waits_is_given_the_interrupt_and_goes_on() -> None:
    pcpu = Pcpu(WFI, NOP, LOOP)
    pcpu.peer.put(0, FRAME)
    assert pcpu.run() == Exit.BUDGET
    assert (pcpu.core.ich[ICH_LR0], pcpu.rings.news(), pcpu.rings.get(1)) == (LISTED, [], b"")
    assert (pcpu.asked, pcpu.done()) == ([(1, FRAME), (SHMEM, EVENT)], (40, 0, 0, [], HELD))


def test_it_sleeps_until_somebody_tells_it() -> None:
    pcpu = Pcpu(WFI, NOP, LOOP)
    teller = threading.Timer(0.02, pcpu.peer.put, (0, FRAME))
    began = time.monotonic()
    teller.start()
    assert pcpu.run() == Exit.BUDGET
    assert 0.01 < time.monotonic() - began < 0.9
    teller.join()
    assert pcpu.done()[-1] == HELD


def test_it_looks_around_now_and_then_though_others_ring_all_the_time() -> None:
    """One of them may have destroyed what tells of another. What this one has for it is nowhere."""
    pcpu = Pcpu(WFI)
    teller = _node.Rings(pcpu.slots, 1, bytes(2))
    nowhere = bytearray(2 * _node.RING_SIZE)
    teller.join(0, nowhere, 0, nowhere, _node.RING_SIZE)
    over = time.monotonic() + 0.6

    def tell() -> None:
        while time.monotonic() < over:
            teller.put(0, FRAME)
            time.sleep(0.01)

    thread = threading.Thread(target=tell)
    thread.start()
    assert pcpu.run() == Exit.WFI
    assert time.monotonic() < over
    thread.join()


def test_one_that_runs_hears_it_when_it_is_kicked() -> None:
    pcpu = Pcpu(LOOP)
    pcpu.peer.put(0, FRAME)
    assert pcpu.run() == Exit.BUDGET
    assert pcpu.done()[-1] == HELD


@pytest.mark.parametrize("second", [FRAME, OTHER], ids=["another", "something else"])
def test_what_comes_while_an_interrupt_is_in_hand_is_left_where_it_is(second: bytes) -> None:
    pcpu = Pcpu(WFI, LOOP)
    pcpu.peer.put(0, FRAME)
    assert pcpu.run() == Exit.BUDGET
    pcpu.peer.put(0, second)
    assert pcpu.run() == Exit.KICKED
    assert (pcpu.rings.news(), pcpu.rings.get(1), pcpu.done()[-1]) == ([1], second, HELD)


def test_what_is_behind_what_is_taken_stays_news() -> None:
    pcpu = Pcpu(WFI, LOOP)
    pcpu.peer.put(0, FRAME)
    assert pcpu.run() == Exit.BUDGET
    pcpu.end()
    pcpu.peer.put(0, FRAME)
    pcpu.peer.put(0, OTHER)
    assert pcpu.run() == Exit.BUDGET
    assert (pcpu.rings.news(), pcpu.rings.get(1), pcpu.core.ich[ICH_LR0]) == ([1], OTHER, LISTED)


@pytest.mark.parametrize("data", [OTHER, bytes(200)], ids=["short", "long"])
def test_what_is_no_notification_is_left_where_it_is(data: bytes) -> None:
    pcpu = Pcpu(WFI)
    pcpu.peer.put(0, data)
    assert pcpu.run() == Exit.WFI
    assert (pcpu.rings.news(), pcpu.rings.get(1), pcpu.done()) == ([1], data, (40, 0, 0, [], None))


def test_so_is_one_that_the_hypervisor_does_not_expect() -> None:
    pcpu = Pcpu(WFI, expected=None)
    pcpu.peer.put(0, FRAME)
    assert pcpu.run() == Exit.WFI
    assert (pcpu.rings.news(), pcpu.rings.get(1)) == ([1], FRAME)


def test_who_ends_and_who_calls_are_pythons() -> None:
    pcpu = Pcpu(WFI)
    pcpu.peer.end(0)
    assert pcpu.run() == Exit.WFI
    assert (pcpu.rings.news(), pcpu.rings.called()) == ([1], True)
    pcpu = Pcpu(WFI)
    _node.call(pcpu.slots, 0)
    assert (pcpu.run(), pcpu.rings.called()) == (Exit.WFI, True)


def test_who_is_called_looks_before_it_tells_others() -> None:
    pcpu = Pcpu(HVC)
    _node.call(pcpu.slots, 0)
    assert (pcpu.run(), pcpu.peer.news()) == (Exit.HVC, [])


def test_the_end_of_the_interrupt_is_an_errand() -> None:
    pcpu = Pcpu(WFI, LOOP)
    pcpu.peer.put(0, FRAME)
    assert pcpu.run() == Exit.BUDGET
    pcpu.end()
    assert pcpu.run() == Exit.BUDGET
    assert pcpu.done() == (40, 0, 1, [(Exit.MAINTENANCE, 1)], None)


def test_it_is_taken_back_before_an_emulated_access() -> None:
    pcpu = Pcpu(LDR, HVC)
    pcpu.core.x[2] = DEVICE
    assert pcpu.run() == Exit.HVC
    assert (pcpu.asked[0], pcpu.core.x[1]) == ("take back", 1)


def test_the_rings_live_as_long_as_the_core() -> None:
    pcpu = Pcpu(WFI, LOOP)
    pcpu.peer.put(0, FRAME)
    del pcpu.rings
    assert pcpu.run() == Exit.BUDGET


def test_what_is_asked_may_fail() -> None:
    pcpu = Pcpu(WFI, expected=(1, 2))
    pcpu.peer.put(0, FRAME)
    with pytest.raises(TypeError):
        pcpu.run()


def test_it_is_refused_in_virtual_time_and_where_nothing_is_lent() -> None:
    pcpu = Pcpu(LOOP)
    pcpu.core.take_back()
    with pytest.raises(RuntimeError, match="nothing is lent"):
        pcpu.run()
    for made in (core(LOOP), pcpu.core):
        arguments: Any = ((), lambda *_: None, lambda: None, pcpu.rings.ringside(), lambda *_: None, lambda *_: b"")
        with pytest.raises(ValueError, match="no errands"):
            made.run_errands_promptly(*arguments)
    with pytest.raises(ValueError, match="PyCapsule"):
        core_of(Memory(1)).run_errands_promptly((), arguments[1], arguments[2], object(), arguments[4], arguments[5])
    assert isinstance(pcpu.core, native.Core)
