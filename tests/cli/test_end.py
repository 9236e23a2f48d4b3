"""How the process of a command ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

ENDING = """
import atexit, os, sys
from baonet.cli import main
class Left:
    def __del__(self, write=os.write):
        write(1, b"taken apart\\n")
sys.left = Left()
if {before!r}:
    atexit.register(print, "as registered")
given, command = main._main, main.command
main._main = lambda *how: atexit.register(print, "done") and given(*how)
sys.argv[1:] = {arguments!r}
command()
"""


def ended(*arguments: str, before: bool = False) -> subprocess.CompletedProcess[str]:
    code = ENDING.format(arguments=list(arguments), before=before)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_the_interpreter_is_not_taken_apart() -> None:
    """It would free one by one what there is, and look through it for garbage: 0.04 s of each command."""
    done = ended("platforms")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("qemu-aarch64-virt")
    assert done.stdout.endswith("interrupt 10\ndone\n")


def test_what_was_registered_before_is_done() -> None:
    done = ended("platforms", before=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("done\nas registered\ntaken apart\n")


@pytest.mark.parametrize("arguments", [["nonsense"], ["check", "/nowhere.yaml"]])
def test_a_mistake_keeps_its_status_and_its_words(arguments: list[str]) -> None:
    done = ended(*arguments)
    assert (done.returncode, done.stdout) == (2, "done\n")
    assert done.stderr
