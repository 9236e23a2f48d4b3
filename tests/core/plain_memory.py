"""What tests of a core's memory system have in common, of whichever architecture it is."""

from __future__ import annotations

from typing import Any, Final

PLAIN: Final = {
    "prefetch_streams": 0,
    "streaming_l1": 0,
    "streaming_l2": 0,
    "dram_line": 0,
    "l2_store": 0,
    "l2_path": 0,
    "dram_store": 0,
}
"""Nothing ahead, no streaming, a channel that is never busy, stores that cost nothing: the rest is easily counted."""


def counts_of_guest(core: Any) -> dict[str, int]:
    """What a core has counted but for the hypervisor below its guest."""
    return {name: count for name, count in core.memory_counts().items() if not name.startswith("hypervisor_")}
