"""``--place``, and who would run where by ``baonet check --on``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.cli.common import UsageError
from baonet.cli.main import main
from baonet.cli.place import placed
from baonet.machine import NodeName, NodePlacement, NodePolicy, VmNodes
from baonet.machine.node_placement import MOST_NODES
from tests.hyp import machines
from tests.system.machine import pair, vm, write

MACHINE = machines.machine(machines.vm(0, 4), machines.vm(1, 1))
HOSTS = st.from_regex(r"([a-z0-9_]{1,3}@)?([a-z][a-z0-9.-]{0,4}[a-z0-9]|\[[0-9a-f:]{2,6}\])", fullmatch=True)
PORTS = st.none() | st.integers(MOST_NODES, 65535)
NODES = st.integers(0, MOST_NODES - 1) | st.builds(
    lambda host, port: host if port is None else f"{host}:{port}", HOSTS, PORTS
)


@pytest.mark.parametrize(
    ("texts", "record"),
    [
        (["spread"], NodePlacement(NodePolicy.SPREAD)),
        (["vm1=0,vm0=1"], NodePlacement(given=(VmNodes("vm0", (1,)), VmNodes("vm1", (0,))))),
        (["vm0=0:0:1:1"], NodePlacement(given=(VmNodes("vm0", (0, 0, 1, 1)),))),
        (["vm0=a:7000"], NodePlacement(given=(VmNodes("vm0", ("a:7000",)),))),
        (["vm0=a:7000:1:b:[::1]:7000"], NodePlacement(given=(VmNodes("vm0", ("a:7000", 1, "b", "[::1]:7000")),))),
        (["vm0=0", "vm1=1"], NodePlacement(given=(VmNodes("vm0", (0,)), VmNodes("vm1", (1,))))),
        (["vm0=0", "vm0=1"], NodePlacement(given=(VmNodes("vm0", (1,)),))),
        (["vm0=0", "spread"], NodePlacement(NodePolicy.SPREAD)),
        (["spread", "vm0=0"], NodePlacement(NodePolicy.SPREAD, (VmNodes("vm0", (0,)),))),
        (["spread,vm0=0"], NodePlacement(NodePolicy.SPREAD, (VmNodes("vm0", (0,)),))),
    ],
)
def test_what_is_placed(texts: list[str], record: NodePlacement) -> None:
    found = MACHINE
    for text in texts:
        found = placed(found, text)
    assert found.placement == record


@given(st.lists(NODES, min_size=4, max_size=4))
def test_each_vcpu_can_have_any_node(nodes: list[NodeName]) -> None:
    text = "vm0=" + ":".join(map(str, nodes))
    assert placed(MACHINE, text).placement.given == (VmNodes("vm0", tuple(nodes)),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spred", "'spred' is no placement: write pack, spread, linux=0,rtos=1 or linux=0:0:1:1"),
        ("", "'' is no placement"),
        (
            "vm0=::1",
            f"'' is no node: a node is its number, from 0 to {MOST_NODES - 1}, or its name as --on gives it; an "
            "address of IPv6 is in brackets, as in [::1]",
        ),
        ("vm0=0,", "'' is no placement"),
        ("vm2=0", "there is no VM 'vm2': this machine has vm0, vm1"),
        ("vm0=0:1", "'vm0' has 4 vCPUs and is given 2 nodes: give one for each vCPU, or one for the whole VM"),
        ("vm1=0:1", "'vm1' has 1 vCPU and is given 2 nodes"),
        ("vm0=", "'' is no node: a node is its number, from 0 to 1023, or its name as --on gives it"),
        ("vm0=1024", "'1024' is no node"),
        ("vm0=a b", "'a b' is no node"),
        ("vm0=0,vm0=1", "'vm0' is given twice: give it once"),
    ],
)
def test_what_cannot_be_placed_is_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        placed(MACHINE, text)
    assert str(raised.value).startswith(f"--place {text}: {said}")


# check --on


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Ping and pong, which share a mailbox and the UART, and a VM of three vCPUs without either."""
    machine = pair() | {"clock": {"mode": "virtual"}, "platform": {"extends": "qemu-aarch64-virt", "cpus": 8}}
    machine["vms"].append(vm("hello", name="loner", cpus=3, devices=[]))
    return write(tmp_path, machine)


def test_who_runs_where(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file), "--on", "local:3", "--cores", "4", "--strict"]) == 0
    out, err = capsys.readouterr()
    assert out.split("\n\n")[1].splitlines() == [
        "node         load          VM     vCPUs  pcpus",
        "0 (local-0)  3 on 4 cores  loner  0-2    2-4",
        "1 (local-1)  2 on 4 cores  ping   0      0",
        "                           pong   0      1",
        "2 (local-2)  0 on 4 cores  -",
    ]
    assert err == ""


