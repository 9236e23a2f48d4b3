"""One vcpu's view of a controller that the VM's harts share: at home its state, elsewhere questions to the home.

On the home hart an access of the guest needs no message. Another hart's takes one round trip: the answer brings what
the access has done to that hart's line, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeVar, cast, final

from baonet.hyp.architecture import Handler, InterruptStatistics
from baonet.hyp.cpu import NOTE_ACKNOWLEDGED, NOTE_DELIVERED, NOTE_ENDED, NOTE_RAISED
from baonet.hyp.riscv.cpu import EXTERNAL, MESSAGES, RiscvCpu
from baonet.hyp.riscv.imsic import ImsicPages
from baonet.hyp.riscv.irqc_messages import (
    UNCHANGED,
    HangInterrupt,
    ImsicMessage,
    IrqcRead,
    IrqcResult,
    IrqcWrite,
    UpdateHartLine,
)
from baonet.hyp.riscv.parking import SILENCE, park
from baonet.hyp.riscv.sources import SOURCES, members
from baonet.hyp.vcpu import State, Vcpu, Waiting
from baonet.machine.saved import Saved, StateForm

MASK32: Final = 0xFFFF_FFFF
_NOBODY: Final = -1
_INTERRUPT: Final = 1 << 63
"""Of scause."""
_REMEMBERED: Final = 4096
"""Accesses, of more that a guest may make."""
_SIZES: Final = 9
"""Of accesses, up to 8 bytes."""
_Access = TypeVar("_Access")
_DEAD: Final = (State.PARKED, State.OFF)

_FORM: Final = StateForm("a vcpu's interrupt controller", 1, signalled=int, lines=list, shared=dict | None)


ReadRegister = Callable[[int], int]
WriteRegister = Callable[[int, int], None]
IrqcRegister = tuple[ReadRegister, WriteRegister, int]
"""One that is read and written by these, and the place that both take before all else. What is written has 32 bits."""


def _zero(place: int) -> int:
    return 0


def ignore(place: int, value: int) -> None:
    """Nothing comes of a write."""


NOTHING: Final[IrqcRegister] = _zero, ignore, 0


class Harts(Protocol):
    """How a controller reaches the harts of its VM, by their vcpus, from its home.

    ``lines``: the source that each was told last, 0 for none; always the same list.
    """

    lines: list[int]

    def signal(self, vcpu: int, source: int, *, hardware: bool = False) -> None:
        """The external interrupt of a hart is pending for ``source`` (0: not pending)."""

    def forward(self, vcpu: int, identity: int, origin: int, *, hardware: bool = False) -> None:
        """An MSI to a hart's guest interrupt file. ``origin``: what has caused it, of the trace's sources."""

    def hang(self, vcpu: int, source: int) -> None:
        """A source interrupts a hart from which Bao never comes back."""

    def note(self, kind: int, source: int, origin: int = 0) -> None:
        """Tell the trace. ``origin``: what has raised a source, of the trace's sources."""


class SharedRegisters(Protocol):
    """A controller's registers and state. Elsewhere than at home only what depends on no state is used.

    ``source``: what an access has claimed or completed, until someone sets it to 0. ``completes``: whether what is
    claimed is active until the guest completes it. ``harmless``: with a value below that nothing ``breaks``.
    """

    windows: tuple[tuple[int, int], ...]
    completes: bool
    harmless: int
    source: int

    def takes(self, ipa: int, size: int) -> bool:
        """Whether there is a register that takes such an access."""

    def leaves_alone(self, ipa: int) -> bool: ...

    def breaks(self, ipa: int, value: int) -> str | None: ...

    def at(self, ipa: int) -> IrqcRegister:
        """Where it ``takes`` accesses, and the same as long as the controller is there."""

    def inject(self, source: int) -> None: ...

    def expects(self, source: int) -> tuple[int, int, int, int] | None:
        """The hart that it would go to, and of that what ``Controller.expects`` says, if nothing else came of
        ``inject``: no other hart would be told, and that one would be told of nothing else until the guest has
        completed it.
        """

    def line(self, source: int, level: bool, sequence: int) -> None: ...

    def reset(self) -> None: ...

    def held(self) -> int:
        """How many sources the guest has claimed and not completed."""

    def unheard(self) -> int:
        """As of ``Controller``; a mask."""

    def save(self) -> Saved: ...

    def load(self, data: object) -> None: ...


