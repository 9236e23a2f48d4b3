"""What happens to an island from outside when the configuration says so: typing, stalls, crashes, flipped bits."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import final

from baonet.machine import CrashFault, FlipFault, Machine, StallFault
from baonet.machine.dataclass import dataclass, field


@final
@dataclass(frozen=True, slots=True)
class Flips:
    """``bits`` counts the bits of the shared memory object from its first byte's least significant one."""

    rule: int
    at: int
    shmem: int
    bits: tuple[int, ...]


@final
@dataclass(slots=True)
class Events:
    """Times are cycles.

    ``inputs``: (VM, when, bytes; none are a break); ``stalls``: (rule, pcpu, when, how long); ``crashes``: (rule, pcpu,
    when); ``flips``: the last first.
    """

    console_latency: int = 0
    inputs: list[tuple[int, int, bytes]] = field(default_factory=list)
    stalls: list[tuple[int, int, int, int]] = field(default_factory=list)
    crashes: list[tuple[int, int, int]] = field(default_factory=list)
    flips: list[Flips] = field(default_factory=list)


def events(machine: Machine, vms: Collection[int], pcpus: Collection[int], cycles: Callable[[int], int]) -> Events:
    """Those of the island with these VMs and pcpus; ``cycles`` converts nanoseconds."""
    found = Events(cycles(machine.clock.latency.console))
    found.inputs = [(each.vm, cycles(each.at), each.data) for each in machine.input if each.vm in vms]
    objects = {ipc.shmem for vm in vms for ipc in machine.vms[vm].ipcs}
    for rule, fault in enumerate(machine.faults):
        match fault:
            case StallFault(pcpu, at, duration) if pcpu in pcpus:
                found.stalls.append((rule, pcpu, cycles(at), cycles(duration)))
            case CrashFault(pcpu, at) if pcpu in pcpus:
                found.crashes.append((rule, pcpu, cycles(at)))
            case FlipFault() if fault.shmem in objects:
                bits = chosen_bits(rule, fault, machine.shared_memory[fault.shmem].size)
                found.flips.append(Flips(rule, cycles(fault.at), fault.shmem, bits))
            case _:
                pass
    found.flips.sort(key=lambda flip: (flip.at, flip.rule), reverse=True)
    return found


def chosen_bits(rule: int, flip: FlipFault, size: int) -> tuple[int, ...]:
    """Different bits of an object of ``size`` bytes, in the order of their choice."""
    import random  # noqa: PLC0415 - few machines have such faults

    chance = random.Random(f"{flip.seed}/{rule}")
    offsets = range(size) if flip.offset is None else range(flip.offset, flip.offset + 1)
    places = range(8) if flip.bit is None else range(flip.bit, flip.bit + 1)
    numbers = chance.sample(range(len(offsets) * len(places)), flip.count)
    return tuple(offsets[number // len(places)] * 8 + places[number % len(places)] for number in numbers)
