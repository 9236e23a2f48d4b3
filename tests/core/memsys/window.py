"""Reference model of a cluster: logs merged by the times that their waits make of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .caches import FILLS, L2, Answer, Ask, Channel, Path
from .pcpu import Pcpu
from .prefetch import Ahead


class Word(Protocol):
    """Who has a line."""

    holders: set[int]


HYPERVISOR = 32
COLD = 33


class Party:
    def __init__(self, p: dict[str, int]) -> None:
        self.own, self.ahead, self.balance = Channel(p), Ahead(p), 0
        self.path, self.really_path = Path(p), Path(p)

    def set_back(self, cycles: int) -> None:
        """Its clock goes on so much before what the records of a window have come to."""
        self.really_path.free = max(self.really_path.free - cycles, 0)
        places = self.ahead.places
        self.ahead.places = [place and (place[0], (place[1][0], place[1][1] - cycles)) for place in places]


@dataclass
class Reader:
    records: list[tuple[int, int, int, int, int, int]]
    party: Party
    owner: int
    wait: int
    next: int = 0
    late: int = 0
    later: int = 0
    fills: int = 0
    area: int = 0
    others: int = 0
    of_hypervisor: int = 0
    misses: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def moment(self) -> int:
        return self.records[self.next][1] + self.late

    def go_on(self) -> bool:
        before = self.records[self.next][1]
        self.next += 1
        if self.next == len(self.records):
            return False
        if self.records[self.next][1] != before:
            self.late, self.later = self.late + self.later, 0
        return True


class Cluster:
    def __init__(self, p: dict[str, int], extents: list[tuple[int, int]]) -> None:
        self.p, self.extents = p, extents
        self.l2 = L2(p["l2_size"], p["l2_ways"], bool(p["l2_on_eviction"]))
        self.channel = Channel(p)
        self.parties = [Party(p) for _ in range(32)]
        self.evictors: dict[int, int] = {}
        self.owners: dict[int, Counter[str]] = {}
        self.missed: Counter[tuple[int, int]] = Counter()
        self.pages: Counter[int] = Counter()
        self.words: Mapping[int, Word] = {}

    def _known(self, line: int) -> bool:
        return any(base <= line * 64 < base + size for base, size in self.extents)

    def _stale(self, reader: Reader, request: Ask, line: int) -> bool:
        """Whether a dirty line that has left a first level had been taken by another."""
        word = self.words.get(line)
        return request is Ask.WRITEBACK and word is not None and self.parties.index(reader.party) not in word.holders

    def _replay(self, reader: Reader) -> None:
        line, time, number, hit, writeback, hypervisor = reader.records[reader.next]
        request, party = Ask(number), reader.party
        owner = HYPERVISOR if hypervisor else reader.owner
        n = self.owners.setdefault(owner, Counter())
        answer = Answer(hit=True) if self._stale(reader, request, line) else self.l2.ask(request, line)
        missed = request in FILLS and not answer.hit
        n["l2_accesses"] += request in FILLS
        n["l2_misses"] += missed
        n["l2_writebacks"] += answer.writeback
        if missed:
            self.missed[owner, self.evictors.get(line, COLD)] += 1
            self.pages[line // 64] += self._known(line)
        if answer.victim is not None and self._known(answer.victim):
            self.evictors[answer.victim] = owner
        reader.misses[hypervisor] += missed - (request in FILLS and not hit)
        now, area, lines = time + reader.late, self.channel.area, self.channel.lines
        charged = party.own.serve(request, bool(hit), bool(writeback), time, reader.wait)
        really = self.channel.serve(request, answer.hit, answer.writeback, now, 0)
        charged.cache += party.path.wait(request, bool(hit), time)
        really.cache += party.really_path.wait(request, answer.hit, now)
        if self.channel.lines != lines:
            n["lines"] += self.channel.lines - lines
            n["waits"] += really.wait
            reader.area += self.channel.area - area
            if missed or request is Ask.UNCACHED_LOAD:
                known = (request in FILLS and not hit) or request is Ask.UNCACHED_LOAD
                reader.fills += 1
                reader.others += really.wait - (charged.wait - reader.wait if known else 0)
        if request is Ask.PREFETCH:
            party.ahead.add(line, time + charged.all, now + really.all)
            return
        thought, came = charged.all, really.all
        if request is Ask.USE:
            ready = party.ahead.take(line)
            if ready:
                thought, came = max(ready[0] - time, 0), max(ready[1] - now, 0)
        reader.later += came - thought
        reader.of_hypervisor += (came - thought) * hypervisor

    def merge(self, pcpus: list[Pcpu], owners: list[int], length: int) -> list[tuple[int, int, int, int, int]]:
        readers = [Reader(cpu.records, self.parties[n], owners[n], cpu.wait) for n, cpu in enumerate(pcpus)]
        active = [reader for reader in readers if reader.records]
        area, last = self.channel.area, 0
        while active:
            reader = min(active, key=lambda each: each.moment)
            self._replay(reader)
            last = reader.late
            if not reader.go_on():
                active.remove(reader)
        area = self.channel.area - area
        outcomes = []
        for reader in readers:
            balance = reader.party.balance + reader.late + reader.later
            reader.party.balance = min(balance, 0)
            reader.party.set_back(reader.late + reader.later - max(balance, 0))
            waits = reader.others + (area - reader.area) // length
            wait = max(waits, 0) // (reader.fills + 1)
            own, charge = reader.of_hypervisor, max(balance, 0)
            guest = reader.late + reader.later - own
            part = 0 if own <= 0 else charge * own // (own + max(guest, 0))
            outcomes.append((charge, wait, reader.misses[0], reader.misses[1], part))
        charges = [outcome[0] for reader, outcome in zip(readers, outcomes, strict=True) if reader.records]
        if charges:
            self.channel.free -= last - min(charges)
        return outcomes
