"""At which address of this host others reach it, and how they are waited for there."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import ExitStack

from baonet.cluster.joined import ClusterError


def here(hosts: Iterable[str]) -> str:
    """The address that packets to the first of ``hosts`` have, rather one that is not loopback's: nothing is sent.

    Raises ClusterError when none of them is known.
    """
    loopback = None
    why = "there is none"
    for host in hosts:
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family, kind) as probe:
                probe.connect(address)
                found: str = probe.getsockname()[0]
        except OSError as error:
            why = f"{host}: {error.strerror or error}"
            continue
        if not ipaddress.ip_address(found.partition("%")[0]).is_loopback:
            return found
        loopback = loopback or found
    if loopback is None:
        raise ClusterError(f"no route to a host ({why}): give --lead-address with an address of this host")
    return loopback


def place(address: str, port: int) -> str:
    """As ``--join`` takes it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def bound(host: str, port: int) -> socket.socket:
    """Where others are to call; 0: any port that is free. It does not listen yet. Raises OSError."""
    family, _, _, _, there = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with ExitStack() as stack:
        found = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(there)
        stack.pop_all()
    return found
