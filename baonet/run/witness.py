"""What a program wants to know of a run on its way: consoles, reports, warnings; and a word when there is more."""

from __future__ import annotations

from typing import final

from baonet.actors.ending import VmState
from baonet.actors.visible import plain
from baonet.hyp.report import Report
from baonet.machine import Machine
from baonet.outlets.news import News
from baonet.run.conditions import SymbolNames
from baonet.run.disassembly import instruction
from baonet.run.results import GuestReport
from baonet.run.transcripts import Transcript


@final
class Witness:
    """Both a screen (``baonet.actors.screen``) and an ``Audience``. ``transcripts`` are by the VM's number."""

    def __init__(self, machine: Machine) -> None:
        self.transcripts = [Transcript() for _ in machine.vms]
        self.reports: list[GuestReport] = []
        self.warnings: list[str] = []
        self.names = SymbolNames()
        self._machine = machine
        self._news = News()

    async def news(self) -> None:
        """Until there is something new."""
        await self._news.wait()

    def tell(self) -> None:
        """There is."""
        self._news.tell()

    def show(self, vm: int, data: bytes) -> None:
        self.transcripts[vm].add(data)
        self.tell()

    def tick(self) -> None: ...

    def finish(self) -> None: ...

    def notice(self, level: str, text: str) -> None:
        if level == "WARNING":
            self.warnings.append(text)

    def reported(self, report: Report, code: bytes) -> None:
        symbol = self.names.of(self._machine.vms[report.vm])(report.pc)
        text = "\n".join([*map(plain, report.lines()), instruction(report, code) + symbol])
        self.reports.append(GuestReport(report.vm_name, report.vcpu, report.reason, report.pc, text))
        self.tell()

    def changed(self, vm: int, state: VmState) -> None:
        self.tell()