def test_what_a_split_costs_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    on = ["check", str(file), "--on", "a:1,b:1", "--cores", "8"]
    assert main([*on, "--place", "spread,loner=0"]) == 0
    pages = "every page of mailbox (64KiB) and uart0 (4KiB) that both sides touch moves by message"
    rounds = "each round of virtual time waits for the network once or more, and a busy second of it has"
    island = "the island of ping and pong is split, ping on node 0 (a:1) and pong on node 1 (b:1)"
    windows = f"{rounds} 100 000 windows of 10us"
    assert capsys.readouterr().err == f"{file}: warning: {island}: {pages}; {windows}\n"
    assert main([*on, "--place", "loner=a:0:b", "--set", "clock.window=1s", "--strict"]) == 1
    split = "VM 'loner' is split, vCPUs 0-1 on node 0 (a:1) and vCPU 2 on node 1 (b:1)"
    pages = "every page of its 16MiB of RAM that both sides touch moves by message"
    assert capsys.readouterr().err == f"{file}: warning: {split}: {pages}; {rounds} 1 window of 1s\n"


def test_the_host_s_clock_has_no_rounds(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file), "--on", "slurm:3", "--place", "loner=0:1:2", "--set", "clock.mode=host"]) == 0
    err = capsys.readouterr().err
    assert "vCPU 0 on node 0, vCPU 1 on node 1 and vCPU 2 on node 2: every page" in err
    assert "that several sides touch moves by message\n" in err
    assert "round" not in err


def test_rounds_that_an_island_waits_for_are_told_once(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--set", "vms.ping.cpus=2", "--place", "ping=0:1"]
    assert main(["check", str(file), "--on", "local:2", *options]) == 0
    err = capsys.readouterr().err
    assert [line.count("each round") for line in err.splitlines()] == [0, 1]


def test_the_clock_is_that_which_would_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under the host's clock no round is waited for."""
    on = ["check", str(file), "--on", "local:2", "--place", "spread"]
    for clock, rounds in (("virtual", True), ("host", False)):
        assert main([*on, "--clock", clock]) == 0
        assert ("each round" in capsys.readouterr().err) is rounds


def test_the_command_line_comes_before_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, pair() | {"placement": {"ping": 1, "pong": "host-b"}})
    on = ["check", str(file), "--on", "ssh:host-a,host-b", "--cores", "2"]
    assert main(on) == 0
    table = capsys.readouterr().out.split("\n\n")[1]
    assert "0 (host-a)  0 on 2 cores  -" in table
    assert main([*on, "--place", "ping=0"]) == 0
    assert "0 (host-a)  1 on 2 cores  ping  0      0\n1 (host-b)  1 on" in capsys.readouterr().out
    assert main([*on, "--place", "pack"]) == 0
    assert "1 (host-b)  0 on 2 cores  -" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--on", "host"], "--on: 'host' has no port: write host:PORT"),
        (["--on", "slurm"], "--on slurm: nobody is asked how many nodes that has: give --nodes N with it"),
        (["--on", "slurm:2", "--nodes", "3"], "--nodes 3: --on slurm:2 has 2: leave --nodes out"),
        (["--on", "ray", "--nodes", "3000"], "--nodes 3000: there can be 1024 at most"),
        (["--place", "spread"], "--place says something of the nodes of --on: give --on WHERE with it"),
        (["--cores", "2"], "--cores says something of the nodes of --on"),
        (["--on", "local:2", "--place", "ping=2"], "VM 'ping' is placed on node 2, which is not there: give a number"),
        (["--on", "local:2", "--place", "ping=b"], "VM 'ping' is placed on 'b', and no node has that name"),
        (["--on", "local:2", "--place", "bing=0"], "--place bing=0: there is no VM 'bing': this machine has ping"),
        (["--on", "local:2", "--set", "placement.ping=5"], "VM 'ping' is placed on node 5, which is not there"),
    ],
)
def test_mistakes_are_one_line(file: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"baonet check: {said}")
    assert err.count("\n") == 1


def test_the_page_shows_what_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.chdir(root)
    page = (root / "docs" / "distributed.md").read_text()
    ((command, lines),) = re.findall(
        r"^\$ baonet (check [^\n]*)\n\[\.\.\.\]\n(.*?)^```", page, re.MULTILINE | re.DOTALL
    )
    assert main(command.split()) == 0
    out, err = capsys.readouterr()
    assert out.split("\n\n")[1] + err == lines
