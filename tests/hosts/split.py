"""A VM with a vCPU on each node, that goes on for ever."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.system.machine import vm, write
from tests.system.test_contention import contention

FOR_EVER = 10**15


@dataclass(frozen=True)
class SplitVm:
    """``place``: for `--place`. ``begun``: what it says when all its vCPUs run.

    In virtual time nodes wait for each other in each round, so its vCPUs only count. Under the host's clock they are
    busy with each other's pages: rights come and go, and maintenance of TLBs.
    """

    clock: str
    cpus: int = 2

    @property
    def fields(self) -> dict[str, Any]:
        if self.clock == "virtual":
            return vm("spin", "split", cpus=self.cpus)
        (fighting,) = contention("everything", self.cpus, "10us", rounds=FOR_EVER)["vms"]
        return {**fighting, "name": "split"}

    @property
    def place(self) -> str:
        return f"split={':'.join(map(str, range(self.cpus)))}"

    @property
    def begun(self) -> str:
        return f"spin: {self.cpus} vCPUs" if self.clock == "virtual" else f"contend: everything, {self.cpus} CPUs"

    def file(self, directory: Path) -> Path:
        return write(directory, {"vms": [self.fields], "clock": {"mode": self.clock}})
