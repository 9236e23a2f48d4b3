"""Reference models of caches and of the channel to memory, as plain as can be."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

LINE = 64


class Ask(IntEnum):
    """What is asked of the second level: ``enum request``."""

    LOAD = 0
    STORE = 1
    FETCH = 2
    WALK = 3
    PREFETCH = 4
    USE = 5
    WRITEBACK = 6
    VICTIM = 7
    STREAM = 8
    STREAM_PAST = 9
    MERGE = 10
    UNCACHED_LOAD = 11
    UNCACHED_STORE = 12
    CLEAN = 13
    FLUSH = 14
    WAY = 15


FILLS = {Ask.LOAD, Ask.STORE, Ask.FETCH, Ask.WALK, Ask.PREFETCH, Ask.MERGE}
DATA = {Ask.LOAD, Ask.STORE, Ask.PREFETCH}
ALLOCATES = {*FILLS, Ask.WRITEBACK, Ask.VICTIM, Ask.STREAM}
DIRTIES = {Ask.WRITEBACK, Ask.STREAM, Ask.STREAM_PAST, Ask.MERGE}
OF_NO_CACHE = {Ask.USE, Ask.UNCACHED_LOAD, Ask.UNCACHED_STORE}


class Random:
    def __init__(self, seed: int) -> None:
        self.state = seed & 0xFFFF_FFFF

    def below(self, most: int) -> int:
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFF_FFFF
        return self.state * most >> 32


@dataclass
class Held:
    line: int
    dirty: bool = False


class CacheSet:
    def __init__(self, ways: int, random: Random) -> None:
        self.ways: list[Held | None] = [None] * ways
        self.random = random

    def find(self, line: int) -> int | None:
        return next((way for way, held in enumerate(self.ways) if held and held.line == line), None)

    def put(self, held: Held) -> tuple[int, Held | None]:
        """Where it is, and what it has driven out."""
        way = self.ways.index(None) if None in self.ways else self.random.below(len(self.ways))
        victim, self.ways[way] = self.ways[way], held
        return way, victim


class L1:
    def __init__(self, size: int, ways: int) -> None:
        random = Random(1)
        self.sets = [CacheSet(ways, random) for _ in range(size // ways // LINE)]

    def set(self, va: int) -> CacheSet:
        return self.sets[va // LINE % len(self.sets)]

    def held(self, va: int, line: int) -> Held | None:
        where = self.set(va)
        way = where.find(line)
        return None if way is None else where.ways[way]

    def of_line(self, line: int) -> list[CacheSet]:
        """Where a physical line may be, whatever its virtual address is."""
        return [each for n, each in enumerate(self.sets) if n % 64 == line % 64]


@dataclass
class Answer:
    hit: bool = False
    writeback: bool = False
    victim: int | None = None


class L2:
    def __init__(self, size: int, ways: int, on_eviction: bool) -> None:
        count = size // ways // LINE
        self.sets = [CacheSet(ways, Random(n * 2654435761 + 1)) for n in range(count)]
        self.on_eviction = on_eviction

    def _clean(self, where: CacheSet, way: int, flush: bool) -> Answer:
        held = where.ways[way]
        if not held:
            return Answer()
        answer = Answer(writeback=held.dirty, victim=held.line if flush else None)
        where.ways[way] = None if flush else Held(held.line)
        return answer

    def ask(self, request: Ask, line: int) -> Answer:
        if request in OF_NO_CACHE or (request is Ask.VICTIM and not self.on_eviction):
            return Answer()
        if request is Ask.WAY:
            where, way = self.sets[line % (1 << 26) % len(self.sets)], line >> 26 & 15
            return self._clean(where, way, not line >> 32 & 1) if way < len(where.ways) else Answer()
        where = self.sets[line % len(self.sets)]
        way_held = where.find(line)
        if request in {Ask.CLEAN, Ask.FLUSH}:
            answer = Answer() if way_held is None else self._clean(where, way_held, request is Ask.FLUSH)
            answer.hit = way_held is not None
            return answer
        if way_held is not None:
            held = where.ways[way_held]
            assert held
            held.dirty |= request in DIRTIES
            return Answer(hit=True)
        if request not in ALLOCATES or (request in DATA and self.on_eviction):
            return Answer()
        _, victim = where.put(Held(line, request in DIRTIES))
        return Answer(False, bool(victim and victim.dirty), victim.line if victim else None)


@dataclass
class Cost:
    cache: int = 0
    memory: int = 0
    wait: int = 0

    @property
    def all(self) -> int:
        return self.cache + self.memory + self.wait


COMES = {Ask.LOAD, Ask.STORE, Ask.PREFETCH}
PASSES = {Ask.STREAM, Ask.STREAM_PAST, Ask.MERGE}


@dataclass
class Path:
    """From the second level to one first level: each line keeps it for ``l2_path`` cycles."""

    p: dict[str, int]
    free: int = 0

    def wait(self, request: Ask, hit: bool, now: int) -> int:
        if request not in PASSES and not (hit and request in COMES):
            return 0
        wait = max(self.free - now, 0)
        self.free = now + wait + self.p["l2_path"]
        return wait


@dataclass
class Channel:
    """A queue in which every line stands for ``dram_line`` cycles."""

    p: dict[str, int]
    free: int = 0
    area: int = 0
    lines: int = field(default=0)

    def line(self, now: int) -> int:
        service = self.p["dram_line"]
        wait = max(self.free - now, 0)
        self.free = now + wait + service
        self.area += service * wait + service * service // 2
        self.lines += 1
        return wait

    def post(self, now: int) -> int:
        return max(self.line(now) - self.p["dram_queue"] * self.p["dram_line"], 0)

    def serve(self, request: Ask, hit: bool, writeback: bool, now: int, others: int) -> Cost:
        p, store = self.p, request in {Ask.STORE, Ask.MERGE}
        if request in FILLS and not hit:
            cost = Cost(0, p["dram_store"]) if store else Cost(p["l2_latency"], p["dram_latency"])
            cost.wait = self.line(now) + others
            if writeback:
                self.line(now)
            return cost
        cost = Cost()
        if store:
            cost.cache = p["l2_store"]
        elif request in FILLS or request in {Ask.CLEAN, Ask.FLUSH, Ask.WAY}:
            cost.cache = p["l2_latency"]
        elif request is Ask.UNCACHED_LOAD:
            cost = Cost(0, p["dram_latency"], self.line(now) + others)
        elif request is Ask.UNCACHED_STORE:
            cost = Cost(0, p["dram_store"], self.post(now))
        elif request is Ask.STREAM_PAST and not hit:
            cost.wait = self.post(now)
        if writeback:
            cost.wait += self.post(now)
        return cost
