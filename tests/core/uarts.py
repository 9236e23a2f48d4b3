"""A UART, of whatever kind, as the guest of a core sees it, of whatever architecture that is."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from baonet.core import _node
from baonet.core.architecture import Core
from tests.core.kicks import another_process
from tests.core.memory import VmMemory
from tests.patience import ANSWER


class GuestUart(ABC):
    """The device as one core's guest sees it, which is left when the line has moved."""

    def __init__(self, core: Core, size: int) -> None:
        """``size``: of its registers."""
        self.core = core
        self.size = size
        self.told: list[int] = []  # the line, as it was told and not asked for by `line`

    @abstractmethod
    def read(self, offset: int, size: int = 0) -> int:
        """Load so many bytes, 0: a register, which are zero-extended."""

    @abstractmethod
    def write(self, offset: int, value: int, size: int = 0) -> None: ...

    @abstractmethod
    def hear(self, reason: int) -> None:
        """What the core tells of its line goes to ``told``."""

    def type(self, data: bytes) -> int:
        """Nothing is a break. Returns how much was taken."""
        taken = self.core.put_input(0, data) if data else int(self.core.put_break(0))
        while (reason := self.core.take_event()) >= 0:
            self.hear(reason)
        return taken

    def line(self) -> int | None:
        """What was told of the line since this was last asked, sequence and level; None: nothing."""
        told, self.told = self.told, []
        assert len(told) <= 1
        return told[0] if told else None


@contextmanager
def held(memory: VmMemory) -> Iterator[None]:
    """A process that lives has the device, as if the host had stopped it. Core 0 is kicked meanwhile.

    It lets go for who waits for it, and so late that nobody has it who only got no time of the host.
    """
    memory.uart[:4] = os.getpid().to_bytes(4, "little")

    def let_go() -> None:
        end = time.monotonic() + ANSWER
        while time.monotonic() < end:
            time.sleep(0.01)
            _node.kick(memory.slots, 0)
        memory.uart[:4] = bytes(4)

    with another_process(let_go):
        yield
    memory.uart[:4] = bytes(4)
