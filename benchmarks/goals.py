"""What is wanted, relative to QEMU in the same run.

Some goals are relative to Bao running on QEMU. Bao is no part of these benchmarks, so such a goal is turned into one
relative to QEMU alone by the two reference figures of that work. The reference figures were measured with Bao 2.0 of
July 2026 on QEMU 7.2 (Debian 12), `-cpu cortex-a53`, GICv3, on 2 cores of an EPYC host, medians of 5, the same binary
on both (LL/SC with 8 vCPUs configured on Bao and 2 used). The machine was busy: figures within 25 % are equal.

On RISC-V (Bao on QEMU 10.0.13) there are figures of Bao alone, so what is relative to them is a figure here.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.units import scaled


@dataclass(frozen=True, slots=True)
class Reference:
    """Figures of the reference measurement, in the unit of the work."""

    qemu: float
    bao: float


INT_LOOP = Reference(3280e6, 3550e6)
COPY = Reference(1210e6, 950e6)
HYPERCALL = Reference(11.2e6, 0.46e6)
GICD_READ = Reference(16.9e6, 0.40e6)
SGI = Reference(67_800, 37_600)
IPC = Reference(SGI.qemu, 30_200)
"""QEMU alone has no two VMs: its SGI ping-pong, the nearest work, stands for the speed of the machine."""
LLSC_2 = Reference(31e6, 45e6)
LINUX = {1: Reference(1.9, 3.4), 2: Reference(1.9, 5.2), 4: Reference(3.8, 8.4)}


RISCV_SBI_PROBE = 112e3
RISCV_IPI = 6.8e3
"""Of Bao."""


@dataclass(frozen=True, slots=True)
class Goal:
    """``bound`` for ours: a ratio to QEMU, or (``absolute``) a figure in the unit of the work."""

    text: str
    bound: float
    most: bool = False
    absolute: bool = False

    def met(self, ours: float, qemu: float | None) -> bool | None:
        """None: cannot be told without QEMU's figure."""
        if self.absolute:
            value = ours
        elif qemu:
            value = ours / qemu
        else:
            return None
        return value <= self.bound if self.most else value >= self.bound


def at_least_qemu(factor: float) -> Goal:
    return Goal(f">= {factor:g} x QEMU", factor)


def at_most_qemu(factor: float) -> Goal:
    return Goal(f"<= {factor:g} x QEMU", factor, most=True)


def at_least_bao(factor: float, reference: Reference) -> Goal:
    bound = factor * reference.bao / reference.qemu
    return Goal(f">= {bound:.2g} x QEMU ({factor:g} x Bao)", bound)


def at_most_bao(factor: float, reference: Reference) -> Goal:
    bound = factor * reference.bao / reference.qemu
    return Goal(f"<= {bound:.2f} x QEMU ({factor:g} x Bao)", bound, most=True)


def at_most(figure: float, unit: str) -> Goal:
    return Goal(f"<= {scaled(figure, unit)}", figure, most=True, absolute=True)


def at_least(figure: float, unit: str) -> Goal:
    return Goal(f">= {scaled(figure, unit)}", figure, absolute=True)
