"""Who has the lines of a cluster's VMs, put together from nodes of which each knows that of its own VMs alone.

All else of a cluster is the same on each node, or a pcpu's own. Who has a line is told from CPU to CPU of a VM while
they run, and these are on one node; what another node has there is of the time when it took over the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from baonet.core.shapes import line_words, physical_map
from baonet.machine import PAGE_SIZE, Machine
from baonet.machine.clusters import CpuCluster
from baonet.machine.memory_system import LINE

_WORD: Final = 8
"""Bytes that are known of a line."""
Pages = Mapping[int, bytes]


def put_together(
    machine: Machine, its: CpuCluster, home: Pages, others: Iterable[tuple[Pages, int]]
) -> dict[int, bytes]:
    """The pages of a cluster's memory: ``home`` with what ``others`` know, each a node's pages and one of its VMs."""
    flag, words = line_words(machine, its)
    found = dict(home)
    for theirs, vm in others:
        if any(_bytes(theirs, flag, _WORD)):
            _take(found, theirs, flag, flag + _WORD)
        for pa, size in _stretches(physical_map(machine).pages_of(vm)):
            for base, length, at in words:
                start, end = max(pa, base), min(pa + size, base + length)
                if start < end:
                    _take(found, theirs, at + (start - base) // LINE * _WORD, at + (end - base) // LINE * _WORD)
    return found


def _stretches(pages: Iterable[int]) -> Iterator[tuple[int, int]]:
    """(address, size) of pages that follow one another."""
    for _, run in groupby(enumerate(sorted(pages)), lambda each: each[1] - each[0] * PAGE_SIZE):
        addresses = [pa for _, pa in run]
        yield addresses[0], len(addresses) * PAGE_SIZE


def _bytes(pages: Pages, at: int, size: int) -> bytes:
    """Of one page; zeroes where there is none."""
    return pages.get(at // PAGE_SIZE, bytes(PAGE_SIZE))[at % PAGE_SIZE : at % PAGE_SIZE + size]


def _take(found: dict[int, bytes], theirs: Pages, start: int, end: int) -> None:
    """The bytes from ``start`` to ``end`` are as they have them."""
    for page in range(start // PAGE_SIZE, -(-end // PAGE_SIZE)):
        if page in found or page in theirs:
            whole = bytearray(found.get(page, bytes(PAGE_SIZE)))
            first, last = max(start, page * PAGE_SIZE), min(end, (page + 1) * PAGE_SIZE)
            begin = first - page * PAGE_SIZE
            whole[begin : begin + last - first] = _bytes(theirs, first, last - first)
            found[page] = bytes(whole)
