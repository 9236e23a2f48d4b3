"""An architecture's part of a machine, as those that know none of them pass it on."""

from __future__ import annotations

from typing import ClassVar, Protocol


class ArchPlatform(Protocol):
    """Of a platform (Bao's ``struct arch_platform``): a frozen record, which only the architecture's wings see into."""

    root_pages: ClassVar[int]
    """Of the root of stage 2, of which an entry is 1 GiB."""

    @property
    def architecture(self) -> str:
        """Its name, for the registries of the wings."""


class ArchVm(Protocol):
    """Of a VM (Bao's ``struct arch_vm_platform``): as ``ArchPlatform``."""

    @property
    def architecture(self) -> str:
        """Its name, that of the VM's platform."""
