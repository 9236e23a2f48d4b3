"""What was typed and the UART has had no room for yet, in the order in which it came: characters and breaks."""

from __future__ import annotations

from collections import deque
from typing import final

from baonet.core.cpu import Core


@final
class UartInput:
    """For the first UART of a core. It has a bound, as whoever types is told what was taken (``InputTaken``)."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._waiting: deque[bytearray] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, data: bytes) -> None:
        """Bytes; none are a break."""
        if data and self._waiting and self._waiting[-1]:
            self._waiting[-1] += data
        else:
            self._waiting.append(bytearray(data))

    def feed(self) -> int:
        """Give the UART as much as it takes; how much has gone, a break as one."""
        gone = 0
        while self._waiting:
            data = self._waiting[0]
            taken = self._core.put_input(0, bytes(data)) if data else self._core.put_break(0)
            gone += taken
            if taken < max(1, len(data)):
                del data[:taken]
                break
            self._waiting.popleft()
        return gone

    def clear(self) -> int:
        """Forget all; how much that was."""
        gone = sum(max(1, len(data)) for data in self._waiting)
        self._waiting.clear()
        return gone

    def save(self) -> list[bytes]:
        return [bytes(data) for data in self._waiting]

    def load(self, saved: list[bytes]) -> None:
        self._waiting = deque(map(bytearray, saved))
