"""The plugin itself: fixtures, and what a failed test shows of the machines that it ran.

It is loaded in every run of pytest where baonet is installed: it imports nothing more before a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from baonet.testing.blocking import BlockingRuns
    from baonet.testing.runs import Runs

_RUNS: pytest.StashKey[list[Any]] = pytest.StashKey()
_NOT_TRIO = (
    "baonet_run is for tests that pytest-trio runs: install it, write async def, and have trio_mode = true in pytest's "
    "configuration or @pytest.mark.trio at the test. Tests without async have baonet_run_blocking."
)


@pytest.fixture
async def baonet_run(request: pytest.FixtureRequest) -> Any:
    """Opens runs that end with the test: ``run = await baonet_run("machine.yaml", set={...}, placement=...)``.

    Takes what ``baonet.load`` and ``baonet.open_run`` take. Without ``timeout`` a machine ends after 60 s of the host's
    time. A relative path is first looked for beside the test, then from pytest's root directory. For Trio
    (``pytest-trio``).
    """
    from baonet.testing.runs import Runs  # noqa: PLC0415 - see above

    async with Runs(request.path.parent, request.config.rootpath) as runs:
        _keep(request, runs)
        yield runs.open


@pytest.fixture
def baonet_run_blocking(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The same without async: ``run = baonet_run_blocking("machine.yaml")``, ``run.console("vm").wait_for("text")``."""
    from baonet.testing.blocking import BlockingRuns  # noqa: PLC0415 - see above

    with BlockingRuns(request.path.parent, request.config.rootpath) as runs:
        _keep(request, runs)
        yield runs.open


def _keep(request: pytest.FixtureRequest, runs: Runs | BlockingRuns) -> None:
    request.node.stash.setdefault(_RUNS, []).append(runs)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without who runs its fixture a test would fail deep inside pytest, or be passed a generator."""
    runs = any(
        item.config.pluginmanager.has_plugin(plugin) and item.get_closest_marker(mark) is not None
        for plugin, mark in (("trio", "trio"), ("anyio", "anyio"))
    )
    if "baonet_run" in getattr(item, "fixturenames", ()) and not runs:
        pytest.fail(_NOT_TRIO, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of a test that failed: what its machines did."""
    report = yield
    if report.failed:
        for runs in item.stash.get(_RUNS, []):
            report.sections += [(f"baonet {name}", text) for name, text in runs.told()]
    return report
