"""Of an Armv8 core in virtual time: to whom the pages of its memory belong."""

from __future__ import annotations

from tests.core.bench import RAM
from tests.core.memory import ENTRY, PageOwners

__all__ = ["ENTRY", "Owners"]


class Owners(PageOwners):
    def __init__(self) -> None:
        super().__init__(RAM)
