"""What a user writes: the machine file, field by field.

The names are those of Bao's ``config.c`` where it has them. The descriptions are the text of docs/configuration.md
and of the JSON Schema, so they are written for the user. A model checks one value at a time; what concerns several
fields is checked in ``check``. What only an architecture has is in its wing: ``VmModel.parts``.
"""

from __future__ import annotations

from collections.abc import Sequence

from baonet.config import foreign
from baonet.config.clock_models import ClockModel
from baonet.config.console_input import INPUT, InputModel
from baonet.config.fault_models import FAULTS, FaultModel
from baonet.config.node_placement import PLACEMENT, NodePlacementModel
from baonet.config.platform_models import PlatformModel
from baonet.config.wings import ARCHITECTURES, numbers, said
from baonet.document.kinds import Boolean, Choice, ListOf, Text
from baonet.document.models import MappingOf, Model, optional, required
from baonet.document.values import ADDRESS, COLORS, CPUS, NAME, PATH, SIZE, whole
from baonet.machine.dataclass import dataclass, replace

_INTERRUPT = replace(numbers(lambda each: each.interrupts), text=said(lambda words: words.interrupt, " or "))
_ARGUMENT = said(lambda words: words.argument, " or ")
_MEDIATED = said(lambda words: words.mediated, ", and ")
_DIRECT = said(lambda words: words.direct, ", and ")
_DELIVERY = said(lambda words: words.delivery, ", ")
_OF_DEVICES = said(lambda words: words.device_interrupts, " ")
_NOTIFICATIONS = said(lambda words: words.notifications, ", or ")
_REQUESTS = said(lambda words: words.requests, ", ")
_IMAGE = " or ".join(dict.fromkeys(each.guests.image for each in ARCHITECTURES.values()))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SharedMemoryModel(Model):
    """Memory that several VMs can map, each at an address of its own."""

    foreign = foreign.SHARED_MEMORY

    name: str = required(NAME, "Name, by which `ipcs` refer to it.")
    size: int = required(SIZE, "Size in bytes, a multiple of 4 KiB.")
    colors: int = optional(COLORS, "Page colours that it is allocated from. Default, and `0`: any.", 0)
    phys: int | None = optional(
        ADDRESS, "Physical address, a multiple of 4 KiB. Default: allocated wherever there is room.", None
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ImageModel(Model):
    """The guest's program. ELF files are known by their magic; anything else is a raw binary."""

    foreign = foreign.IMAGE

    path: str = required(PATH, "The file, relative to the machine file.")
    base: int | None = optional(
        ADDRESS,
        f"Guest address where the image is placed. Needed for a raw binary; {_IMAGE} wants a multiple of "
        "2 MiB. An ELF file's headers say where its segments go, so `base` is not allowed there, unless the file is "
        "position independent: then its lowest segment goes to `base`.",
        None,
    )
    entry: int | None = optional(
        ADDRESS, "Guest address where vCPU 0 starts. Default: the ELF entry point, or `base` of a raw binary.", None
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class InitrdModel(Model):
    """An initial RAM disk. The device tree's /chosen tells the guest where it is."""

    path: str = required(PATH, "The file, relative to the machine file.")
    base: int | None = optional(
        ADDRESS,
        "Guest address, a multiple of 4 KiB. Default: as high as it fits in the image's memory region beside the "
        "device tree.",
        None,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DeviceTreeModel(Model):
    """The device tree of a VM."""

    path: str = required(
        PATH,
        "`auto` generates the tree from this file. Otherwise a .dtb file, relative to the machine file, in whose "
        "/chosen `command_line` and `initrd` are set when they are given.",
    )
    base: int | None = optional(
        ADDRESS,
        "Guest address, a multiple of 8. Default: in the highest 2 MiB block that is free in the image's memory "
        "region. U-Boot for QEMU looks for it at the start of RAM.",
        None,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MemoryModel(Model):
    """A region of RAM."""

    foreign = foreign.MEMORY

    base: int | None = optional(
        ADDRESS, "Guest address, a multiple of 4 KiB. Default: where the platform's RAM begins.", None
    )
    size: int = required(SIZE, "Size in bytes, a multiple of 4 KiB.")
    phys: int | None = optional(
        ADDRESS,
        "Physical address, a multiple of 4 KiB (Bao's `place_phys`). Default: pages of the VM's colours, wherever "
        "there is room.",
        None,
    )
    colors: int = optional(
        COLORS, "Page colours to use from `phys` upwards; only together with `phys`. Default, and `0`: any.", 0
    )

    @property
    def start(self) -> int:
        """Where it is, once the platform is known (``from_platform``)."""
        return self.base or 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DeviceModel(Model):
    """A device of the platform that the VM is given, or interrupts alone. A bare text is `name`."""

    foreign = foreign.DEVICE

    name: str | None = optional(
        NAME, "A device by the platform's name of it, in place of its `pa`; `interrupts` are then its own.", None
    )
    pa: int | None = optional(
        ADDRESS,
        "Physical address of the device, a multiple of 4 KiB. Without it the entry gives interrupts only.",
        None,
    )
    va: int | None = optional(
        ADDRESS, "Guest address where it is mapped, a multiple of 4 KiB. Default: the same as `pa`.", None
    )
    size: int | None = optional(
        SIZE, "Size of the mapping in bytes, a multiple of 4 KiB. Default: that of the device at `pa`.", None
    )
    interrupts: tuple[int, ...] | None = optional(
        ListOf(_INTERRUPT),
        f"{_OF_DEVICES} Default: none, or those of the device that `name` names.",
        None,
    )
    id: int = optional(
        whole("number", 0, (1 << 32) - 1),
        "Stream id for the IOMMU, 0 for none. Accepted as in Bao; no platform has an IOMMU yet.",
        0,
    )

    @property
    def lines(self) -> tuple[int, ...]:
        return self.interrupts or ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class IpcModel(Model):
    """A shared memory object as the VM sees it. Its position in the list is the id in Bao's IPC hypercall."""

    foreign = foreign.IPC

    base: int = required(ADDRESS, "Guest address where it is mapped, a multiple of 4 KiB.")
    size: int | None = optional(
        SIZE, "Size of the mapping in bytes, at most that of the object. Default: the whole object.", None
    )
    shared_memory: str = required(NAME, "Name of the shared memory object.")
    interrupts: tuple[int, ...] = optional(
        ListOf(_INTERRUPT),
        f"{_NOTIFICATIONS}: notification event n of another VM arrives as the n-th of these, counted from 0. "
        "They are virtual: several VMs may use the same, and they need not be free on the platform.",
        (),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class VmModel(Model):
    """A virtual machine. Its position in the list is its id."""

    foreign = foreign.VM

    # What cannot be read of it is told, and the rest of it checked: then the name is empty and the image None.

    name: str = required(NAME, "Name, unique; it marks the lines of the VM's console.", "")
    image: ImageModel | None = required(MappingOf(ImageModel), "The guest's program.")
    initrd: InitrdModel | None = optional(
        MappingOf(InitrdModel), "Initial RAM disk; without a `device_tree` it needs a `base`.", None
    )
    command_line: str = optional(
        Text(), "The guest's command line: /chosen/bootargs of the device tree, so it needs a `device_tree`.", ""
    )
    device_tree: DeviceTreeModel | None = optional(
        MappingOf(DeviceTreeModel, shorthand="path"),
        f"`auto`, the path of a .dtb file, or a mapping. The tree is placed in the VM's memory and {_ARGUMENT} points "
        f"to it at entry. Without it {_ARGUMENT} is 0, as under Bao. Under `faithful: strict` the tree is placed and "
        f"{_ARGUMENT} is still 0, "
        "because Bao passes no pointer to any guest: only a guest that knows the address finds the tree.",
        None,
    )
    cpus: int = required(whole("number", 1, 1024), "Number of vCPUs, each on a physical CPU of its own.", 1)
    cpu_affinity: tuple[int, ...] = optional(
        CPUS,
        "The physical CPUs that the VM prefers: a list of their ids, or a bitmap of the first 64 as in `config.c`; "
        "CPUs that it needs beyond these are any. CPUs choose in the "
        "order of their ids, and each goes to the first VM that prefers it and still wants one.",
        (),
    )
    colors: int = optional(
        COLORS, "Page colours of the VM's memory: a list of colour numbers, or a bitmap. Default, and `0`: any.", 0
    )
    huge_pages: bool = optional(
        Boolean(),
        "Whether stage 2 maps blocks of 2 MiB and 1 GiB where it can, as Bao does, or pages of 4 KiB alone. With "
        "`colors` there are no others. It makes a difference with a `memory_system` only.",
        True,
    )
    memory: tuple[MemoryModel, ...] = required(ListOf(MappingOf(MemoryModel), 1), "Regions of RAM.", ())
    devices: tuple[DeviceModel, ...] = optional(
        ListOf(MappingOf(DeviceModel, shorthand="name")), "Devices passed through.", ()
    )
    ipcs: tuple[IpcModel, ...] = optional(ListOf(MappingOf(IpcModel)), "Shared memory objects of the VM.", ())
    interrupts: str | None = optional(
        Choice(("mediated", "direct")),
        f"How interrupts reach the VM. `mediated`: the hypervisor takes each one and injects it ({_MEDIATED}); it "
        f"takes the platform's `interrupt` cost. `direct`: they go to the guest without it ({_DIRECT}); that takes the "
        "`direct` cost. What the guest sees is the same but for the time. Default: "
        f"{_DELIVERY}.",
        None,
    )

    @classmethod
    def parts(cls) -> Sequence[type[Model]]:
        return [each.vm_part for each in ARCHITECTURES.values()]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class HypervisorModel(Model):
    """The hypervisor itself."""

    foreign = foreign.HYPERVISOR

    colors: int = optional(
        COLORS,
        "Page colours of its own memory: code, stacks, what it keeps of each VM. Default, and `0`: any. It makes a "
        "difference with a `memory_system` only.",
        0,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MachineModel(Model):
    """A machine file."""

    foreign = foreign.MACHINE

    version: int = required(Choice((1,)), "Version of this format.")
    platform: PlatformModel = required(
        MappingOf(PlatformModel, shorthand="extends"),
        "The name of a built-in platform, the path of a platform file, or a mapping.",
    )
    clock: ClockModel | None = optional(MappingOf(ClockModel), "How time passes for the guests.", None)
    faithful: str = optional(
        Choice(("strict", "practical")),
        f"`strict` refuses to guests what Bao refuses: a device tree pointer in {_ARGUMENT}, {_REQUESTS}. "
        "`practical` grants them.",
        "practical",
    )
    hypervisor: HypervisorModel | None = optional(MappingOf(HypervisorModel), "The hypervisor itself.", None)
    shared_memory: tuple[SharedMemoryModel, ...] = optional(
        ListOf(MappingOf(SharedMemoryModel)), "Shared memory objects.", ()
    )
    vms: tuple[VmModel, ...] = required(ListOf(MappingOf(VmModel, lenient=True), 1), "The virtual machines.")
    input: tuple[InputModel, ...] = optional(
        INPUT, "What is typed on the consoles, and when. `baonet run --input FILE` takes the same list from a file.", ()
    )
    faults: tuple[FaultModel, ...] = optional(FAULTS, "What goes wrong, and when, in virtual time.", ())
    placement: NodePlacementModel | None = optional(
        PLACEMENT,
        "Which VM runs on which node when several run the machine; on one it means nothing. Default: `pack`. `--place` "
        "of the command line comes before it.",
        None,
    )
