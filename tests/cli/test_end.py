"""How the process of a command ends."""

from __future__ import annotations

import subprocess
import sys


def test_the_end_looks_for_no_garbage() -> None:
    """It would look through all that there is, more than once: 0.04 s of each command."""
    code = "import atexit, gc; atexit.register(lambda: print('frozen', gc.get_freeze_count() > 0)); "
    code += "from baonet.cli.main import main; main(['platforms'])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.endswith("frozen True\n")
    assert not ended.stderr
