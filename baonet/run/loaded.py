"""A machine that has its memory: every VM placed, allocated and loaded, and nobody there to run it."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from baonet.core.cpu import SIZES
from baonet.hyp.vmm import plan
from baonet.machine import Machine
from baonet.machine.saved import Saved
from baonet.memory.host import most
from baonet.memory.node import NodeMemory


@final
class LoadedMachine:
    """``plan`` says which pcpu runs what and where memory would be; ``memory`` has what is there.

    ``warn`` is told what is doubtful on this host. ``here``: the memory is of this host; else there is none, as others
    have it. ``saved``: what it had when it was saved, in place of images.

    Raises PlacementError (a ValueError) when the machine has no place, StateError when ``saved`` is no memory of it,
    OSError when a file has changed since it was checked, or the host refuses memory.
    """

    def __init__(
        self, machine: Machine, warn: Callable[[str], None], *, here: bool = True, saved: Saved | None = None
    ) -> None:
        self.machine = machine
        self.plan = plan(machine)
        self.memory = self._loaded(warn, saved) if here else None

    def _loaded(self, warn: Callable[[str], None], saved: Saved | None) -> NodeMemory:
        machine = self.machine
        memory = NodeMemory(machine, SIZES)
        if memory.size > most():
            text = f"guests may use {memory.size >> 20} MiB of memory, and the host has {most() >> 20} MiB: "
            warn(f"{text}it kills processes when that is used up")
        try:
            for vm in machine.vms if saved is None else ():
                memory.load(vm)
            if saved is not None:
                memory.load_saved(saved)
        except BaseException:
            memory.close()
            raise
        return memory

    def close(self) -> None:
        """Give the memory back."""
        if self.memory is not None:
            self.memory.close()
