"""How a device tree tells of the UARTs that a platform can have, by their kind.

Bindings are those of Linux (Documentation/devicetree/bindings/serial): pl011.yaml and 8250.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, final

from baonet.machine.dataclass import dataclass


@final
@dataclass(frozen=True, slots=True)
class UartBinding:
    """``name``: what people call it. ``console``: what Linux calls its terminal, before the number.

    ``compatible``: the first is what it is known by.

    ``clocks``: those that Linux wants to have by these names; with none it wants ``frequency``, in Hz, in the node.
    """

    name: str
    console: str
    compatible: tuple[str, ...]
    frequency: int
    clocks: tuple[str, ...] = ()


BINDINGS: Final[Mapping[str, UartBinding]] = MappingProxyType(
    {
        "pl011": UartBinding("PL011", "ttyAMA", ("arm,pl011", "arm,primecell"), 24_000_000, ("uartclk", "apb_pclk")),
        "16550": UartBinding("16550", "ttyS", ("ns16550a",), 3_686_400),
    }
)
"""By ``PlatformDevice.kind``."""
_COMPATIBLE: Final = {each.compatible[0]: each for each in BINDINGS.values()} | {"ns16550": BINDINGS["16550"]}


def told(compatible: list[str]) -> UartBinding | None:
    """The one that a node is of."""
    return next((_COMPATIBLE[word] for word in compatible if word in _COMPATIBLE), None)
