"""docs/configuration.md, from the models: ``python -m baonet.config.reference > docs/configuration.md``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from typing import Any

from baonet.config import hypervisor_reference, memory_reference
from baonet.config.models import MachineModel
from baonet.config.platform_models import PlatformModel
from baonet.config.platforms import builtin, description
from baonet.config.wings import ARCHITECTURES, of, said
from baonet.document.kinds import ListOf, Quantity, ValueKind
from baonet.document.models import MappingOf, Model, described, is_required, key_of, title
from baonet.document.one_of import OneOf
from baonet.document.quantities import human, human_duration
from baonet.machine.dataclass import Field

_WIDTH = 120
_INTRODUCTION = """\
# Configuration

<!-- Made from the models in baonet/config by `make docs`; a test keeps it current. -->

One YAML file describes one machine: the platform, and the virtual machines that share it out. Its fields are those
of Bao's `config.c` in readable form; [From Bao's config.c](from-bao.md) shows one beside the other.

```yaml
version: 1
platform: qemu-aarch64-virt
shared_memory:
  - {name: mailbox, size: 64KiB}
vms:
  - name: pinger
    image: {path: ping.elf}
    cpus: 1
    cpu_affinity: [0]
    memory: [{base: 0x40000000, size: 64MiB}]
    devices: [{pa: 0x09000000, size: 4KiB, interrupts: [33]}]
    ipcs: [{base: 0x70000000, shared_memory: mailbox, interrupts: [84]}]
  - name: linux
    image: {path: Image, base: 0x60200000}
    initrd: {path: initrd.cpio.gz}
    command_line: "console=ttyAMA0"
    device_tree: auto
    cpus: 2
    memory: [{base: 0x60000000, size: 512MiB}]
    devices: [{pa: 0x09000000, size: 4KiB}]
    ipcs: [{base: 0x90000000, shared_memory: mailbox, interrupts: [84]}]
```

`baonet check FILE` tells everything that is wrong with a file, each problem with its line and what would be right:

```
machine.yaml:10:21: vms[0].memory[0].base: 0x40000800 is not a multiple of 4KiB
    memory: [{base: 0x40000800, size: 64MiB}]
                    ^^^^^^^^^^
    use 0x40000000 or 0x40001000
```

What can run and is probably not meant is a warning, here and when the machine runs: a UART without its interrupt or
with another's, @image@ without a device tree, a command line of which Linux keeps a part,
a console of Linux on another kind of UART or on one where the VM has none, a given
device tree that disagrees with the VM (CPUs, memory, @ic@, UARTs, timer), leads nowhere (interrupt parents, clocks,
stdout-path) or has devices where the VM has nothing, an image that no CPU can run (big-endian, 16 KiB pages, text), an
entry where the image has put nothing, shared memory that only one VM has, input for a VM without a UART, faults that
can hit nothing. `--strict` makes warnings an exit status; `--map` shows where image, initrd, device tree, regions and
devices land in each VM's address space, `--colors` which sets of the shared cache each VM and the hypervisor have. With
a `memory_system` it tells how much memory Bao takes for itself.

`baonet init` writes a first machine file with its guest, `baonet init --list` tells the ready ones, `--platform` takes
another platform.

`baonet schema` prints a JSON Schema. With `baonet schema > machine.schema.json` and a first line
`# yaml-language-server: $schema=machine.schema.json` an editor completes and checks while you type.

## How values are written

| kind | forms |
|---|---|
| address, number | decimal `33`, hexadecimal `0x4000_0000`, binary `0b11`; `033` is an error: YAML readers disagree |
| size | a number of bytes, or one with a unit: `B`, `KiB`, `MiB`, `GiB`, `TiB` |
| duration | a number with a unit: `500ns`, `10us`, `1.5ms`, `2s`, `3m`, `1h`; or `0`. So everywhere |
| @interrupt@ | @numbers@ |
| colours, CPUs | a list of their numbers, `[0, 1]`, or a bitmap, `0x03` |
| path | relative to the file it stands in |
| true or false | `true` and `false` only: `yes`, `no`, `on` and `off` are text |

