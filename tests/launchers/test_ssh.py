"""``--on ssh:``, with sshd on hosts that are network namespaces."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from baonet.cluster import issuing
from tests.launchers.machines import TALK, end_all, endless, same
from tests.launchers.namespaces import Hosts, command_line, hosts
from tests.launchers.waiting import within
from tests.patience import PROCESS
from tests.system.machine import Result

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
pytestmark = [
    pytest.mark.hosts,
    pytest.mark.skipif(SSHD is None, reason="needs sshd"),
]
BOTH = "ssh:alpha,root@beta:2222"


@dataclass(frozen=True)
class SshHosts:
    """``alpha`` and ``beta``, as ssh calls them; nobody is at ``nobody``, and no sshd at ``silent``."""

    hosts: Hosts
    environment: dict[str, str]

    def run(self, *arguments: object) -> Result:
        return self.hosts.run(*arguments, environment=self.environment)

    def begin(self, *arguments: object) -> subprocess.Popen[str]:
        return self.hosts.begin(*arguments, environment=self.environment)


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHosts]:
    directory = tmp_path_factory.mktemp("ssh")
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / key)], check=True)
    shutil.copy(directory / "user.pub", directory / "authorized")
    Path("/run/sshd").mkdir(exist_ok=True)
    server = directory / "sshd_config"
    server.write_text(
        f"HostKey {directory}/host\nAuthorizedKeysFile {directory}/authorized\nStrictModes no\nUsePAM no\n"
        "PidFile none\nPermitRootLogin yes\n"
    )
    common = f"IdentityFile {directory}/user\nUserKnownHostsFile {directory}/known\nStrictHostKeyChecking accept-new\n"
    with hosts(2) as there:
        alpha, beta = there.addresses
        named = f"Host alpha\n  HostName {alpha}\nHost beta\n  HostName {beta}\nHost nobody\n  HostName 10.77.0.99\n"
        named += f"Host silent\n  HostName {beta}\n  Port 2223\n"
        (directory / "config").write_text(named + f"Host *\n{common}")
        wrapper = directory / "ssh"
        wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {directory}/config "$@"\n')
        wrapper.chmod(0o755)
        assert SSHD is not None
        there.start(0, SSHD, "-D", "-f", str(server))
        there.start(1, SSHD, "-D", "-f", str(server), "-p", "2222")
        silent = "import socket, time; s = socket.create_server(('', 2223)); time.sleep(10000)"
        there.start(1, sys.executable, "-c", silent)
        found = SshHosts(there, {"PATH": f"{directory}:{os.environ['PATH']}"})
        calls = [[str(wrapper), "-p", port, name, "true"] for port, name in (("22", "alpha"), ("2222", "beta"))]
        within(10, lambda: all(there.execute(words).status == 0 for words in calls))
        yield found


def test_a_machine_does_the_same_on_hosts_that_ssh_reaches(ssh: SshHosts) -> None:
    same(ssh.run(*TALK, "--on", BOTH))
    end_all(ssh.hosts)


def test_no_ticket_is_where_ps_shows_it_and_a_lead_that_is_killed_takes_its_nodes_with_it(
    ssh: SshHosts, tmp_path: Path
) -> None:
    run = ssh.begin(*endless(tmp_path), "--on", BOTH)
    assert run.stdout is not None
    assert run.stdout.read(1)  # a guest says it
    assert ssh.hosts.nodes(0)
    assert ssh.hosts.nodes(1)
    for number in (None, 0, 1):
        for pid in ssh.hosts.processes(number):
            words = command_line(pid).split(b"\0")
            assert not any(len(word) == 32 and not word.strip(b"0123456789abcdef") for word in words)
            assert b"TICKET" not in b"".join(words)
    run.kill()
    run.communicate()
    end_all(ssh.hosts)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_ended_leaves_no_node(ssh: SshHosts, tmp_path: Path, number: signal.Signals, status: int) -> None:
    run = ssh.begin(*endless(tmp_path), "--on", BOTH)
    assert run.stdout is not None
    assert run.stdout.read(1)
    run.send_signal(number)
    run.communicate(timeout=PROCESS)
    assert run.returncode == status
    end_all(ssh.hosts)


def test_ctrl_c_while_a_host_says_nothing(ssh: SshHosts) -> None:
    run = ssh.begin(*TALK, "--on", "ssh:alpha,silent")
    within(20, lambda: bool(ssh.hosts.nodes(0)))
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=PROCESS)
    assert (run.returncode, out, err) == (130, "", "baonet: ended by SIGINT\n")
    end_all(ssh.hosts)


def test_the_timeout_is_for_the_coming_of_nodes_too(ssh: SshHosts) -> None:
    done = ssh.run(*TALK, "--on", "ssh:alpha,silent", "--timeout", "2s")
    assert done == Result(4, "", "baonet: timeout after 2 s: node silent has not come\n")
    end_all(ssh.hosts)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--on", "ssh:alpha,nobody"),
            "node nobody has not come: ssh has ended with status 255: "
            "ssh: connect to host 10.77.0.99 port 22: No route to host",
        ),
        (
            ("--on", "ssh:alpha", "--remote-command", "/opt/none/baonet"),
            "node alpha has not come: ssh has ended with status 127: baonet: 1: /opt/none/baonet: not found",
        ),
        (
            ("--on", "ssh:alpha", "--lead-address", "10.9.9.9"),
            "nodes cannot be waited for at 10.9.9.9:0: Cannot assign requested address: give --lead-address with an "
            "address of this host that the nodes reach",
        ),
        (
            ("--on", "ssh:alpha", "--lead-address", "127.0.0.1:7999"),
            "node alpha has not come: ssh has ended with status 1: "
            "baonet node: --join 127.0.0.1:7999: Connection refused: is it there that a lead waits for nodes?",
        ),
    ],
)
def test_why_a_node_does_not_come(ssh: SshHosts, options: tuple[str, ...], said: str) -> None:
    done = ssh.run(*TALK, *options)
    assert done == Result(1, "", f"baonet run: {said}\n")
    end_all(ssh.hosts)


def test_what_is_run_there_can_be_told(ssh: SshHosts) -> None:
    done = ssh.run(*TALK, "--on", BOTH, "--remote-command", f"LANG=C {sys.executable} -m baonet")
    same(done)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a lead, of its node ``alpha``, and in ``foreign`` of another lead's."""
    directory = tmp_path_factory.mktemp("keys")
    for where in (directory, directory / "foreign"):
        issuing.init(where)
        issuing.issue(where, "alpha")
    return directory


