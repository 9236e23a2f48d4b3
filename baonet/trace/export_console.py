"""What guests print, as lines: the bytes of a UART put together until a line ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from baonet.trace.export_packets import Packets

_LONGEST: Final = 1024
"""Bytes after which a line is broken."""
_END = 10


@final
class ConsoleTracks:
    """``homes`` are the tracks of the VM of each pcpu. A line's time is that of its last byte, in nanoseconds."""

    def __init__(self, packets: Packets, homes: Mapping[int, int]) -> None:
        self._packets = packets
        self._homes = homes
        self._tracks: dict[tuple[int, int], int] = {}
        self._lines: dict[int, bytearray] = {}

    def byte(self, time: int, pcpu: int, uart: int, byte: int) -> None:
        track = self._track(pcpu, uart)
        line = self._lines.setdefault(track, bytearray())
        if byte != _END:
            line.append(byte & 0xFF)
        if byte == _END or len(line) >= _LONGEST:
            self._write(time, track)

    def input(self, time: int, pcpu: int, uart: int, count: int, first: int) -> None:
        shown = first.to_bytes(8, "little")[:count]
        text = repr(shown)[1:] + (f" and {count - len(shown)} more" if count > len(shown) else "")
        self._packets.line(time, self._track(pcpu, uart), f"input: {text}")

    def finish(self, time: int) -> None:
        """Show what has no end yet."""
        for track, line in self._lines.items():
            if line:
                self._write(time, track)

    def _track(self, pcpu: int, uart: int) -> int:
        key = self._homes[pcpu], uart
        if key not in self._tracks:
            self._tracks[key] = self._packets.track(key[0], f"console of UART {uart}")
        return self._tracks[key]

    def _write(self, time: int, track: int) -> None:
        line = self._lines[track]
        text = line.decode(errors="replace").rstrip("\r")
        if text:
            self._packets.line(time, track, text)
        line.clear()
