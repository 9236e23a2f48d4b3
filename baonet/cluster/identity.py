"""What a node is: what it runs machines with, which must be the same everywhere, and what it has."""

from __future__ import annotations

import hashlib
import os
import socket
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from baonet.core import _node
from baonet.core.engine import library_path
from baonet.launch.cores import cores
from baonet.memory.host import most
from baonet.wire import messages as wire
from baonet.wire.cluster import Introduction


def introduction(name: str | None = None, ticket: bytes = b"") -> Introduction:
    """Of this host. Raises EngineError when it has no library."""
    engine, library = _digests()
    return Introduction(
        protocol=wire.VERSION,
        version=_version(),
        engine=engine,
        library=library,
        name=name or socket.gethostname(),
        cores=cores(),
        memory=min(most(), (1 << 63) - 1),
        load=int(os.getloadavg()[0] * 1000),
        ticket=ticket,
    )


def unlike(mine: Introduction, other: Introduction) -> str | None:
    """Why a node that introduces itself so cannot run a machine with this host: reads behind its name."""
    if other.protocol != mine.protocol or other.version != mine.version:
        return (
            f"has baonet {other.version} (protocol {other.protocol}), and here is {mine.version} "
            f"(protocol {mine.protocol}): install the same on all hosts"
        )
    if other.engine != mine.engine:
        return f"has another build of baonet {other.version}: install the same wheel, or commit, on all hosts"
    if other.library != mine.library:
        return "has another build of libunicorn: install the same wheel of unicorn on all hosts"
    return None


def _version() -> str:
    try:
        return version("baonet")
    except PackageNotFoundError:
        return "unknown"


@cache
def _digests() -> tuple[str, str]:
    """Of all that decides what a machine does: the source of the package, with its native sources, and the library."""
    engine = hashlib.sha256()
    root = Path(wire.__file__).parents[1]
    for path in sorted(path for path in root.rglob("*") if path.suffix in (".py", ".c", ".h")):
        engine.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    engine.update(f"{_node.SLOT_SIZE} {_node.LEDGER_SIZE} {_node.LANE_SIZE}".encode())
    with library_path().open("rb") as file:
        return engine.hexdigest(), hashlib.file_digest(file, "sha256").hexdigest()
