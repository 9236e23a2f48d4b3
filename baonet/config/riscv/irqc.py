"""The interrupt controller as a VM sees it, and as the platform has it: addresses, and the sizes of its windows.

A PLIC has what all contexts share in its first 2 MiB, and behind that a page for each context, of which a hart has two
(RISC-V PLIC specification, memory map). An APLIC has its registers in 16 KiB and, where it delivers itself, 32 bytes
for each hart behind them; an IMSIC is a page for each interrupt file (AIA, 4.5 and 3.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from baonet.config.architecture import AddressWindow
from baonet.config.ranges import align_up, unaligned
from baonet.config.riscv.models import IrqcModel
from baonet.document.errors import Problem
from baonet.machine import PAGE_SIZE
from baonet.machine.riscv import Aia, Plic

CONTEXTS: Final = 0x200000
ALIGNMENT: Final = 0x4000
APLIC_SIZE: Final = 0x4000
_CONTEXTS_OF_A_HART: Final = 2
_IDC: Final = 32


def plic_size(harts: int) -> int:
    return CONTEXTS + PAGE_SIZE * _CONTEXTS_OF_A_HART * harts


def aplic_size(aia: Aia, harts: int) -> int:
    return APLIC_SIZE + (align_up(_IDC * harts, PAGE_SIZE) if aia.imsic is None else 0)


def stride(guest_files: int) -> int:
    """From one physical hart's interrupt files to those of the next: its own and its guests', in a power of two."""
    return PAGE_SIZE << guest_files.bit_length()


def of_vm(model: IrqcModel | None, platform: Plic | Aia) -> Plic | Aia:
    """The platform's interrupt controller at the addresses that a VM's configuration gives."""
    if isinstance(platform, Plic):
        given = None if model is None else model.plic
        return Plic(platform.base if given is None else given, platform.sources, platform.priority_bits)
    aplic = platform.aplic if model is None or model.aplic is None else model.aplic
    imsic = platform.imsic if model is None or model.imsic is None or platform.imsic is None else model.imsic
    return Aia(aplic, imsic, platform.sources, platform.identities, platform.guest_files)


def windows(irqc: Plic | Aia, harts: int, distance: int = PAGE_SIZE) -> Iterator[AddressWindow]:
    """``distance``: from the interrupt file of one hart to that of the next."""
    if isinstance(irqc, Plic):
        yield AddressWindow("plic", irqc.base, irqc.base + plic_size(harts), "the PLIC", "PLIC")
        return
    yield AddressWindow("aplic", irqc.aplic, irqc.aplic + aplic_size(irqc, harts), "the APLIC", "APLIC")
    if irqc.imsic is not None:
        yield AddressWindow("imsic", irqc.imsic, irqc.imsic + distance * harts, "the IMSICs", "IMSICs")


def called(irqc: Plic | Aia) -> str:
    if isinstance(irqc, Plic):
        return "PLIC"
    return "APLIC in direct mode" if irqc.imsic is None else "AIA"


def article(irqc: Plic | Aia) -> str:
    """What it is called, with its article."""
    return f"a {called(irqc)}" if isinstance(irqc, Plic) else f"an {called(irqc)}"


def keys(irqc: Plic | Aia) -> tuple[str, ...]:
    """Those of its addresses."""
    if isinstance(irqc, Plic):
        return ("plic",)
    return ("aplic",) if irqc.imsic is None else ("aplic", "imsic")


def problems(model: IrqcModel, irqc: Plic | Aia) -> Iterator[Problem]:
    """With what is given of a VM's, which resolved is ``irqc``."""
    own = keys(irqc)
    for key in ("plic", "aplic", "imsic"):
        if key not in own and getattr(model, key) is not None:
            hint = f"give {' and '.join(own)}, or nothing"
            what = f"the platform's interrupt controller is {article(irqc)}: no {key}"
            yield model.node.at(key).key_problem(what, hint)
    for key in ("plic", "aplic"):
        yield from unaligned(model.node.at(key), getattr(model, key), ALIGNMENT)
    yield from unaligned(model.node.at("imsic"), model.imsic)
