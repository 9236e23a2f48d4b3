"""A courier misses no call, though the socket for calls may have no room; who waits for one that has ended hears so."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from baonet.core import _node
from tests.core.test_courier_peers import ASK, GET, RAM, Peer
from tests.patience import ANSWER, PROCESS

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

CONDUCT = """
import struct, sys, threading
from baonet.core import _memsys, _node
from baonet.core.armv8.engine import native
from tests.core.test_courier_peers import Peer
NEVER, WINDOW = 1 << 62, 1000
here = Peer(0)
numbers = [_memsys.CORTEX_A53[name] for name in _node.MEMORY_PARAMETERS]
shape = struct.pack(f"@{len(numbers)}I16QIIQ", *numbers, *[0] * 16, 0, 4, WINDOW)
cluster = bytearray(_node.cluster_size(shape))
rounds = native.Rounds(((0, 0), (2, 2)), WINDOW, 100, 1, here.ledger, ((cluster, shape, 0, (0, 0, 0, 0)),))
done = rounds.go(5 * WINDOW)
assert done == -1, done  # the other nodes have been told
if "meanwhile" in sys.argv:
    threading.Timer(0.2, here.courier.close, [here.caller.fileno()]).start()
else:
    here.close()
try:
    for edge in range(6, 1_000_000):
        rounds.go(edge * WINDOW)
except ConnectionError as error:
    print(error)
"""


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_who_waits_for_a_courier_that_has_ended_hears_of_it(when: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CONDUCT, when], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "the node's courier has ended" in done.stdout


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_who_waits_for_a_page_when_the_courier_has_ended_hears_of_it(when: str) -> None:
    node = Peer(0)
    struct.pack_into("=QHH", node.entries, 16 * 3, 0, 3, 2)  # page 3 is pcpu 2's, and on node 1
    with ThreadPoolExecutor(1) as pool:
        if when == "before":
            node.close()
        fetched = pool.submit(_node.fetch, node.ledger, 0, node.entries, RAM, 3)
        if when == "meanwhile":
            assert node.hear() == (GET, ASK.pack(3, RAM, 1))
            node.close()
        with pytest.raises(ConnectionError, match="the node's courier has ended: nobody brings page 3"):
            fetched.result(ANSWER)


DESERTED = """
import struct, sys
from tests.core import virtual
from tests.core.owners import Owners
from tests.core.test_courier_peers import Peer
free = sys.argv[1] == "host"
node, owners = Peer(0, free=free), Owners()
node.close()
owners.ledger = node.ledger
struct.pack_into("=QHH", owners._entries, 0, 0, 3, 2)  # the page of its code
virtual.core(virtual.LOOP, owners=owners, hz=0 if free else virtual.HZ).run(1000)
"""


@pytest.mark.parametrize("clock", ["virtual", "host"])
def test_a_core_that_needs_a_page_when_the_courier_has_ended_ends(clock: str) -> None:
    """Amid an instruction nothing else can be done."""
    done = subprocess.run(
        [sys.executable, "-c", DESERTED, clock], cwd=ROOT, capture_output=True, text=True, timeout=PROCESS, check=False
    )
    assert done.returncode == -signal.SIGABRT
    assert "baonet: the node's courier has ended\n" in done.stderr


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
