"""The life of a machine as its agent sees it: who is in which phase, how each VM is, and what is to be done about it.

Pure: what happens goes in (``said``, ``died``, ``passed``, ``stop``, ``loaded``), what is to be done comes out
(``effects``, as in ``baonet.hyp``). Rules, beside those of ``baonet.actors.phases``:

1. The machine starts when all who are not gone have greeted.
2. Who dies, is lost or speaks out of turn takes its VMs down: their other actors are killed, the other VMs go on.
3. A VM starts anew when all its actors are out of their guests and its memory has been loaded; it goes off at once.
4. When no VM has anything to do any more, the machine has come to an end, whether it ever started or not.
5. Who dies once it was told to stop changes no VM: what it had to say is lost, and that is told.
6. Who is frozen stays out of its guest, whatever its phase is; all who answer are, or nobody is said to be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from typing import Final, final

from baonet.actors.ending import Ending, VmState
from baonet.actors.phases import ENDING, PATIENCE, OutOfTurn, Phase, step
from baonet.machine.dataclass import dataclass
from baonet.wire.control import (
    Control,
    Freeze,
    Frozen,
    Halt,
    Halted,
    Hello,
    Parked,
    Reset,
    Running,
    Start,
    Stop,
    Stopped,
    Thaw,
    VmOff,
    VmReset,
)

GRACE: Final = 5.0
"""Seconds for which one that is stopping may say nothing; what it says may take longer (``PATIENCE``)."""
FREEZING: Final = 30.0
"""Seconds in which one that was told to freeze must have left its guest."""
Vital = Hello | Running | Halted | Parked | VmOff | VmReset | Frozen | Stopped
"""The messages that move a life."""


@final
@dataclass(frozen=True, slots=True)
class Tell:
    address: int
    message: Control


@final
@dataclass(frozen=True, slots=True)
class Kill:
    """Whatever it does: it is gone for us."""

    address: int


@final
@dataclass(frozen=True, slots=True)
class Load:
    """Give the VM its memory as at the start, then call ``loaded``."""

    vm: int


@final
@dataclass(frozen=True, slots=True)
class Fail:
    """Tell the user."""

    text: str


@final
@dataclass(frozen=True, slots=True)
class Changed:
    """A VM has come to its end, and others have not."""

    vm: int
    state: VmState


@final
@dataclass(frozen=True, slots=True)
class Conclude:
    """The machine itself has come to an end."""

    ending: Ending


Duty = Tell | Kill | Load | Fail | Changed | Conclude


@final
@dataclass(slots=True)
class _Actor:
    """``pcpus``: those that it speaks for. ``lasted``, ``silent``: seconds in this phase, and since its last word.

    ``frozen``: it was told to freeze, and not to go on since. ``asked``: how often it was and has not answered, which
    it may do after it was told to go on. ``freezing``: seconds for which somebody waits for that.
    """

    pcpus: tuple[int, ...]
    phase: Phase = Phase.SPAWNED
    lasted: float = 0.0
    silent: float = 0.0
    frozen: bool = False
    asked: int = 0
    freezing: float = 0.0

    def move(self, phase: Phase) -> None:
        self.phase = phase
        self.lasted = self.silent = 0.0


@final
class Life:
    """``vms``: the name of each VM and its pcpus. ``carries``: the pcpus that each actor speaks for, by its address.

    ``conducted``: the actors are conductors of islands (virtual time), which end and halt their VMs by themselves. One
    whose VM starts anew waits until it is told that its memory is loaded, or that the VM halts for good.
    """

    def __init__(
        self,
        vms: Sequence[tuple[str, Collection[int]]],
        carries: Mapping[int, tuple[int, ...]],
        *,
        conducted: bool = False,
    ) -> None:
        self.states = [VmState.RUNNING for _ in vms]
        self.effects: list[Duty] = []
        self.lost = False
        """Somebody's last words are missing."""
        self.parked: list[set[int]] = [set() for _ in vms]
        """The vcpus of each VM that are parked, since it last started."""
        self._vms = [(name, tuple(pcpus)) for name, pcpus in vms]
        self._actors = {address: _Actor(pcpus) for address, pcpus in carries.items()}
        self._addresses = {pcpu: address for address, pcpus in carries.items() for pcpu in pcpus}
        self._conducted = conducted
        self._started = self._stopping = self._parked = False

    @property
    def started(self) -> bool:
        """Whether all that there were at the start were told to start."""
        return self._started

    @property
    def over(self) -> bool:
        """Whether everybody is gone."""
        return all(actor.phase is Phase.GONE for actor in self._actors.values())

    @property
    def present(self) -> list[int]:
        """The addresses of those who are not gone."""
        return [address for address, actor in sorted(self._actors.items()) if actor.phase is not Phase.GONE]

    @property
    def carried(self) -> dict[int, tuple[int, ...]]:
        """The pcpus of those who are not gone, by their addresses."""
        return {address: self._actors[address].pcpus for address in self.present}

    @property
    def frozen(self) -> bool:
        """Whether all who were told to freeze, and are to answer, have; and no VM is about to start anew."""
        if VmState.RESETTING in self.states and not self._stopping:  # it starts anew no more
            return False
        return all(not each.asked or each.phase in (*ENDING, Phase.GONE) for each in self._actors.values())

    def freeze(self) -> None:
        """Have all who answer stay out of their guests. Conductors stand where they are let go to."""
        if self._conducted:
            return
        for address, actor in sorted(self._actors.items()):
            if actor.phase not in (*ENDING, Phase.GONE):
                actor.frozen, actor.freezing = True, 0.0
                actor.asked += 1
                self.effects.append(Tell(address, Freeze()))

    def thaw(self, stood: int) -> None:
        """Let them go on; ``stood`` as in ``Thaw``."""
        for address, actor in sorted(self._actors.items()):
            if actor.frozen and self.answers(address):
                self.effects.append(Tell(address, Thaw(stood)))
            actor.frozen = False

    def resume(self, vms: Sequence[tuple[VmState, Set[int]]]) -> None:
        """Before the start: so is each VM already, and these vcpus of it are parked."""
        self.states = [state for state, _ in vms]
        self.parked = [{*vcpus} for _, vcpus in vms]
        self._parked = VmState.PARKED in self.states

    def phase(self, address: int) -> Phase:
        return self._actors[address].phase

    def answers(self, address: int) -> bool:
        """Whether it takes what it is told, or says its last words anyway."""
        return self._actors[address].phase not in (Phase.STOPPED, Phase.GONE)

    def heard(self, address: int) -> None:
        """Anything came from this one."""
        if (actor := self._actors.get(address)) is not None:
            actor.silent = 0.0

    def said(self, address: int, message: Vital) -> None:
        """What one of them says of its life, or of its VM's."""
        actor = self._actors.get(address)
        if actor is None or actor.phase is Phase.GONE:
            return  # it was on the way when the one that said it was given up
        if isinstance(message, Frozen):
            if actor.asked:
                actor.asked -= 1
            else:
                self._lose(address, "does not keep to the protocol: Frozen is out of turn for one that was not told to")
            return
        of_vm = isinstance(message, Parked) or (self._conducted and isinstance(message, VmOff | VmReset))
        if not of_vm:
            try:
                phase = step(actor.phase, message)
            except OutOfTurn as error:
                self._lose(address, f"does not keep to the protocol: {error}")
                return
            if phase is not actor.phase:
                actor.move(phase)
        if self._stopping:
            return
        match message:
            case Hello():
                self._start()
            case Halted():
                self._halted(address)
            case Parked(report):
                self._parked = True
                if self.states[report.vm] is not VmState.RESETTING:  # else that vcpu starts anew with the others
                    self.parked[report.vm].add(report.vcpu)
                    self._set(report.vm, VmState.PARKED)
            case VmOff(vm):
                self._off(vm)
            case VmReset(vm):
                self._reset(vm)
            case _:
                pass

    def broke(self, address: int, why: str) -> None:
        """The channel of an actor, or of a crew, is of no use any more. ``why`` reads behind its name."""
        if self._actors[self._addresses[address]].phase not in (Phase.STOPPED, Phase.GONE):
            self._lose(self._addresses[address], why, named=None if address in self._actors else (address,))

    def died(self, pcpu: int, why: str) -> None:
        """The process of a pcpu has ended, and all that it said was heard before. ``why`` reads behind its name.

        In virtual time it may be a crew's, whose conductor cannot go on without it.
        """
        address = self._addresses[pcpu]
        actor = self._actors[address]
        if actor.phase is Phase.GONE:
            return
        if address != pcpu:
            if actor.phase in ENDING:
                self._fail((pcpu,), why, lost=True)  # its conductor does without its last words
            else:
                self._lose(address, why, named=(pcpu,))
        elif actor.phase is Phase.STOPPED:
            actor.move(Phase.GONE)
        else:
            self._lose(address, why, ended=True)

    def passed(self, seconds: float, unheard: Set[int] = frozenset()) -> None:
        """So much time went by in which the agent looked at what came, but not from ``unheard``."""
        for address, actor in self._actors.items():
            if actor.phase is Phase.GONE or address in unheard:
                continue
            actor.lasted += seconds
            actor.silent += seconds
            if actor.frozen and actor.asked and actor.phase not in ENDING:
                actor.freezing += seconds
                if actor.freezing >= FREEZING:
                    self._lose(address, f"has not left its guest for {FREEZING:g} s, and was killed")
                    continue
            patience = PATIENCE.get(actor.phase)
            if patience is not None and actor.lasted >= patience:
                if actor.phase is Phase.STOPPED:
                    self._kill(address)  # it has said everything
                else:
                    self._give_up(address, patience)
            elif actor.phase is Phase.STOPPING and actor.silent >= GRACE:
                self._give_up(address, GRACE)

    def stop(self) -> None:
        """End everybody."""
        if not self._stopping:
            self._stopping = True
            for address in self.present:
                self._end(address)

    def loaded(self, vm: int, why_not: str | None = None) -> None:
        """What came of ``Load``."""
        if self._stopping or self.states[vm] is not VmState.RESETTING:
            return
        if why_not is not None:
            self.effects.append(Fail(f"VM '{self._vms[vm][0]}' cannot start anew: {why_not}"))
            self._set(vm, VmState.DEAD)
        else:
            self.states[vm] = VmState.RUNNING
            self.parked[vm].clear()
        for address in self._concerned(vm):
            if self._conducted:
                self.effects.append(Tell(address, Reset() if why_not is None else Halt()))
            elif why_not is None:
                self._tell(address, Reset())
            else:
                self._kill(address)

    def _concerned(self, vm: int) -> list[int]:
        """Who runs the VM, or conducts it."""
        return sorted({self._addresses[pcpu] for pcpu in self._vms[vm][1]})

    def _start(self) -> None:
        present = self.present
        if self._started or not all(self._actors[each].phase is Phase.GREETED for each in present):
            return
        self._started = True
        for address in present:
            self._tell(address, Start())

    def _off(self, vm: int) -> None:
        if self.states[vm] in (VmState.OFF, VmState.DEAD):
            return
        if not self._conducted:
            for address in self._concerned(vm):
                self._end(address)
        self._set(vm, VmState.OFF)

    def _reset(self, vm: int) -> None:
        if self.states[vm] not in (VmState.RUNNING, VmState.PARKED):
            return
        self.states[vm] = VmState.RESETTING
        if self._conducted:
            self.effects.append(Load(vm))
        else:
            for address in self._concerned(vm):
                self._tell(address, Halt())

    def _halted(self, address: int) -> None:
        for vm, (_, pcpus) in enumerate(self._vms):
            if self.states[vm] is VmState.RESETTING and address in pcpus:
                if all(self._actors[self._addresses[each]].phase is Phase.HALTED for each in pcpus):
                    self.effects.append(Load(vm))
                return

    def _give_up(self, address: int, seconds: float) -> None:
        missing = {
            Phase.SPAWNED: "has not greeted",
            Phase.STARTED: "has not started",
            Phase.HALTING: "has not left its guest",
            Phase.STOPPING: "has not stopped",
        }[self._actors[address].phase]
        self._lose(address, f"{missing} for {seconds:g} s, and was killed")

    def _lose(self, address: int, why: str, *, named: tuple[int, ...] | None = None, ended: bool = False) -> None:
        """This one is no more (``ended``), or of no use; ``named`` are the pcpus to tell of, if not all that it has."""
        actor = self._actors[address]
        ending = actor.phase in ENDING
        if ended:
            actor.move(Phase.GONE)
        self._kill(address)
        self._fail(actor.pcpus if named is None else named, why, lost=ending)
        if ending:
            return
        for vm, (_, its) in enumerate(self._vms):
            if set(actor.pcpus) & set(its):
                self._bring_down(vm)
        self._start()

    def _fail(self, pcpus: Collection[int], why: str, *, lost: bool) -> None:
        """One line for each VM that it concerns."""
        self.lost |= lost
        for name, its in self._vms:
            vcpus = [(pcpu, number) for number, pcpu in enumerate(its) if pcpu in pcpus]
            if vcpus:
                named = ", ".join(f"pcpu {pcpu} (VM '{name}', vcpu {number})" for pcpu, number in vcpus)
                self.effects.append(Fail(f"{named} {why}"))

    def _bring_down(self, vm: int) -> None:
        for address in self._concerned(vm):
            self._kill(address)
        self._set(vm, VmState.DEAD)

    def _set(self, vm: int, state: VmState) -> None:
        if self.states[vm] in (VmState.OFF, VmState.DEAD):
            return
        self.states[vm] = state
        if any(each in (VmState.RUNNING, VmState.RESETTING) for each in self.states):
            self.effects.append(Changed(vm, state))
        elif VmState.DEAD in self.states:
            self.effects.append(Conclude(Ending.FAILED))
        else:
            self.effects.append(Conclude(Ending.PARKED if self._parked else Ending.DONE))

    def _end(self, address: int) -> None:
        if self._actors[address].phase not in (*ENDING, Phase.GONE):
            self._tell(address, Stop())

    def _tell(self, address: int, message: Control) -> None:
        actor = self._actors[address]
        actor.move(step(actor.phase, message))
        self.effects.append(Tell(address, message))

    def _kill(self, address: int) -> None:
        if self._actors[address].phase is not Phase.GONE:
            self._actors[address].move(Phase.GONE)
            self.effects.append(Kill(address))
