"""The report of a parked vcpu: what Bao would print, and what it does not say: what the guest did, and where."""

from __future__ import annotations

from abc import ABC, abstractmethod

from baonet.machine.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Report(ABC):
    """``reason`` is Bao's line after ``BAO ERROR: ``; ``explanation`` is ours, one sentence or two.

    An architecture's has its registers besides.
    """

    vm_name: str
    vm: int
    vcpu: int
    pcpu: int
    reason: str
    explanation: str
    pc: int

    def lines(self) -> list[str]:
        """As text; a higher floor adds the instruction at ``pc``."""
        who = f"VM '{self.vm_name}' (vm {self.vm}), vcpu {self.vcpu} on pcpu {self.pcpu}"
        return [f"{who}: {self.reason}", self.explanation]

    @abstractmethod
    def instruction(self, code: bytes) -> str:
        """The instruction at ``pc``, whose bytes ``code`` begins with; empty when they are none."""
