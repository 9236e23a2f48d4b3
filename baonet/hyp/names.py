"""An architecture's words where people read them: exits, registers and interrupts in a trace, the call for a reset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol


class ArchNames(Protocol):
    """``vm_part``: the key, among what a trace's head tells of a VM, of the architecture's part: numbers by names.

    ``interrupt_bits``: of a record's interrupt, the bits that are its number; ``interrupt_key``: what JSON has that by.
    ``ipi``: what an interrupt is called that one vcpu sends another. ``details``: by the reason of an exit, what its
    record has besides the PC, where that is no interrupt's number. ``reset``: how a guest asks that its VM start anew.
    """

    vm_part: str
    interrupt_bits: int
    interrupt_key: str
    ipi: str
    details: Mapping[int, str]
    reset: str

    def vm(self, part: Mapping[str, int]) -> str:
        """That part of a VM, in a line."""

    def register(self, part: Mapping[str, int], vcpus: int, address: int) -> str | None:
        """What is emulated at a guest-physical address of a VM, if anything is."""

    def interrupt(self, number: int) -> str:
        """``SGI 3``, ``27 (virtual timer)``, ``84``."""

    def exit(self, reason: int, detail: int, place: Callable[[int], str]) -> str | None:
        """With what its record has besides the PC; None where the reason says all. ``place`` names an address."""
