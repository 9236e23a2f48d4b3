"""Segments: memory that the processes of one node share. Each is a memfd, so it has no name that could outlive them."""

from __future__ import annotations

import mmap
import os
from typing import final

PAGE_SIZE = 0x1000


@final
class Segment:
    """``size`` bytes of zeroes, mapped shared; pages appear when they are touched.

    ``view`` is the mapping, which processes forked later have as well. Raises OSError when the host refuses.
    """

    __slots__ = ("descriptor", "size", "view")

    def __init__(self, name: str, size: int) -> None:
        self.size = -(-size // PAGE_SIZE) * PAGE_SIZE
        self.descriptor = os.memfd_create(f"baonet:{name}", os.MFD_CLOEXEC)
        os.ftruncate(self.descriptor, self.size)
        self.view = mmap.mmap(self.descriptor, self.size)

    def give_up(self) -> None:
        """Close and unmap it. Raises BufferError when something here still uses it."""
        self.view.close()
        self.close()

    def close(self) -> None:
        """The mapping lives on for whoever still has it."""
        os.close(self.descriptor)

    def clear(self) -> None:
        """Make every byte zero again and give the pages back."""
        os.ftruncate(self.descriptor, 0)
        os.ftruncate(self.descriptor, self.size)
