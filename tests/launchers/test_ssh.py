"""``--on ssh:``, with sshd on hosts that are network namespaces."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.launchers.namespaces import Hosts, command_line, hosts, possible
from tests.system.machine import baonet

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
pytestmark = [
    pytest.mark.hosts,
    pytest.mark.skipif(SSHD is None or not possible(), reason="needs sshd, and the right to make network namespaces"),
]
RUN = ("run", "configs/ping-pong.yaml", "--clock", "virtual", "--place", "spread")
ENDLESS = ("run", "configs/busy.yaml")


@dataclass(frozen=True)
class SshHosts:
    """Whom a user of the lead's host calls ``alpha`` and ``beta``; nobody is at ``nobody``."""

    hosts: Hosts
    environment: dict[str, str]

    def run(self, *arguments: object) -> tuple[int, str, str]:
        done = self.hosts.run(*arguments, environment=self.environment)
        return done.status, done.out, done.err


def within(seconds: float, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come about"
        time.sleep(0.02)


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
        (directory / "config").write_text(named + f"Host *\n{common}")
        wrapper = directory / "ssh"
        wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {directory}/config "$@"\n')
        wrapper.chmod(0o755)
        assert SSHD is not None
        there.start(0, SSHD, "-D", "-f", str(server))
        there.start(1, SSHD, "-D", "-f", str(server), "-p", "2222")
        found = SshHosts(there, {"PATH": f"{directory}:{os.environ['PATH']}"})
        ready = [there.execute([str(wrapper), "-p", port, name, "true"]).status for name, port in ALPHA_BETA]
        end = time.monotonic() + 10
        while any(ready) and time.monotonic() < end:
            ready = [there.execute([str(wrapper), "-p", port, name, "true"]).status for name, port in ALPHA_BETA]
        assert not any(ready)
        yield found


ALPHA_BETA = (("alpha", "22"), ("beta", "2222"))


def test_a_machine_does_the_same_on_hosts_that_ssh_reaches(ssh: SshHosts) -> None:
    there = ssh.run(*RUN, "--on", "ssh:alpha,root@beta:2222")
    here = baonet("run", "configs/ping-pong.yaml", "--clock", "virtual")
    assert here.status == 0
    assert there == (0, here.out, here.err)


def test_it_is_told_which_host_ssh_does_not_reach(ssh: SshHosts) -> None:
    status, out, err = ssh.run(*RUN, "--on", "ssh:alpha,nobody")
    assert (status, out) == (1, "")
    assert err == (
        "baonet run: node nobody has not come: ssh has ended with status 255: "
        "ssh: connect to host 10.77.0.99 port 22: No route to host\n"
    )
