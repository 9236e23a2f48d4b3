"""A run in virtual time as plain data: what its agent keeps, and what the pcpus tell of themselves when it asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, final

from baonet.actors.console import JoinedOutput
from baonet.actors.course import Course
from baonet.actors.ending import VmState
from baonet.actors.life import Life
from baonet.actors.outcome import Outcome
from baonet.actors.schedule import Schedule
from baonet.machine.saved import Saved, StateForm, row
from baonet.wire.control import Control, PcpuState, StateRequest

_FORM: Final = StateForm("a run", 1, course=dict, vms=list, parked=list, typed=list, consoles=list)


@final
class Saving:
    """How far the islands are, how each VM is, what of consoles has come; and the states of pcpus, as they tell them.

    ``typed``: bytes that no UART has taken yet, by VM. ``tell`` tells an actor something, ``until`` waits until
    something is so; False: the run is over before.
    """

    def __init__(
        self,
        life: Life,
        course: Course,
        outcome: Outcome,
        consoles: JoinedOutput,
        typed: list[int],
        *,
        tell: Callable[[int, Control], None],
        until: Callable[[Callable[[], bool]], Awaitable[bool]],
    ) -> None:
        self._life = life
        self._course = course
        self._outcome = outcome
        self._consoles = consoles
        self._typed = typed
        self._tell = tell
        self._until = until
        self._coming: dict[int, bytearray] = {}
        self._states: dict[int, bytes] = {}

    async def save(self) -> tuple[Saved, dict[int, bytes]]:
        """What is kept here of the machine, which stands in virtual time, and the state of each pcpu.

        Raises LookupError when some of it is lost.
        """
        self._coming.clear()
        self._states.clear()
        asked = self._life.carried
        for address in asked:
            self._tell(address, StateRequest())

        def missing() -> set[int]:
            return {pcpu for address, pcpus in asked.items() for pcpu in pcpus} - self._states.keys()

        over = not await self._until(lambda: not (missing() and asked.keys() <= self._life.carried.keys()))
        if over or missing() or VmState.DEAD in self._life.states:
            raise LookupError("the run is over" if over else "some of its CPUs do not run any more")
        return self._saved(), dict(sorted(self._states.items()))

    def told(self, piece: PcpuState) -> None:
        """The next bytes of a pcpu's state."""
        come = self._coming.setdefault(piece.pcpu, bytearray())
        come += piece.data
        if not piece.more:
            self._states[piece.pcpu] = bytes(self._coming.pop(piece.pcpu))

    def _saved(self) -> Saved:
        assert isinstance(self._course, Schedule)
        states = zip(self._life.states, self._life.parked, strict=True)
        return _FORM.save(
            course=self._course.save(),
            vms=[[state.name, sorted(vcpus)] for state, vcpus in states],
            parked=[[vm, vcpu, count] for (vm, vcpu), count in sorted(self._outcome.parked.items())],
            typed=list(self._typed),
            consoles=self._consoles.save(),
        )

    def load(self, data: object) -> None:
        """Before anything runs: go on from there, with pcpus that do. Raises StateError for what is no such state."""
        assert isinstance(self._course, Schedule)
        fields = _FORM.load(data)
        with _FORM.reading():
            vms = [row(each, str, list) for each in fields["vms"]]
            if len(vms) != len(self._typed):
                raise _FORM.damaged("it has other VMs: load it into the machine that it was saved from")
            self._life.resume([(VmState[name], {*vcpus}) for name, vcpus in vms])
            rows = [row(each, int, int, int) for each in fields["parked"]]
            self._outcome.parked.update({(vm, vcpu): count for vm, vcpu, count in rows})
            self._typed[:] = row(fields["typed"], *[int] * len(vms))
            self._consoles.load([row(each, int, int) for each in fields["consoles"]])
        self._course.load(fields["course"])
