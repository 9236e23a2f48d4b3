"""What ``--console`` asks for: who is shown on the terminal, who has its keyboard, and which consoles are elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, final

from baonet.actors.agent import Agent
from baonet.actors.screen import Lines, Raw, Screen, Together
from baonet.cli.common import UsageError, colors, find_vm
from baonet.machine import Machine
from baonet.machine.dataclass import dataclass
from baonet.outlets.outlet import Outlet, Outlets

if TYPE_CHECKING:
    from baonet.actors.attached import Attached, OnTyped

_UNIX = "unix:"


@final
@dataclass(frozen=True)
class Wanted:
    """``shown``: the VMs on the terminal. ``typing``: those that were named for it; the first has its keyboard.

    ``raw``: the terminal is the console of one VM, byte for byte.
    ``elsewhere``: (VM, path of a socket, or None for a pseudo-terminal).
    """

    shown: tuple[int, ...]
    typing: tuple[int, ...]
    raw: bool
    elsewhere: tuple[tuple[int, str | None], ...]


def wanted(values: Sequence[str], machine: Machine) -> Wanted:
    """Raises UsageError."""
    typing: list[int] = []
    elsewhere: dict[int, str | None] = {}
    for value in values:
        name, equals, device = value.partition("=")
        if value in ("all", "none"):
            continue
        vm = find_vm(machine, name).index
        if not equals:
            typing += [vm] if vm not in typing else []
        elif vm in elsewhere:
            raise UsageError(f"--console {value}: the console of '{name}' is elsewhere already")
        elif device == "pty":
            elsewhere[vm] = None
        elif device.startswith(_UNIX) and device != _UNIX:
            elsewhere[vm] = device.removeprefix(_UNIX)
        else:
            raise UsageError(f"--console {value}: '{device}' is neither pty nor unix:PATH")
    if "none" in values and ("all" in values or typing):
        raise UsageError("--console none: give it without all and without VMs for the terminal")
    everybody = tuple(vm.index for vm in machine.vms)
    if "all" in values:
        shown = everybody
    elif typing or "none" in values:
        shown = tuple(typing)
    else:
        shown = tuple(vm for vm in everybody if vm not in elsewhere)
    raw = bool(typing) and len(shown) == 1 and "all" not in values
    return Wanted(shown, tuple(typing), raw, tuple(elsewhere.items()))


@final
class Consoles:
    """``screen`` shows everything where it belongs; ``raw`` or ``lines`` is its part on the terminal, if it has one."""

    def __init__(
        self, names: list[str], wanted: Wanted, out: Outlet, color: bool, attached: dict[int, Attached]
    ) -> None:
        self.wanted = wanted
        self.raw: Raw | None = None
        self.lines: Lines | None = None
        self._attached = attached
        screens: list[Screen] = [_Elsewhere(vm, each) for vm, each in attached.items()]
        if wanted.raw:
            self.raw = Raw(out, len(names), wanted.shown[0])
            screens.append(self.raw)
        elif wanted.shown:
            self.lines = Lines(
                out, names, color, wanted.shown, b"\r\n" if wanted.typing and sys.stdin.isatty() else b"\n"
            )
            screens.append(self.lines)
        self.screen: Screen = Together(screens)

    @property
    def interactive(self) -> bool:
        """Whether somebody may type."""
        return bool(self.wanted.typing or self._attached)

    def interrupt(self) -> bool:
        """Somebody else writes on the terminal: end the line that is open. True: a guest's own, which is not ended."""
        if self.lines is not None:
            self.lines.interrupt()
        return self.raw is not None and self.raw.begun

    def shows(self, vm: int) -> bool:
        """Whether the terminal shows it, now."""
        return vm == self.raw.vm if self.raw is not None else vm in self.wanted.shown

    async def serve(self, agent: Agent) -> None:
        """Until cancelled: pass on what is typed elsewhere, as fast as the guest reads it."""
        import trio  # noqa: PLC0415 - a run's first words come before there is a loop

        async with trio.open_nursery() as nursery:
            for vm, attached in self._attached.items():
                nursery.start_soon(attached.serve, _typist(vm, agent))


@final
class _Elsewhere:
    def __init__(self, vm: int, attached: Attached) -> None:
        self._vm = vm
        self._attached = attached

    def show(self, vm: int, data: bytes) -> None:
        if vm == self._vm:
            self._attached.line.write(data)

    def tick(self) -> None: ...

    def finish(self) -> None: ...


def _typist(vm: int, agent: Agent) -> OnTyped:
    async def typed(data: bytes) -> None:
        agent.write(vm, data)
        await agent.reading(vm)

    return typed


@contextmanager
def consoles(machine: Machine, wanted: Wanted, out: Outlet, outlets: Outlets) -> Iterator[Consoles]:
    """Opens what is elsewhere, and leaves nothing of it. Raises OSError with the path."""
    attached: dict[int, Attached] = {}
    with ExitStack() as stack:
        for vm, path in wanted.elsewhere:
            from baonet.actors.attached import PtyConsole, SocketConsole  # noqa: PLC0415 - few runs have any

            made = PtyConsole() if path is None else SocketConsole(path)
            stack.callback(made.close)
            outlets.add(made.line, vm)
            attached[vm] = made
            if isinstance(made, PtyConsole):
                print(f"baonet: the console of VM '{machine.vms[vm].name}' is {made.name}", file=sys.stderr, flush=True)
        names = [vm.name for vm in machine.vms]
        yield Consoles(names, wanted, out, colors(sys.stdout), attached)
