"""Two hosts that are network namespaces with a cable between them: TCP as between machines, without their cards."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

ADDRESSES: Final = ("10.77.0.1", "10.77.0.2")


class NoHostsError(Exception):
    """This user may make no namespaces."""


@dataclass(frozen=True, slots=True)
class Host:
    name: str
    address: str

    def command(self, *words: str) -> list[str]:
        """That command on this host."""
        return ["ip", "netns", "exec", self.name, *words]


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """They are gone behind the block. Raises NoHostsError."""
    first, second = (Host(f"baonet-{os.getpid()}-{end}", address) for end, address in zip("ab", ADDRESSES, strict=True))
    try:
        for each in (first, second):
            _ip("netns", "add", each.name)
        _ip("link", "add", "veth", "netns", first.name, "type", "veth", "peer", "veth", "netns", second.name)
        for each in (first, second):
            _ip("-n", each.name, "address", "add", f"{each.address}/24", "dev", "veth")
            _ip("-n", each.name, "link", "set", "veth", "up")
            _ip("-n", each.name, "link", "set", "lo", "up")
        yield first, second
    finally:
        for each in (first, second):
            subprocess.run(["ip", "netns", "delete", each.name], capture_output=True, check=False)


def _ip(*words: str) -> None:
    try:
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoHostsError("there is no `ip`: install iproute2") from None
    if done.returncode:
        raise NoHostsError(f"ip {' '.join(words)}: {done.stderr.strip()}")
