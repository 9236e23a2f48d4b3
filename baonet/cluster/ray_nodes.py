"""What ``--on ray`` runs beside the lead: it asks Ray for one actor a node of its cluster, and these for nodes.

It tells the lead of the hosts in one line, is told what to start in another, and ends when its input does.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import re
import select
import socket
import sys
from typing import Any, Final

from baonet.cluster.ray_host import RayHost

_PLACED: Final = 30
"""Seconds until Ray has a core free on each host."""
_REACHED: Final = 10
_LOOK: Final = 0.2


def main(address: str) -> int:
    to_lead = os.dup(1)
    os.dup2(2, 1)  # Ray prints what it likes
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError:
        return _failed("there is no Ray in this Python: pip install 'baonet[ray]'")
    address = address or os.environ.get("RAY_ADDRESS", "")
    try:
        _reach(address)
        ray.init(address=address or "auto", log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # of many kinds
        why = " ".join(str(error).split())
        return _failed(f"no Ray {f'at {address}' if address else 'on this host'}: {why}: see 'ray start'")
    try:
        hosts = sorted((_key(node), node["NodeManagerAddress"]) for node in ray.nodes() if _fit(node))
        if not hosts:
            return _failed("this cluster has no node with a CPU")
        os.write(to_lead, f"{json.dumps([host for _, host in hosts])}\n".encode())
        line = sys.stdin.readline()
        return _start(ray, [host for _, host in hosts], *json.loads(line)) if line else 0
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Raises OSError when nobody is there: Ray itself tries it for a minute, and says much."""
    found = re.fullmatch(r"(?:ray://)?(.+):([0-9]+)", address)
    if found is not None:
        socket.create_connection((found[1].strip("[]"), int(found[2])), timeout=_REACHED).close()


def _fit(node: dict[str, Any]) -> bool:
    return bool(node["Alive"]) and node["Resources"].get("CPU", 0) >= 1


def _key(node: dict[str, Any]) -> tuple[int, int, str]:
    """So that a cluster's nodes have the same numbers in each run."""
    address = ipaddress.ip_address(node["NodeManagerAddress"])
    return address.version, int(address), node["NodeID"]


def _start(ray: Any, hosts: list[str], tickets: list[str], python: list[str] | None, command: list[str]) -> int:
    from ray.util import placement_group, remove_placement_group  # noqa: PLC0415
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy  # noqa: PLC0415

    group = placement_group([{"CPU": 1, f"node:{host}": 0.001} for host in hosts], strategy="STRICT_SPREAD")
    try:
        if not group.wait(_PLACED):
            return _failed(f"Ray has not had a core free on each of its {len(hosts)} nodes within {_PLACED} s")
        # One that Ray would start anew has lost its guests' memory.
        actor = ray.remote(num_cpus=0, max_restarts=0)(RayHost)
        strategies = [PlacementGroupSchedulingStrategy(group, number) for number in range(len(hosts))]
        actors = [actor.options(scheduling_strategy=strategy).remote() for strategy in strategies]
        running = {
            each.run.remote(ticket, python, command): number
            for number, (each, ticket) in enumerate(zip(actors, tickets, strict=True))
        }
        while running and not select.select([0], [], [], 0)[0]:
            ended, _ = ray.wait(list(running), timeout=_LOOK)
            for each in ended:
                _tell(ray, running.pop(each), each)
        ended_themselves = not running
        for each in actors:
            ray.kill(each)
    finally:
        remove_placement_group(group)
    return int(ended_themselves)


def _tell(ray: Any, number: int, ended: object) -> None:
    try:
        words = ray.get(ended)
    except ray.exceptions.RayError as error:
        words = " ".join(str(error).split())
    print(f"{number}: {words}", file=sys.stderr, flush=True)


def _failed(why: str) -> int:
    print(why, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
