"""Device trees of Armv8-A behind the protocol of ``baonet.config.architecture``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, final

from baonet.config.armv8 import given_tree, tree


@final
class Armv8Trees:
    controllers: Collection[str] = given_tree.GICS
    describe = staticmethod(tree.describe)
    cells = staticmethod(tree.cells)
    told_interrupts = staticmethod(tree.intids)
    disagreements = staticmethod(given_tree.disagreements)
    loose_ends = staticmethod(given_tree.starting)


TREES: Final = Armv8Trees()
