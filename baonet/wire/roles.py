"""What an actor is for its peers."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    AGENT = "the agent of a node"
    PCPU = "a pcpu that runs freely"
    CONDUCTOR = "the conductor of an island, and the pcpus that are with it"
    CREW = "pcpus that a conductor elsewhere gives their turns"
    LEAD = "the lead of a run over several nodes"
    NODE = "a node of it"