def _with(node: Path | str, on: str = BOTH) -> tuple[str, ...]:
    return ("--on", on, "--remote-command", f"BAONET_KEYS={node} {sys.executable} -m baonet")


def test_hosts_with_keys_know_each_other(ssh: SshHosts, keys: Path) -> None:
    same(ssh.run(*TALK, "--keys", keys, *_with(keys / "alpha")))


@pytest.mark.parametrize(
    ("lead", "node", "said"),
    [
        (".", "foreign/alpha", "its certificate is not from the CA in ca.pem"),
        (".", ".", "is for the role 'lead', and 'node' is wanted"),
    ],
)
def test_a_host_with_other_keys_is_not_let_in(ssh: SshHosts, keys: Path, lead: str, node: str, said: str) -> None:
    done = ssh.run(*TALK, "--keys", keys / lead, *_with(keys / node, "ssh:alpha"))
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("baonet run: node alpha has not come: ssh has ended with status ")
    assert said in done.err
    assert done.err.count("\n") == 1
    end_all(ssh.hosts)


def test_a_host_without_keys_is_not_let_in_by_a_lead_that_has_some(ssh: SshHosts, keys: Path, tmp_path: Path) -> None:
    nothing = f"HOME={tmp_path} {sys.executable} -m baonet"
    done = ssh.run(*TALK, "--keys", keys, "--on", "ssh:alpha", "--remote-command", nothing)
    assert (done.status, done.out) == (1, "")
    assert "who called from 10.77.0.2 was not let in: it does not speak TLS" in done.err
    assert done.err.count("\n") == 1


def test_a_lead_that_is_told_to_use_no_keys_tells_its_nodes(ssh: SshHosts, keys: Path) -> None:
    same(ssh.run(*TALK, "--insecure", *_with(keys / "alpha")))
