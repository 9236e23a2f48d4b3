"""The user's terminal as the console of one VM: raw, with an escape key as QEMU has."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Callable
from typing import final

import trio

ESCAPE = 0x01
HELP = b"\r\nCtrl-A h  this help\r\nCtrl-A x  end the machine\r\nCtrl-A Ctrl-A  send Ctrl-A\r\n"


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
            self._saved = termios.tcgetattr(sys.stdin)
            tty.setraw(sys.stdin)

    def __exit__(self, *_: object) -> None:
        if self._saved is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._saved)  # type: ignore[arg-type]
            self._saved = None


@final
class Escapes:
    """Splits what is typed into bytes for the guest and commands for us."""

    def __init__(self, quit_: Callable[[], None], help_: Callable[[], None]) -> None:
        self._escaped = False
        self._commands = {ord("x"): quit_, ord("h"): help_}

    def feed(self, data: bytes) -> bytes:
        """The bytes that are for the guest."""
        passed = bytearray()
        for byte in data:
            if self._escaped:
                self._escaped = False
                command = self._commands.get(byte)
                if command is not None:
                    command()
                elif byte == ESCAPE:
                    passed.append(byte)
            elif byte == ESCAPE:
                self._escaped = True
            else:
                passed.append(byte)
        return bytes(passed)


def _help() -> None:
    os.write(sys.stdout.fileno(), HELP)


async def keyboard(write: Callable[[bytes], None], quit_: Callable[[], None]) -> None:
    """Pass what is typed to ``write`` until the end of the input. A pipe passes as it is; it has no escape key."""
    descriptor = sys.stdin.fileno()
    escapes = Escapes(quit_, _help) if sys.stdin.isatty() else None
    while data := await trio.to_thread.run_sync(os.read, descriptor, 4096, abandon_on_cancel=True):
        passed = data if escapes is None else escapes.feed(data)
        if passed:
            write(passed)
