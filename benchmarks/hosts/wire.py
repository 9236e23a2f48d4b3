"""Hosts that are network namespaces with a cable between them: TCP as between machines, without their cards.

Who may make no namespaces has processes that call each other over loopback.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

ADDRESSES: Final = ("10.77.0.1", "10.77.0.2")
LOOPBACK: Final = "127.0.0.1"


class NoHostsError(Exception):
    """This user may make no namespaces."""


@dataclass(frozen=True, slots=True)
class Host:
    """``space``: its network namespace; None: none of its own."""

    address: str
    space: str | None = None

    def command(self, *words: str) -> list[str]:
        """That command on this host."""
        return [*words] if self.space is None else ["ip", "netns", "exec", self.space, *words]


def pretended(count: int) -> tuple[Host, ...]:
    return (Host(LOOPBACK),) * count


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """They are gone behind the block. Raises NoHostsError."""
    names = [f"baonet-{os.getpid()}-{end}" for end in "ab"]
    first, second = (Host(address, name) for address, name in zip(ADDRESSES, names, strict=True))
    try:
        for name in names:
            _ip("netns", "add", name)
        _ip("link", "add", "veth", "netns", names[0], "type", "veth", "peer", "veth", "netns", names[1])
        for name, address in zip(names, ADDRESSES, strict=True):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "veth")
            _ip("-n", name, "link", "set", "veth", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield first, second
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def _ip(*words: str) -> None:
    try:
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoHostsError("there is no `ip`: install iproute2") from None
    if done.returncode:
        raise NoHostsError(f"ip {' '.join(words)}: {done.stderr.strip()}")
