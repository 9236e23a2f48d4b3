"""PSCI 1.1 as Bao gives it to a guest (Arm DEN0022; Bao's ``psci.c``).

Bao keeps the power states in memory that all pcpus of the VM share. Here the VM's master pcpu is home to the table
(``PsciTable``): a vcpu elsewhere asks it and is paused until the answer. ``Psci`` is one pcpu's part: the calls of its
own vcpu, and the messages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from baonet.hyp.answers import FixedAnswer, RegisterBits, result
from baonet.hyp.armv8.psci_messages import PowerState, PsciAffinityInfo, PsciCpuOn, PsciOn, PsciResult, PsciState
from baonet.hyp.effects import Info, OffCause, VmOff, VmReset
from baonet.hyp.vcpu import MASK64, State, Vcpu, Waiting
from baonet.machine import Faithful
from baonet.machine.armv8 import Armv8Platform
from baonet.machine.armv8.affinity import affinity, vcpu_at
from baonet.machine.saved import Saved, StateForm

SMC32: Final = 0x8400_0000
SMC64: Final = 0xC400_0000

VERSION: Final = SMC32 | 0
CPU_SUSPEND: Final = SMC32 | 1
CPU_OFF: Final = SMC32 | 2
CPU_ON: Final = SMC32 | 3
AFFINITY_INFO: Final = SMC32 | 4
MIGRATE_INFO_TYPE: Final = SMC32 | 6
SYSTEM_OFF: Final = SMC32 | 8
SYSTEM_RESET: Final = SMC32 | 9
FEATURES: Final = SMC32 | 0xA
CPU_SUSPEND_64: Final = SMC64 | 1
CPU_ON_64: Final = SMC64 | 3
AFFINITY_INFO_64: Final = SMC64 | 4

SUCCESS: Final = 0
NOT_SUPPORTED: Final = -1
INVALID_PARAMETERS: Final = -2
ALREADY_ON: Final = -4

VERSION_1_1: Final = 0x10001
TRUSTED_OS_NOT_PRESENT: Final = 2

FUNCTION_ID: Final = 0xFFFF_FFFF
"""The bits of x0 that name a function; of a function in x1 likewise."""

_FEATURES = frozenset(
    (VERSION, CPU_SUSPEND, CPU_SUSPEND_64, CPU_OFF, CPU_ON, CPU_ON_64, AFFINITY_INFO, AFFINITY_INFO_64, FEATURES)
)
_PRACTICAL_FEATURES = _FEATURES | {SYSTEM_OFF, SYSTEM_RESET}
_AFFINITY_MASK = 0xFFFFFF  # Bao compares Aff0..Aff2

_FORM: Final = StateForm("a VM's power states", 1, states=list | None)


def vmpidr(vcpu: int, cpus: int) -> int:
    """VMPIDR_EL2 of a vcpu: its affinity, RES1, and the U bit when it is the VM's only one."""
    return 1 << 31 | (1 << 30 if cpus == 1 else 0) | affinity(vcpu)


def answer(vcpu: Vcpu, value: int) -> None:
    """Return a signed result to the guest in x0."""
    vcpu.cpu.x[0] = value & MASK64


def constant(function: int, value: int, *arguments: RegisterBits) -> FixedAnswer:
    """A call that always answers ``value``, where its arguments are these."""
    return FixedAnswer((RegisterBits(0, FUNCTION_ID, function), *arguments), (result(0, value),))


def features(function: int, faithful: Faithful) -> int:
    """PSCI_FEATURES of a 32-bit function id."""
    known = _FEATURES if faithful is Faithful.STRICT else _PRACTICAL_FEATURES
    return SUCCESS if function in known else NOT_SUPPORTED


