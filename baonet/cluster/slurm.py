"""Nodes by Slurm: one on each host of an allocation, which srun makes where there is none."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import Final

from baonet.cluster.starter import Starter, node_command
from baonet.cluster.terms import ClusterError

NODE_ID: Final = "SLURM_NODEID"
"""The variable that has a node's number in its step."""
_WHOLE: Final = ("--exclusive", "--mem=0", "--job-name=baonet")
"""Of an allocation that is made for the run: the hosts with all that they have."""


def allocated() -> bool:
    return "SLURM_JOB_ID" in os.environ


def count(wanted: int | None) -> int:
    """How many nodes there will be. Raises ClusterError when nobody says it, or there are not so many."""
    given = os.environ.get("SLURM_JOB_NUM_NODES", "")
    if not allocated():
        if wanted is None:
            raise ClusterError(
                "--on slurm: this is no allocation of Slurm: write slurm:N for one of N hosts, or start it by "
                "'sbatch' or 'salloc'"
            )
        return wanted
    have = int(given) if given.isdecimal() else 1
    if wanted is not None and wanted > have:
        raise ClusterError(f"--on slurm:{wanted}: this allocation has {have}: write slurm for all of them")
    return wanted or have


def addresses() -> list[str]:
    """Of the allocation's hosts, or of all that Slurm has. Raises ClusterError when it does not tell."""
    nodes = ["--nodes", os.environ["SLURM_JOB_NODELIST"]] if "SLURM_JOB_NODELIST" in os.environ else []
    command = ["sinfo", "--noheader", "--Node", "--format=%o", *nodes]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ClusterError("--on slurm: there is no 'sinfo' on this host: start it where Slurm is") from None
    if told.returncode:
        raise ClusterError(f"--on slurm: {' '.join(told.stderr.split())}")
    return list(dict.fromkeys(told.stdout.split()))


def start(tickets: Sequence[bytes], words: Sequence[str], command: str | None) -> Starter:
    """Each node takes its own of the tickets. Raises ClusterError without srun, and OSError.

    A node that ends does not end the others: whether the run goes on without it is for the lead to say.
    """
    number = str(len(tickets))
    step = ["srun", f"--nodes={number}", f"--ntasks={number}", "--ntasks-per-node=1", "--cpu-bind=none", "--label"]
    alone = ["--kill-on-bad-exit=0", "--no-kill", "--wait=0"]
    starter = Starter("srun", [*step, *alone, *(() if allocated() else _WHOLE), *node_command(command, words)])
    starter.tell(",".join(ticket.hex() for ticket in tickets))
    return starter
