"""What waits while a VM starts anew."""

from __future__ import annotations

import random

from baonet.hyp.messages import IpcNotify, SpiLine
from baonet.hyp.restart import Restart

LINES = (33, 40, 41)


def test_a_device_that_changes_its_lines_during_a_reset_fills_nothing() -> None:
    """One message a line waits, however many come and in whatever order: what the line is at last."""
    restart = Restart((1, 2))
    restart.begin()
    changes = [SpiLine(intid, number % 2 == 0, number) for intid in LINES for number in range(3000)]
    random.Random(1).shuffle(changes)
    for number, change in enumerate(changes):
        assert restart.hold(5 + number % 3, change)
        assert len(restart._held) <= len(LINES)
    restart.begin()  # a reset upon a reset: the lines are no life's
    held = {message for _, message in restart.finish()}
    assert held == {SpiLine(intid, False, 2999) for intid in LINES}


def test_notifications_of_others_during_a_reset_are_lost() -> None:
    restart = Restart((1,))
    restart.begin()
    for event in range(5000):
        assert not restart.hold(7, IpcNotify(0, event))
    assert restart.finish() == []
