"""``VM:TEXT`` and ``TEXT``: what guests are to print, as people write it."""

from __future__ import annotations

import os

from baonet.actors.awaited import AwaitedText
from baonet.machine import Machine


def awaited_text(machine: Machine, given: str) -> AwaitedText:
    """What is before a colon is a VM only if one has that name. Raises ValueError for a text that is empty."""
    names = {vm.name: number for number, vm in enumerate(machine.vms)}
    name, colon, rest = given.partition(":")
    vm = names.get(name) if colon else None
    text = given if vm is None else rest
    if not text:
        raise ValueError(f"an empty text would be found at once: write {given}TEXT")
    return AwaitedText(vm, os.fsencode(text))
