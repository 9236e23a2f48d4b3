"""Where a vCPU stands among those of its VM: the affinity fields of MPIDR_EL1 (Arm DDI 0487, D19.2).

Bao numbers the vCPUs of a VM in Aff0 alone. The target list of an SGI (ICC_SGI1R_EL1, Arm IHI 0069, 12.2.19) names 16
values of Aff0, so under Bao vCPU 16 and those after it get none. Here every 16 vCPUs are a cluster, as in the machines
that guests know: Aff1 is the cluster, Aff0 the place in it. Up to 16 vCPUs these are Bao's own numbers.
"""

from __future__ import annotations

from typing import Final

CLUSTER: Final = 16
"""vCPUs that a target list reaches."""

_AFF1_SHIFT = 8
_AFF0 = 0xFF


def affinity(vcpu: int) -> int:
    """Aff2, Aff1, Aff0 in bits 23:0 of a vcpu."""
    return vcpu // CLUSTER << _AFF1_SHIFT | vcpu % CLUSTER


def vcpu_at(place: int, vcpus: int) -> int | None:
    """Which of a VM's ``vcpus`` has this affinity, if any has."""
    aff0 = place & _AFF0
    vcpu = (place >> _AFF1_SHIFT) * CLUSTER + aff0
    return vcpu if aff0 < CLUSTER and vcpu < vcpus else None
