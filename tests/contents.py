"""What an object has in it, to see that one that was loaded has all that the one had that was saved."""

from __future__ import annotations

import dataclasses
import random
from collections import deque
from enum import Enum
from typing import Any

from baonet.hyp.armv8.vgic_distributor import Distributor

_NOT_STATE = {
    "Ipc": {"_last"},  # what was said before, to say it again
    "Distributor": {"_packets"},
    "Vgic": {"_here", "_known"},  # what does not change of registers that were looked at once
    "RegisterWindows": {"_at", "here", "known"},
    "RegisterWords": {"stirred"},  # where to look
    "SharedController": {"_asker_line", "_reads", "_writes"},  # while it does what another hart asks; what it did
    "Vplic": {"source", "_shown"},  # what an access has claimed or completed, for its answer; what was looked at once
    "Vaplic": {"source"},
    "Held": {"_known"},  # SPIs that were held once: how one of them would look if it came again
    "Conductor": {"_phase"},  # of its process's life
    "Seat": {"_stays"},  # until the host is to look around
    "Body": {"served"},  # of the last stay, for whoever asked for it
}


def contents(thing: Any, packages: tuple[str, ...], seen: dict[int, int] | None = None) -> Any:
    """Every attribute of everything of these packages that is reachable, and which of them are one object.

    Of anything else its type counts, unless it is plain data.
    """
    if seen is None:
        seen = {}
    if isinstance(thing, dict):
        return {key: contents(value, packages, seen) for key, value in thing.items()}
    if isinstance(thing, list | tuple | deque):
        return [contents(each, packages, seen) for each in thing]
    if thing is None or isinstance(thing, int | str | bytes | bytearray | Enum | frozenset):
        return thing
    if isinstance(thing, random.Random):
        return thing.getstate()
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type) and _frozen(thing):
        return (
            repr(thing) if type(thing).__module__.startswith(("baonet.wire", "baonet.hyp.")) else type(thing).__name__
        )
    if not type(thing).__module__.startswith(packages):
        return type(thing).__name__
    if id(thing) in seen:
        return seen[id(thing)]
    seen[id(thing)] = len(seen)
    if isinstance(thing, Distributor) and thing._here:
        for intid in thing.interrupts:  # one that nobody has asked for is as it is made
            thing.spi(intid)
    names = attributes(type(thing)) | set(getattr(thing, "__dict__", ()))
    names -= _NOT_STATE.get(type(thing).__name__, set())
    return {name: contents(getattr(thing, name), packages, seen) for name in sorted(names)}


def attributes(kind: type) -> set[str]:
    """The attributes that a class says its instances have: its slots, or what mypyc made of them."""
    said = [getattr(each, name, ()) for each in kind.__mro__ for name in ("__slots__", "__mypyc_attrs__")]
    return {name for names in said for name in names}


def _frozen(thing: Any) -> bool:
    return bool(thing.__dataclass_params__.frozen)


WRONG: list[Any] = [None, True, -1, 5, 1 << 70, "x", b"x", [], [1], [[1, 2]], {}, {"version": 1}]
"""What may be in saved data that is damaged."""


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where anything is in saved data."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copied = dict(data) if isinstance(data, dict) else list(data)
    copied[path[0]] = replaced(data[path[0]], path[1:], value)
    return copied
