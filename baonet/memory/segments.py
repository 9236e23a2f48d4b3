"""Segments: memory that the processes of one node share. Each is a memfd, so it has no name that could outlive them."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
from typing import Final, final

PAGE_SIZE = 0x1000
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
_PROT_NONE: Final = 0
_FIXED_ANONYMOUS: Final = 0x10 | mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS


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

    def hide(self, start: int, size: int) -> None:
        """Unmap whole pages of it in this process, for good: nothing is there, nor comes to be there."""
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.view, start))
        if _LIBC.mmap(address, size, _PROT_NONE, _FIXED_ANONYMOUS, -1, 0) != address:
            raise OSError(ctypes.get_errno(), "mmap")

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

    def save(self) -> list[list[int | bytes]]:
        """(offset, bytes) of what is not zero, in whole pages that follow one another."""
        found: list[list[int | bytes]] = []
        page, zeroes = 0, bytes(PAGE_SIZE)
        while (page := self._touched(page)) < self.size:
            start = page
            while page < self.size and self.view[page : page + PAGE_SIZE] != zeroes:
                page += PAGE_SIZE
            if page > start:
                found.append([start, self.view[start:page]])
            else:
                page += PAGE_SIZE
        return found

    def _touched(self, start: int) -> int:
        """The first page from there on that anybody has touched, or the end."""
        try:
            return os.lseek(self.descriptor, start, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return self.size

    def load(self, saved: list[list[int | bytes]]) -> None:
        """Have what was saved, and zeroes elsewhere. Raises ValueError for what does not fit."""
        self.clear()
        for start, data in saved:
            if not isinstance(start, int) or not isinstance(data, bytes) or not 0 <= start <= self.size - len(data):
                raise ValueError(f"{start!r:.20} is no place for {data!r:.20} in {self.size} bytes of memory")
            self.view[start : start + len(data)] = data
