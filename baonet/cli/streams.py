"""The standard streams of the process: all there, none loses what is written to it, and none hands on what a terminal
would obey."""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from typing import Any, TextIO, final

from baonet.document.escapes import escaped
from baonet.outlets.hangup import reason

_LAYOUT = "\t\n\r"


@final
class _Patient(io.FileIO):
    """Waits where a descriptor that does not block takes nothing now.

    Whoever shares a pipe or a terminal with us may have left it so, and Python drops then what does not fit.
    """

    def write(self, data: Any, /) -> int:
        """All of it: where nothing is buffered (PYTHONUNBUFFERED) nobody else writes the rest."""
        left = memoryview(data)
        while left:
            try:
                written = super().write(left)
            except OSError as error:
                raise reason(error, self.fileno()) from None
            if written is None:
                poll = select.poll()
                poll.register(self.fileno(), select.POLLOUT)
                poll.poll()
            else:
                left = left[written:]
        return len(data)


@final
class _Shown(io.TextIOWrapper):
    """What is said for people, whatever is in it: names of files and VMs and lines of files may be anybody's."""

    def write(self, text: str, /) -> int:
        super().write(escaped(text, _LAYOUT))
        return len(text)


def columns() -> int:
    """How wide the terminal is, as ``shutil.get_terminal_size`` has it."""
    with suppress(KeyError, ValueError):
        if (said := int(os.environ["COLUMNS"])) > 0:
            return said
    with suppress(AttributeError, ValueError, OSError):  # closed, or no terminal
        if (found := os.get_terminal_size(sys.__stdout__.fileno()).columns) > 0:  # type: ignore[union-attr]
            return found
    return 80


def prepare() -> None:
    """Put /dev/null where our caller closed a stream, or a socket would get its number; and let the others wait."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
        pass  # the lowest number that is free comes first
    os.close(descriptor)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = _patient(sys.stdout) or os.fdopen(1, "w")
    sys.stderr = _patient(sys.stderr) or os.fdopen(2, "w")


def drop(stream: TextIO) -> None:
    """What could not be written must not be tried again when the interpreter ends."""
    with suppress(io.UnsupportedOperation), open(os.devnull, "wb") as null:
        os.dup2(null.fileno(), stream.fileno())


def _patient(stream: Any) -> Any:
    """The same stream, so; what a caller in this process has put there stays."""
    if not isinstance(stream, io.TextIOWrapper) or stream not in (sys.__stdout__, sys.__stderr__):
        return stream
    stream.flush()
    raw: Any = _Patient(stream.fileno(), "wb", closefd=False)
    return _Shown(
        raw if stream.write_through else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
