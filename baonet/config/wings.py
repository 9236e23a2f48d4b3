"""The architectures that a machine file can be of: the one place of the configuration that knows them by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from baonet.config.architecture import Architecture, Words
from baonet.config.armv8.wing import ARMV8
from baonet.config.riscv.wing import RISCV
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.kinds import Quantity, nearest
from baonet.document.models import Model, described, key_of
from baonet.document.values import whole
from baonet.machine import Platform

ARCHITECTURES: Final[dict[str, Architecture]] = {ARMV8.name: ARMV8, RISCV.name: RISCV}
"""The first is that of a platform that does not say, by a key or by what it extends, of which it is."""


def of(platform: Platform) -> Architecture:
    return ARCHITECTURES[platform.architecture]


def meant(platform: YamlNode) -> Architecture:
    """What the value of ``platform`` says: by the name of a built-in platform, or by the key of a controller.

    Of a name that is none: which it comes near to, or whose architecture it has in it.
    """
    given = platform.value if isinstance(platform.value, str) else platform.at("extends").value
    name = given if isinstance(given, str) else ""
    known = [platform for each in ARCHITECTURES.values() for platform in each.platforms]
    signs: tuple[Callable[[Architecture], bool], ...] = (
        lambda each: name in each.platforms,
        lambda each: platform.child(each.key) is not None,
        lambda each: nearest(name, known) in each.platforms,
        lambda each: each.name in name,
    )
    for sign in signs:
        for each in ARCHITECTURES.values():
            if sign(each):
                return each
    return next(iter(ARCHITECTURES.values()))


def strangers(own: Architecture, node: YamlNode, part: Callable[[Architecture], type[Model]]) -> Iterator[Problem]:
    """Keys of other architectures than that of the platform, in it or in a VM."""
    mine = {key_of(each) for each in described(part(own))}
    for other in ARCHITECTURES.values():
        for each in described(part(other)):
            found = None if key_of(each) in mine else node.child(key_of(each))
            if found is not None:
                message = f"{key_of(each)!r} is of {other.name}, and the platform is {own.name}"
                yield found.key_problem(message, "remove it, or extend a platform of that architecture")


def said(words: Callable[[Words], str], between: str = "; ") -> str:
    """What a text for all users says in the terms of each architecture."""
    return between.join(dict.fromkeys(text for each in ARCHITECTURES.values() if (text := words(each.words))))


def numbers(which: Callable[[Architecture], range]) -> Quantity:
    """The kind of an interrupt's number, of any architecture: each checks its own when it is known."""
    found = [which(each) for each in ARCHITECTURES.values()]
    first, end = min(each.start for each in found), max(each.stop for each in found)
    return whole(said(lambda words: words.interrupt, " or "), first, end - 1)
