"""Ways to show what guests print.

``Lines`` are VMs together, a prefix before each line; ``Raw`` is one VM at a time, byte for byte; ``Together`` is
several of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Protocol, final

from baonet.actors.visible import RESET, visible, whole

_COLORS = (36, 33, 32, 35, 34, 31)


class Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


class Screen(Protocol):
    """``tick`` comes ten times a second or so, ``finish`` once, when no more will be shown."""

    def show(self, vm: int, data: bytes) -> None: ...
    def tick(self) -> None: ...
    def finish(self) -> None: ...


@final
class Together:
    """Each shows what it is for; of none, nothing is shown."""

    def __init__(self, screens: Sequence[Screen] = ()) -> None:
        self._screens = screens

    def show(self, vm: int, data: bytes) -> None:
        for screen in self._screens:
            screen.show(vm, data)

    def tick(self) -> None:
        for screen in self._screens:
            screen.tick()

    def finish(self) -> None:
        for screen in self._screens:
            screen.finish()


@final
class Raw:
    """The bytes of ``vm`` as they are. Of the others the end is kept, for when one of them is switched to."""

    KEPT: Final = 2048

    def __init__(self, out: Sink, vms: int, vm: int) -> None:
        self._out = out
        self._ends = [b"" for _ in range(vms)]
        self.vm = vm

    def show(self, vm: int, data: bytes) -> None:
        if vm == self.vm:
            self._out.write(data)
        self._ends[vm] = (self._ends[vm] + data)[-self.KEPT :]

    @property
    def begun(self) -> bool:
        """Whether the cursor is in the middle of a line."""
        return not (b"\n" + self._ends[self.vm]).endswith((b"\n", b"\r"))

    def switch(self, vm: int) -> None:
        """Show this one from now on, and what it said last: the whole lines of it."""
        self.vm = vm
        end = self._ends[vm]
        self._out.write(end[end.find(b"\n") + 1 :] if len(end) == self.KEPT else end)

    def tick(self) -> None: ...

    def finish(self) -> None: ...


@final
class Lines:
    """VMs line by line, a prefix before each line, of its text what cannot disturb the others (``visible``).

    An unfinished line (a prompt) is shown when its VM has said nothing for ``QUIET`` ticks, or when it has been
    unfinished for ``PATIENCE`` or is longer than ``LONGEST``, and is then continued, or ended when another VM has
    something to say. That of ``answering``, who has the keyboard, is continued at once. ``shown``: these only. ``end``
    is what ends a line on the terminal.
    """

    QUIET: Final = 2
    PATIENCE: Final = 10
    LONGEST: Final = 4096

    def __init__(
        self,
        out: Sink,
        names: list[str],
        color: bool,
        shown: Collection[int] | None = None,
        end: bytes = b"\n",
    ) -> None:
        self._out = out
        width = max(len(name) for name in names)
        self._prefixes = [self._prefix(number, f"{name:{width}} | ", color) for number, name in enumerate(names)]
        self._shown = range(len(names)) if shown is None else shown
        self._pending = [b"" for _ in names]
        self._quiet = [0 for _ in names]
        self._age = [0 for _ in names]
        self._open: int | None = None
        self._coloured = False
        self._line_end = end
        self.answering: int | None = None

    @staticmethod
    def _prefix(number: int, text: str, color: bool) -> bytes:
        return (f"\x1b[{_COLORS[number % len(_COLORS)]}m{text}\x1b[0m" if color else text).encode()

    def show(self, vm: int, data: bytes) -> None:
        if vm not in self._shown:
            return
        *lines, rest = (self._pending[vm] + data.replace(b"\r", b"")).split(b"\n")
        self._pending[vm] = rest
        self._quiet[vm] = 0
        if lines:
            self._age[vm] = 0
            self._out.write(b"".join(self._start(vm) + self._text(line) + self._end() for line in lines))
        if len(rest) > self.LONGEST or (rest and self._open == vm == self.answering):
            self._show_unfinished(vm)

    def tick(self) -> None:
        for vm, pending in enumerate(self._pending):
            if pending:
                self._quiet[vm] += 1
                self._age[vm] += 1
                if self._quiet[vm] >= self.QUIET or self._age[vm] >= self.PATIENCE:
                    self._show_unfinished(vm)

    def finish(self) -> None:
        for vm, pending in enumerate(self._pending):
            if pending:
                self._show_unfinished(vm, everything=True)
        self.interrupt()

    def interrupt(self) -> None:
        """End the line that is open: somebody else writes there."""
        if self._open is not None:
            self._out.write(self._end())

    def _show_unfinished(self, vm: int, everything: bool = False) -> None:
        pending = self._pending[vm]
        size = len(pending) if everything else whole(pending)
        self._pending[vm] = pending[size:]
        if size:
            self._out.write(self._start(vm) + self._text(pending[:size]))
            self._age[vm] = 0
            self._open = vm

    def _text(self, line: bytes) -> bytes:
        text, coloured = visible(line)
        self._coloured |= coloured
        return text

    def _start(self, vm: int) -> bytes:
        if self._open == vm:
            return b""
        return self._end() + self._prefixes[vm] if self._open is not None else self._prefixes[vm]

    def _end(self) -> bytes:
        self._open = None
        coloured, self._coloured = self._coloured, False
        return RESET + self._line_end if coloured else self._line_end
