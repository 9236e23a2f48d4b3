"""Reference model of what is asked for ahead: streams that are followed, and the lines that are under way."""

from __future__ import annotations

AHEAD_BY_INSTRUCTION = 4


class Stream:
    def __init__(self, last: int) -> None:
        self.last, self.stride, self.equal, self.furthest = last, 0, 0, 0


class Prefetcher:
    def __init__(self, p: dict[str, int]) -> None:
        self.p = p
        self.streams: list[Stream | None] = [None] * p["prefetch_streams"]
        self.next = 0

    def _stream(self, line: int) -> Stream | None:
        here = [each for each in self.streams if each and each.last // 64 == line // 64]
        for stream in here:
            if stream.stride and line - stream.last == stream.stride:
                return stream
        return next((s for s in here if 0 < abs(line - s.last) <= self.p["prefetch_reach"]), None)

    def see(self, line: int) -> list[int]:
        stream = self._stream(line)
        if not stream:
            if self.streams:
                self.streams[self.next] = Stream(line)
                self.next = (self.next + 1) % len(self.streams)
            return []
        step, stream.last = line - stream.last, line
        if step == stream.stride:
            stream.equal += 1
        else:
            stream.stride, stream.equal, stream.furthest = step, 1, line
        if stream.equal < self.p["prefetch_strides"]:
            return []
        ahead = [line + step * n for n in range(1, self.p["prefetch_lines"] + 1)]
        wanted = [n for n in ahead if n // 64 == line // 64 and (n - stream.furthest) * step > 0]
        if wanted:
            stream.furthest = wanted[-1]
        return wanted


class Ahead:
    """Lines under way, of which the oldest place makes room."""

    def __init__(self, p: dict[str, int]) -> None:
        capacity = p["prefetch_streams"] * p["prefetch_lines"] + AHEAD_BY_INSTRUCTION
        self.places: list[tuple[int, tuple[int, ...]] | None] = [None] * capacity
        self.next = 0

    def __contains__(self, line: int) -> bool:
        return any(place and place[0] == line for place in self.places)

    def take(self, line: int) -> tuple[int, ...] | None:
        for n, place in enumerate(self.places):
            if place and place[0] == line:
                self.places[n] = None
                return place[1]
        return None

    def full(self, now: int) -> bool:
        oldest = self.places[self.next]
        return oldest is not None and oldest[1][0] > now

    def add(self, line: int, *ready: int) -> int | None:
        self.take(line)
        lost, self.places[self.next] = self.places[self.next], (line, ready)
        self.next = (self.next + 1) % len(self.places)
        return lost[0] if lost else None
