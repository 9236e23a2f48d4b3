"""What Bao's ``config.c`` and platform descriptions call the fields of a machine file, for whoever brings one along."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from baonet.config.wings import ARCHITECTURES, said
from baonet.document.models import Foreign

_COUNTED = Foreign(hint="remove it: the list says how many there are")
_PLACED = Foreign(hint="remove it: 'phys' alone places it")


def _names(**names: Foreign) -> Mapping[str, Foreign]:
    return MappingProxyType(names)


MACHINE = _names(
    hyp=Foreign("hypervisor"),
    shmemlist=Foreign("shared_memory"),
    shmemlist_size=_COUNTED,
    vmlist=Foreign("vms"),
    vmlist_size=_COUNTED,
)

_KEYS = ", ".join(each.key for each in ARCHITECTURES.values())
VM = _names(
    entry=Foreign(hint="it belongs to the image: 'image: {path: ..., entry: ...}'"),
    base_addr=Foreign(hint="it belongs to the image: 'image: {path: ..., base: ...}'"),
    load_addr=Foreign(hint="remove it: 'path' under 'image' names the file, and baonet loads it"),
    platform=Foreign(hint=f"its fields stand right under the VM: cpus, memory, devices, ipcs, {_KEYS}"),
    arch=Foreign(hint=said(lambda words: words.vm_keys)),
    type=Foreign(hint="remove it: every VM is one"),
    cpu_num=Foreign("cpus"),
    regions=Foreign("memory"),
    region_num=_COUNTED,
    devs=Foreign("devices"),
    dev_num=_COUNTED,
    ipc_num=_COUNTED,
)


_OF_AN_MPU = Foreign(hint="remove it: it is for platforms without an MMU, of which there are none here")
_OF_THE_PLATFORM = Foreign(
    hint="what a hypervisor takes is of the platform: 'memory_system: {hypervisor: ...}', or 'costs: ...', there",
    ours=True,
)
HYPERVISOR = MappingProxyType(
    {
        "": _OF_THE_PLATFORM,
        **_names(
            preset=_OF_THE_PLATFORM,
            relocate=_OF_AN_MPU,
            base_addr=_OF_AN_MPU,
            data_relocate=_OF_AN_MPU,
            data_addr=_OF_AN_MPU,
        ),
    }
)
IMAGE = _names(
    base_addr=Foreign("base"),
    load_addr=Foreign("path", "write 'path', the guest's file: baonet loads it"),
    size=Foreign(hint="remove it: the file has a size"),
    separately_loaded=Foreign(hint="remove it: baonet loads the file"),
    inplace=Foreign(hint="remove it: the image is copied into the VM's memory"),
)
MEMORY = _names(place_phys=_PLACED)
SHARED_MEMORY = _names(place_phys=_PLACED)
IPC = _names(
    shmem_id=Foreign("shared_memory", "write 'shared_memory', the name of the object"),
    interrupt_num=_COUNTED,
)
DEVICE = _names(interrupt_num=_COUNTED)
PLATFORM = _names(cpu_num=Foreign("cpus"), regions=Foreign("ram"), region_num=_COUNTED)
