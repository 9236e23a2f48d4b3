"""Who is told what happens in a run, when it happens."""

from __future__ import annotations

from typing import Protocol

from baonet.actors.ending import VmState
from baonet.hyp.report import Report


class Audience(Protocol):
    def notice(self, level: str, text: str) -> None:
        """What Bao would print, and what is weak on this host. ``level``: ``WARNING`` or ``INFO``."""

    def reported(self, report: Report, code: bytes) -> None:
        """A vcpu is parked; ``code`` is the instruction at its PC. A VM that starts anew can be parked again."""

    def changed(self, vm: int, state: VmState) -> None:
        """A VM has come to its end, and others have not."""
