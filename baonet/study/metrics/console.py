"""What guests print: numbers in it, and when it comes."""

from __future__ import annotations

import math
import re
from typing import final

from baonet.study.metrics.base import Key, Measured, TracedRun
from baonet.trace.order import Row
from baonet.trace.records import Kind


class _Texts:
    """The console of each VM, with the time of each byte.

    Several VMs may share a UART, and several vCPUs of one VM print on it: what a VM has printed is its bytes in the
    order of their positions in the UART's output.
    """

    def __init__(self, run: TracedRun, vm: str | None) -> None:
        self._run = run
        self._vm = vm
        self._bytes: dict[tuple[str, int], list[tuple[int, int, int]]] = {}  # (vm, UART): (position, time, byte)

    def take(self, record: Row) -> None:
        time, _, pcpu, a, b, c = record
        vm = self._run.vm(pcpu)
        if self._vm is None or vm == self._vm:
            self._bytes.setdefault((vm, a), []).append((b, time, c))

    def texts(self) -> list[tuple[str, bytes, list[int]]]:
        """(vm, what it printed, time of each byte), of each UART."""
        found = []
        for (vm, _), printed in sorted(self._bytes.items()):
            printed.sort()
            text = bytes(byte & 0xFF for _, _, byte in printed)
            found.append((vm, text, [time for _, time, _ in printed]))
        return found


@final
class ConsoleNumbers:
    """The numbers in what matches a pattern.

    Keys are (vm,) for a pattern with one group, (vm, name) for named groups. A run has a sample for each match.
    """

    kinds = frozenset({Kind.CONSOLE})

    def __init__(self, run: TracedRun, pattern: str, unit: str = "", vm: str | None = None) -> None:
        self._texts = _Texts(run, vm)
        self._pattern = re.compile(pattern.encode(), re.MULTILINE)
        self._measured = Measured(unit)

    def take(self, record: Row) -> None:
        self._texts.take(record)

    def finish(self, end: int) -> Measured:
        names = self._pattern.groupindex
        for vm, text, _ in self._texts.texts():
            for match in self._pattern.finditer(text):
                for group in range(1, self._pattern.groups + 1):
                    name = next((name for name, number in names.items() if number == group), None)
                    key: Key = (vm,) if name is None else (vm, name)
                    self._number(key, match[group])
        return self._measured

    def _number(self, key: Key, text: bytes | None) -> None:
        try:
            found = float(text or b"")
        except ValueError:
            found = math.nan
        if math.isfinite(found):
            self._measured.add(key, found)
        else:
            self._measured.note("matches that are no number", 1)


@final
class ConsoleTime:
    """When a VM has first printed something that matches, in nanoseconds since the start. Keys are (vm,)."""

    kinds = frozenset({Kind.CONSOLE})

    def __init__(self, run: TracedRun, pattern: str, vm: str | None = None) -> None:
        self._run = run
        self._texts = _Texts(run, vm)
        self._pattern = re.compile(pattern.encode(), re.MULTILINE)

    def take(self, record: Row) -> None:
        self._texts.take(record)

    def finish(self, end: int) -> Measured:
        measured = Measured("ns")
        for vm, text, times in self._texts.texts():
            if (match := self._pattern.search(text)) is not None and match[0]:
                when = max(times[match.start() : match.end()])
                key: Key = (vm,)
                measured.values[key] = min(self._run.ns(when), measured.values.get(key, float("inf")))
        return measured
