"""Reference model of one pcpu: no filter, every access looks everything up."""

from __future__ import annotations

from collections import Counter
from enum import IntEnum

from .caches import DATA, FILLS, L1, L2, LINE, Ask, Channel, Cost, Held, Path
from .prefetch import Ahead, Prefetcher
from .translation import CACHED, CODE_UNCACHED, DATA_UNCACHED, LARGEST, OFF, UNCACHED, Entry, Sets, Stage2, Tlbi, Walk

PAGE = 4096
ALL = (1 << LINE) - 1


class Kind(IntEnum):
    LOAD = 0
    STORE = 1
    ATOMIC = 2
    ZERO = 3
    PREFETCH = 4


class What(IntEnum):
    CLEAN_UNIFICATION = 0
    CLEAN = 1
    INVALIDATE = 2
    CLEAN_INVALIDATE = 3
    CODE = 4

    @property
    def drops(self) -> bool:
        return self in {What.INVALIDATE, What.CLEAN_INVALIDATE}


class Pcpu:
    def __init__(self, p: dict[str, int], walk: Walk, stage2: Stage2) -> None:
        self.p, self._walk, self._stage2 = p, walk, stage2
        self.l1i, self.l1d = L1(p["l1i_size"], p["l1i_ways"]), L1(p["l1d_size"], p["l1d_ways"])
        self.l2 = L2(p["l2_size"], p["l2_ways"], bool(p["l2_on_eviction"]))
        self.channel, self.path = Channel(p), Path(p)
        self.micro: list[list[Entry | None]] = [[None] * p["utlb_data"], [None] * p["utlb_instruction"]]
        self.micro_next = [0, 0]
        self.tlb = Sets(p["tlb_entries"], p["tlb_ways"])
        self.walks = Sets(p["walk_cache_entries"], p["walk_cache_ways"])
        self.ipas = Sets(p["ipa_cache_entries"], p["ipa_cache_ways"])
        self.prefetcher, self.ahead = Prefetcher(p), Ahead(p)
        self.writing: int | None = None
        self.bytes = self.full = 0
        self.passing = False
        self.context = 0
        self.hypervisor = False
        self.counts: tuple[Counter[str], Counter[str]] = Counter(), Counter()
        self.records: list[tuple[int, int, int, int, int, int]] = []
        self.wait = 0

    @property
    def n(self) -> Counter[str]:
        return self.counts[self.hypervisor]

    def stall(self, cause: str, cycles: int) -> int:
        self.n[f"stall_{cause}"] += cycles
        return cycles

    def charge(self, cause: str, cost: Cost) -> int:
        return self.stall(cause, cost.cache) + self.stall("dram", cost.memory) + self.stall("wait", cost.wait)

    def ask(self, now: int, request: Ask, line: int) -> Cost:
        answer = self.l2.ask(request, line)
        self.records.append((line, now, request, answer.hit, answer.writeback, self.hypervisor))
        if request in FILLS:
            self.n["l2_accesses"] += 1
            self.n["l2_misses"] += not answer.hit
        cost = self.channel.serve(request, answer.hit, answer.writeback, now, self.wait)
        cost.cache += self.path.wait(request, answer.hit, now)
        return cost

    # ---- Translation ----

    def _descriptor(self, now: int, pa: int) -> int:
        self.n["walk_loads"] += 1
        return self.stall("translation", self.ask(now, Ask.WALK, pa // LINE).all)

    def _find_stage2(self, now: int, ipa: int) -> tuple[Entry | None, int]:
        held = self.ipas.find(ipa, 0)
        if held:
            self.n["ipa_cache_hits"] += 1
            return held, 0
        found = self._stage2(ipa)
        if found is None:
            return None, 0
        descriptors, shift, pa, memory = found
        total = 0
        for each in descriptors:
            total += self._descriptor(now + total, each)
        shift = min(shift, LARGEST)
        entry = Entry(ipa >> shift << shift, shift, 0, False, pa >> shift << shift, memory, memory)
        if descriptors:
            self.ipas.put(entry)
        return entry, total

    def _walked(self, now: int, va: int, fetch: bool) -> tuple[Entry | None, int]:
        found = self._walk(va, fetch)
        if found is None:
            return None, 0
        descriptors, shift, ipa, page, everyone, memory, code = found
        self.n["tlb_i_misses" if fetch else "tlb_d_misses"] += 1
        total = self.stall("translation", self.p["tlb_miss"])
        off, asid = bool(self.context & OFF), self.context & 0xFFFF
        needed = list(descriptors)
        if needed and page and self.walks.find(va, self.context):
            self.n["walk_cache_hits"] += 1
            needed = needed[-1:]
        for each in needed:
            stage2, cycles = self._find_stage2(now + total, each)
            total += cycles
            if not stage2:
                return None, total
            total += self._descriptor(now + total, stage2.at(each))
        if page and len(needed) == len(descriptors) > 1:
            reach = 2 * shift - 3
            self.walks.put(Entry(va >> reach << reach, reach, asid, off))
        stage2, cycles = self._find_stage2(now + total, ipa)
        total += cycles
        if not stage2:
            return None, total
        least = min(shift, stage2.shift) if descriptors else stage2.shift
        entry = Entry(
            va >> least << least,
            least,
            None if everyone else asid,
            off,
            stage2.at(ipa) >> least << least,
            max(memory, stage2.memory),
            max(code, stage2.code),
        )
        self.tlb.put(entry)
        return entry, total

    def translate(self, now: int, va: int, fetch: bool) -> tuple[int, int, int] | None:
        """The physical address, its attributes and the cycles; None: it is nowhere (the cycles are in ``spent``)."""
        self.spent = 0
        held = next((each for each in self.micro[fetch] if each and each.has(va, self.context)), None)
        if not held:
            self.n["utlb_i_misses" if fetch else "utlb_d_misses"] += 1
            self.spent += self.stall("translation", self.p["utlb_miss"])
            block = self.tlb.find(va, self.context)
            if not block:
                block, cycles = self._walked(now + self.spent, va, fetch)
                self.spent += cycles
            if not block:
                return None
            memory = block.code if fetch else block.memory
            base = va // PAGE * PAGE
            held = Entry(base, 12, block.asid, block.off, block.at(base), memory)
            self.micro[fetch][self.micro_next[fetch]] = held
            self.micro_next[fetch] = (self.micro_next[fetch] + 1) % len(self.micro[fetch])
        return held.at(va), held.memory, self.spent

    def memory_now(self, memory: int, fetch: bool) -> int:
        """With the caches that are enabled."""
        disabled = self.context & (CODE_UNCACHED if fetch else DATA_UNCACHED)
        return max(memory, UNCACHED) if disabled else memory

    def tlbi(self, kind: Tlbi, asid: int, va: int) -> None:
        self.tlb.invalidate(kind, asid, va)
        self.walks.invalidate(kind, asid, va)
        if kind is Tlbi.ALL:
            self.ipas.invalidate(kind, asid, va)
        self.micro = [[None] * len(side) for side in self.micro]

    # ---- Data ----

    def _leaves(self, now: int, held: Held) -> int:
        if self.writing == held.line and not self.passing:
            self.writing, self.full = None, 0
        if held.dirty:
            self.n["l1d_writebacks"] += 1
            return self.charge("store", self.ask(now, Ask.WRITEBACK, held.line))
        if self.p["l2_on_eviction"]:
            return self.charge("store", self.ask(now, Ask.VICTIM, held.line))
        return 0

    def _fill(self, now: int, va: int, held: Held) -> int:
        _, victim = self.l1d.set(va).put(held)
        return self._leaves(now, victim) if victim else 0

    def _prefetch(self, now: int, va: int, line: int) -> None:
        if self.l1d.held(va, line) or line in self.ahead or self.ahead.full(now):
            return
        self.n["prefetches"] += 1
        lost = self.ahead.add(line, now + self.ask(now, Ask.PREFETCH, line).all)
        if lost is not None and self.p["l2_on_eviction"]:
            self.ask(now, Ask.VICTIM, lost)

    def _take_ahead(self, now: int, line: int) -> int | None:
        ready = self.ahead.take(line)
        if ready is None:
            return None
        self.ask(now, Ask.USE, line)
        self.n["prefetches_used"] += 1
        return self.stall("data", max(ready[0] - now, 0))

    def _load(self, now: int, va: int, line: int, own: bool) -> int:
        total = self._stop_writing(now) if self.writing == line and self.passing else 0
        held = self.l1d.held(va, line)
        if held:
            held.dirty |= own
            return total
        late = self._take_ahead(now, line)
        if late is None:
            self.n["l1d_misses"] += 1
            late = self.charge("data", self.ask(now, Ask.LOAD, line))
        total += late + self._fill(now, va, Held(line, own))
        for each in self.prefetcher.see(line):
            self._prefetch(now, va + (each - line) * LINE, each)
        return total

    def _stop_writing(self, now: int) -> int:
        line, passing = self.writing, self.passing
        self.writing, self.full = None, 0
        return self.charge("store", self.ask(now, Ask.MERGE, line)) if line is not None and passing else 0

    def _store(self, now: int, va: int, line: int, written: int) -> int:
        if self.writing == line:
            self.bytes |= written
            return self._full(now) if self.bytes == ALL else 0
        held = self.l1d.held(va, line)
        if held:
            held.dirty = True
            return 0
        total = self._stop_writing(now) if self.writing is not None else 0
        late = self._take_ahead(now, line)
        if late is not None:
            return total + late + self._fill(now, va, Held(line, True))
        self.n["l1d_misses"] += 1
        passing = 0 < self.p["streaming_l1"] <= self.full
        if not passing:
            if written != ALL:
                total += self.charge("store", self.ask(now, Ask.STORE, line))
            total += self._fill(now, va, Held(line, True))
        self.writing, self.bytes, self.passing = line, written, passing
        return total + (self._full(now) if written == ALL else 0)

    def _full(self, now: int) -> int:
        line, passing, before = self.writing, self.passing, self.full
        assert line is not None
        self.writing, self.full = None, before + 1
        if not passing:
            return 0
        self.n["streamed"] += 1
        past = 0 < self.p["streaming_l2"] <= before
        return self.charge("store", self.ask(now, Ask.STREAM_PAST if past else Ask.STREAM, line))

    def _uncached(self, now: int, line: int, memory: int, kind: Kind) -> int:
        if kind is Kind.PREFETCH:
            return 0
        write = kind in {Kind.STORE, Kind.ZERO}
        self.n["uncached"] += 1
        if memory == UNCACHED:
            cost = self.ask(now, Ask.UNCACHED_STORE if write else Ask.UNCACHED_LOAD, line)
            return self.stall("device", cost.memory) + self.stall("wait", cost.wait)
        return self.stall("device", self.p["device_store" if write else "device_load"])

    def _in_line(self, now: int, va: int, where: tuple[int, int, int], size: int, kind: Kind) -> int:
        line, memory = where[0] // LINE, where[1]
        if memory != CACHED:
            return self._uncached(now, line, memory, kind)
        if kind is Kind.PREFETCH:
            self._prefetch(now, va, line)
            return 0
        if kind in {Kind.LOAD, Kind.ATOMIC}:
            return self._load(now, va, line, kind is Kind.ATOMIC)
        return self._store(now, va, line, ALL if kind is Kind.ZERO else ((1 << size) - 1) << va % LINE)

    def _translated(self, va: int) -> bool:
        held = any(each and each.has(va, self.context) for each in self.micro[0])
        return held or bool(self.tlb.find(va, self.context))

    def data(self, now: int, va: int, size: int, kind: Kind) -> int:
        if kind is Kind.PREFETCH and not self._translated(va):
            return 0
        self.n["loads"] += kind in {Kind.LOAD, Kind.ATOMIC}
        self.n["stores"] += kind in {Kind.STORE, Kind.ATOMIC, Kind.ZERO}
        total = 0
        while size:
            part = min(size, LINE - va % LINE)
            found = self.translate(now + total, va, False)
            total += self.spent
            if found:
                place = (found[0], self.memory_now(found[1], False), found[2])
                total += self._in_line(now + total, va, place, part, kind)
            va, size = va + part, size - part
        return total

    # ---- Code, and what the hypervisor touches ----

    def _fetch_line(self, now: int, va: int, pa: int, memory: int) -> int:
        line = pa // LINE
        if memory != CACHED:
            return self._uncached(now, line, memory, Kind.LOAD)
        if self.l1i.held(va, line):
            return 0
        self.n["l1i_misses"] += 1
        self.l1i.set(va).put(Held(line))
        return self.charge("fetch", self.ask(now, Ask.FETCH, line))

    def fetch(self, now: int, va: int, size: int) -> int:
        total = 0
        for at in range(va // LINE * LINE, va + size, LINE):
            found = self.translate(now + total, at, True)
            total += self.spent
            if found:
                total += self._fetch_line(now + total, at, found[0], self.memory_now(found[1], True))
        return total

    def touch(self, now: int, pa: int, kind: int) -> int:
        self.hypervisor = True
        if kind == 2:
            total = self._fetch_line(now, pa, pa, CACHED)
        elif kind == 0:
            self.n["loads"] += 1
            total = self._load(now, pa, pa // LINE, False)
        else:
            self.n["stores"] += 1
            total = self._store(now, pa, pa // LINE, 0xFF << (pa % LINE // 8 * 8))
        self.hypervisor = False
        return total

    # ---- Maintenance ----

    def _maintain_data(self, now: int, line: int, what: What) -> int:
        total = self._stop_writing(now) if self.writing == line else 0
        for where in self.l1d.of_line(line):
            way = where.find(line)
            if way is not None:
                total += self._maintain_way(now + total, where.ways, way, what)
        if what.drops:
            self.ahead.take(line)
        return total

    def _maintain_way(self, now: int, ways: list[Held | None], way: int, what: What) -> int:
        held = ways[way]
        if not held or (not what.drops and not held.dirty):
            return 0
        ways[way] = None if what.drops else Held(held.line)
        return self._leaves(now, held)

    def _maintain_code(self, line: int) -> None:
        for where in self.l1i.of_line(line):
            way = where.find(line)
            if way is not None:
                where.ways[way] = None

    def maintain(self, now: int, va: int, what: What) -> int:
        found = self.translate(now, va, False)
        total = self.spent
        if not found:
            return total
        line = found[0] // LINE
        if what is What.CODE:
            self._maintain_code(line)
            return total
        total += self._maintain_data(now + total, line, what)
        if what is What.CLEAN_UNIFICATION:
            return total
        return total + self.charge("maintenance", self.ask(now + total, Ask.FLUSH if what.drops else Ask.CLEAN, line))

    def maintain_way(self, now: int, level: int, where: int, way: int, what: What) -> int:
        if level == 2:
            which = where | (way & 15) << 26 | (0 if what.drops else 1 << 32)
            return self.charge("maintenance", self.ask(now, Ask.WAY, which))
        if where >= len(self.l1d.sets) or way >= self.p["l1d_ways"]:
            return 0
        return self._maintain_way(now, self.l1d.sets[where].ways, way, what)

    def forget(self, now: int, pa: int, size: int, what: What) -> None:
        stalls = {key: value for key, value in self.n.items() if key.startswith("stall_")}
        for line in range(pa // LINE, -(-(pa + size) // LINE)):
            if what is What.CODE:
                self._maintain_code(line)
            else:
                self._maintain_data(now, line, what)
        for key in [key for key in self.n if key.startswith("stall_")]:
            self.n[key] = stalls.get(key, 0)


assert DATA < FILLS
