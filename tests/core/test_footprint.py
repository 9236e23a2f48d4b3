"""What memory a core takes, and that a guest with much code has what it needs all the same."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import virtual
from tests.core.bench import RAM
from tests.core.virtual import HVC, MAX

NEXT = 0x1400_0001  # b .+4: a block
BLOCKS = 30_000  # the library's table begins with room for 32768 with four in a bucket, ours with 2048


def private() -> int:
    """Bytes of this process that no other has."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def translated(core: native.Core) -> int:
    found = core.statistics()["blocks_translated"]
    assert isinstance(found, int)
    return found


def run(core: native.Core) -> int:
    """From the beginning, to the HVC. Returns how many blocks were translated."""
    before = translated(core)
    core.pc = RAM
    left = Exit.KICKED
    while left == Exit.KICKED:  # who asks the host for much is stopped now and then
        left = Exit(core.run_until(core.time + 1_000_000_000))
    assert left == Exit.HVC
    return translated(core) - before


def test_a_core_takes_little_memory() -> None:
    cores = [virtual.core(HVC)]  # with what is made once
    run(cores[0])
    before, many = private(), 8
    for _ in range(many):
        cores.append(virtual.core(HVC))
        run(cores[-1])
    assert private() - before < many * 1_300_000


@pytest.mark.parametrize("blocks", [100, BLOCKS])
def test_all_blocks_are_found_again_until_they_are_forgotten(blocks: int) -> None:
    core = virtual.core(*[NEXT] * blocks, HVC)
    assert [run(core), run(core)] == [blocks + 1, 0]
    core.reset(RAM, 0)
    assert [run(core), run(core)] == [blocks + 1, 0]


def test_to_reset_a_core_that_has_run_nothing_touches_little() -> None:
    core = virtual.core(HVC)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    core.reset(RAM, 0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 60  # the table of blocks has 128 pages


def in_a_process() -> list[int]:
    """Of the first core in it and of another: how many bytes it takes, and how many blocks are translated."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        found = []
        for _ in range(2):
            before = private()
            core = virtual.core(NEXT, HVC)
            found += [private() - before, run(core)]
        os.write(writer, " ".join(map(str, found)).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as end:
        said = end.read()
    os.waitpid(child, 0)
    return [int(each) for each in said.split()]


def test_the_first_core_of_a_process_is_one_that_was_made_ahead() -> None:
    run(virtual.core(NEXT, HVC))  # with what is made once
    native.make_ahead(0)  # of another model, which is of no use
    plain, translated_plain, *_ = in_a_process()
    native.make_ahead(MAX)
    ahead, translated_ahead, _, translated_another = in_a_process()
    assert translated_plain == translated_ahead == translated_another == 2
    assert ahead < plain - 300_000
    again, *_ = in_a_process()
    assert again < plain - 300_000
