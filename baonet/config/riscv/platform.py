"""What a user gives of a platform that is RISC-V's: filled in, and checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from baonet.config.architecture import MOST_CPUS, AddressWindow
from baonet.config.ranges import unaligned
from baonet.config.riscv import irqc
from baonet.config.riscv.models import PlatformIrqcModel, RiscvPlatformModel
from baonet.document.errors import Problem
from baonet.document.models import Model
from baonet.machine import PAGE_SIZE, Platform
from baonet.machine.dataclass import replace
from baonet.machine.riscv import Aia, Plic, RiscvPlatform

_EXAMPLE = "{plic: ...} or {aplic: ..., imsic: ...}"
_FILE = 64
"""Identities are counted in words of 64 bits, and identity 0 is none (AIA, 3.1)."""


def most_cpus(platform: Platform) -> int:
    return MOST_CPUS


def missing(part: Model, base: Platform | None, extend: str) -> Iterator[Problem]:
    model = RiscvPlatformModel.of(part)
    if base is not None:
        return
    if model.irqc is None:
        yield model.node.problem("'irqc' is missing", f"irqc: the interrupt controller, {_EXAMPLE}; {extend}")
    elif model.irqc.plic is None and model.irqc.aplic is None:
        yield model.irqc.node.problem("it is not clear what controller this is", f"write {_EXAMPLE}")


def merged(part: Model, base: Platform) -> Platform:
    """``base`` with everything that is given."""
    model = RiscvPlatformModel.of(part)
    own = RiscvPlatform.of(base)
    arch: dict[str, Any] = model.given("sstc")
    if model.irqc is not None:
        arch["irqc"] = _irqc(model.irqc, own.irqc)
    return replace(base, arch=replace(own, **arch))


def _irqc(model: PlatformIrqcModel, base: Plic | Aia) -> Plic | Aia:
    """Who names a controller says whether it has IMSICs; who names none changes the one that is there."""
    if model.plic is not None or (model.aplic is None and isinstance(base, Plic)):
        start = base if isinstance(base, Plic) else Plic(0, base.sources)
        given = model.given("sources", "priority_bits")
        return replace(start, base=start.base if model.plic is None else model.plic, **given)
    aia = base if isinstance(base, Aia) else Aia(0, None, base.sources)
    given = model.given("aplic", "sources", "identities", "guest_files")
    return replace(aia, imsic=aia.imsic if model.imsic is None and model.aplic is None else model.imsic, **given)


def problems(part: Model, platform: Platform) -> Iterator[Problem]:
    model = RiscvPlatformModel.of(part)
    if model.irqc is None:
        return
    node, own = model.irqc.node, RiscvPlatform.of(platform).irqc
    yield from _strange(model.irqc, own)
    yield from unaligned(node.at("plic"), model.irqc.plic, irqc.ALIGNMENT)
    yield from unaligned(node.at("aplic"), model.irqc.aplic, irqc.ALIGNMENT)
    if isinstance(own, Aia):
        yield from unaligned(node.at("imsic"), model.irqc.imsic, irqc.stride(own.guest_files))
        if (own.identities + 1) % _FILE:
            lower = own.identities // _FILE * _FILE - 1
            hint = f"use {lower + _FILE}" if lower < _FILE - 1 else f"use {lower} or {lower + _FILE}"
            message = f"{own.identities} is not one less than a multiple of {_FILE}"
            yield node.at("identities").problem(message, hint)


def _strange(model: PlatformIrqcModel, own: Plic | Aia) -> Iterator[Problem]:
    """What is given and no controller of this kind has: it would mean nothing."""
    if isinstance(own, Plic):
        more, other = {"priority_bits"}, "add 'aplic'" if model.plic is None else "remove 'plic'"
    elif own.imsic is None:
        more, other = set(), "add 'imsic'"
    else:
        more, other = {"identities", "guest_files"}, ""
    for key in ("plic", "aplic", "imsic", "priority_bits", "identities", "guest_files"):
        if key not in more.union(irqc.keys(own)) and getattr(model, key) is not None:
            hint = f"{other}, or remove it" if other and key != "priority_bits" else "remove it"
            yield model.node.at(key).key_problem(f"{irqc.article(own)} has no {key}", hint)


def windows(platform: Platform) -> Iterator[AddressWindow]:
    own = RiscvPlatform.of(platform).irqc
    distance = irqc.stride(own.guest_files) if isinstance(own, Aia) else PAGE_SIZE
    return irqc.windows(own, platform.cpus, distance)


def unconnected(platform: Platform, source: int) -> tuple[str, str] | None:
    """(what is wrong with a device's interrupt, what would be right)."""
    own = RiscvPlatform.of(platform).irqc
    if source <= own.sources:
        return None
    return f"the {irqc.called(own)} has no source {source}", f"its sources end at {own.sources}"


def brief(platform: Platform) -> str:
    return f"(rv64gc), {irqc.called(RiscvPlatform.of(platform).irqc)}"


def in_full(platform: Platform) -> Iterator[str]:
    arch = RiscvPlatform.of(platform)
    own = arch.irqc
    if isinstance(own, Plic):
        yield f"PLIC {own.base:#x}, {own.sources} sources, priorities of {own.priority_bits} bits"
    elif own.imsic is None:
        yield f"APLIC {own.aplic:#x} in direct mode, {own.sources} sources"
    else:
        yield f"APLIC {own.aplic:#x}, {own.sources} sources"
        files = "1 guest file" if own.guest_files == 1 else f"{own.guest_files} guest files"
        yield f"IMSICs {own.imsic:#x}, {own.identities} identities, {files} a hart"
    whose = "of the guest's own (Sstc)" if arch.sstc else "of the hypervisor, by SBI (no Sstc)"
    yield f"timer {platform.timer_frequency} Hz, {whose}"


def suspends(platform: Platform) -> str:
    return "HSM suspend has the default retentive type"


def in_short(platform: Platform) -> str:
    own = RiscvPlatform.of(platform).irqc
    if isinstance(own, Plic):
        return f"PLIC {own.base:#x}, {own.sources} sources"
    files = "in direct mode" if own.imsic is None else f"IMSICs {own.imsic:#x}"
    return f"APLIC {own.aplic:#x}, {files}, {own.sources} sources"
