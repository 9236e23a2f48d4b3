"""Segments: memory that the processes of one node share. Each is a memfd, so it has no name that could outlive them."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
from collections.abc import Iterator
from typing import Final, final

PAGE_SIZE = 0x1000
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
_PROT_NONE: Final = 0
_FIXED_ANONYMOUS: Final = 0x10 | mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS


def whole_pages(size: int) -> int:
    """Bytes of the pages that so many bytes take."""
    return -(-size // PAGE_SIZE) * PAGE_SIZE


@final
class Segment:
    """``size`` bytes of zeroes; pages appear when they are touched. Raises OSError when the host refuses."""

    __slots__ = ("_view", "descriptor", "size")

    def __init__(self, name: str, size: int) -> None:
        self.size = whole_pages(size)
        self._view: mmap.mmap | None = None
        self.descriptor = os.memfd_create(f"baonet:{name}", os.MFD_CLOEXEC)
        os.ftruncate(self.descriptor, self.size)

    @property
    def view(self) -> mmap.mmap:
        """Mapped shared, from the first use on, in this process and those that it forks later."""
        if self._view is None:
            self._view = mmap.mmap(self.descriptor, self.size)
        return self._view

    def read(self, offset: int, size: int) -> bytes:
        """Without mapping it. Raises OSError when the host refuses."""
        if self._view is not None:
            return self._view[offset : offset + size]
        found = bytearray()
        while len(found) < size and (more := os.pread(self.descriptor, size - len(found), offset + len(found))):
            found += more
        return bytes(found)

    def write(self, offset: int, data: memoryview) -> None:
        """Without mapping it. Raises OSError when the host refuses."""
        if self._view is not None:
            self._view[offset : offset + len(data)] = data
            return
        while data:
            count = os.pwrite(self.descriptor, data, offset)
            offset, data = offset + count, data[count:]

    def hide(self, start: int, size: int) -> None:
        """Unmap whole pages of it in this process, for good: nothing is there, nor comes to be there."""
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.view, start))
        if _LIBC.mmap(address, size, _PROT_NONE, _FIXED_ANONYMOUS, -1, 0) != address:
            raise OSError(ctypes.get_errno(), "mmap")

    def settle(self, *, kept: bool) -> None:
        """In a process that closes its descriptors next: map it now, or never again.

        Raises BufferError when something here still uses what is to be unmapped, OSError when the host refuses.
        """
        if kept:
            self._view = self.view
        elif self._view is not None:
            self._view.close()
        self.descriptor = -1

    def close(self) -> None:
        """The mapping lives on for whoever still has it."""
        os.close(self.descriptor)

    def clear(self) -> None:
        """Make every byte zero again and give the pages back."""
        os.ftruncate(self.descriptor, 0)
        os.ftruncate(self.descriptor, self.size)

    def save(self) -> list[list[int | bytes]]:
        """(offset, bytes) of what is not zero, in whole pages that follow one another."""
        found: list[tuple[int, int]] = []
        for page in self.pages(0, self.size // PAGE_SIZE):
            start = page * PAGE_SIZE
            if found and found[-1][1] == start:
                start, _ = found.pop()
            found.append((start, (page + 1) * PAGE_SIZE))
        return [[start, self.view[start:end]] for start, end in found]

    def pages(self, first: int, end: int) -> Iterator[int]:
        """Those that are not zero, of its pages ``first`` up to ``end``, by their numbers."""
        place, zeroes, view = first * PAGE_SIZE, bytes(PAGE_SIZE), self.view
        while (place := self._touched(place)) < end * PAGE_SIZE:
            if view[place : place + PAGE_SIZE] != zeroes:
                yield place // PAGE_SIZE
            place += PAGE_SIZE

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
            self.write(start, memoryview(data))
