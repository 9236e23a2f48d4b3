"""What came of a run, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from baonet.actors.ending import Ending
from baonet.document.escapes import escaped
from baonet.machine.dataclass import dataclass


@final
@dataclass(frozen=True, slots=True)
class GuestReport:
    """A guest did what Bao stops it for. ``text``: the report as ``baonet run`` shows it; ``pc`` is where it was."""

    vm: str
    vcpu: int
    reason: str
    pc: int
    text: str


@final
@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended, or how it is now: then ``ending`` is None, and what is only known in the end is missing.

    ``vms``: ``running``, ``resetting``, ``off``, ``parked`` or ``dead``, by the VM's name. ``time``: nanoseconds of
    virtual time to which the CPU has come that came furthest, which is up to a block of instructions beyond
    ``OpenRun.time``; None under the host's clock. ``digest``: of a run in virtual time; it is that of any run that does
    the same, and None when a process was lost. ``reports`` are in the order in which they came. ``conditions`` are
    lines for people: what each vcpu did, or waited for, in the end. ``statistics``: the counters of each pcpu, as
    ``baonet run --stats`` writes them. ``memory``: what memory has taken, where it takes time, as it is there (None:
    it takes none). ``failures``: what went wrong beside the guests. ``missing``: texts that
    ``open_run`` was to end the run at and that did not come, as they were given. ``warnings``: what Bao would warn of,
    and what is weak on this host.
    """

    ending: Ending | None
    vms: Mapping[str, str]
    time: int | None
    digest: str | None
    reports: tuple[GuestReport, ...]
    conditions: tuple[str, ...]
    statistics: Mapping[str, Mapping[str, object]]
    memory: Mapping[str, object] | None
    failures: tuple[str, ...]
    missing: tuple[str, ...]
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        """For people: how it ended, and why."""
        states = ", ".join(f"VM '{name}' {state}" for name, state in self.vms.items())
        how = "goes on" if self.ending is None else f"is over ({self.ending.name.lower()})"
        return "\n".join([f"the run {how}: {states}", *self.reasons])

    @property
    def reasons(self) -> list[str]:
        """For people: why it ended so, and how each vcpu was then."""
        missing = [f"nobody printed '{escaped(text)}'" for text in self.missing]
        return [*self.failures, *missing, *(report.text for report in self.reports), *self.conditions]
