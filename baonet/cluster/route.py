"""At which address of this host others reach it, and how they are waited for there."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

from baonet.cluster.terms import ClusterError


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
                found = numeric(probe.getsockname())
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


def numeric(address: tuple[Any, ...]) -> str:
    """The host of a socket's address. One of a link alone has the name of this host's interface to it."""
    host: str = address[0]
    scope = address[3] if len(address) == 4 else 0
    return f"{host}%{socket.if_indextoname(scope)}" if scope else host


def seen_from(own: str, host: str) -> str:
    """An address that another host gives: what its interface to a link is called is known there alone.

    ``own``: the address of this host that the other reaches, by the interface that leads to the same link.
    """
    scope = own.partition("%")[2]
    return f"{host.partition('%')[0]}%{scope}" if "%" in host and scope else host


def bound(host: str, port: int) -> socket.socket:
    """Where others are to call; 0: any port that is free. It does not listen yet. Raises OSError."""
    family, _, _, _, there = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with ExitStack() as stack:
        found = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(there)
        stack.pop_all()
    return found
