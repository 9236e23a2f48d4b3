"""The plain values of a machine file: numbers, sizes, durations, names."""

from __future__ import annotations

from dataclasses import replace

from baonet.config import quantities
from baonet.config.kinds import Quantity, Schema, Text

MOST_TIME = 1_000_000 * 1_000_000_000
"""The latest moment of a machine's virtual time, in nanoseconds: 11 days."""

_NUMBER = "(0[xX][0-9a-fA-F]+(_[0-9a-fA-F]+)*|0[bB][01]+(_[01]+)*|0|[1-9][0-9]*(_[0-9]+)*)"


def _form(pattern: str, least: int = 0) -> Schema:
    return {"anyOf": [{"type": "integer", "minimum": least}, {"type": "string", "pattern": f"^{pattern}$"}]}


def duration(least: int = 0, most: int = MOST_TIME) -> Quantity:
    """A duration between two numbers of nanoseconds."""
    written = f"({_NUMBER}|(0|[1-9][0-9]*(_[0-9]+)*)(\\.[0-9]+)? ?(ns|us|ms|s))"
    form = {
        "anyOf": [{"type": "integer", "minimum": least, "maximum": most}, {"type": "string", "pattern": f"^{written}$"}]
    }
    human = quantities.human_duration
    text = "duration" if most == MOST_TIME else f"duration, {human(least)} to {human(most)}"
    return Quantity(text, quantities.duration, form, least, most, human)


def whole(text: str, least: int, most: int) -> Quantity:
    """A whole number between two others; ``text`` says of what."""
    form = {
        "anyOf": [{"type": "integer", "minimum": least, "maximum": most}, {"type": "string", "pattern": f"^{_NUMBER}$"}]
    }
    return Quantity(f"{text}, {least} to {most}", quantities.integer, form, least, most)


ADDRESS = Quantity("address", quantities.address, _form(_NUMBER))
SIZE = Quantity("size", quantities.size, _form(_NUMBER + "( ?(B|KiB|MiB|GiB|TiB))?", 1), 1)
COLORS = Quantity(
    "colours",
    quantities.colors,
    {
        "anyOf": [
            {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 63}, "uniqueItems": True},
            *_form(_NUMBER)["anyOf"],
        ]
    },
)
INTID = replace(whole("INTID", 0, 1023), text="INTID")
NAME = Text(
    "a name", "[A-Za-z0-9][A-Za-z0-9._-]{0,31}", "up to 32 letters, digits, '.', '_' or '-', not starting with those"
)
PATH = Text("a path", r"[^\0]+", "the path of a file")
