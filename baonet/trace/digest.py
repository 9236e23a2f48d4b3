"""Whether a trace has the records that its run had: their digests are made again and compared with those at its end."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import final

from baonet.machine.dataclass import dataclass
from baonet.trace.chain import Chain
from baonet.trace.head import TraceError
from baonet.trace.reader import Progress, TraceReader
from baonet.trace.records import RECORD, machine_digest


@final
@dataclass(frozen=True, slots=True)
class Verdict:
    """``digest`` is that of the records. ``differing`` pcpus have other records than the run had, and those in
    ``disordered`` some whose time goes back or that are another pcpu's.
    """

    digest: str
    same: bool
    differing: tuple[int, ...]
    disordered: tuple[int, ...]


def verify(trace: TraceReader, progress: Progress) -> Verdict:
    """Raises TraceError. ``progress`` gets the number of chunks. A trace without an end is compared with nothing."""
    told = {} if trace.footer is None else trace.footer.digests
    chains = {pcpu: Chain(trace.header.window) for pcpu in (*told, *trace.pcpus)}
    for pcpu, begun in trace.header.chains.items():
        if pcpu in chains:
            try:
                chains[pcpu].resume(*begun)
            except ValueError as error:
                raise TraceError(f"damaged: the chain of pcpu {pcpu} that it goes on with: {error}") from None
    latest = dict.fromkeys(chains, 0)
    disordered: set[int] = set()
    for done, (pcpu, records) in enumerate(trace.all(), 1):
        chains[pcpu].add(records)
        count = len(records) // RECORD.size
        fields = struct.unpack("<" + "Q2xH20x" * count, records)
        times = (latest[pcpu], *fields[::2])
        if any(before > after for before, after in pairwise(times)) or set(fields[1::2]) != {pcpu}:
            disordered.add(pcpu)
        latest[pcpu] = times[-1]
        progress(done, trace.chunks)
    made = {pcpu: each.digest() for pcpu, each in chains.items()}
    digest = machine_digest(made)
    differing = tuple(sorted(pcpu for pcpu, each in made.items() if told.get(pcpu) != each.hex())) if told else ()
    same = trace.footer is not None and trace.footer.digest == digest and not differing
    return Verdict(digest, same, differing, tuple(sorted(disordered)))
