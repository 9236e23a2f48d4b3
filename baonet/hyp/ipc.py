"""Notifications between VMs that share memory: Bao's IPC hypercall and its receiver (``ipc.c``).

The caller names the object by its index in its own VM's list of ipcs. Every other VM attached to that object is told,
on its master pcpu, and injects the interrupt that its own first ipc of that object lists for the event. Nothing tells
the caller whether anyone listens.
"""

from __future__ import annotations

from typing import final

from baonet.hyp.messages import IpcNotify
from baonet.hyp.vcpu import MASK64, Vcpu

SUCCESS = 0
INVALID_ARGUMENTS = -3


@final
class Ipc:
    __slots__ = ("_interrupts", "_targets", "_vcpu", "_x")

    def __init__(self, vcpu: Vcpu) -> None:
        machine = vcpu.plan.machine
        self._x = vcpu.cpu.x
        self._vcpu = vcpu
        # Per ipc index: the object and the pcpus to tell; None where the configuration names no object.
        self._targets: list[tuple[int, tuple[int, ...]] | None] = []
        self._interrupts: dict[int, tuple[int, ...]] = {}
        for ipc in vcpu.config.ipcs:
            if ipc.shmem >= len(machine.shared_memory):
                self._targets.append(None)
                continue
            masters = sorted(
                vm.master
                for vm in vcpu.plan.vms
                if vm is not vcpu.vm and any(other.shmem == ipc.shmem for other in vm.config.ipcs)
            )
            self._targets.append((ipc.shmem, tuple(masters)))
            self._interrupts.setdefault(ipc.shmem, ipc.interrupts)

    def hypercall(self) -> None:
        """Arguments: x1 the ipc's index, x2 the event (32 bits). Result in x0: 0, or -3 for a bad index."""
        x = self._x
        index = x[1]
        target = self._targets[index] if index < len(self._targets) else None
        if target is None:
            x[0] = INVALID_ARGUMENTS & MASK64
            return
        shmem, masters = target
        notify = IpcNotify(shmem, x[2] & 0xFFFF_FFFF)
        for pcpu in masters:
            self._vcpu.send(pcpu, notify)
        x[0] = SUCCESS

    def interrupt(self, notify: IpcNotify) -> int | None:
        """The INTID that a notification stands for in this VM, if any."""
        interrupts = self._interrupts.get(notify.shmem, ())
        return interrupts[notify.event] if 0 <= notify.event < len(interrupts) else None
