"""These tests have the RISC-V engine in their process, and so no other."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.apart import apart

pytest_pycollect_makemodule = apart

TRAVELLING = {
    "cbo",
    "count",
    "traps",
    "csrs",
    "interrupts",
    "translation",
    "exits",
    "ownership",
    "storm",
    "virtual_time",
}
"""As of Armv8 (``tests.core.conftest``)."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.removeprefix("tests.core.riscv.test_") in TRAVELLING:
        travels = pytest.param(True, marks=pytest.mark.slow, id="travels")
        stays = pytest.param(False, id="stays")
        metafunc.parametrize("travelling", [stays, travels], indirect=True, scope="module")


@pytest.fixture(scope="module")
def native() -> ModuleType:
    from baonet.core.riscv import engine  # noqa: PLC0415 - the first to use it loads it

    return engine.native
