"""What starts nodes, what is run there, and a node whose standard input somebody holds."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.cluster import attached, route, slurm, ssh
from baonet.cluster.starter import Starter, end_all, node_command, node_words
from baonet.cluster.terms import ClusterError
from tests.patience import ANSWER

HEX = st.binary(min_size=1, max_size=16).map(bytes.hex)


@given(st.lists(HEX, min_size=1, max_size=8), st.integers(0, 9))
def test_a_node_takes_the_ticket_of_its_number(tickets: list[str], number: int) -> None:
    found = attached.ticket(",".join(tickets) + "\n", {slurm.NODE_ID: str(number)})
    if len(tickets) == 1:
        assert found == bytes.fromhex(tickets[0])
    else:
        assert found == (bytes.fromhex(tickets[number]) if number < len(tickets) else None)


@given(st.text())
def test_what_is_no_ticket_is_none(text: str) -> None:
    found = attached.ticket(text, {slurm.NODE_ID: "0"})
    assert found is None or bytes.fromhex(text.split(",", maxsplit=1)[0]) == found


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("host", ["host"]),
        ("me@host:2222", ["-p", "2222", "-l", "me", "host"]),
        ("me@[fd00::1]:22", ["-p", "22", "-l", "me", "fd00::1"]),
        ("[fd00::1]", ["fd00::1"]),
    ],
)
def test_a_host_in_words_of_ssh(name: str, words: list[str]) -> None:
    assert ssh.destination(name) == words


def test_the_lead_is_called_at_an_address_that_other_hosts_reach() -> None:
    assert route.here(["127.0.0.1"]) == "127.0.0.1"
    assert route.place("10.0.0.1", 7) == "10.0.0.1:7"
    assert route.place("fd00::1", 7) == "[fd00::1]:7"
    with pytest.raises(ClusterError, match="--lead-address"):
        route.here(["no-such-host.invalid"])


def test_the_command_of_a_host_is_that_of_this_path_or_the_one_that_is_found(tmp_path: Path) -> None:
    """A shell takes it apart, as that of an account does."""
    there = tmp_path / "baonet"
    there.write_text('#!/bin/sh\necho found "$@"\n')
    there.chmod(0o755)
    words = node_command(None, node_words("lead:1", insecure=False))
    script = words[2]
    here = script.split("[ -x ")[1].split(" ]")[0]
    assert Path(shlex.split(here)[0]).exists()
    words[2] = script.replace(here, "/nowhere/baonet")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", shlex.join(words)], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "found node --join lead:1 --attached\n"
    given = node_command(f"A=1 {shlex.quote(str(there))} 'two words'", node_words("lead:1", insecure=True))
    done = subprocess.run(["sh", "-c", shlex.join(given)], capture_output=True, text=True, check=True)
    assert done.stdout == "found two words node --join lead:1 --attached --insecure\n"


def test_a_starter_that_does_not_end_is_ended() -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(1000)"
    )
    starter = Starter("python", [sys.executable, "-c", code])
    while not starter.words:
        pass
    end_all([starter], 0.1)
    assert starter.ended == "was ended by SIGKILL"


def test_a_starter_that_is_not_there() -> None:
    with pytest.raises(ClusterError, match="there is no 'no-such-program' on this host, which is to start the nodes"):
        Starter("ssh", ["no-such-program"])


def test_slurm_says_how_many_hosts_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert slurm.count(3) == 3
    with pytest.raises(ClusterError, match="write slurm:N for one of N hosts"):
        slurm.count(None)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_JOB_NUM_NODES", "2")
    assert (slurm.count(None), slurm.count(1)) == (2, 1)
    with pytest.raises(ClusterError, match="this allocation has 2"):
        slurm.count(3)


ATTACHED = """
import os, sys, time
from baonet.cluster.attached import attached, first_line
line = first_line()
def live():
    print(line, os.getpid(), flush=True)
    {0}
    return 5
sys.exit(attached(live))
"""


def _attached(then: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ATTACHED.format(then)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_a_node_has_the_status_of_what_it_does() -> None:
    with _attached("pass") as node:
        assert node.stdin is not None
        node.stdin.write("ticket\n")
        node.stdin.flush()
        assert node.wait(ANSWER) == 5


@pytest.mark.parametrize("how", ["end of input", signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_node_whose_holder_has_gone(how: str | signal.Signals) -> None:
    with _attached("time.sleep(1000)") as node:
        assert node.stdin is not None
        assert node.stdout is not None
        node.stdin.write("ticket\nand more that nobody reads\n")
        node.stdin.flush()
        line, pid = node.stdout.readline().split()
        assert line == "ticket"
        if isinstance(how, str):
            node.stdin.close()
        else:
            node.send_signal(how)
        assert node.wait(ANSWER) == (128 + signal.SIGKILL if isinstance(how, str) else -how)
        end = time.monotonic() + ANSWER
        while not _gone(int(pid)):
            assert time.monotonic() < end
