"""The user's terminal as the console of VMs: raw, with an escape key as QEMU has."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, final

from baonet.actors.agent import Agent
from baonet.cli.consoles import Consoles
from baonet.outlets.hangup import hung_up
from baonet.outlets.outlet import Outlet

ESCAPE: Final = 0x01
HELP: Final = (
    b"\r\nCtrl-A h  this help\r\nCtrl-A x  end the machine\r\nCtrl-A c  to the next VM's console\r\n"
    b"Ctrl-A b  send a break\r\nCtrl-A Ctrl-A  send Ctrl-A\r\n"
)


@final
class RawTerminal:
    """Standard input without line editing, echo and signals, where it is a terminal; always put back."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled and sys.stdin.isatty()
        self._saved: list[object] | None = None

    @property
    def line_end(self) -> str:
        """What ends a line of ours: a raw terminal does not go back to the first column by itself."""
        return "\n" if self._saved is None else "\r\n"

    def __enter__(self) -> None:
        if self._enabled:
            with suppress(termios.error):  # it is gone, and whoever reads from it notices
                self._saved = termios.tcgetattr(sys.stdin)
                tty.setraw(sys.stdin)

    def __exit__(self, *_: object) -> None:
        if self._saved is not None:
            # Not when all has been shown: a terminal that was stopped with Ctrl-S would never be put back.
            with suppress(termios.error):  # it is gone
                termios.tcsetattr(sys.stdin, termios.TCSANOW, self._saved)  # type: ignore[arg-type]
            self._saved = None


@final
class Escapes:
    """Splits what is typed into bytes for the guest and commands for us, in their order."""

    def __init__(self, passed: Callable[[bytes], None], commands: Mapping[str, Callable[[], None]]) -> None:
        self._escaped = False
        self._passed = passed
        self._commands = {ord(key): command for key, command in commands.items()}

    def feed(self, data: bytes) -> None:
        waiting = bytearray()
        for byte in data:
            command = self._commands.get(byte) if self._escaped else None
            if command is not None:
                if waiting:
                    self._passed(bytes(waiting))
                    waiting.clear()
                command()
            elif byte == ESCAPE if self._escaped else byte != ESCAPE:
                waiting.append(byte)
            self._escaped = byte == ESCAPE and not self._escaped
        if waiting:
            self._passed(bytes(waiting))


@final
class Keyboard:
    """Standard input: the keyboard of one VM after the other.

    A pipe passes as it is to the first; it has no escape key. ``names`` are those of all VMs, ``end`` ends the machine,
    ``gone`` is called when the terminal is gone.
    """

    def __init__(
        self,
        agent: Agent,
        consoles: Consoles,
        names: list[str],
        out: Outlet,
        *,
        end: Callable[[], None],
        gone: Callable[[], None],
    ) -> None:
        self._agent = agent
        self._consoles = consoles
        self._names = names
        self._out = out
        self._gone = gone
        self._vm = consoles.wanted.typing[0]
        shown = consoles.wanted.shown
        self._order = shown if len(shown) > 1 else tuple(range(len(names)))
        self._escapes = Escapes(self._type, {"x": end, "h": self._help, "c": self._next, "b": self._break})
        if consoles.lines is not None:
            consoles.lines.answering = self._vm

    async def serve(self) -> None:
        """Until the end of the input. Raises OSError when it cannot be read."""
        import trio  # noqa: PLC0415 - a run's first words come before there is a loop

        terminal = sys.stdin.isatty()
        while data := await trio.to_thread.run_sync(_typed, abandon_on_cancel=True):
            if terminal:
                self._escapes.feed(data)
            else:
                self._agent.write(self._vm, data)
                await self._agent.reading(self._vm)
        if hung_up(sys.stdin.fileno()):
            self._gone()

    def _type(self, data: bytes) -> None:
        """A guest that reads nothing does not get more and more; the escape key must be heard all the same."""
        if self._agent.reads(self._vm):
            self._agent.write(self._vm, data)
        else:
            self._out.write(b"\a")

    def _break(self) -> None:
        self._type(b"")

    def _next(self) -> None:
        """The keyboard goes to the next VM; on a terminal that shows one at a time, so does the screen."""
        if len(self._order) == 1:
            self._out.write(f"\r\n[there is no console but that of '{self._names[self._vm]}']\r\n".encode())
            return
        self._vm = self._order[(self._order.index(self._vm) + 1) % len(self._order)]
        if self._consoles.lines is not None:
            self._consoles.lines.interrupt()
            self._consoles.lines.answering = self._vm
        self._out.write(f"\r\n[console of '{self._names[self._vm]}']\r\n".encode())
        if self._consoles.raw is not None:
            self._consoles.raw.switch(self._vm)

    def _help(self) -> None:
        self._out.write(HELP)


def _typed() -> bytes:
    """What comes next; nothing at the end of the input, and where a terminal is gone."""
    descriptor = sys.stdin.fileno()
    try:
        return os.read(descriptor, 4096)
    except OSError as error:
        if hung_up(descriptor):
            return b""
        raise OSError(error.errno, error.strerror, "input") from None
