"""docs/protocol.md, made from the messages themselves: ``python -m baonet.wire.reference > docs/protocol.md``."""

from __future__ import annotations

import inspect
import sys
import typing

from baonet.hyp.messages import MessageFact
from baonet.machine.dataclass import Field, fields
from baonet.wire.codec import MAX_FRAME
from baonet.wire.messages import VERSION, Fact, every
from baonet.wire.roles import Role

_HEAD = f"""\
# The protocol

Actors speak in messages: the pcpus among themselves, and each with the agent of its node. This page is made from
`baonet/wire/messages.py` and the hypervisor's messages (`make docs`); a test keeps it current, and golden bytes hold
the encoding still. Protocol version: {VERSION}.

A message is one [msgpack](https://msgpack.org) array: its number, then its fields in order. A record inside a message
is an array of its fields; an enumeration is its integer. On a stream a message has its length in bytes before it, 4
bytes, big-endian, at most {MAX_FRAME}. What is received is checked field by field (number of fields, types, 64-bit
bounds), and by who sent it to whom; a channel that carries anything else is closed with an error that names the peer,
and the process goes on.

Each channel joins two actors and is FIFO. Nothing is said about the order of messages from different senders. What a
channel is made of changes nothing of that: a pair of rings in shared memory between two pcpus that run freely in
processes of one host, a socket between all other processes, a queue within one process.

*Ways* are who may send a message to whom on a channel: the agent (A), a pcpu that runs freely (P), the conductor of an
island in virtual time (C), a crew of other pcpus that it gives their turns (S), the lead of a run over several hosts
(L), a node of it (N). In virtual time messages between pcpus, and those of which no way is told, are in turns and in
what comes of them. *Latency* is which of the clock's latencies a message has in virtual time; with *!* it interrupts
its receiver, as what Bao sends with an IPI does.
"""
_LETTERS = {Role.AGENT: "A", Role.PCPU: "P", Role.CONDUCTOR: "C", Role.CREW: "S", Role.LEAD: "L", Role.NODE: "N"}
_GROUPS = (
    (0, "The agent and the pcpus"),
    (24, "A conductor and the pcpus of its island"),
    (32, "The hypervisor, pcpu to pcpu"),
    (48, "The interrupt controllers, pcpu to pcpu"),
    (64, "More of the agent and the pcpus"),
    (96, "The lead of a run and its nodes"),
)


def _field(fact: Fact, field: Field[object]) -> str:
    """With its type as it is written, or the architecture's record."""
    own = fact.own(typing.get_type_hints(fact.kind)[field.name])
    written = fact.record.__name__ if fact.record is not None and own is fact.record else str(field.type)
    return f"`{field.name}: {written}`".replace("|", "\\|")


def _latency(travels: MessageFact | None) -> str:
    if travels is None:
        return ""
    of_hardware = "" if travels.of_hardware is None else f", of hardware {travels.of_hardware.value}"
    return travels.latency.value + of_hardware + ("!" if travels.interrupts else "")


def markdown() -> str:
    """The whole page."""
    parts = [_HEAD]
    for start, title in _GROUPS:
        end = min((other for other, _ in _GROUPS if other > start), default=sys.maxsize)
        parts.append(
            f"## {title}\n\n| number | message | ways | latency | fields | meaning |\n|---|---|---|---|---|---|"
        )
        for fact in sorted(every(), key=lambda fact: fact.number):
            number, kind = fact.number, fact.kind
            if start <= number < end:
                ways = " ".join(f"{_LETTERS[source]}→{_LETTERS[target]}" for source, target in fact.ways)
                told = ", ".join(_field(fact, each) for each in fields(kind))
                meaning = " ".join((inspect.getdoc(kind) or "").split()).replace("|", "\\|")
                parts.append(f"| {number} | {kind.__name__} | {ways} | {_latency(fact.travels)} | {told} | {meaning} |")
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(markdown())
