"""What Bao's configurations call the fields of a GIC."""

from __future__ import annotations

from types import MappingProxyType

from baonet.document.models import Foreign

GIC = MappingProxyType(
    {
        "gicd_addr": Foreign("gicd"),
        "gicc_addr": Foreign("gicc"),
        "gicr_addr": Foreign("gicr"),
        "interrupt_num": Foreign("interrupts"),
    }
)
PLATFORM_GIC = MappingProxyType({**GIC, "maintenance_id": Foreign("maintenance")})
