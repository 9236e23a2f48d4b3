"""The built-in platforms of all architectures."""

from __future__ import annotations

from collections.abc import Mapping

from baonet.config.wings import ARCHITECTURES
from baonet.machine import Platform


def builtin() -> Mapping[str, Platform]:
    """By name."""
    return {name: platform for name, (platform, _) in _all().items()}


def description(name: str) -> str:
    """What a built-in platform is, in Markdown. Raises ``KeyError``."""
    return _all()[name][1]


def _all() -> Mapping[str, tuple[Platform, str]]:
    return {name: each for architecture in ARCHITECTURES.values() for name, each in architecture.platforms.items()}
