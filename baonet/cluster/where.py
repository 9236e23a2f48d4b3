"""WHERE of ``--on``: who starts the nodes, and which they are. Nobody is asked: what only a launcher knows is open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Final, final

from baonet.machine.dataclass import dataclass
from baonet.machine.node_placement import MOST_NODES, NODE_HOST, NODE_NAME, lacks_interface

FORMS: Final = "local:N, HOST:PORT,..., ssh:HOST,..., slurm[:N] or ray[:ADDRESS]"


class WhereKind(Enum):
    """``LOCAL``: processes that pretend to be hosts; ``LISTEN``: nodes that wait; the others are launchers."""

    LOCAL = "local"
    LISTEN = "listen"
    SSH = "ssh"
    SLURM = "slurm"
    RAY = "ray"


@final
class WhereError(ValueError):
    """What is wrong with a WHERE, and what to write: one line."""


@final
@dataclass(frozen=True, slots=True)
class Where:
    """``names``: of the nodes, in the order of their numbers; empty where the launcher tells them.

    ``count``: how many there are, None if the launcher tells that too. ``address``: of Ray's cluster, empty for one
    that Ray finds itself.
    """

    kind: WhereKind
    names: tuple[str, ...] = ()
    count: int | None = None
    address: str = ""

    @property
    def here(self) -> bool:
        """They are processes of this host."""
        return self.kind is WhereKind.LOCAL

    @property
    def launched(self) -> bool:
        """Somebody else starts them."""
        return self.kind in (WhereKind.SSH, WhereKind.SLURM, WhereKind.RAY)


def parse(text: str) -> Where:
    """Raises ``WhereError``."""
    word, colon, rest = text.partition(":")
    if word == WhereKind.LOCAL.value:
        count = _count(text, rest)
        return Where(WhereKind.LOCAL, tuple(f"local-{number}" for number in range(count)), count)
    if word == WhereKind.SLURM.value:
        return Where(WhereKind.SLURM, count=_count(text, rest) if colon else None)
    if word == WhereKind.RAY.value:
        if colon and not re.fullmatch(r"(ray://)?" + NODE_NAME, rest):
            raise WhereError(f"{text!r} has no address of a Ray cluster: write ray, or ray:HOST:PORT")
        return Where(WhereKind.RAY, address=rest)
    if word == WhereKind.SSH.value and rest:
        names = _names(rest)
        for name in names:
            if not re.fullmatch(NODE_NAME, name):
                raise WhereError(
                    f"{name!r} is no host that ssh can call: write HOST or USER@HOST, an address of IPv6 in brackets"
                )
        return Where(WhereKind.SSH, names, len(names))
    if not text or word == WhereKind.SSH.value:
        raise WhereError(f"{text!r} names no host: write {FORMS}")
    names = _names(text)
    for name in names:
        _listens(name)
    return Where(WhereKind.LISTEN, names, len(names))


def _count(text: str, given: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", given) or not 1 <= int(given) <= MOST_NODES:
        kind = text.partition(":")[0]
        raise WhereError(f"{text!r} does not say how many nodes: write {kind}:N with N from 1 to {MOST_NODES}")
    return int(given)


def _names(text: str) -> tuple[str, ...]:
    names = text.split(",")
    if "" in names:
        raise WhereError(f"{text!r} has an empty name: write one comma between two nodes, and none at the end")
    _once(names)
    if len(names) > MOST_NODES:
        raise WhereError(f"{len(names)} nodes are too many: {MOST_NODES} is the most")
    return tuple(names)


def _once(names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise WhereError(f"{name!r} is given twice: name each node once")


def _listens(name: str) -> None:
    """Raises ``WhereError`` if this is not the address of a node that waits."""
    match = re.fullmatch(rf"({NODE_HOST})(?::([0-9]{{1,5}}))?", name)
    if match is None:
        address = ": write an address of IPv6 in brackets, as in [::1]:7470" if name.count(":") > 1 else ""
        raise WhereError(f"{name!r} is no HOST:PORT{address}; WHERE is {FORMS}")
    if match[2] is None:
        there = f"write {name}:PORT for a node that listens there, or ssh:{name} to have it started by ssh"
        raise WhereError(f"{name!r} has no port: {there}")
    host = match[1].strip("[]")
    if lacks_interface(host):
        raise WhereError(
            f"{name!r} is the same on each link: write the interface that leads there, as in [{host}%eth0]:{match[2]}"
        )
    if not 1 <= int(match[2]) <= 65535:
        raise WhereError(f"{name!r} has no port that can be: it is from 1 to 65535")
