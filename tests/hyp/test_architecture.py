"""The hypervisor on an architecture that nobody has: what it needs of one is what the protocol says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum

from baonet.hyp.architecture import Handler, InterruptStatistics, LineChanged, Wing
from baonet.hyp.effects import Effect, Send
from baonet.hyp.ipc import Ipc
from baonet.hyp.messages import IpcNotify, MessageFact
from baonet.hyp.pcpu import Pcpu
from baonet.hyp.vcpu import State, Vcpu
from baonet.hyp.vmm import plan
from baonet.machine.saved import Saved
from tests.hyp.machines import MAILBOX, machine, mailbox, vm

RESULT, INDEX, EVENT = 10, 11, 12


class Exit(IntEnum):
    WFI = 0
    BUDGET = 1
    KICKED = 2
    CALL = 3


class ToyCpu:
    def __init__(self) -> None:
        self.pc = 0
        self.x = [0] * 16
        self.exit: Sequence[int] = ()

    def reset(self, entry: int, context: int) -> None:
        self.pc, self.x[1] = entry, context

    restart = reset

    def note(self, kind: int, a: int, b: int, c: int) -> None: ...
    def state(self) -> dict[str, int]:
        return {}

    def uarts(self) -> Sequence[tuple[int, int, int]]:
        return ()


class ToyWing:
    windows: tuple[tuple[int, int], ...] = ()

    def __init__(self, vcpu: Vcpu, line: LineChanged) -> None:
        self.cpu = vcpu.cpu
        self.injected: list[int] = []
        self.exits: Sequence[Callable[[], None]] = ()
        self.messages: Mapping[type, Handler] = {}
        self.read_emulated: Callable[[int, int], int | None] = lambda address, size: None
        self.write_emulated: Callable[[int, int, int], bool] = lambda address, size, value: False
        self.line = line
        self.enter = self.cpu.reset
        self.inject = self.injected.append
        self.reset = self.injected.clear

    def begin(self, ipc: Ipc) -> None:
        self.exits = [lambda: None] * 3 + [ipc.hypercall]

    def waits(self) -> bool:
        return bool(self.injected)

    def registers(self) -> dict[str, int]:
        return {"pc": self.cpu.pc}

    def statistics(self) -> InterruptStatistics:
        return InterruptStatistics(0, 0, len(self.injected))

    def save(self) -> Saved:
        return {"injected": list(self.injected)}

    def load(self, data: object) -> None:
        assert isinstance(data, dict)
        self.injected[:] = data["injected"]


class Toy:
    name = "toy"
    exits: type[IntEnum] = Exit
    messages: tuple[MessageFact, ...] = ()
    call_registers = (RESULT, INDEX, EVENT)
    private = 1

    def wing(self, vcpu: Vcpu, line: LineChanged) -> Wing:
        return ToyWing(vcpu, line)


def called(pcpu: Pcpu, cpu: ToyCpu, index: int, event: int) -> list[Effect]:
    cpu.x[INDEX], cpu.x[EVENT] = index, event
    pcpu.on_exit(Exit.CALL)
    effects, pcpu.effects[:] = list(pcpu.effects), []
    return effects


def test_two_vms_of_another_architecture_notify_each_other() -> None:
    vms = vm(0, ipcs=(mailbox(52),)), vm(1, ipcs=(mailbox(60, 61),))
    cpus = ToyCpu(), ToyCpu()
    made = plan(machine(*vms, shared_memory=(MAILBOX,)))
    left, right = (Pcpu(made, number, cpu, Toy()) for number, cpu in enumerate(cpus))
    for pcpu, config, cpu in zip((left, right), vms, cpus, strict=True):
        pcpu.start()
        assert (pcpu.state, cpu.pc, cpu.x[1]) == (State.RUNNING, config.entry, config.context)
    assert called(left, cpus[0], 0, 1) == [Send(1, IpcNotify(0, 1))]
    assert cpus[0].x[RESULT] == 0
    states = []
    right.vcpu.suspend(None)
    states.append(right.state)
    right.message(0, IpcNotify(0, 1))
    states.append(right.state)
    assert states == [State.STANDBY, State.RUNNING]
    assert isinstance(right.wing, ToyWing)
    assert right.wing.injected == [61]
    right.vcpu.suspend(None)
    assert right.state is State.RUNNING, "an interrupt is there"
    assert called(right, cpus[1], 1, 0) == []
    assert cpus[1].x[RESULT] == (1 << 64) - 3
    right.reset_vm()
    assert (right.wing.injected, right.state, right.statistics().lives) == ([], State.RUNNING, 1)
    assert left.statistics().exits == {"WFI": 0, "BUDGET": 0, "KICKED": 0, "CALL": 1}
