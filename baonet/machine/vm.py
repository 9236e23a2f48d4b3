"""A VM: the counterpart of Bao's ``struct vm_config``."""

from __future__ import annotations

from collections.abc import Iterator

from baonet.machine.architecture import ArchVm
from baonet.machine.dataclass import dataclass, field
from baonet.machine.platform import UARTS, Platform, PlatformDevice


@dataclass(frozen=True, slots=True)
class Region:
    """RAM of a VM. ``phys`` None: pages from the pools with the VM's colours; else placed at ``phys``."""

    base: int
    size: int
    phys: int | None = None
    colors: int = 0


@dataclass(frozen=True, slots=True)
class Device:
    """A passed-through device. ``va`` None: interrupts only, nothing is mapped. ``id``: IOMMU stream, 0 for none."""

    pa: int
    va: int | None
    size: int
    interrupts: tuple[int, ...] = ()
    id: int = 0


@dataclass(frozen=True, slots=True)
class Ipc:
    """A shared memory object at ``base`` of one VM; ``shmem`` is its index in ``Machine.shared_memory``."""

    base: int
    size: int
    shmem: int
    interrupts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file as it was: after it was written, cut short or replaced it has another. ``modified`` is in nanoseconds."""

    device: int
    inode: int
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class LoadSegment:
    """Bytes to place at ``base`` (an IPA inside a region) before the VM starts: a slice of a file, or ``data``.

    ``unpacked``: the file that the data was in. ``stamp`` is the file as it was checked: another one is not loaded.
    """

    base: int
    size: int
    path: str | None = None
    offset: int = 0
    data: bytes = b""
    unpacked: str | None = None
    stamp: Stamp | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Vm:
    """A VM (Bao's ``struct vm_config``): ``index`` is its vm id and VMID.

    ``cpu_affinity`` holds preferred pcpu ids, empty for any. ``context`` is the guest's argument at entry: 0 as in Bao,
    or the address of the device tree when ``device_tree`` was asked for and ``faithful`` is practical. ``interrupts``
    is every interrupt of the VM that belongs to hardware: those of its devices and of its timer. ``command_line``,
    ``initrd`` (its first address and the one after its last) and ``device_tree`` (its address) are what a generated
    device tree tells; their bytes are among ``segments``. With ``direct_interrupts`` exits for interrupts take the
    platform's ``direct`` cost instead of its ``interrupt`` cost. Without ``huge_pages`` stage 2 has pages of
    4 KiB alone.
    """

    index: int
    name: str
    entry: int
    context: int
    cpus: int
    cpu_affinity: tuple[int, ...]
    colors: int
    regions: tuple[Region, ...]
    devices: tuple[Device, ...]
    ipcs: tuple[Ipc, ...]
    arch: ArchVm
    segments: tuple[LoadSegment, ...]
    interrupts: tuple[int, ...] = ()
    command_line: str = ""
    initrd: tuple[int, int] | None = None
    device_tree: int | None = None
    direct_interrupts: bool = False
    huge_pages: bool = True


def devices(platform: Platform, vm: Vm) -> Iterator[tuple[int, PlatformDevice]]:
    """The guest address of each of the platform's devices that the VM maps, with the device."""
    for device in vm.devices:
        for there in platform.devices if device.va is not None else ():
            if device.pa <= there.pa and there.pa + there.size <= device.pa + device.size:
                assert device.va is not None
                yield device.va + there.pa - device.pa, there


def uarts(platform: Platform, vm: Vm) -> Iterator[tuple[int, PlatformDevice]]:
    """Those of them that are UARTs."""
    return ((base, device) for base, device in devices(platform, vm) if device.kind in UARTS)