@final
class SharedController:
    """``make`` makes the controller's state, which reaches the harts through this. ``pages``: of interrupt files."""

    __slots__ = (
        "_asker",
        "_asker_line",
        "_cpu",
        "_home",
        "_is_home",
        "_me",
        "_pages",
        "_pcpus",
        "_reads",
        "_shared",
        "_signalled",
        "_vcpu",
        "_vcpus",
        "_writes",
        "lines",
        "messages",
        "windows",
    )

    def __init__(self, vcpu: Vcpu, make: Callable[[Harts], SharedRegisters], pages: ImsicPages | None = None) -> None:
        self._vcpu = vcpu
        self._cpu = cast(RiscvCpu, vcpu.cpu)
        self._me = vcpu.id
        self._home = vcpu.home
        self._is_home = vcpu.is_home
        self._pcpus = vcpu.vm.pcpus
        self._vcpus = {pcpu: n for n, pcpu in enumerate(self._pcpus)}
        self._pages = pages
        self._signalled = 0  # what this hart was told last
        self.lines = [0] * len(self._pcpus)  # what each was told, at home
        self._asker = _NOBODY  # whose access the home is about
        self._asker_line = UNCHANGED  # what that does to its line
        self._shared = shared = make(self)
        # Registers by size and address of accesses that may be done here, as far as there was one: _remember().
        self._reads: list[dict[int, tuple[ReadRegister, int]]] = [{} for _ in range(_SIZES)]
        self._writes: list[dict[int, tuple[WriteRegister, int]]] = [{} for _ in range(_SIZES)]
        self.windows = shared.windows
        self.messages: Mapping[type, Handler] = {
            IrqcRead: self._asked_to_read,
            IrqcWrite: self._asked_to_write,
            UpdateHartLine: self._told_line,
            ImsicMessage: self._told_identity,
            HangInterrupt: self._told_to_hang,
        }

    # The guest's accesses

    def covers(self, ipa: int) -> bool:
        return any(0 <= ipa - base < size for base, size in self.windows)

    def read(self, ipa: int, size: int) -> int | None:
        found = self._reads[size].get(ipa) or self._find_read(ipa, size)
        if found is None:
            return None
        read, place = found
        value = read(place)
        shared = self._shared
        if shared.source:
            self._note_claim(shared.source)
            shared.source = 0
        return value

    def write(self, ipa: int, size: int, value: int) -> bool:
        pages = self._pages
        if pages is not None and pages.holds(ipa):
            pages.store(self, ipa, size, value)
            return True
        found = self._writes[size].get(ipa) or self._find_write(ipa, size)
        if found is None:
            return False
        shared, value = self._shared, value & MASK32
        if value >= shared.harmless and shared.breaks(ipa, value) is not None:
            return False
        write, place = found
        write(place, value)
        if shared.source:
            self._cpu.note(NOTE_ENDED, shared.source, 0, 0)
            shared.source = 0
        return True

    def _find_read(self, ipa: int, size: int) -> tuple[ReadRegister, int] | None:
        if not self._is_home or not self._shared.takes(ipa, size) or self._shared.leaves_alone(ipa):
            return None
        read, _, place = self._shared.at(ipa)
        return _remember(self._reads[size], ipa, (read, place))

    def _find_write(self, ipa: int, size: int) -> tuple[WriteRegister, int] | None:
        if not self._is_home or not self._shared.takes(ipa, size):
            return None
        _, write, place = self._shared.at(ipa)
        return _remember(self._writes[size], ipa, (write, place))

    def _note_claim(self, source: int) -> None:
        self._cpu.note(NOTE_ACKNOWLEDGED, source, 0, 0)
        if not self._shared.completes:
            self._cpu.note(NOTE_ENDED, source, 0, 0)

    def leaves_alone(self, ipa: int, size: int) -> bool:
        return self._shared.takes(ipa, size) and self._shared.leaves_alone(ipa)

    def breaks(self, ipa: int, size: int, value: int) -> str | None:
        return self._shared.breaks(ipa, value & MASK32) if self._shared.takes(ipa, size) else None

    def ask_read(self, ipa: int, size: int) -> bool:
        return self._ask(ipa, size, IrqcRead(ipa, size))

    def ask_write(self, ipa: int, size: int, value: int) -> bool:
        return self._ask(ipa, size, IrqcWrite(ipa, size, value & MASK32))

    def _ask(self, ipa: int, size: int, question: IrqcRead | IrqcWrite) -> bool:
        if self._is_home or not self._shared.takes(ipa, size):
            return False
        self._vcpu.send(self._home, question)
        return True

    def answered(self, result: IrqcResult) -> None:
        if result.source and self._vcpu.waiting is Waiting.LOAD:
            self._note_claim(result.source)
        elif result.source:
            self._cpu.note(NOTE_ENDED, result.source, 0, 0)
        if result.signalled != UNCHANGED:
            self._set_line(result.signalled)

    # What comes from outside

    def inject(self, source: int) -> None:
        self._shared.inject(source)

    def expects(self, source: int) -> tuple[int, int, int] | None:
        expected = self._shared.expects(source) if self._is_home else None
        if expected is None or expected[0] != self._me:
            return None
        _, interrupt, place, value = expected
        told = self._signalled or self.lines[self._me]
        return None if not place and told else (interrupt, place, value)

    def listed(self, source: int) -> None:
        expected, claimed = self._shared.expects(source), not self._cpu.external
        assert expected is not None, "nothing else has happened"
        self._shared.inject(source)
        if claimed:
            read, _, place = self._shared.at(expected[3])
            read(place)
            self._shared.source = 0

    def line(self, source: int, level: bool, sequence: int) -> None:
        self._shared.line(source, level, sequence)

    def reset(self) -> None:
        self._set_line(0)
        self._cpu.clear_file()
        self.lines[:] = [0] * len(self._pcpus)
        self._shared.reset()

    def statistics(self) -> InterruptStatistics:
        return InterruptStatistics(0, 0, self._shared.held())

    def unheard(self) -> tuple[int, ...]:
        return tuple(members(self._shared.unheard())) if self._is_home else ()

    def save(self) -> Saved:
        return _FORM.save(
            signalled=self._signalled, lines=list(self.lines), shared=self._shared.save() if self._is_home else None
        )

    def load(self, data: object) -> None:
        fields = _FORM.load(data)
        lines = fields["lines"]
        if (fields["shared"] is not None) is not self._is_home or len(lines) != len(self.lines):
            raise _FORM.damaged("it is of a vcpu with another part")
        if not all(isinstance(each, int) for each in lines):
            raise _FORM.damaged(f"its lines are {lines!r:.80}")
        self._signalled, self.lines[:] = fields["signalled"], lines
        if self._is_home:
            self._shared.load(fields["shared"])

    # The harts, for the controller at home and for the pages of interrupt files anywhere

    def signal(self, vcpu: int, source: int, *, hardware: bool = False) -> None:
        """A hart is told again what it was told: Bao does that, and a hart that was started anew has forgotten it."""
        before = self.lines[vcpu]
        self.lines[vcpu] = source
        if vcpu == self._me:
            self._set_line(source)
        elif vcpu == self._asker:
            self._asker_line = source
        elif source or before:
            self._vcpu.send(self._pcpus[vcpu], UpdateHartLine(source, hardware))

    def forward(self, vcpu: int, identity: int, origin: int, *, hardware: bool = False) -> None:
        self._cpu.note(NOTE_RAISED, MESSAGES + identity, origin, 0)
        if vcpu == self._me:
            self._cpu.inject(identity)
        else:
            self._vcpu.send(self._pcpus[vcpu], ImsicMessage(identity, hardware))

    def hang(self, vcpu: int, source: int) -> None:
        if vcpu == self._me:
            self._hang(source)
        else:
            self._vcpu.send(self._pcpus[vcpu], HangInterrupt(source))

    def note(self, kind: int, source: int, origin: int = 0) -> None:
        self._cpu.note(kind, source, origin, 0)

    def _set_line(self, source: int) -> None:
        if source and source != self._signalled and source < SOURCES:
            self._cpu.note(NOTE_DELIVERED, source, 0, 0)
        self._signalled = source
        self._cpu.external = source != 0

    def _hang(self, source: int) -> None:
        if self._vcpu.state not in _DEAD:
            explanation = (
                f"source {source} of the APLIC is level-sensitive and its line is up: Bao, in direct delivery mode, "
                "takes its interrupt again and again, as only the guest could silence the device"
            )
            park(self._vcpu, self._cpu, SILENCE, explanation, cause=_INTERRUPT | EXTERNAL)

    # Messages

    def _asked_to_read(self, source: int, message: IrqcRead) -> None:
        shared, ipa, value = self._shared, message.address, 0
        self._asker, self._asker_line = self._vcpus[source], UNCHANGED
        if self._is_home and shared.takes(ipa, message.size) and not shared.leaves_alone(ipa):
            read, _, place = shared.at(ipa)
            value = read(place)
        self._answer(source, value)

    def _asked_to_write(self, source: int, message: IrqcWrite) -> None:
        shared, ipa, value = self._shared, message.address, message.value & MASK32
        self._asker, self._asker_line = self._vcpus[source], UNCHANGED
        if self._is_home and shared.takes(ipa, message.size) and shared.breaks(ipa, value) is None:
            _, write, place = shared.at(ipa)
            write(place, value)
        self._answer(source, 0)

    def _answer(self, source: int, value: int) -> None:
        self._vcpu.send(source, IrqcResult(value, self._asker_line, self._shared.source))
        self._shared.source = 0
        self._asker = _NOBODY

    def _told_line(self, source: int, message: UpdateHartLine) -> None:
        if source == self._home:
            self._set_line(message.signalled)

    def _told_identity(self, source: int, message: ImsicMessage) -> None:
        if message.identity > 0:
            self._cpu.inject(message.identity)

    def _told_to_hang(self, source: int, message: HangInterrupt) -> None:
        if source == self._home:
            self._hang(message.source)


def _remember(accesses: dict[int, _Access], ipa: int, access: _Access) -> _Access:
    if len(accesses) < _REMEMBERED:
        accesses[ipa] = access
    return access
