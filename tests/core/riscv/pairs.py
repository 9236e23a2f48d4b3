"""Two harts in two processes on one memory, as the self-test has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import pytest

from baonet.core import _node
from baonet.core.riscv.testbed import RiscvShared, RiscvSide

Result = TypeVar("Result")
needs_two = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU: two harts never run at the same time")


def both(run: Callable[[RiscvSide], Result]) -> Result:
    """What side 0 comes to; ``run`` is called on both at the same time."""
    shared, parent, affinity = RiscvShared(), os.getpid(), os.sched_getaffinity(0)
    child = os.fork()
    if not child:
        status = 1
        try:
            _node.die_with_parent(parent)
            run(RiscvSide(shared, 1))
            status = 0
        finally:
            os._exit(status)
    try:
        return run(RiscvSide(shared, 0))
    finally:
        os.sched_setaffinity(0, affinity)
        assert os.waitpid(child, 0)[1] == 0
