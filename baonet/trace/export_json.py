"""A trace as one JSON document: ``header``, ``records`` (one a line, in the order of time) and ``footer``.

Times are nanoseconds. What are bits or addresses in the record are strings of hexadecimal digits, since many readers of
JSON keep 53 bits of a number; everything else is a number, or a name where there is one.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import BinaryIO, TypeAlias

from baonet.hyp.architecture import Architecture
from baonet.trace.head import Footer, Header
from baonet.trace.names import PCPU, Names, kind, message
from baonet.trace.order import batches
from baonet.trace.reader import Progress, TraceReader
from baonet.trace.records import (
    ACCESS_WRITE,
    SEQUENCE_SHIFT,
    FaultKind,
    InterruptSource,
    Kind,
    VcpuState,
    misses_of,
    stalls_of,
)

_Fields: TypeAlias = Callable[[int, int, int, int], str]
"""Makes the members that are of a kind, each behind a comma, from time, a, b and c."""


def _names(numbers: type[IntEnum]) -> dict[int, str]:
    return {number.value: json.dumps(number.name.lower()) for number in numbers}


_STATES, _FAULTS = _names(VcpuState), _names(FaultKind)
_BOOLEANS = ("false", "true")


def _access(_: int, a: int, b: int, c: int) -> str:
    return f',"write":{_BOOLEANS[bool(a & ACCESS_WRITE)]},"size":{a & ~ACCESS_WRITE},"ipa":"{b:#x}","value":"{c:#x}"'


def _console(_: int, a: int, b: int, c: int) -> str:
    return f',"uart":{a},"position":{b},"byte":{c}'


def _input(_: int, a: int, b: int, c: int) -> str:
    return f',"uart":{a},"bytes":{b},"first":"{c.to_bytes(8, "little")[:b].hex()}"'


def _misses(_: int, a: int, b: int, c: int) -> str:
    code, data, second, walks, others = misses_of(a, b, c)
    return f',"l1i":{code},"l1d":{data},"l2":{second},"walks":{walks},"others":{others}'


def _stalls(_: int, a: int, b: int, c: int) -> str:
    whole, cache, memory, contention, translation = stalls_of(a, b, c)
    parts = f'"cache":{cache},"memory":{memory},"contention":{contention},"translation":{translation}'
    return f',"cycles":{whole},{parts}'


def _nothing(_: int, a: int, b: int, c: int) -> str:
    return ""


def _unknown(_: int, a: int, b: int, c: int) -> str:
    return f',"a":{a},"b":"{b:#x}","c":"{c:#x}"'


def _members(ns: Callable[[int], int], architecture: Architecture) -> Mapping[int, _Fields]:
    messages: dict[int, str] = {}
    exits, details = _names(architecture.exits), architecture.names.details
    bits = architecture.names.interrupt_bits
    source = bits.bit_length()  # whose it is stands above its number
    key = json.dumps(architecture.names.interrupt_key)
    sources = _names(InterruptSource) | {InterruptSource.CPU.value: json.dumps(architecture.names.ipi.lower())}

    def exit_(_: int, a: int, b: int, c: int) -> str:
        detail = f'"{details[a]}":"{c:#x}"' if a in details else f"{key}:{c}"
        return f',"reason":{exits.get(a, a)},"pc":"{b:#x}",{detail}'

    def interrupt(_: int, a: int, b: int, c: int) -> str:
        return f',{key}:{a & bits},"source":{a >> source}' if a > bits else f",{key}:{a}"

    def name(number: int) -> str:
        return messages.get(number) or messages.setdefault(number, json.dumps(message(number)))

    def raised(_: int, a: int, b: int, c: int) -> str:
        due = f',"due":{ns(c)}' if b == InterruptSource.TIMER and c else ""
        return f',{key}:{a & bits},"source":{sources.get(b, b)}{due}'

    def sent(_: int, a: int, b: int, c: int) -> str:
        due = f',"due":{ns(c)}' if c else ""
        return f',"message":{name(a)},"to":{b & PCPU},"sequence":{b >> SEQUENCE_SHIFT}{due}'

    def arrived(time: int, a: int, b: int, c: int) -> str:
        due = f',"due":{ns(c)},"late":{ns(time) - ns(c)}' if c else ""
        return f',"message":{name(a)},"from":{b & PCPU},"sequence":{b >> SEQUENCE_SHIFT}{due}'

    return {
        Kind.EXIT: exit_,
        Kind.ACCESS: _access,
        Kind.WAIT: lambda _, a, b, c: f',"pc":"{b:#x}"',
        Kind.WAKE: _nothing,
        Kind.RAISED: raised,
        Kind.PENDING: interrupt,
        Kind.DELIVERED: interrupt,
        Kind.ACKNOWLEDGED: interrupt,
        Kind.ENDED: interrupt,
        Kind.SENT: sent,
        Kind.ARRIVED: arrived,
        Kind.CONSOLE: _console,
        Kind.INPUT: _input,
        Kind.MARK: lambda _, a, b, c: f',"value":"{b:#x}"',
        Kind.STATE: lambda _, a, b, c: f',"state":{_STATES.get(a, a)}',
        Kind.FAULT: lambda _, a, b, c: f',"rule":{a},"fault":{_FAULTS.get(b, b)},"detail":"{c:#x}"',
        Kind.ENTRY: _nothing,
        Kind.MISSES: _misses,
        Kind.STALLS: _stalls,
    }


def _header(header: Header) -> dict[str, object]:
    """But for the architecture, whose words are in the records already; its part of a VM has the name it has there."""
    part = header.architecture.names.vm_part
    told = {field.name: getattr(header, field.name) for field in dataclasses.fields(header) if field.name != "chains"}
    del told["architecture"]
    told["memory_system"] = None if header.memory_system is None else dataclasses.asdict(header.memory_system)
    vms = [dataclasses.asdict(vm).items() for vm in header.vms]
    return told | {"vms": [{part if name == "arch" else name: value for name, value in vm} for vm in vms]}


def _footer(header: Header, footer: Footer) -> dict[str, object]:
    caches = {number: dataclasses.asdict(cache) for number, cache in footer.caches.items()}
    for cache in caches.values():
        cache["pages"] = [(f"{address:#x}", misses) for address, misses in cache["pages"]]
    return {**dataclasses.asdict(footer), "time": header.ns(footer.time), "caches": caches}


def export(trace: TraceReader, out: BinaryIO, progress: Progress) -> None:
    """Raises TraceError, and OSError when ``out`` takes no more. ``progress`` gets the number of records."""
    header = trace.header
    ns = header.rate.ns
    names = Names(header)
    members = _members(ns, header.architecture)
    vms = {pcpu: f',"vm":{json.dumps(name)}' for pcpu, name in header.names().items()}
    middles: dict[tuple[int, int], str] = {}
    out.write(f'{{"header":{json.dumps(_header(header))},\n"records":[\n'.encode())
    between = ""
    done = 0
    for batch in batches(trace):
        lines = []
        for row in batch:
            time, number, pcpu, a, b, c = row
            middle = middles.get((pcpu, number))
            if middle is None:
                middle = f',"pcpu":{pcpu}{vms.get(pcpu, "")},"kind":"{kind(number)}","what":"'
                middles[pcpu, number] = middle
            fields = members.get(number, _unknown)(time, a, b, c)
            lines.append(f'{{"time":{ns(time)}{middle}{names.of(row)}"{fields}}}')
        out.write((between + ",\n".join(lines)).encode())
        between = ",\n"
        done += len(batch)
        progress(done, trace.records)
    footer = None if trace.footer is None else _footer(header, trace.footer)
    out.write(f'\n],\n"footer":{json.dumps(footer)}}}\n'.encode())
