"""What is tested of a core is tested of one that is saved and made anew before its stays as well."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.core import travelling as travel

TRAVELLING = {
    *(
        "aarch32",
        "aborts",
        "alignment",
        "bus",
        "debug",
        "exceptions",
        "exits",
        "interface",
        "ns16550",
        "pl011",
        "pmu",
        "repeatable",
    ),
    *("restart", "storm", "timer", "virtual_time"),
}
"""Not those that look at translations or at the module, and not those that take long."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.removeprefix("tests.core.test_") in TRAVELLING:
        travels = pytest.param(True, marks=pytest.mark.slow, id="travels")
        stays = pytest.param(False, id="stays")
        metafunc.parametrize("travelling", [stays, travels], indirect=True, scope="module")


@pytest.fixture(scope="module", autouse=True)
def travelling(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if getattr(request, "param", False):
            native = request.getfixturevalue("native")
            patch.setattr(native, "Core", travel.travelling(native.Core))
        yield


@pytest.fixture(scope="module")
def native() -> ModuleType:
    """The engine of this process: not before it is used, since there can be no other then."""
    from baonet.core.armv8 import engine  # noqa: PLC0415

    return engine.native
