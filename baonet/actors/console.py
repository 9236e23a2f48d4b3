"""What guests print, put in order and shown.

Each core that shares a UART sends its own pieces, with their position in the device's output; ``Reassembly`` joins
them. The ways to show them are ``Lines`` (all VMs together, a prefix before each line), ``Raw`` (one VM, byte for byte)
and ``Silent``.
"""

from __future__ import annotations

from typing import BinaryIO, Protocol, final

_COLORS = (36, 33, 32, 35, 34, 31)


@final
class Reassembly:
    """The output of one UART: pieces come in any order, bytes leave in the order they were sent.

    VMs may share a UART, so each piece says which VM sent it.
    """

    __slots__ = ("_early", "_position")

    def __init__(self) -> None:
        self._position = 0
        self._early: dict[int, tuple[int, bytes]] = {}

    def add(self, vm: int, position: int, data: bytes) -> list[tuple[int, bytes]]:
        """What can leave now that this piece has come, as (VM, bytes)."""
        self._early[position] = (vm, data)
        ready = []
        while (piece := self._early.pop(self._position, None)) is not None:
            ready.append(piece)
            self._position += len(piece[1])
        return ready

    def rest(self) -> list[tuple[int, bytes]]:
        """What is left when a core died before it sent a piece in between."""
        rest = [piece for _, piece in sorted(self._early.items())]
        self._early.clear()
        return rest


class Screen(Protocol):
    def show(self, vm: int, data: bytes) -> None: ...
    def settle(self) -> None: ...


@final
class Silent:
    def show(self, vm: int, data: bytes) -> None: ...

    def settle(self) -> None: ...


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

    def settle(self) -> None: ...


@final
class Lines:
    """All VMs line by line. ``settle`` shows unfinished lines (a prompt), which are then continued or ended."""

    def __init__(self, out: BinaryIO, names: list[str], color: bool) -> None:
        self._out = out
        width = max(len(name) for name in names)
        self._prefixes = [self._prefix(number, f"{name:{width}} | ", color) for number, name in enumerate(names)]
        self._pending = [b"" for _ in names]
        self._open: int | None = None

    @staticmethod
    def _prefix(number: int, text: str, color: bool) -> bytes:
        return (f"\x1b[{_COLORS[number % len(_COLORS)]}m{text}\x1b[0m" if color else text).encode()

    def show(self, vm: int, data: bytes) -> None:
        *lines, rest = (self._pending[vm] + data.replace(b"\r", b"")).split(b"\n")
        self._pending[vm] = rest
        if lines:
            self._out.write(b"".join(self._start(vm) + line + self._end() for line in lines))
            self._out.flush()

    def settle(self) -> None:
        for vm, rest in enumerate(self._pending):
            if rest:
                self._pending[vm] = b""
                self._out.write(self._start(vm) + rest)
                self._open = vm
        self._out.flush()

    def _start(self, vm: int) -> bytes:
        if self._open == vm:
            return b""
        return self._end() + self._prefixes[vm] if self._open is not None else self._prefixes[vm]

    def _end(self) -> bytes:
        self._open = None
        return b"\n"
