"""A core that is saved and made anew before each stay in its guest: what is tested of a core is tested of it too."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, cast

import msgpack

_EACH, _THEN = 12, 512
"""It travels before each of its first stays, and now and then before later ones."""
_MAPPED = ("map_ram", "own", "map_uart", "map_gicv", "map_imsic", "map_unassigned")
_STAYS = ("run", "run_until")


def as_bytes(saved: dict[str, Any]) -> dict[str, Any]:
    """Out and in again."""
    return cast(dict[str, Any], msgpack.unpackb(msgpack.packb(saved)))


class TravellingCore:
    """A core and, at the next stay, another that was loaded from it."""

    real: ClassVar[Any]
    _made: dict[str, Any]
    _mapped: list[tuple[str, tuple[Any, ...]]]
    _emulated: tuple[Any, ...] | None
    _core: Any
    _stays: int

    def __init__(self, **arguments: Any) -> None:
        self.__dict__.update(_made=arguments, _mapped=[], _emulated=None, _stays=0, _core=self.real(**arguments))

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._core, name, value)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._core, name)
        if name in _MAPPED:
            return partial(self._map, name)
        if name == "emulate":
            return self._emulate
        if name in _STAYS:
            self.__dict__["_stays"] += 1
            if self._stays <= _EACH or self._stays % _THEN == 0:
                self._travel()
            return getattr(self._core, name)
        return method

    def _map(self, name: str, *arguments: Any) -> Any:
        self._mapped.append((name, arguments))
        return getattr(self._core, name)(*arguments)

    def _emulate(self, *arguments: Any) -> None:
        self.__dict__["_emulated"] = arguments
        self._core.emulate(*arguments)

    def _travel(self) -> None:
        made = self.real(**self._made)
        for name, arguments in self._mapped:
            getattr(made, name)(*arguments)
        if self._emulated is not None:
            made.emulate(*self._emulated)
        made.load(as_bytes(self._core.save()))
        self.__dict__["_core"] = made


def travelling(real: type) -> type:
    """In the place of the class of an engine's cores."""
    return type("Travelling", (TravellingCore,), {"real": real})
