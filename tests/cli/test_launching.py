"""``--lead-address`` and ``--remote-command``, and a node that a launcher starts: mistakes in what is written."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from baonet.cli.commands import parser
from baonet.cli.launching import launching
from baonet.cluster.terms import Launching
from tests.system.machine import baonet, vm, write


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], Launching()),
        (["--lead-address", "10.0.0.1"], Launching("10.0.0.1")),
        (["--lead-address", "lead.example:7471"], Launching("lead.example", 7471)),
        (["--lead-address", "[fd00::1]:7471"], Launching("fd00::1", 7471)),
        (["--remote-command", ". env; baonet"], Launching(command=". env; baonet")),
    ],
)
def test_how_the_lead_is_reached(words: list[str], found: Launching) -> None:
    assert launching(parser().parse_args(["run", "machine.yaml", "--on", "ssh:host", *words])) == found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--lead-address", "::1"], "--lead-address ::1: write an address of this host, or ADDRESS:PORT"),
        (["--lead-address", "a:70000"], "--lead-address a:70000: write an address of this host, or ADDRESS:PORT"),
        (["--remote-command", " "], "--remote-command is empty: write what is to be run there, as in /opt/baonet/"),
        (
            ["--on", "local:2", "--lead-address", "a"],
            "--lead-address is of nodes that a launcher starts: give --on ssh:HOST, slurm or ray with it",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    done = baonet("run", write(tmp_path, {"vms": [vm("hello")]}), "--on", "ssh:host", *words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"baonet run: {said}")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--attached"], "--attached: that is how a lead starts a node that calls it: give --join with it"),
        (
            ["--join", "127.0.0.1:1", "--attached"],
            "--join: the first line of standard input is to have the ticket that the lead gives, in hexadecimal digits",
        ),
        (["--join", "127.0.0.1:1"], "--join: BAONET_TICKET is to have the ticket that the lead gives, in hexadecimal"),
    ],
)
def test_a_node_without_a_ticket(words: list[str], said: str) -> None:
    done = baonet("node", *words, stdin="no ticket\n")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"baonet node: {said}")
    assert done.err.count("\n") == 1


def test_a_lead_that_is_not_there() -> None:
    done = baonet("node", "--join", "127.0.0.1:1", "--attached", stdin="00ff\n")
    assert (done.status, done.out) == (1, "")
    said = "--join 127.0.0.1:1: Connection refused: is it there that a lead waits for nodes?"
    assert done.err == f"baonet node: {said}\n"


def _fails(*words: str) -> str:
    done = baonet(*words)
    assert done.status in (1, 2)
    assert done.out == ""
    (line,) = done.err.splitlines()
    return line


def test_a_place_where_no_node_can_wait() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        assert _fails("node", "--listen", taken) == (
            f"baonet node: --listen {taken}: Address already in use: another node, or another program, waits there: "
            "end it, or give another port"
        )
    assert _fails("node", "--listen", "192.0.2.1:7470", "--insecure") == (
        "baonet node: --listen 192.0.2.1:7470: Cannot assign requested address: write an address of this host, "
        "or 0.0.0.0 or [::] for all that it has"
    )
    assert _fails("node", "--listen", "[fe80::1]:7470", "--insecure") == (
        "baonet node: --listen [fe80::1]:7470: that is the same on each link: write [fe80::1%eth0]:7470, with your "
        "interface"
    )
    said = _fails("node", "--listen", "no-such-host.invalid:7470", "--insecure")
    assert said.startswith("baonet node: --listen no-such-host.invalid:7470: no-such-host.invalid: ")
    assert said.endswith(": write an address of this host")


def test_a_host_that_nobody_knows(tmp_path: Path) -> None:
    file = write(tmp_path, {"vms": [vm("hello")]})
    said = _fails("run", str(file), "--on", "no-such-host.invalid:7470")
    assert said.startswith("baonet run: node no-such-host.invalid:7470 cannot be reached: ")
    assert said.endswith(": write the host as this one knows it")
