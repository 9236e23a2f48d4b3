"""Hypervisors of which it is published what they take: `costs` and footprints that a file can have by their names.

Their names are for all architectures; what an architecture knows of them, its ``hypervisors()`` has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, final

from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.quantities import listing
from baonet.machine import Costs, HypervisorFootprint
from baonet.machine.dataclass import dataclass

if TYPE_CHECKING:
    from baonet.config.architecture import Architecture

NAMES: Final = ("bao", "jailhouse", "xen", "sel4")


@final
@dataclass(frozen=True, slots=True)
class HypervisorPreset:
    """``what`` it is, in Markdown; where each of ``costs`` comes from, and the ``footprint`` of its kind of exit."""

    what: str
    costs: Costs
    footprint: HypervisorFootprint
    sources: Mapping[str, str]


def unknown(node: YamlNode, name: str | None, architecture: Architecture) -> Iterator[Problem]:
    """That nothing is published of ``name``, which stands at ``node`` or below, for this architecture."""
    known = list(architecture.hypervisors())
    if name is None or name in known:
        return
    hint = f"it can be {listing(known, 'or')}" if known else "give what each kind of exit takes"
    yield (node.child("preset") or node).problem(f"no figures of {name} are known for {architecture.name}", hint)
