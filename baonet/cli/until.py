"""``--until``: what to wait for, as it is written on the command line and said in the end."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from baonet.actors.awaited import AwaitedText
from baonet.cli.common import UsageError
from baonet.machine import Machine
from baonet.run.awaited_texts import awaited_text

HELP = (
    "end with status 0 when a guest has printed TEXT; with VM: before it, when that VM has. Given several times: when "
    "all have come, in any order. Status 6 when the run ends before"
)


def argument(text: str) -> str:
    """What ``--until`` waits for."""
    if not text:
        raise argparse.ArgumentTypeError("an empty text would be found at once")
    return text


def texts(machine: Machine, given: Sequence[str]) -> tuple[AwaitedText, ...]:
    """``VM:TEXT`` and ``TEXT``. Raises UsageError."""
    found = []
    for each in given:
        try:
            found.append(awaited_text(machine, each))
        except ValueError as error:
            raise UsageError(f"--until {each}: {error}") from None
    return tuple(found)


def missed(machine: Machine, text: AwaitedText) -> str:
    """One line."""
    decoded = text.data.decode("utf-8", "backslashreplace")
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in decoded)
    who = "no guest" if text.vm is None else f"VM '{machine.vms[text.vm].name}' never"
    return f"{who} printed '{shown}', which --until waits for"
