"""Device trees of RISC-V behind the protocol of ``baonet.config.architecture``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, final

from baonet.config.riscv import given_tree, tree


@final
class RiscvTrees:
    controllers: Collection[str] = (*tree.CONTROLLERS, tree.HART_CONTROLLER)
    describe = staticmethod(tree.describe)
    cells = staticmethod(tree.cells)
    told_interrupts = staticmethod(tree.told_sources)
    disagreements = staticmethod(given_tree.disagreements)
    loose_ends = staticmethod(given_tree.starting)


TREES: Final = RiscvTrees()
