"""Two processes with a CPU each and one memory: what the self-test of every architecture is tried on."""

from __future__ import annotations

import mmap
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import IntEnum
from typing import ClassVar, Final, Generic, TypeVar, cast, final

from baonet.core import _node
from baonet.core.architecture import Core, TrialMemory
from baonet.core.errors import LitmusError
from baonet.machine.dataclass import dataclass

SIZE: Final = 0x20_0000
FOR_EVER: Final = 1 << 40
MASK: Final = (1 << 64) - 1

# Places in RAM, from its first byte, that every architecture's self-test has for the same
RING: Final = 0x1_0000
BLOCKS: Final = 0x2_0000
BLOCK: Final = 0x400
WORDS: Final = 0x4_0000
RESULTS: Final = 0x8_0000
MISSES: Final = 0x10_0000  # a store to each line of this takes its time


class TrialBed:
    """What both processes have: mapped before they are forked. ``base``: the guest-physical address of its RAM."""

    base: ClassVar[int]

    def __init__(self, code: bytes) -> None:
        self.ram = mmap.mmap(-1, SIZE)
        self.slots = mmap.mmap(-1, 2 * _node.SLOT_SIZE)
        self.code_map = mmap.mmap(-1, SIZE // 0x1000 // 2)
        self.uart = mmap.mmap(-1, _node.UART_STATE_SIZE)
        self.reached = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")
        self.ram[: len(code)] = code

    def read(self, address: int) -> int:
        at = address - self.base
        return int.from_bytes(self.ram[at : at + 8], "little")

    def write(self, address: int, *values: int) -> None:
        data = b"".join((value & MASK).to_bytes(8, "little") for value in values)
        at = address - self.base
        self.ram[at : at + len(data)] = data


class TrialSide(ABC):
    """One of the two processes, with its ``core``, which the architecture's makes.

    ``argument``: the first of four registers in a row that routines take addresses in. ``call``: the exit at the end of
    a routine. ``uart``: where its UART is.
    """

    argument: ClassVar[int]
    call: ClassVar[IntEnum]
    uart: ClassVar[int]
    core: Core

    def __init__(self, shared: TrialBed, number: int) -> None:
        self.shared = shared
        self.number = number
        self.overlap = True  # until the part that looks for it finds none
        cpus = sorted(os.sched_getaffinity(0))
        self.alone = len(cpus) == 1
        self.patience = 0x3F if self.alone else 0xFFFF
        with suppress(OSError):  # the scheduler likes to keep two that wait for each other on one CPU
            os.sched_setaffinity(0, {cpus[-number]})

    def meet(self, count: int) -> None:
        """Wait until the other side has come as far."""
        reached = self.shared.reached
        reached[self.number] = count
        while reached[1 - self.number] < count:
            os.sched_yield()

    def at(self, place: int) -> int:
        """The address of a place in RAM."""
        return self.shared.base + place

    @abstractmethod
    def start(self, routine: str, context: int, rounds: int) -> None:
        """The core at the beginning of a routine of the architecture's ``selftest.S``."""

    @abstractmethod
    def finish(self) -> int:
        """Run to the end; returns the errors that the guest saw."""

    def begin(self, routine: str, context: int, rounds: int, *arguments: int) -> None:
        self.start(routine, context, rounds)
        for n, value in enumerate(arguments, self.argument):
            self.core.x[n] = value & MASK

    def through(self, routine: str, context: int, rounds: int, *arguments: int) -> int:
        self.begin(routine, context, rounds, *arguments)
        return self.finish()

    def left_with(self, why: int) -> None:
        """Raises LitmusError if the guest was not left at the end of its routine."""
        equal("the guest was left with", type(self.call)(why).name, self.call.name)

    def retired(self) -> int:
        """Instructions since the core was made."""
        return int(self.core.statistics()["instructions"])  # type: ignore[arg-type]


Bed_ = TypeVar("Bed_", bound=TrialBed)
Side_ = TypeVar("Side_", bound=TrialSide)


@dataclass(frozen=True, slots=True)
class Part(Generic[Side_]):
    """``run`` is called on both sides at the same time with the address of a block of zeroes, then ``check`` on one."""

    name: str
    run: Callable[[Side_, int], None]
    check: Callable[[Side_, int], None] = lambda side, block: None


def equal(what: str, found: object, right: object) -> None:
    if found != right:
        raise LitmusError(f"{what} {found}, not {right}")


@final
class PartsTrial(Generic[Bed_, Side_]):
    """All parts, one after the other (``baonet.core.architecture.Trial``), on an architecture's bed and sides."""

    def __init__(
        self, bed: Callable[[], Bed_], side: Callable[[Bed_, int], Side_], parts: Sequence[Part[Side_]]
    ) -> None:
        self._bed, self._side, self._parts = bed, side, parts

    def shared(self) -> Bed_:
        return self._bed()

    def run(self, shared: TrialMemory, number: int) -> bool:
        side = self._side(cast(Bed_, shared), number)
        for place, part in enumerate(self._parts):
            block = side.at(BLOCKS + BLOCK * place)
            side.meet(2 * place + 1)
            try:
                part.run(side, block)
                side.meet(2 * place + 2)
                if not side.number:
                    part.check(side, block)
            except LitmusError as error:
                raise LitmusError(f"{part.name}: {error}") from None
        return side.overlap

    def part_of(self, reached: int) -> str:
        return self._parts[max(reached - 1, 0) // 2].name
