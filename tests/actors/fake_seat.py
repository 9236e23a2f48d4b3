"""A pcpu in virtual time that follows a script: what a guest does, without a core."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from baonet.hyp.messages import IpcNotify
from baonet.wire.turns import NEVER, Delivery, Post, Turn, Turned

BLOCK = 7
"""Instructions that a guest does between two looks: it stops at the first that begins at or after its limit."""


class Work(NamedTuple):
    cycles: int


class Send(NamedTuple):
    target: int


class Wait(NamedTuple):
    """Until anything comes."""


class Yield(NamedTuple):
    pass


Action = Work | Send | Wait | Yield


@dataclass
class FakeSeat:
    """``sent`` and ``taken`` tell what happened: (time, due, peer, number)."""

    pcpu: int
    script: list[Action]
    window: int
    latency: int
    clock: int = 0
    sent: list[tuple[int, int, int, int]] = field(default_factory=list)
    taken: list[tuple[int, int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._inbox: list[tuple[int, int, int, int]] = []
        self._came = 0
        self._left = 0
        self._position = 0
        self._waiting = False
        self._channels: dict[int, int] = {}

    def turn(self, turn: Turn) -> Turned:
        posts: list[Post] = []
        for delivery in turn.inbox:
            self._came += 1
            heappush(self._inbox, (delivery.due, delivery.source, delivery.sequence, self._came))
        until, rest = turn.until, turn.rest
        while True:
            due = self._inbox[0][0] if self._inbox else NEVER
            if due <= self.clock:
                when, source, number, _ = heappop(self._inbox)
                self.taken.append((self.clock, when, source, number))
                self._waiting = False
            elif self._waiting or self._position == len(self.script):
                if due >= until:
                    return Turned(self.pcpu, self.clock, due, tuple(posts), ())
                self.clock = due
            elif self.clock >= until:
                return Turned(self.pcpu, self.clock, self.clock, tuple(posts), ())
            else:
                until, rest = self._act(min(due, until), until, rest, posts)

    def _act(self, limit: int, until: int, rest: int, posts: list[Post]) -> tuple[int, int]:
        match self.script[self._position]:
            case Work(cycles):
                self._left = self._left or cycles
                while self._left and self.clock < limit:
                    step = min(BLOCK, self._left)
                    self.clock += step
                    self._left -= step
                if self._left:
                    return until, rest
            case Send(target):
                due = max(self.clock + self.latency, self._channels.get(target, 0))
                self._channels[target] = due
                self.sent.append((self.clock, due, target, len(self.sent)))
                posts.append(Post(target, self.clock, due, len(self.sent) - 1, IpcNotify(0, 0)))
                rest = (self.clock // self.window + 1) * self.window
                until = min(until, rest)
                self.clock += 1
            case Wait():
                self._waiting = True
            case Yield():
                self.clock = rest if rest > self.clock else self.clock + 1
        self._position += 1
        return until, rest


def delivery(due: int, number: int) -> Delivery:
    return Delivery(due, -1, number, IpcNotify(0, 0))
