"""Text that may come from anybody, for a terminal: what it would obey is shown as what it is."""

from __future__ import annotations

import unicodedata


def escaped(text: str, keep: str = "\t") -> str:
    """``\\x1b`` for an escape, and so for all controls of C0 and C1, characters that turn the direction of text or take
    no place, and bytes that are no UTF-8 (``surrogateescape``); ``keep`` are those that stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each in keep else _shown(each) for each in text)


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if not (category[0] == "C" or category in ("Zl", "Zp")):
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00  # a byte that is no UTF-8
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
