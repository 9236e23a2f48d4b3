"""What couriers of nodes say to each other, by the numbers that the engine's header has."""

from __future__ import annotations

import re
from pathlib import Path

_HEADER = Path(__file__).parents[2] / "baonet" / "core" / "native" / "node" / "courier.h"
_KINDS = re.search(r"enum frame_kind \{(.*?)\}", _HEADER.read_text(), re.DOTALL)
assert _KINDS is not None

FRAMES = {name: number for number, name in enumerate(re.findall(r"FRAME_([A-Z]+)\b", _KINDS[1]))}
"""By its name there, without `FRAME_`."""
