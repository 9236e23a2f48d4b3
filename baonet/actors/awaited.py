"""Texts that guests are to print: what ``--until`` waits for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from baonet.machine.dataclass import dataclass


@final
@dataclass(frozen=True, slots=True)
class AwaitedText:
    """``vm``: the number of the VM that is to print it, None for any."""

    vm: int | None
    data: bytes


@final
class Awaited:
    """``missing`` are those that have not come yet; all of them must, in whatever order."""

    def __init__(self, texts: Iterable[AwaitedText] = ()) -> None:
        self.missing = list(dict.fromkeys(texts))
        self._any = bool(self.missing)
        self._keep = max((len(text.data) for text in self.missing), default=1) - 1
        self._tails: dict[int, bytes] = {}

    @property
    def complete(self) -> bool:
        """Whether there were any, and all of them have come."""
        return self._any and not self.missing

    def see(self, vm: int, data: bytes) -> None:
        """A VM has printed this; a text may come in pieces."""
        if not self.missing:
            return
        seen = self._tails.get(vm, b"") + data
        self.missing = [text for text in self.missing if text.vm not in (None, vm) or text.data not in seen]
        self._tails[vm] = seen[-self._keep :] if self._keep else b""
