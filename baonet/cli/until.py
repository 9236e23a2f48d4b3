"""``--until``: what to wait for, as it is written on the command line and said in the end."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from baonet.actors.awaited import AwaitedText
from baonet.cli.common import UsageError
from baonet.machine import Machine

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
    """``VM:TEXT`` and ``TEXT``; what is before a colon is a VM only if one has that name. Raises UsageError."""
    names = {vm.name: number for number, vm in enumerate(machine.vms)}
    found = []
    for each in given:
        name, colon, rest = each.partition(":")
        if colon and name in names:
            if not rest:
                raise UsageError(f"--until {each}: an empty text would be found at once: write {each}TEXT")
            found.append(AwaitedText(names[name], os.fsencode(rest)))
        else:
            found.append(AwaitedText(None, os.fsencode(each)))
    return tuple(found)


def missed(machine: Machine, text: AwaitedText) -> str:
    """One line."""
    decoded = text.data.decode("utf-8", "backslashreplace")
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in decoded)
    who = "no guest" if text.vm is None else f"VM '{machine.vms[text.vm].name}' never"
    return f"{who} printed '{shown}', which --until waits for"
