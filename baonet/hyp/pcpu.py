"""One physical CPU of the hypervisor: what its core's exits and the other pcpus' messages lead to.

No clock, no I/O: an exit or a message comes in, registers of the stopped guest change, and effects are appended to
``effects``. The caller drains that list, in order and in place, after every call; the core leaves the guest when an
emulated access has put something there.

Everything is total: a message that makes no sense here is counted as dropped, whatever it says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, final

from baonet.hyp.architecture import Architecture, InterruptStatistics, Wing
from baonet.hyp.cpu import Cpu
from baonet.hyp.effects import Effect, Send
from baonet.hyp.ipc import Ipc
from baonet.hyp.messages import SHARED, HypMessage, IpcNotify, SpiLine, VmBarrier
from baonet.hyp.restart import Restart
from baonet.hyp.vcpu import State, Vcpu
from baonet.hyp.vmm import Plan
from baonet.machine.dataclass import dataclass
from baonet.machine.saved import Saved, StateError, StateForm, row

_FROM_ANY_VM = frozenset((IpcNotify, SpiLine))  # the rest is a VM's own business

_FORM: Final = StateForm(
    "a pcpu's hypervisor",
    2,
    place=list,
    exits=list,
    received=dict,
    sent=dict,
    dropped=int,
    sends=list,
    vcpu=dict,
    restart=dict,
    wing=dict,
)


@final
@dataclass(frozen=True, slots=True)
class PcpuStatistics:
    """Counts since the start: exits by name, messages by type name, questions asked, messages that came to nothing.

    Exits WFI, BUDGET and KICKED are counted by the core: its caller need not pass them on. Nor are calls that the
    core has answered (``Wing.answers``) among them.
    """

    exits: dict[str, int]
    received: dict[str, int]
    sent: dict[str, int]
    asked: int
    dropped: int
    lives: int
    interrupts: InterruptStatistics


@final
class Pcpu:
    """The pcpu ``pcpu`` of ``plan``, on its core of ``architecture``. Raises ValueError for one that no VM wants.

    Give the core ``windows``, ``read_emulated``, ``write_emulated`` and ``effects``; call ``start``; then act on
    ``state`` (see ``State``), and after each run of the core pass on its exit.
    """

    __slots__ = (
        "_counts",
        "_cpu",
        "_exits",
        "_family",
        "_handlers",
        "_ipc",
        "_plan",
        "_quiet",
        "_received",
        "_restart",
        "architecture",
        "dropped",
        "effects",
        "id",
        "read_emulated",
        "vcpu",
        "windows",
        "wing",
        "write_emulated",
    )

    def __init__(self, plan: Plan, pcpu: int, cpu: Cpu, architecture: Architecture) -> None:
        self.id = pcpu
        self.architecture = architecture
        self.effects: list[Effect] = []
        self.dropped = 0
        self.vcpu = vcpu = Vcpu(plan, pcpu, cpu, self.effects)
        self._cpu = cpu
        self._counts = [0] * len(architecture.exits)
        self._received: dict[type, int] = {}
        self._family = frozenset(vcpu.vm.pcpus)
        self._plan = plan
        self._quiet = frozenset(fact.kind for fact in architecture.messages if fact.quiet)
        self._restart = Restart(tuple(other for other in vcpu.vm.pcpus if other != pcpu))
        self.wing: Wing = architecture.wing(vcpu, self.line)
        vcpu.wing = self.wing
        self.windows = self.wing.windows
        self.read_emulated = self.wing.read_emulated
        self.write_emulated = self.wing.write_emulated
        self._begin()

    def _begin(self) -> None:
        """Everything that a life of the VM starts with."""
        self._ipc = Ipc(self.vcpu, self.architecture.call_registers)
        self.wing.begin(self._ipc)
        self._exits: Sequence[Callable[[], None]] = self.wing.exits
        self._handlers: dict[type, Callable[[int, Any], None]] = {
            **self.wing.messages,
            IpcNotify: self._notified,
            SpiLine: self._line_told,
            VmBarrier: self._barrier,
        }

    @property
    def state(self) -> State:
        return self.vcpu.state

    def start(self) -> None:
        """Start the guest if this is vcpu 0; the others wait for CPU_ON."""
        if self.vcpu.id == 0:
            self.vcpu.enter(self.vcpu.config.entry, self.vcpu.config.context)

    def wake(self) -> None:
        """A physical interrupt (a timer) has come while the state was STANDBY."""
        self.vcpu.wake()

    # Exits

    def on_exit(self, exit: int) -> None:
        """The core has stopped for this reason, one of the architecture's ``exits``."""
        self._counts[exit] += 1
        self._exits[exit]()

    # Messages

    def message(self, source: int, message: HypMessage) -> None:
        """What pcpu ``source`` says. It ends a suspend, as any IPI does in Bao, unless it is a quiet one."""
        kind = type(message)
        self._received[kind] = self._received.get(kind, 0) + 1
        if source not in self._family and kind not in _FROM_ANY_VM:
            self.dropped += 1
            return
        if self._restart.under_way and kind is not VmBarrier:
            self.dropped += not self._restart.hold(source, message)
            return
        self._handlers[kind](source, message)
        if kind not in self._quiet or (self.vcpu.state is State.STANDBY and self.wing.waits()):
            self.vcpu.wake()

    def expects(self, notify: IpcNotify) -> tuple[int, int, int] | None:
        """What the wing ``expects`` of the interrupt of a notification that came now; None: more may come of it."""
        interrupt = self._ipc.interrupt(notify)
        if interrupt is None or not self.vcpu.is_home or self.vcpu.state is not State.RUNNING:
            return None
        return self.wing.expects(interrupt)

    def caught_up(self, exits: list[tuple[int, int]], sent: int, received: int, held: IpcNotify | None) -> None:
        """What has been done in its place: exits by number; notifications sent, and received that have ended.

        ``held``: one more was received, and the guest has its interrupt still.
        """
        for reason, count in exits:
            self._counts[reason] += count
        if sent:
            self.vcpu.sent[IpcNotify] = self.vcpu.sent.get(IpcNotify, 0) + sent
        if held is not None:
            received += 1
            interrupt = self._ipc.interrupt(held)
            assert interrupt is not None, "it was expected"
            self.wing.listed(interrupt)
        if received:
            self._received[IpcNotify] = self._received.get(IpcNotify, 0) + received

    def _notified(self, source: int, notify: IpcNotify) -> None:
        """A parked or halted master hears nothing, as in Bao, though the interrupt may be for another vcpu."""
        interrupt = self._ipc.interrupt(notify)
        if not self.vcpu.is_home or self.vcpu.state in (State.PARKED, State.OFF):
            self.dropped += 1
        elif interrupt is not None:
            self.wing.inject(interrupt)

    def line(self, interrupt: int, level: int, sequence: int) -> None:
        """A device's line has changed, as seen here. It goes to the VM that owns the interrupt, which may be another.

        ``sequence`` counts the line's changes, so that news from several pcpus can be put in order.
        """
        home = self._line_home(interrupt)
        if home == self.id:
            self.wing.line(interrupt, bool(level), sequence)
        elif home is not None:
            self.vcpu.send(home, SpiLine(interrupt, bool(level), sequence))

    def _line_home(self, interrupt: int) -> int | None:
        """The master of the VM that has an interrupt, if it is one of a device."""
        if interrupt in self.architecture.private:
            return None
        if interrupt in self.vcpu.config.interrupts:
            return self.vcpu.home
        return next((vm.master for vm in self._plan.vms if interrupt in vm.config.interrupts), None)

    def _line_told(self, source: int, change: SpiLine) -> None:
        if self.vcpu.is_home and self._line_home(change.interrupt) == self.id:
            self.wing.line(change.interrupt, change.level, change.sequence)

    # The life of the VM

    def halt(self) -> None:
        """The VM goes off or is about to be reset: the guest does not run any more."""
        self.vcpu.stop(State.OFF)

    def reset_vm(self) -> None:
        """Start the VM anew, its memory having been loaded again and all its pcpus halted.

        The guest runs when every pcpu of the VM has been told and their barriers have crossed.
        """
        self.halt()
        barrier = self._restart.begin()
        for peer in self._restart.peers:
            self.vcpu.send(peer, barrier)
        self._reset_if_complete()

    def _barrier(self, source: int, message: VmBarrier) -> None:
        self._restart.barrier(source, message)
        self._reset_if_complete()

    def _reset_if_complete(self) -> None:
        if not self._restart.under_way or not self._restart.complete():
            return
        self.vcpu.stop(State.POWERDOWN)
        self.vcpu.started = False
        self.wing.reset()
        self._begin()
        held = self._restart.finish()
        self.start()
        for source, message in held:
            self._handlers[type(message)](source, message)

    @property
    def _kinds(self) -> list[type[HypMessage]]:
        return [fact.kind for fact in (*self.architecture.messages, *SHARED)]

    def statistics(self) -> PcpuStatistics:
        kinds = self._kinds
        return PcpuStatistics(
            exits={reason.name: self._counts[reason] for reason in self.architecture.exits},
            received={kind.__name__: self._received.get(kind, 0) for kind in kinds},
            sent={kind.__name__: self.vcpu.sent.get(kind, 0) for kind in kinds},
            asked=self.vcpu.asked,
            dropped=self.dropped,
            lives=self._restart.life,
            interrupts=self.wing.statistics(),
        )

    # As data

    @property
    def _place(self) -> list[Any]:
        """Whose state it is."""
        return [self.architecture.name, self.id, self.vcpu.config.index, self.vcpu.id]

    def save(self, dump: Callable[[HypMessage], Any]) -> Saved:
        """The state of everything here, but of the CPU. ``dump`` makes a message plain data, as a wire's codec does.

        What an emulated access has sent may wait for the caller. Raises ValueError while other effects do: those come
        of a call of his, and would be lost, or performed twice.
        """
        sends = [effect for effect in self.effects if isinstance(effect, Send)]
        if len(sends) != len(self.effects):
            raise ValueError(f"pcpu {self.id} has effects that nobody has performed: save it after that")
        return _FORM.save(
            place=self._place,
            exits=list(self._counts),
            received={kind.__name__: count for kind, count in self._received.items()},
            sent={kind.__name__: count for kind, count in self.vcpu.sent.items()},
            dropped=self.dropped,
            sends=[[send.pcpu, dump(send.message)] for send in sends],
            vcpu=self.vcpu.save(),
            restart=self._restart.save(dump),
            wing=self.wing.save(),
        )

    def load(self, data: object, undump: Callable[[Any], HypMessage]) -> None:
        """Be as a pcpu was that has been saved, in a machine from the same file; the CPU is not touched.

        Raises StateError for what is not this pcpu's state or of another version, and what ``undump`` raises.
        """
        fields = _FORM.load(data)
        if fields["place"] != self._place:
            raise StateError(
                f"the state is of {_told(fields['place'])}, and this is {_told(self._place)}: load it into the machine "
                "that it was saved from"
            )
        with _FORM.reading():
            self._load(fields, undump)

    def _load(self, fields: Saved, undump: Callable[[Any], HypMessage]) -> None:
        if len(fields["exits"]) != len(self._counts):
            raise _FORM.damaged(f"{len(fields['exits'])} exits, where there are {len(self._counts)}")
        self._counts[:] = row(fields["exits"], *[int] * len(self._counts))
        kinds = {kind.__name__: kind for kind in self._kinds}
        received, sent = (
            dict(row([*each], str, int) for each in fields[name].items()) for name in ("received", "sent")
        )
        self._received = {kinds[name]: count for name, count in received.items()}
        self.vcpu.sent = {kinds[name]: count for name, count in sent.items()}
        self.dropped = fields["dropped"]
        waiting = [row([*each], int, bytes) for each in fields["sends"]]
        if not all(0 <= pcpu < len(self.vcpu.plan.pcpus) for pcpu, _ in waiting):
            raise _FORM.damaged("it has sent something to a pcpu that is not there")
        self.effects[:] = [Send(pcpu, undump(message)) for pcpu, message in waiting]
        self.vcpu.load(fields["vcpu"])
        self._restart.load(fields["restart"], undump)
        self.wing.load(fields["wing"])


def _told(place: list[Any]) -> str:
    return "{} pcpu {} (vm {}, vcpu {})".format(*place) if len(place) == 4 else f"{place!r:.80}"
