"""What couriers of nodes say to each other."""

from __future__ import annotations

from baonet.core import _node

FRAMES = {name: number for number, name in enumerate(_node.FRAMES)}
"""The number of each kind, by its name."""
