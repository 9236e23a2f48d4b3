"""``--lead-address`` and ``--remote-command``, and a node that a launcher starts: mistakes in what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from baonet.cli.commands import parser
from baonet.cli.launching import launching
from baonet.cluster.starter import Launching
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
    assert done.err == "baonet node: --join 127.0.0.1:1: Connection refused\n"
