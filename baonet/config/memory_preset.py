"""Memory systems that have a name: what is known of a core, and whence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from baonet.machine import MemorySystem
from baonet.machine.dataclass import dataclass


@final
@dataclass(frozen=True, slots=True)
class MemoryPreset:
    """``what`` it is, in Markdown; where each value comes from by its name, and what ``hypervisor`` has.

    ``lacking``: fields of ``system`` that are of what the core has not, and so can be nobody's figures.
    """

    what: str
    system: MemorySystem
    sources: Mapping[str, str]
    hypervisor: Mapping[str, str]
    lacking: tuple[str, ...] = ()
