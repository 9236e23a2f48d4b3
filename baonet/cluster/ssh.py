"""Nodes by ssh: one on each host that ``--on ssh:`` names, as ``~/.ssh/config`` has them."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from typing import Final

from baonet.cluster.starter import Starter, node_command

OPTIONS: Final = (
    *("-T", "-o", "BatchMode=yes"),  # nobody is there to type a password
    *("-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
    *("-o", "ClearAllForwardings=yes", "-o", "ForwardAgent=no", "-o", "ForwardX11=no"),
)


def destination(name: str) -> list[str]:
    """Words of ssh for ``[USER@]HOST[:PORT]``."""
    found = re.fullmatch(r"(?:(.+)@)?(\[.+\]|[^:]+)(?::([0-9]+))?", name)
    assert found is not None
    user, host, port = found.groups()
    return [*(["-p", port] if port else []), *(["-l", user] if user else []), host.strip("[]")]


def addresses(names: Sequence[str]) -> Iterator[str]:
    """The hosts behind the names: an alias of ssh's configuration is known to ssh alone."""
    for name in names:
        words = destination(name)
        told = subprocess.run(["ssh", "-G", *words], capture_output=True, text=True, check=False)
        found = re.search("^hostname (.+)$", told.stdout, re.MULTILINE)
        yield found[1] if found else words[-1]


def start(names: Sequence[str], tickets: Sequence[bytes], words: Sequence[str], command: str | None) -> list[Starter]:
    """Raises ClusterError without ssh, and OSError."""
    remote = shlex.join(node_command(command, words))
    starters = []
    for name, ticket in zip(names, tickets, strict=True):
        starters.append(Starter("ssh", ["ssh", *OPTIONS, *destination(name), remote]))
        starters[-1].tell(ticket.hex())
    return starters
