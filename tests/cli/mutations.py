"""Files that something has changed at random, by a seed: text as people break it, bytes, and MessagePack."""

from __future__ import annotations

import random
import re
from typing import Any

import msgpack

# fmt: off
VALUES = [
    "0", "-1", "2**64", str(2**64), "9" * 400, str(-(2**63)), ".nan", ".inf", "1e400", "1e9", "null", "~", '""',
    "[]", "{}", "[[]]", "true", "yes", '"\\0"', '"\\ud800"', "&a [*a]", "*x", "!!python/name:os.system", "!!binary a",
    "2001-01-01", "12:30:45", "0x", "0o17", "1_000", "1KiB", "9999999999TiB", "1e3KiB", "-1KiB", "1.5KiB", "1ns",
    "9999999999h", "0.0000001ns", "1e400s", "-5ms", "/dev/zero", "/dev/null", ".", '"' + "a" * 3000 + '"', "|",
    "? a", "[", "{", "]", '"', "%YAML 9.9", "---", "...", "{<<: {a: 1}}", "@", "\0", "\x01", "\ufeff", "\x85",
    "\u2028", "\t", "é", "\u0663", "\U0001d7d9", "[0x40]", "[-1]", "0xffffffffffffffff", "0xfffffffffffff000",
    "(a+)+$", "(?P<", "\\", "*",
]
# fmt: on
_FIELDS = re.compile(r": ?([^,:{}\[\]\n]+)|\[([^\]\n]*)\]|([A-Za-z_]+):")
_BLOCKS = [b"\xff" * 8, bytes(8), b"\x7f" + b"\xff" * 7, b"\x00\x00\x00\x00\x01\x00\x00\x00", b"\xdd\xff\xff\xff\xff"]
_ODD: list[Any] = [
    *(None, 0, -1, 2**63, 2**64 - 1, -(2**63), 1.5, float("nan"), float("inf"), 1e308, "", "x", "\x1b[2J", "\n"),
    *(b"", b"\xff" * 16, bytes(31), bytes(32), [], {}, [[]], {1: 2}, True, "9" * 1000, [0] * 10, 2**32, 65536),
]


def of_text(text: str, chance: random.Random) -> bytes:
    """A YAML file, changed in a few places: a value, a key, a line, an indent, some characters, the encoding."""
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        lines = text.split("\n")
        place, line = chance.randrange(len(text) + 1), chance.randrange(len(lines))
        match chance.randrange(9):
            case 0:
                text = text[:place] + chance.choice(VALUES) + text[place + chance.randrange(3) :]
            case 1:
                text = text[:place] + text[place + chance.randrange(20) :]
            case 2:
                lines.insert(chance.randrange(len(lines)), lines[line])
                text = "\n".join(lines)
            case 3:
                lines[line] = " " * chance.randrange(5) + lines[line]
                text = "\n".join(lines)
            case 4:
                del lines[line]
                text = "\n".join(lines)
            case _ if fields := list(_FIELDS.finditer(text)):
                found = chance.choice(fields)
                start, end = found.span(found.lastindex or 0)
                text = text[:start] + chance.choice(VALUES) + text[end:]
    data = text.encode("utf-8", "surrogatepass")
    match chance.randrange(30):
        case 0:
            return of_bytes(data, chance)
        case 1:
            return text.encode("utf-16", "surrogatepass")
        case 2:
            return data.replace(b"\n", b"\r\n")
    return data


def of_bytes(data: bytes, chance: random.Random) -> bytes:
    """Bits flipped, bytes gone, repeated or others, and what counts as a length set to extremes."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4, 20])):
        place = chance.randrange(len(changed) + 1 if chance.random() < 0.6 else min(len(changed) + 1, 300))
        match chance.randrange(6):
            case 0:
                changed[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[place : place + chance.choice([1, 2, 8, 100, 4096])]
            case 2:
                changed[place:place] = chance.randbytes(chance.choice([1, 4, 16]))
            case 3:
                block = chance.choice(_BLOCKS)
                changed[place : place + len(block)] = block
            case 4:
                del changed[place:]
            case 5:
                other = chance.randrange(len(changed) + 1)
                changed[place : place + 50] = changed[other : other + 50]
    return bytes(changed)


def of_values(values: list[Any], chance: random.Random) -> bytes:
    """MessagePack of values that are well formed and not what they should be."""
    for _ in range(chance.choice([1, 1, 2, 3])):
        place = chance.randrange(len(values)) if values else 0
        match chance.randrange(10):
            case 0:
                del values[place : place + 1]
            case 1:
                values.insert(chance.randrange(len(values) + 1), chance.choice([*_ODD, object()]))
            case 2:
                chance.shuffle(values)
            case _ if values:
                values[place] = _changed(values[place], chance)
    packed = []
    for value in values:
        try:
            packed.append(msgpack.packb(value))
        except (OverflowError, ValueError, TypeError):
            packed.append(chance.choice([b"\xc1", b"\xd4\x05x", b"\xd6\xff\0\0\0\x01"]))  # none, an extension, a time
    return b"".join(packed)


def _changed(value: Any, chance: random.Random) -> Any:
    deeper = chance.random() < 0.85
    if isinstance(value, dict) and value and deeper:
        key = chance.choice(list(value))
        if chance.random() < 0.15:
            return {each: value[each] for each in value if each != key}
        return value | {key: _changed(value[key], chance)}
    if isinstance(value, list) and value and deeper:
        place = chance.randrange(len(value))
        rest = [] if chance.random() < 0.1 else [_changed(value[place], chance)]
        return value[:place] + rest + value[place + 1 :]
    if isinstance(value, bytes) and len(value) >= 32 and deeper:
        data = bytearray(value)
        for _ in range(chance.choice([1, 1, 5])):
            place = 32 * chance.randrange(len(data) // 32 + 1) + chance.choice([0, 8, 10, 12, 16, 24])
            data[place : place + 8] = chance.choice([*_BLOCKS, chance.randbytes(8)])
        return bytes(data)
    return chance.choice(_ODD)
