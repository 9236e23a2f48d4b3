"""A guest's text on a terminal that it shares with others: what a line needs passes, all else shows as what it is.

A line may have printable characters of UTF-8, tabs, and colours (CSI ... m: ECMA-48, SGR). Whatever else a terminal
obeys (other escape sequences, C0 and C1 controls, characters that turn the direction of text or take no place) and what
is no UTF-8 is shown as an escape: ``\\x1b[2J``. What passes can move the cursor to the right only.
"""

from __future__ import annotations

import re
from typing import Final

from baonet.document.escapes import escaped

RESET: Final = b"\x1b[0m"
_PLAIN = re.compile(rb"[\x20-\x7e\t]*")
_COLOUR: Final = rb"\x1b\[[0-9;:]{0,30}m"
_CUT: Final = rb"\x1b(\[[0-9;:]{0,30})?\Z|[\xc2-\xdf]\Z|[\xe0-\xef][\x80-\xbf]?\Z|[\xf0-\xf4][\x80-\xbf]{0,2}\Z"


def visible(text: bytes) -> tuple[bytes, bool]:
    """A part of a line as it may be shown, and whether it has set colours, so that the line must end with ``RESET``."""
    if _PLAIN.fullmatch(text):
        return text, False
    shown = bytearray()
    start = 0
    colours = False
    for found in re.finditer(_COLOUR, text):
        shown += _escaped(text[start : found.start()]) + found[0]
        start = found.end()
        colours = True
    return bytes(shown + _escaped(text[start:])), colours


def plain(text: str) -> str:
    """Lines of a process that runs guests, as a terminal may have them."""
    return "\n".join(visible(line.encode(errors="surrogateescape"))[0].decode() for line in text.split("\n"))


def whole(text: bytes) -> int:
    """How many bytes of a line that goes on can be shown now: without the beginning of a character or a colour."""
    found = re.search(_CUT, text)
    return len(text) if found is None else found.start()


def _escaped(text: bytes) -> bytes:
    if _PLAIN.fullmatch(text):
        return text
    return escaped(text.decode("utf-8", "surrogateescape")).encode()
