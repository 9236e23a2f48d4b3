"""The hypervisor on an architecture that nobody has: what it needs of one is what the protocol says."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from enum import IntEnum
from typing import ClassVar

from baonet.hyp.answers import FixedAnswer, Notification
from baonet.hyp.architecture import Handler, InterruptStatistics, LineChanged, RecordFact, Wing
from baonet.hyp.condition import Doing, VcpuCondition, doing
from baonet.hyp.effects import Effect, Park, Send
from baonet.hyp.ipc import Ipc
from baonet.hyp.messages import IpcNotify, MessageFact
from baonet.hyp.names import ArchNames
from baonet.hyp.pcpu import Pcpu
from baonet.hyp.report import Report
from baonet.hyp.vcpu import State, Vcpu
from baonet.hyp.vmm import plan
from baonet.machine import ArchPlatform, ArchVm
from baonet.machine.dataclass import dataclass
from baonet.machine.saved import Saved
from tests.hyp.machines import MAILBOX, machine, mailbox, vm

RESULT, INDEX, EVENT = 10, 11, 12


class Exit(IntEnum):
    WFI = 0
    BUDGET = 1
    KICKED = 2
    CALL = 3
    TRAP = 4


@dataclass(frozen=True, slots=True)
class ToyPart:
    """Of a platform and of a VM."""

    architecture: ClassVar[str] = "toy"
    root_pages: ClassVar[int] = 1

    at: int


class ToyReport(Report):
    def instruction(self, code: bytes) -> str:
        return "trap" if code[:1] == b"T" else ""


class ToyCondition(VcpuCondition):
    def lines(self, symbol: Callable[[int], str]) -> list[str]:
        return [f"{self.doing.name.lower()} at {self.pc:#x}{symbol(self.pc)}"]


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
        self.vcpu = vcpu
        self.cpu = vcpu.cpu
        self.injected: list[int] = []
        self.exits: Sequence[Callable[[], None]] = ()
        self.answers: tuple[FixedAnswer, ...] = ()
        self.notifications: tuple[Notification, ...] = ()
        self.messages: Mapping[type, Handler] = {}
        self.read_emulated: Callable[[int, int], int | None] = lambda address, size: None
        self.write_emulated: Callable[[int, int, int], bool] = lambda address, size, value: False
        self.line = line
        self.enter = self.cpu.reset
        self.inject = self.injected.append
        self.reset = self.injected.clear

    def begin(self, ipc: Ipc) -> None:
        self.exits = [lambda: None] * 3 + [ipc.hypercall, self.trap]

    def expects(self, interrupt: int) -> None: ...
    def listed(self, interrupt: int) -> None: ...
    def trap(self) -> None:
        vcpu, vm = self.vcpu, self.vcpu.config
        vcpu.park(ToyReport(vm.name, vm.index, vcpu.id, vcpu.pcpu, "trap", "It is one.", self.cpu.pc))

    def waits(self) -> bool:
        return bool(self.injected)

    def registers(self) -> dict[str, int]:
        return {"pc": self.cpu.pc}

    def statistics(self) -> InterruptStatistics:
        return InterruptStatistics(0, 0, len(self.injected))

    def examine(self, doing: Doing) -> VcpuCondition:
        return ToyCondition(self.vcpu.pcpu, doing, self.cpu.pc)

    def storm(self, taken: int, instructions: int, *, interrupts: bool) -> str:
        return f"{taken} in {instructions}"

    def save(self) -> Saved:
        return {"injected": list(self.injected)}

    def load(self, data: object) -> None:
        assert isinstance(data, dict)
        self.injected[:] = data["injected"]


class ToyNames:
    vm_part = "toyic"
    interrupt_bits = 0xFF
    interrupt_key = "number"
    ipi = "poke"
    details: Mapping[int, str] = {Exit.TRAP: "cause"}
    reset = "toy reset"

    def vm(self, part: Mapping[str, int]) -> str:
        return f"controller {part['at']:#x}"

    def register(self, part: Mapping[str, int], vcpus: int, address: int) -> str | None:
        return "TOY_ENABLE" if address == part.get("at") else None

    def interrupt(self, number: int) -> str:
        return f"toy {number}"

    def exit(self, reason: int, detail: int, place: Callable[[int], str]) -> str | None:
        return f"trap {place(detail)}" if reason == Exit.TRAP else None


class Toy:
    name = "toy"
    exits: type[IntEnum] = Exit
    messages: tuple[MessageFact, ...] = ()
    call_registers = (RESULT, INDEX, EVENT)
    private: Container[int] = range(1)
    sent: Container[int] = range(0)
    ended: Container[int] = range(9)
    report: RecordFact[Report] = RecordFact(128, ToyReport)
    condition: RecordFact[VcpuCondition] = RecordFact(129, ToyCondition)
    platform_part: type[ArchPlatform] = ToyPart
    vm_part: type[ArchVm] = ToyPart
    names: ArchNames = ToyNames()

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
    assert left.statistics().exits == {"WFI": 0, "BUDGET": 0, "KICKED": 0, "CALL": 1, "TRAP": 0}


def test_what_is_told_of_a_vcpu_of_another_architecture() -> None:
    cpu = ToyCpu()
    pcpu = Pcpu(plan(machine(vm(0))), 0, cpu, Toy())
    pcpu.start()
    cpu.pc = 0x40
    condition = pcpu.wing.examine(doing(pcpu.vcpu, waiting=True, crashed=False))
    assert condition.lines(lambda at: f" <{at}>") == ["waiting at 0x40 <64>"]
    assert doing(pcpu.vcpu, waiting=True, crashed=True) is Doing.CRASHED
    pcpu.on_exit(Exit.TRAP)
    (park,) = pcpu.effects
    assert isinstance(park, Park)
    assert park.report.lines() == ["VM 'vm0' (vm 0), vcpu 0 on pcpu 0: trap", "It is one."]
    assert [park.report.instruction(code) for code in (b"T", b"")] == ["trap", ""]
    assert doing(pcpu.vcpu, waiting=False, crashed=True) is Doing.PARKED
