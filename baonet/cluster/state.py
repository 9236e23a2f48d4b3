"""What a machine has come to, but for what its agent keeps: its memory and its pcpus, on one host or over nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final

import msgpack

from baonet.cluster.parts import vms_of
from baonet.core.cpu import SIZES
from baonet.hyp.vmm import Plan
from baonet.machine.dataclass import dataclass
from baonet.machine.saved import Saved, StateForm, row
from baonet.memory.saving import part, places

_FORM: Final = StateForm("a machine", 1, memory=dict, pcpus=list)


@final
@dataclass(frozen=True, slots=True)
class MachineState:
    """``memory`` as ``NodeMemory.save`` has it; ``pcpus``: the state of each as its crew tells it."""

    memory: Saved
    pcpus: dict[int, bytes]

    def save(self) -> Saved:
        return _FORM.save(memory=self.memory, pcpus=[[pcpu, state] for pcpu, state in self.pcpus.items()])

    @classmethod
    def load(cls, data: object) -> MachineState:
        """Raises StateError for what is none."""
        fields = _FORM.load(data)
        with _FORM.reading():
            return cls(fields["memory"], dict(row(each, int, bytes) for each in fields["pcpus"]))

    def of_node(self, plan: Plan, nodes: Sequence[int], index: int) -> MachineState:
        """What one node needs; ``nodes`` is that of each pcpu. Raises StateError for what is no machine's memory."""
        here = vms_of(plan, nodes, index)
        names = [place.name for place in places(plan.machine, SIZES) if here & {*place.vms}]
        pcpus = {pcpu: state for pcpu, state in self.pcpus.items() if nodes[pcpu] == index}
        return MachineState(part(self.memory, names), pcpus)


def pack(data: Saved) -> bytes:
    packed: bytes = msgpack.packb(data)
    return packed


def unpack(data: bytes) -> Any:
    """Raises StateError for what was never packed."""
    with _FORM.reading():
        return msgpack.unpackb(data, max_bin_len=len(data), max_array_len=len(data))
