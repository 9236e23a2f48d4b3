"""A trace as CSV: one line a record, in the order of time.

The columns are ``time`` (ns), ``pcpu``, ``vm``, ``kind``, ``a``, ``b``, ``c`` as the record has them, and ``what`` for
people to read. RFC 4180, but for the line ends, which are single line feeds.
"""

from __future__ import annotations

from typing import BinaryIO, Final

from baonet.trace.names import Names, kind
from baonet.trace.order import batches
from baonet.trace.reader import Progress, TraceReader
from baonet.trace.records import Kind, misses_of, stalls_of

HEAD = "time,pcpu,vm,kind,a,b,c,what\n"
_MISSES: Final = "L1I {} L1D {} L2 {} walks {} others {}"
_STALLS: Final = "{} cycles: cache {} memory {} contention {} translation {}"
"""Of these two a record has numbers side by side in one field, which nobody can read there."""


def export(trace: TraceReader, out: BinaryIO, progress: Progress) -> None:
    """Raises TraceError, and OSError when ``out`` takes no more. ``progress`` gets the number of records."""
    header = trace.header
    ns = header.rate.ns
    names = Names(header)
    vms = {pcpu: _quoted(name) for pcpu, name in header.names().items()}
    middles = {
        (pcpu, number): f"{pcpu},{vms.get(pcpu, '')},{kind(number)}" for pcpu in trace.pcpus for number in range(32)
    }
    quoted: dict[str, str] = {}
    misses, stalls = int(Kind.MISSES), int(Kind.STALLS)
    out.write(HEAD.encode())
    done = 0
    for batch in batches(trace):
        lines = []
        for row in batch:
            time, number, pcpu, a, b, c = row
            middle = middles.get((pcpu, number)) or f"{pcpu},{vms.get(pcpu, '')},{number}"
            if number == misses:
                what = _MISSES.format(*misses_of(a, b, c))
            elif number == stalls:
                what = _STALLS.format(*stalls_of(a, b, c))
            else:
                name = names.of(row)
                what = quoted.get(name) or quoted.setdefault(name, _quoted(name))
            lines.append(f"{ns(time)},{middle},{a},{b},{c},{what}\n")
        out.write("".join(lines).encode())
        done += len(batch)
        progress(done, trace.records)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(character in text for character in ',"\r\n') else text
