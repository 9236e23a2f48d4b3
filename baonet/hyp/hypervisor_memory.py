"""The memory that Bao itself takes, and where it lies: its image, what each CPU has, what it keeps of each VM.

Sizes are those of Bao 738e3dc for ``qemu-aarch64-virt``, built with gcc 12 -O2, and of its structures; the copies that
it makes of itself when it is coloured (``mem_color_hypervisor``) are what stays of it. All of it has the hypervisor's
colours but the tables of stage 2, which have the VM's: ``mem_alloc_pt`` takes those of the address space. The root of a
VM's tables has none, as it is several pages that are aligned to their size (``mem_alloc_page``).
"""

from __future__ import annotations

from typing import Final, final

from baonet.hyp.pages import Extent
from baonet.machine import PAGE_SIZE, Platform
from baonet.machine.dataclass import dataclass

TEXT_PAGES: Final = 16
"""``.text`` has 65,288 bytes."""
DATA_PAGES: Final = 11
"""``.rodata``, ``.data`` and ``.bss`` without the bitmap of pages: 42,190 bytes."""
_TABLE_PAGES: Final = 4
IMAGE_PAGES: Final = TEXT_PAGES + DATA_PAGES + _TABLE_PAGES
CPU_PAGES: Final = 1 + 2 + 4
"""Of a CPU: its stack, ``struct cpu`` with its queue of messages, its tables."""
VM_PAGES: Final = 4
"""``struct vm`` with what its interrupt controller knows of each interrupt, an estimate."""
VCPU_PAGES: Final = 2
"""``struct vcpu``: registers and its own interrupts, an estimate."""


def bitmap_pages(platform: Platform) -> int:
    """A bit for each page of RAM, in whole pages for each bank."""
    return sum(-(-bank.size // (8 * PAGE_SIZE * PAGE_SIZE)) for bank in platform.ram)


@final
@dataclass(frozen=True, slots=True)
class VmOverhead:
    """What Bao keeps of a VM. ``root`` and ``tables`` are of its stage 2; of these each page is one table."""

    vm: Extent
    vcpus: tuple[Extent, ...]
    root: Extent
    tables: tuple[Extent, ...]


@final
@dataclass(frozen=True, slots=True)
class HypervisorMemory:
    """``image``: text, data, tables, in this order; ``bitmap`` of all pools; ``pcpus``: of each its own."""

    image: Extent
    bitmap: Extent
    pcpus: tuple[Extent, ...]
    vms: tuple[VmOverhead, ...]

    def sizes(self) -> dict[str, int]:
        """Bytes, by what they are for. Tables are those of stage 2, which differ with blocks and pages."""
        tables = [each for vm in self.vms for each in (vm.root, *vm.tables)]
        kept = [each for vm in self.vms for each in (vm.vm, *vm.vcpus)]
        return {
            "its image": self.image.size,
            "a bitmap of pages": self.bitmap.size,
            "CPUs": sum(each.size for each in self.pcpus),
            "VMs": sum(each.size for each in kept),
            "their tables": sum(each.size for each in tables),
        }
