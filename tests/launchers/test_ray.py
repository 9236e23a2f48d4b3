"""``--on ray``, with a cluster of Ray on hosts that are network namespaces. Its head has no CPU to give."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.launchers.machines import TALK, end_all, endless, same
from tests.launchers.namespaces import LEAD, Hosts, hosts
from tests.launchers.waiting import within
from tests.system.machine import Result

RAY = Path(sys.executable).with_name("ray")
pytestmark = [
    pytest.mark.hosts,
    pytest.mark.timeout(600),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs Ray: pip install 'baonet[ray]'"),
]
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ADDRESS": f"{LEAD}:6379"}
PRIVATE = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /dev/shm; exec "$@"', "sh")
"""Words before a command whose host shares no memory with others."""


@dataclass(frozen=True)
class RayHosts:
    """Two of them, which Ray has beside its head."""

    hosts: Hosts

    def run(self, *arguments: object) -> Result:
        return self.hosts.run(*arguments, environment=QUIET)


@pytest.fixture(scope="module")
def ray() -> Iterator[RayHosts]:
    with tempfile.TemporaryDirectory(prefix="bao") as directory, hosts(2) as there:  # sockets have short names
        small = ("--object-store-memory", "80000000", "--disable-usage-stats", "--block")
        head = (
            "--head",
            "--port",
            "6379",
            "--node-ip-address",
            LEAD,
            "--num-cpus",
            "0",
            "--include-dashboard",
            "false",
        )
        there.start(None, *PRIVATE, str(RAY), "start", *head, *small, "--temp-dir", f"{directory}/h", environment=QUIET)
        found = RayHosts(there)
        code = "import ray; ray.init('auto', log_to_driver=False); print(sum(n['Alive'] for n in ray.nodes()))"
        count = [sys.executable, "-c", code]
        within(60, lambda: there.execute(count, environment=QUIET).out.strip() == "1")
        for number, address in enumerate(there.addresses):
            own = ("--address", f"{LEAD}:6379", "--node-ip-address", address, "--num-cpus", "1")
            words = (*PRIVATE, str(RAY), "start", *own, *small, "--temp-dir", f"{directory}/{number}")
            there.start(number, *words, environment=QUIET)
        within(60, lambda: there.execute(count, environment=QUIET).out.strip() == "3")
        yield found


def test_a_machine_does_the_same_on_nodes_of_ray(ray: RayHosts) -> None:
    same(ray.run(*TALK, "--on", "ray"))
    end_all(ray.hosts)


def test_a_lead_that_is_killed_leaves_no_node(ray: RayHosts, tmp_path: Path) -> None:
    run = ray.hosts.begin(*endless(tmp_path), "--on", f"ray:{LEAD}:6379", environment=QUIET)
    assert run.stdout is not None
    assert run.stdout.read(1)
    assert ray.hosts.nodes(0)
    assert ray.hosts.nodes(1)
    run.kill()
    run.communicate()
    end_all(ray.hosts)


def test_it_is_told_what_ended_a_node_before_it_came(ray: RayHosts) -> None:
    done = ray.run(*TALK, "--on", "ray", "--remote-command", "echo no baonet here; false")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("baonet run: node 0 has not come: ray has ended with status 1: ")
    assert "the node has ended with status 1: no baonet here" in done.err


def test_there_is_no_ray(ray: RayHosts) -> None:
    done = ray.run(*TALK, "--on", "ray:10.77.0.1:6999")
    assert (done.status, done.out) == (1, "")
    assert (
        done.err == "baonet run: --on ray: no Ray at 10.77.0.1:6999: [Errno 111] Connection refused: see 'ray start'\n"
    )