@final
class PsciTable:
    """The power state of every vcpu of one VM. Lives on the VM's master pcpu."""

    __slots__ = ("states",)

    def __init__(self, cpus: int) -> None:
        self.states = [PowerState.ON if vcpu == 0 else PowerState.OFF for vcpu in range(cpus)]

    def _find(self, target: int) -> int | None:
        return vcpu_at(target & _AFFINITY_MASK, len(self.states))

    def cpu_on(self, target: int) -> tuple[int, int]:
        """The return code of CPU_ON, and which vcpu to start when it is SUCCESS (else -1)."""
        vcpu = self._find(target)
        if vcpu is None:
            return INVALID_PARAMETERS, -1
        if self.states[vcpu] is not PowerState.OFF:
            return ALREADY_ON, -1  # also while it is pending: Bao never answers ON_PENDING
        self.states[vcpu] = PowerState.ON_PENDING
        return SUCCESS, vcpu

    def affinity_info(self, target: int, level: int) -> int:
        """The truthful answer; levels above 0 are refused, as PSCI 1.0 allows (DEN0022, AFFINITY_INFO)."""
        vcpu = self._find(target)
        if vcpu is None or level:
            return INVALID_PARAMETERS
        return self.states[vcpu]


@final
class Psci:
    """``calls`` maps a function id to what carries it out; each leaves its result in x0 or stops the guest."""

    __slots__ = ("_platform", "_strict", "_table", "_vcpu", "_x", "calls")

    def __init__(self, vcpu: Vcpu) -> None:
        machine = vcpu.plan.machine
        self._vcpu = vcpu
        self._x = vcpu.cpu.x
        self._platform = machine.platform
        self._strict = machine.faithful is Faithful.STRICT
        self._table = PsciTable(len(vcpu.vm.pcpus)) if vcpu.is_home else None
        self.calls: dict[int, Callable[[], None]] = {
            VERSION: self._version,
            CPU_SUSPEND: self._cpu_suspend,
            CPU_SUSPEND_64: self._cpu_suspend,
            CPU_OFF: self._cpu_off,
            CPU_ON: self._cpu_on,
            CPU_ON_64: self._cpu_on,
            AFFINITY_INFO: self._affinity_info,
            AFFINITY_INFO_64: self._affinity_info,
            MIGRATE_INFO_TYPE: self._migrate_info_type,
            FEATURES: self._features,
            SYSTEM_OFF: self._system_off,
            SYSTEM_RESET: self._system_reset,
        }

    @property
    def answers(self) -> tuple[FixedAnswer, ...]:
        """Of its calls, those that change nothing."""
        asked = _FEATURES if self._strict else _PRACTICAL_FEATURES
        return (
            constant(VERSION, VERSION_1_1),
            constant(MIGRATE_INFO_TYPE, TRUSTED_OS_NOT_PRESENT),
            *(constant(FEATURES, SUCCESS, RegisterBits(1, FUNCTION_ID, function)) for function in sorted(asked)),
            constant(FEATURES, NOT_SUPPORTED),
        )

    # The guest's calls

    def _version(self) -> None:
        self._x[0] = VERSION_1_1

    def _migrate_info_type(self) -> None:
        self._x[0] = TRUSTED_OS_NOT_PRESENT

    def _features(self) -> None:
        faithful = Faithful.STRICT if self._strict else Faithful.PRACTICAL
        answer(self._vcpu, features(self._x[1] & FUNCTION_ID, faithful))

    def _cpu_on(self) -> None:
        x = self._x
        question = PsciCpuOn(x[1], x[2], x[3])
        if self._table is not None:
            answer(self._vcpu, self._start(self._table, question))
        else:
            self._ask(question)

    def _affinity_info(self) -> None:
        if self._strict:
            self._x[0] = PowerState.ON  # Bao's is a stub
            return
        question = PsciAffinityInfo(self._x[1], self._x[2] & 0xFFFF_FFFF)
        if self._table is not None:
            answer(self._vcpu, self._table.affinity_info(question.target, question.level))
        else:
            self._ask(question)

    def _ask(self, question: PsciCpuOn | PsciAffinityInfo) -> None:
        self._vcpu.send(self._vcpu.home, question)
        self._vcpu.pause(Waiting.CALL)

    def _cpu_off(self) -> None:
        self._vcpu.stop(State.POWERDOWN)
        self._tell(PowerState.OFF)

    def _cpu_suspend(self) -> None:
        """Bao looks at the state type alone, and where powerdown is not supported makes it a standby."""
        x, bit = self._x, Armv8Platform.of(self._platform).state_type_bit
        entry, context = x[2], x[3]
        if bit and x[1] >> bit & 1 and self._platform.powerdown:
            self._vcpu.suspend((entry, context))
        else:
            x[0] = SUCCESS
            self._vcpu.suspend(None)

    def _system_off(self) -> None:
        if self._refused(SYSTEM_OFF):
            return
        self._vcpu.stop(State.OFF)
        self._vcpu.effects.append(VmOff(self._vcpu.config.index, OffCause.SYSTEM_OFF))

    def _system_reset(self) -> None:
        if self._refused(SYSTEM_RESET):
            return
        self._vcpu.stop(State.OFF)
        self._vcpu.effects.append(VmReset(self._vcpu.config.index))

    def _refused(self, function: int) -> bool:
        if self._strict:
            self.unknown(function)
        return self._strict

    def unknown(self, function: int) -> None:
        """A PSCI function that Bao does not have."""
        self._vcpu.effects.append(Info(f"unknown psci smc_fid {function:#x}"))
        answer(self._vcpu, NOT_SUPPORTED)

    # Messages

    def on(self, source: int, message: PsciOn) -> None:
        """The home wants this vcpu started. One that is not off stays as it is."""
        if self._vcpu.state is State.POWERDOWN:
            self._vcpu.enter(message.entry & MASK64, message.context & MASK64)
            self._tell(PowerState.ON)

    def cpu_on(self, source: int, question: PsciCpuOn) -> None:
        if self._table is not None:
            self._vcpu.send(source, PsciResult(self._start(self._table, question)))

    def affinity_info(self, source: int, question: PsciAffinityInfo) -> None:
        if self._table is not None:
            self._vcpu.send(source, PsciResult(self._table.affinity_info(question.target, question.level)))

    def result(self, source: int, message: PsciResult) -> None:
        vcpu = self._vcpu
        if vcpu.waiting is Waiting.CALL:
            vcpu.waiting = None
            answer(vcpu, message.value)
            vcpu.state = State.RUNNING

    def state(self, source: int, message: PsciState) -> None:
        pcpus = self._vcpu.vm.pcpus
        if self._table is not None and 0 <= message.vcpu < len(pcpus) and pcpus[message.vcpu] == source:
            self._table.states[message.vcpu] = message.state

    def _start(self, table: PsciTable, question: PsciCpuOn) -> int:
        result, target = table.cpu_on(question.target)
        if result == SUCCESS:
            pcpu = self._vcpu.vm.pcpus[target]
            order = PsciOn(question.entry, question.context)
            if pcpu == self._vcpu.pcpu:
                self.on(pcpu, order)
            else:
                self._vcpu.send(pcpu, order)
        return result

    def _tell(self, state: PowerState) -> None:
        """Bring the table up to date, wherever it is."""
        if self._table is not None:
            self._table.states[self._vcpu.id] = state
        else:
            self._vcpu.send(self._vcpu.home, PsciState(self._vcpu.id, state))

    def save(self) -> Saved:
        """The table, where this pcpu is home to it."""
        return _FORM.save(states=None if self._table is None else [int(state) for state in self._table.states])

    def load(self, data: object) -> None:
        """Be as one was that has been saved. Raises StateError for what is not its state."""
        states = _FORM.load(data)["states"]
        if (states is None) is not (self._table is None):
            raise _FORM.damaged("it is of a pcpu with another part")
        if self._table is not None:
            if len(states) != len(self._table.states):
                raise _FORM.damaged(f"{len(states)} vcpus, where there are {len(self._table.states)}")
            self._table.states = [PowerState(state) for state in states]