A key that is given twice is an error. Anchors, aliases and merge keys (`<<: *name`) work.

`--set PATH=VALUE` of `baonet run`, `check` and `dtb` gives a field in place of what the file says, and a study does so
for each of its runs. A path has the keys on the way, and for an item of a list its number or its name: `clock.window`,
`vms.0.cpus`,
`vms[linux].command_line`, `platform.costs.hypercall`. A value is YAML; a whole list or mapping can be given too. What
is not in the file yet is added. The result is checked as if the file said so.

Any value but a mapping can be given for each architecture, and that of the platform's is taken:
`image: {path: {@by_architecture@}}`.
So one file is of several platforms: with `baonet run FILE --set platform=@another@` the other one is loaded.
Where a key has nothing for the architecture it is as if it were not there, and an override sets nothing. What lies
elsewhere on each platform need not be said: without `base` the memory of a VM begins where the RAM of the platform
does, and `devices: [uart0]` is a device of the platform, wherever that has it.

Guest addresses are those that a guest sees (@seen@), physical addresses those of the platform. Guest addresses have @n@
bits, @width@.
"""

_PLACEMENT = """\
## What is placed where

The segments of an ELF file go to their physical addresses (`p_paddr`), a raw binary to `base`. @Image@
that is compressed with gzip, or an EFI zboot image (a distribution's `vmlinuz`) with gzip, xz or lzma inside, is
unpacked (all members of a gzip file); other wrappings (uImage, FIT, lz4, ...) are told with what to do. An initrd or a
device tree without `base` goes as high as it fits in the memory region that holds the entry point: first the device
tree, to the start of the highest 2 MiB block that is free (into less only where there is none), then the initrd. The
memory right after the image, where a guest may have its heap, is taken last. For @image@ the whole
`image_size` of its header is kept free, not the length of the file alone.

A generated device tree has the CPUs, what its architecture has (@tree@), the memory, every UART that the VM
maps (the first is `serial0`), a `bao,ipcshmem` node for each of `ipcs`, and /chosen. The two channels of a shared
memory object are its halves, of its first 4 GiB if it has more; of the VMs that have it, the first writes the upper
one, the others write the lower one.
"""


_NODES = """\
## Several nodes

When several nodes run a machine, `placement` says which VM runs on which. [Distributed](distributed.md) tells what it
costs when a VM, or VMs that share something, are on several.

| `placement` | meaning |
|---|---|
| `pack` | whole VMs; VMs that share memory or a device are on one node where it has enough cores for them |
| `spread` | the vCPUs of each VM on all nodes in turn |
| `{linux: 0, rtos: 1}` | these VMs on these nodes; VMs that are not named are packed |
| `{linux: [0, 0, host-b, host-b]}` | a node for each vCPU |

A node is its number, from 0 in the order of `--on`, or its name as `--on` gives it: `host-b:7000`, or `host-b` where no
other node has that host. `baonet check FILE --on WHERE` tells who runs where and warns of what is split.
"""


def page() -> str:
    """The whole page, in Markdown."""
    parts = [_filled(_INTRODUCTION)]
    physical = _models(PlatformModel)
    parts += [_section(model) for model in _models(MachineModel) if model not in physical]
    parts += [_filled(_PLACEMENT), _NODES, _platforms()]
    parts += [_section(model) for model in physical]
    parts += [memory_reference.section(), hypervisor_reference.section()]
    parts += [_foreign([*(model for model in _models(MachineModel) if model not in physical), *physical])]
    return "\n".join(parts)


def _filled(text: str) -> str:
    """With what the architectures say in place of the words between two @."""
    image = " or ".join(each.guests.image.replace("Image", "`Image`") for each in ARCHITECTURES.values())
    names = {
        "interrupt": said(lambda words: words.interrupt, " or "),
        "numbers": said(lambda words: words.numbers),
        "ic": said(lambda words: words.controller_compared, ", "),
        "tree": said(lambda words: words.tree_tells),
        "seen": said(lambda words: words.guest_addresses, ", "),
        "n": " or ".join(dict.fromkeys(str(each.address_limit.bit_length() - 1) for each in ARCHITECTURES.values())),
        "width": said(lambda words: words.address_width, " or "),
        "by_architecture": ", ".join(f"{name}: bin-{name}/guest.elf" for name in ARCHITECTURES),
        "another": next(name for each in list(ARCHITECTURES.values())[1:] for name in each.platforms),
        "image": image,
        "Image": image[0].upper() + image[1:],
    }
    return "\n\n".join(_paragraph(each, names) for each in text.split("\n\n"))


def _paragraph(text: str, names: Mapping[str, str]) -> str:
    """With these words, in lines of the page's width if they have changed it and it is no table."""
    filled = text
    for name, meant in names.items():
        filled = filled.replace(f"@{name}@", meant)
    if filled == text or text.startswith(("|", "```")):
        return filled
    end = "\n" if text.endswith("\n") else ""
    return textwrap.fill(filled, _WIDTH, break_long_words=False, break_on_hyphens=False) + end


def _foreign(models: list[type[Model]]) -> str:
    """What others call the fields, as the hints of ``check`` say it."""
    lines = ["## Names of config.c", "", "Names that are not here are the same in both.", ""]
    lines += ["| in `config.c` | of a | here |", "|---|---|---|"]
    for model in models:
        for name, meant in model.foreign.items():
            if meant.ours:
                continue
            said = f"{meant.hint[0].upper()}{meant.hint[1:]}." if meant.hint else f"`{meant.key}`"
            lines.append(f"| `{name}` | {title(model)} | {said} |")
    return "\n".join([*lines, ""])


def _models(model: type[Model]) -> list[type[Model]]:
    """A model and those that its fields lead to, in the order of the fields."""
    found = [model]
    for each in described(model):
        for inner in _mapped(each.metadata["kind"]):
            found += [further for further in _models(inner) if further not in found]
    return found


def _mapped(kind: ValueKind[Any]) -> Iterator[type[Model]]:
    if isinstance(kind, ListOf):
        yield from _mapped(kind.item)
    elif isinstance(kind, MappingOf):
        yield kind.model
    elif isinstance(kind, OneOf):
        yield from dict.fromkeys(kind.models.values())


def _section(model: type[Model]) -> str:
    lines = [
        f"## {title(model)}",
        "",
        cleandoc(model.__doc__ or ""),
        "",
        "| field | value | default | meaning |",
        "|---|---|---|---|",
    ]
    lines += [_row(each) for each in described(model)]
    return "\n".join([*lines, ""])


def _row(each: Field[Any]) -> str:
    return f"| `{key_of(each)}` | {each.metadata['kind'].text} | {_default(each)} | {each.metadata['text']} |"


def _default(each: Field[Any]) -> str:
    value: object = each.default
    kind = each.metadata["kind"]
    if is_required(each):
        return "required"
    if isinstance(kind, Quantity) and kind.human is human_duration and isinstance(value, int):
        return f"`{human_duration(value)}`"
    if value is None or value == "" or (value == 0 and value is not False):
        return ""
    if isinstance(value, tuple):
        return f"`[{', '.join(str(item) for item in value)}]`"
    if isinstance(value, int) and kind.text == "size":
        return f"`{human(value)}`"
    return f"`{value}`"


def _platforms() -> str:
    lines = ["## Built-in platforms", ""]
    for name, platform in builtin().items():
        ram = ", ".join(f"{human(bank.size)} at {bank.base:#x}" for bank in platform.ram)
        devices = ", ".join(f"`{d.name}` ({d.kind}) at {d.pa:#x}, interrupt {d.interrupt}" for d in platform.devices)
        lines += [
            f"### `{name}`",
            "",
            description(name),
            "",
            f"RAM: {ram}. {of(platform).in_short(platform)}. Devices: {devices}. Timer: {platform.timer_frequency} Hz.",
            "",
        ]
    lines += [
        "Any field can be changed in place: `platform: {extends: qemu-aarch64-virt, cpus: 8}`.",
        "",
        "### Costs of the built-in platforms",
        "",
        *(each.costs.page for each in ARCHITECTURES.values()),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")
