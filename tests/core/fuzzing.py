"""Instruction words of any architecture, one after another, in child processes.

A word that ends its process is known by what it left: the child notes in shared memory which word it runs, so a death,
or a word that does not come back, is that word's.
"""

from __future__ import annotations

import mmap
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

AT_ONCE: Final = 1000  # words, between two times that memory is put in order
PATIENCE: Final = 20.0  # seconds of a CPU, for as many
REPEATED: Final = 400  # words in a row...
EVERY: Final = 32  # ... where there is not just one


@dataclass(frozen=True, slots=True)
class Finding:
    """What must not happen, and the word after which it did."""

    word: int
    what: str

    def __str__(self) -> str:
        return f"{self.word:#010x}: {self.what}"


class Runs(Protocol):
    """Something that words can be run on."""

    def tidy(self) -> None:
        """What the words before have done to memory is undone."""

    def run(self, row: Sequence[int], random: Random) -> str | None:
        """Run a word, or some in a row; returns what is wrong with that."""


def _row(words: Sequence[int], n: int) -> Sequence[int]:
    """Mostly a word alone; now and then as often as a block is long, or with those that follow it."""
    if n % EVERY == 0:
        return [words[n]] * REPEATED
    return words[n : n + REPEATED] if n % EVERY == 1 else words[n : n + 1]


def _live(victim: Runs, words: Sequence[int], note: mmap.mmap, random: Random) -> Iterator[Finding]:
    """Run words from the noted one on, in a process that may die of them."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)  # where the library says why it aborts
    os.dup2(null, 2)
    first = int.from_bytes(note[:8], "little")
    for n in range(first, len(words)):
        if (n - first) % AT_ONCE == 0:
            victim.tidy()
            signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
        note[:8] = n.to_bytes(8, "little")
        try:
            wrong = victim.run(_row(words, n), random)
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            yield Finding(words[n], wrong)


def findings_of(victim: Callable[[], Runs], words: Sequence[int], seed: int = 0) -> list[Finding]:
    """Run all the words, each alone and some in rows. Returns what went wrong, and with which."""
    note, found, first = mmap.mmap(-1, mmap.PAGESIZE), [], 0
    with open(os.memfd_create("findings"), "w+b", buffering=0) as out:
        while first < len(words):
            note[:8] = first.to_bytes(8, "little")
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    out.writelines(
                        f"{finding.word} {finding.what}\n".encode()
                        for finding in _live(victim(), words, note, Random(seed))
                    )
                    status = 0
                finally:
                    os._exit(status)
            _, status = os.waitpid(child, 0)
            if status == 0:
                break
            how = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"status {status >> 8}"
            at = int.from_bytes(note[:8], "little")
            found.append(Finding(words[at], "did not come back" if how == "SIGVTALRM" else f"ended the process: {how}"))
            first = at + 1
        out.seek(0)
        for line in out.read().decode().splitlines():
            word, wrong = line.split(" ", 1)
            found.append(Finding(int(word), wrong))
    return found
