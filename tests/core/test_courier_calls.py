"""A courier misses no call, though the socket for calls may have no room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PROCESS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FETCH = """
import os, struct, sys, threading
from baonet.core import _node
from tests.core.test_courier_peers import ASK, GET, LOG, PAGE, PAGES_COME, RAM, Peer
other = Peer(0, begins=False)
struct.pack_into("=QHH", other.entries, 16 * 3, 0, 3, 2)  # page 3 is its pcpu 2's, and on node 1
os.set_blocking(other.caller.fileno(), False)
try:
    while True:
        os.write(other.caller.fileno(), b"\\x09\\x00")  # of no pcpu
except BlockingIOError:
    pass
os.set_blocking(other.caller.fileno(), True)
threading.Thread(target=_node.fetch, args=(other.ledger, 0, other.entries, RAM, 3), daemon=True).start()
other.courier.begin()
assert other.hear() == (GET, ASK.pack(3, RAM, 1))
other.close()
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc here")
def test_who_finds_no_room_just_as_the_courier_makes_some_is_heard(tmp_path: Path) -> None:
    late = tmp_path / "late.so"
    subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", late, HERE / "late.c"], check=True)
    loaded = [each for each in (os.environ.get("LD_PRELOAD"), str(late)) if each]
    done = subprocess.run(
        [sys.executable, "-c", FETCH],
        env={**os.environ, "LD_PRELOAD": " ".join(loaded)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PROCESS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
