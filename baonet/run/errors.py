"""What goes wrong in a run that a program has open: each is one message, with what guests said last."""

from __future__ import annotations

from typing import final

from baonet.run.results import GuestReport, RunOutcome


class RunError(Exception):
    """The run cannot do what was asked of it."""


@final
class GuestParkedError(RunError):
    """A guest did what Bao stops it for: ``report``."""

    def __init__(self, report: GuestReport, rest: str) -> None:
        super().__init__(f"{report.text}{rest}")
        self.report = report


@final
class WaitTimeoutError(RunError, TimeoutError):
    """What was waited for did not come in time, or cannot come any more: every CPU waits, and nothing is to come."""


@final
class RunEndedError(RunError):
    """The run is over: ``outcome`` has how it ended."""

    def __init__(self, text: str, outcome: RunOutcome) -> None:
        super().__init__(text)
        self.outcome = outcome
