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
    """``registers``: where a hypercall has its result, the ipc's index and the event."""

    __slots__ = ("_event", "_index", "_interrupts", "_last", "_result", "_targets", "_vcpu", "_x")

    def __init__(self, vcpu: Vcpu, registers: tuple[int, int, int]) -> None:
        self._result, self._index, self._event = registers
        machine = vcpu.plan.machine
        self._x = vcpu.cpu.x
        self._vcpu = vcpu
        # Per ipc index: the object and the pcpus to tell; None where the configuration names no object.
        self._targets: list[tuple[int, tuple[int, ...]] | None] = []
        self._last: list[IpcNotify | None] = [None] * len(vcpu.config.ipcs)
        """What was said by each before, as guests say the same again and again."""
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

    @property
    def constants(self) -> list[tuple[int | None, int | None]]:
        """What the hypercall answers by the ipc's index, whatever the event: (index, result).

        Without a result: it tells others. Without an index: any that is not named before.
        """
        of_known: list[tuple[int | None, int | None]] = []
        for index, target in enumerate(self._targets):
            of_known.append((index, INVALID_ARGUMENTS if target is None else None if target[1] else SUCCESS))
        return [*of_known, (None, INVALID_ARGUMENTS)]

    @property
    def notifications(self) -> list[tuple[int, int, tuple[int, ...]]]:
        """(Index, object, pcpus) of the ipcs by which others are told."""
        known = [(index, *target) for index, target in enumerate(self._targets) if target is not None]
        return [each for each in known if each[2]]

    def hypercall(self) -> None:
        """Arguments: the ipc's index, and the event (32 bits). The result is 0, or -3 for a bad index."""
        x = self._x
        index = x[self._index]
        target = self._targets[index] if index < len(self._targets) else None
        if target is None:
            x[self._result] = INVALID_ARGUMENTS & MASK64
            return
        shmem, masters = target
        event = x[self._event] & 0xFFFF_FFFF
        notify = self._last[index]
        if notify is None or notify.event != event:
            notify = self._last[index] = IpcNotify(shmem, event)
        for pcpu in masters:
            self._vcpu.send(pcpu, notify)
        x[self._result] = SUCCESS

    def interrupt(self, notify: IpcNotify) -> int | None:
        """The interrupt that a notification stands for in this VM, if any."""
        interrupts = self._interrupts.get(notify.shmem, ())
        return interrupts[notify.event] if 0 <= notify.event < len(interrupts) else None
