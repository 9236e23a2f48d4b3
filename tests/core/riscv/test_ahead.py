"""What a hart is made of can be made before its process is forked."""

from __future__ import annotations

import os
import resource

from baonet.core.riscv.engine import native
from baonet.core.riscv.wing import _MODEL
from tests.core.riscv.bench import Memory, core_of


def faults() -> int:
    """Of a process that makes a hart."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        core_of(Memory(1))
        os.write(writer, str(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as end:
        said = end.read()
    os.waitpid(child, 0)
    return int(said)


def test_the_first_hart_of_a_process_is_one_that_was_made_ahead() -> None:
    core_of(Memory(1))  # with what is made once
    native.make_ahead(_MODEL - 1)  # of another model, which is of no use
    plain = faults()
    native.make_ahead(_MODEL)
    assert faults() < plain - 100
