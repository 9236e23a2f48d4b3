"""The instruction at the PC of a report."""

from __future__ import annotations

from baonet.hyp.report import Report


def instruction(report: Report, code: bytes) -> str:
    """One line; ``code``: the bytes there, none where nothing is mapped."""
    return f"=> {report.pc:#x}: {report.instruction(code) or code[:4].hex(' ') or 'nothing is mapped there'}"
