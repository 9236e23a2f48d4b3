"""What Bao's configurations call the fields of ``arch.irqc``: ``plic.base``, ``aia.aplic.base``, ``aia.imsic.base``."""

from __future__ import annotations

from types import MappingProxyType

from baonet.document.models import Foreign

IRQC = MappingProxyType(
    {
        "aia": Foreign(hint="its parts stand right here: 'irqc: {aplic: ..., imsic: ...}', each an address"),
        "base": Foreign(hint="say of what: 'plic: ...', or 'aplic: ...' and 'imsic: ...'"),
    }
)
PLATFORM_IRQC = MappingProxyType(
    {
        **IRQC,
        "num_msis": Foreign("identities"),
        "num_guest_files": Foreign("guest_files"),
    }
)
