"""Where a guest-physical address is in a VM that has nothing there to answer: words for a report."""

from __future__ import annotations

from typing import Final

from baonet.hyp.memory import VmMemory

NOWHERE: Final = "where the VM has neither memory nor a device"


def whereabouts(memory: VmMemory, address: int) -> str:
    """The mapping that holds it, or those that lie next to it."""
    named = [("RAM", extent) for region in memory.regions for extent in region]
    named += [("a device", extent) for extent in memory.devices if extent is not None]
    named += [("shared memory", extent) for ipc in memory.ipcs for extent in ipc]
    for what, extent in named:
        if extent.ipa <= address < extent.ipa + extent.size:
            return f"in {what} at {extent.ipa:#x}..{extent.ipa + extent.size - 1:#x}"
    below = max((e for e in named if e[1].ipa <= address), key=lambda e: e[1].ipa + e[1].size, default=None)
    above = min((e for e in named if e[1].ipa > address), key=lambda e: e[1].ipa, default=None)
    text = NOWHERE
    if below is not None:
        text += f"; below it {below[0]} ends at {below[1].ipa + below[1].size - 1:#x}"
    if above is not None:
        text += f"; above it {above[0]} starts at {above[1].ipa:#x}"
    return text
