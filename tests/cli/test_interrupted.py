"""Ctrl-C in the first and the last moments of a command: it ends, and in one line at most."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.patience import PROCESS

ROOT = Path(__file__).parents[2]
MODULE, COMMAND = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["baonet"].split(":")
SCRIPT = f"from {MODULE} import {COMMAND}; sys.exit({COMMAND}())"
FORKED = """
import _signal, os, runpy, sys
_signal.signal(_signal.SIGINT, _signal.default_int_handler)
{before}
for left in range(20):
    if os.fork() == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.argv[:] = ["baonet", "platforms"]
        class Moments:
            @classmethod
            def come(cls, *_):
                if not cls.left:
                    os.kill(os.getpid(), _signal.SIGINT)
                cls.left -= 1
        Moments.left = left
        {start}
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""
"""Processes that are interrupted a moment later each."""
LOADS = """class Finder(Moments):
            @classmethod
            def find_spec(cls, name, path=None, target=None):
                if name not in ("baonet", "baonet.__main__"):  # before them nothing of ours has run
                    cls.come()
        sys.meta_path.insert(0, Finder)
        {way}"""
ENDS = """def ended(*given):
            status = execute(*given)
            sys.setprofile(Moments.come)
            return status
        commands._execute = ended
        {way}"""


def interrupted(start: str, before: str = "") -> list[int]:
    """How each of them ends."""
    code = FORKED.format(before=before, start=start)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PROCESS, check=False
    )
    assert set(done.stderr.splitlines()) <= {"baonet: ended by SIGINT"}, done.stderr
    return [int(line) for line in done.stdout.split()]


@pytest.mark.parametrize(
    "way",
    [SCRIPT, "runpy.run_module('baonet', run_name='__main__', alter_sys=True)"],
    ids=["baonet", "python -m baonet"],
)
def test_while_it_loads_modules(way: str) -> None:
    """Whichever is looked for: first without a word."""
    ends = interrupted(LOADS.format(way=way))
    silent = ends.index(130)
    assert ends == [-signal.SIGINT] * silent + [130] * (20 - silent)


def test_while_it_ends() -> None:
    """Wherever it calls something, or returns, until the host has the process."""
    loaded = "import baonet.cli.platforms; from baonet.cli import commands; execute = commands._execute"
    ends = interrupted(ENDS.format(way=SCRIPT), loaded)
    in_time = ends.index(0)
    assert in_time > 5
    assert ends == [130] * in_time + [0] * (20 - in_time)
