"""What guests print, put in order and shown.

Each core that shares a UART sends its own pieces, with their position in the device's output; ``Reassembly`` joins
them. The ways to show them are ``Lines`` (all VMs together, a prefix before each line), ``Raw`` (one VM, byte for byte)
and ``Silent``.
"""

from __future__ import annotations

from typing import BinaryIO, Final, Protocol, final

_COLORS = (36, 33, 32, 35, 34, 31)


@final
class Reassembly:
    """The output of one UART: pieces come in any order, bytes leave in the order they were sent.

    VMs may share a UART, so each piece says which VM sent it.
    """

    PATIENCE: Final = 5

    __slots__ = ("_early", "_mark", "_position", "_waited")

    def __init__(self) -> None:
        self._position = 0
        self._early: dict[int, tuple[int, bytes]] = {}
        self._waited = self._mark = 0

    def add(self, vm: int, position: int, data: bytes) -> list[tuple[int, bytes]]:
        """What can leave now that this piece has come, as (VM, bytes)."""
        if position < self._position:
            return [(vm, data)]  # it was given up
        self._early[position] = (vm, data)
        return self._ready()

    def tick(self) -> list[tuple[int, bytes]]:
        """Call it once a core has died: what is missing for ``PATIENCE`` ticks was that core's, and is given up.

        All of it at once, as a core that shared its UART with another left many small gaps.
        """
        if not self._early:
            return []
        if self._waited == 0:
            self._mark = max(self._early)
        self._waited += 1
        if self._waited < self.PATIENCE:
            return []
        self._waited = 0
        old = sorted(position for position in self._early if position <= self._mark)
        pieces = [self._early.pop(position) for position in old]
        self._position = old[-1] + len(pieces[-1][1])
        return pieces + self._ready()

    def rest(self) -> list[tuple[int, bytes]]:
        """What is left at the end, behind pieces that never came."""
        rest = [piece for _, piece in sorted(self._early.items())]
        self._early.clear()
        return rest

    def _ready(self) -> list[tuple[int, bytes]]:
        ready = []
        while (piece := self._early.pop(self._position, None)) is not None:
            ready.append(piece)
            self._position += len(piece[1])
        if ready:
            self._waited = 0
        return ready


class Screen(Protocol):
    """``tick`` comes ten times a second or so, ``finish`` once, when no more will be shown."""

    def show(self, vm: int, data: bytes) -> None: ...
    def tick(self) -> None: ...
    def finish(self) -> None: ...


@final
class Silent:
    def show(self, vm: int, data: bytes) -> None: ...

    def tick(self) -> None: ...

    def finish(self) -> None: ...


@final
class Raw:
    """One VM's bytes as they are."""

    def __init__(self, out: BinaryIO, vm: int) -> None:
        self._out = out
        self._vm = vm

    def show(self, vm: int, data: bytes) -> None:
        if vm == self._vm:
            self._out.write(data)
            self._out.flush()

    def tick(self) -> None: ...

    def finish(self) -> None: ...


@final
class Lines:
    """All VMs line by line, a prefix before each line.

    An unfinished line (a prompt) is shown when its VM has said nothing for ``QUIET`` ticks, or when it has been
    unfinished for ``PATIENCE``, and is then continued, or ended when another VM has something to say.
    """

    QUIET: Final = 2
    PATIENCE: Final = 10

    def __init__(self, out: BinaryIO, names: list[str], color: bool) -> None:
        self._out = out
        width = max(len(name) for name in names)
        self._prefixes = [self._prefix(number, f"{name:{width}} | ", color) for number, name in enumerate(names)]
        self._pending = [b"" for _ in names]
        self._quiet = [0 for _ in names]
        self._age = [0 for _ in names]
        self._open: int | None = None

    @staticmethod
    def _prefix(number: int, text: str, color: bool) -> bytes:
        return (f"\x1b[{_COLORS[number % len(_COLORS)]}m{text}\x1b[0m" if color else text).encode()

    def show(self, vm: int, data: bytes) -> None:
        *lines, rest = (self._pending[vm] + data.replace(b"\r", b"")).split(b"\n")
        self._pending[vm] = rest
        self._quiet[vm] = 0
        if lines:
            self._age[vm] = 0
            self._out.write(b"".join(self._start(vm) + line + self._end() for line in lines))
            self._out.flush()

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
                self._show_unfinished(vm)
        if self._open is not None:
            self._out.write(self._end())
            self._out.flush()

    def _show_unfinished(self, vm: int) -> None:
        self._out.write(self._start(vm) + self._pending[vm])
        self._out.flush()
        self._pending[vm] = b""
        self._age[vm] = 0
        self._open = vm

    def _start(self, vm: int) -> bytes:
        if self._open == vm:
            return b""
        return self._end() + self._prefixes[vm] if self._open is not None else self._prefixes[vm]

    def _end(self) -> bytes:
        self._open = None
        return b"\n"
