"""What the host computes for a guest is bit by bit what the library computes, with all that it tells of it."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import hardfloat, virtual
from tests.core.hardfloat import Comparison, Function
from tests.core.virtual import HVC, HZ, ISB, write

ENGINE = Path(native.__file__ or "")
FUNCTIONS = list(hardfloat.functions(ENGINE))

pytestmark = pytest.mark.skipif(hardfloat.COMPILER is None, reason="no C compiler")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    made = hardfloat.compiled(tmp_path_factory.mktemp("hardfloat"))
    return Comparison(made, ctypes.CDLL(str(ENGINE)), "aarch64")


def test_there_are_functions() -> None:
    assert len(FUNCTIONS) > 40


def test_thousands_of_operands(compared: Comparison) -> None:
    for function in FUNCTIONS:
        compared.check(function, 20_000, 1)


def test_a_host_that_cannot_fuse(tmp_path: Path) -> None:
    without = hardfloat.of_a_host_that_cannot_fuse(tmp_path, "armv8")
    for function in FUNCTIONS:
        if function.shape == hardfloat.FUSED:
            Comparison(without, without, "aarch64").check(function, 20_000, 1)


@pytest.mark.slow
def test_a_million_operands(compared: Comparison) -> None:
    for function in FUNCTIONS:
        compared.check(function, 1_000_000, 2)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_hundred_million_operands(compared: Comparison, function: Function) -> None:
    compared.check(function, 100_000_000, 3)


UP_AND_FLUSHING = 0x1F80 | 0x4000 | 0x8040  # MXCSR
TO_D0, TO_D1, DIVIDE, FROM_D2 = 0x9E67_0000, 0x9E67_0021, 0x1E61_1802, 0x9E66_0043


@pytest.fixture
def odd_rounding(compared: Comparison) -> Iterator[None]:
    """Of this thread, as a library in the process may have chosen it."""
    was = compared.made.host_rounding()
    compared.made.set_host_rounding(UP_AND_FLUSHING)
    yield
    after = compared.made.host_rounding()
    compared.made.set_host_rounding(was)
    assert after & 0xFFC0 == UP_AND_FLUSHING


@pytest.mark.usefixtures("odd_rounding")
@pytest.mark.parametrize("hz", [0, HZ], ids=["host", "virtual"])
def test_a_guest_rounds_as_it_says_and_not_as_its_host(hz: int) -> None:
    """The second division finds the inexact flag of the first."""
    core = virtual.core(write((3, 0, 1, 0, 2), 2), ISB, TO_D0, TO_D1, DIVIDE, DIVIDE, FROM_D2, HVC, hz=hz)
    core.x[0], core.x[1], core.x[2] = 0x3FF0 << 48, 0x4008 << 48, 3 << 20
    stay = core.run_until(core.time + 1_000_000) if hz else core.run(1_000)
    assert Exit(stay) == Exit.HVC
    assert hex(core.x[3]) == "0x3fd5555555555555"
