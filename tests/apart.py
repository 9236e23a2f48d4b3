"""Tests of a machine of another architecture, in processes of their own: a process has one engine.

A directory whose ``conftest.py`` has ``pytest_pycollect_makemodule = apart`` is collected as its modules where pytest
is asked for nothing else. In other runs each module there is one test for each of its marks: a pytest of its own, which
the unmarked tests of several modules share.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.examples import WHOLE

_ALONE: Final = "BAONET_TESTS_APART"
_SHOWN: Final = 6000  # characters of what a pytest has to say that failed
_NOTHING_COLLECTED: Final = 5
_PATIENCE: Final = {"": 600, "slow": 1800, "guests": 3600, "long": 7200}
"""By marks: the seconds that all tests of a module may take together."""
_TOGETHER: Final = 10
"""Modules whose unmarked tests share a pytest: its start takes as long as the tests of most of them."""
_UNMARKED: Final = " and ".join(f"not {mark}" for mark in _PATIENCE if mark)


def apart(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """As the hook of this name: None lets pytest import the module here."""
    directory = module_path.parent
    wanted = [Path(parent.config.invocation_params.dir, each.split("::")[0]) for each in parent.config.args]
    if os.environ.get(_ALONE) or all(each.resolve().is_relative_to(directory) for each in wanted):
        return None
    return _Apart.from_parent(parent, path=module_path)


def together(items: list[pytest.Item]) -> None:
    """Makes one of the tests without a mark of as many modules of a directory as share a pytest; of those selected."""
    kept: list[pytest.Item] = []
    first: dict[Path, _Process] = {}
    for item in items:
        if isinstance(item, _Process) and item.name not in _PATIENCE:
            one = first.setdefault(item.path.parent, item)
            if one is not item and len(one.modules) < _TOGETHER:
                one.modules += item.modules
                continue
            first[item.path.parent] = item
        kept.append(item)
    items[:] = kept


class _Apart(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        text = self.path.read_text() + self.path.with_name("conftest.py").read_text()  # which may mark some, too
        for mark in _PATIENCE:
            if f"mark.{mark}" in text if mark else "pytestmark" not in text:
                item = _Process.from_parent(self, name=mark or "tests")
                item.add_marker(pytest.mark.timeout(_PATIENCE[mark]))
                if mark:
                    item.add_marker(mark)
                yield item


class _Process(pytest.Item):
    obj: object = None  # plugins look at it

    def __init__(self, **of_pytest: Any) -> None:
        super().__init__(**of_pytest)
        self.modules = [self.path]

    def runtest(self) -> None:
        marks = self.name if self.name in _PATIENCE else _UNMARKED
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:xdist",
                "--capture=sys",
                f"--hypothesis-profile={WHOLE}",
                "-m",
                marks,
                *self.modules,
            ],
            cwd=self.config.rootpath,
            env=os.environ | {_ALONE: "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, _NOTHING_COLLECTED):
            pytest.fail(f"{done.stdout[-_SHOWN:]}{done.stderr[-_SHOWN:]}", pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        modules = " ".join(module.stem for module in self.modules)
        return self.path, None, f"{modules} in a process apart: {self.name}"
