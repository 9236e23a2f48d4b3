"""Numbers as people write them in a machine file: ``64KiB``, ``0x4000_0000``, ``33``, ``1.5ms``.

A plain number in a machine file is decimal, hexadecimal (``0x``) or binary (``0b``), with single underscores between
digits. YAML 1.1 has more forms, which surprise: ``017`` is 15, ``12:30`` is 750. Those are errors here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import final

LIMIT = 1 << 64
_NUMBER = r"0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[bB][01]+(?:_[01]+)*|0|[1-9][0-9]*(?:_[0-9]+)*"
_SIZE = r"([0-9][0-9a-fA-FxX_]*) ?([A-Za-z]+)"
_FRACTION = r"([0-9]{1,20}\.[0-9]{1,20}) ?([A-Za-z]+)"
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_UNITS_BY_LOWER = {unit.lower(): unit for unit in _UNITS}
_DURATION = r"(0|[1-9][0-9]*(?:_[0-9]+)*)(?:\.([0-9]+))? ?([A-Za-zµμ]+)"
_DECIMAL = r"([+-]?[0-9]+(?:\.[0-9]*)?)(?:[eE]([+-]?[0-9]{1,2}))?"
_TIMES = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
_BYTES_EXAMPLE = "64KiB, 2MiB, 0x10000 or a number of bytes"
_SUFFIXED = r"[0-9][0-9a-fA-FxXbB_]*[uUlL]{1,3}"
_LONGEST = 80  # characters: 64 binary digits with underscores


@final
class QuantityError(ValueError):
    """Not a number of the kind that is wanted. ``hint`` says what would be right, of which ``near`` are the numbers."""

    def __init__(self, message: str, hint: str, near: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.hint, self.near = hint, near


def number(text: str) -> int | None:
    """The number that ``text`` writes, or None."""
    if len(text) > _LONGEST or not re.fullmatch(_NUMBER, text):
        return None
    return int(text.replace("_", ""), 0)


def integer(value: object, what: str = "a whole number", example: str = "4", hint: str = "") -> int:
    """A number below 2**64 from what the YAML holds. Raises ``QuantityError``, perhaps with another ``hint``."""
    hint = hint or f"write it as {example}"
    if isinstance(value, str):
        found = number(value.strip())
        if found is None:
            if re.fullmatch(r"0[0-7]+", value) and len(value) <= _LONGEST:
                decimal = value.lstrip("0") or "0"
                raise QuantityError(
                    f"{value} is octal to some YAML readers and decimal to others",
                    f"write {decimal}, or {int(value, 8):#x} if octal is meant",
                )
            like, near = _whole_like(value)
            raise QuantityError(f"{show(value)} is not {what}", like or hint, near)
        value = found
    if isinstance(value, bool) or not isinstance(value, int):
        raise QuantityError(f"{show(value)} is not {what}", hint)
    if not 0 <= value < LIMIT:
        raise QuantityError(f"{value} does not fit in 64 bits", hint)
    return value


def _whole_like(text: str) -> tuple[str, tuple[int, ...]]:
    """What to write for a number with a sign, a fraction, an exponent or a suffix of C; nothing for other texts."""
    if re.fullmatch(_SUFFIXED, text.strip()) and (found := number(bare := text.strip().rstrip("uUlL"))) is not None:
        return f"write {bare}", (found,)
    match = re.fullmatch(_DECIMAL, text.strip())
    if match is None or len(text) > _LONGEST:
        return "", ()
    from fractions import Fraction  # noqa: PLC0415 - it is for who wrote a wrong number

    exact = Fraction(match[1]) * Fraction(10) ** int(match[2] or 0)
    if exact < 0:
        return "it cannot be negative", ()
    if exact >= LIMIT:
        return "", ()
    below = exact.numerator // exact.denominator
    if below == exact:
        return f"write {below}", (below,)
    return f"it is a whole number: write {below} or {below + 1}", (below, below + 1)


def address(value: object) -> int:
    """An address in bytes. Raises ``QuantityError``."""
    return integer(value, "an address", "0x40000000, 0x4000_0000 or a decimal number")


def cpus(value: object) -> int:
    """A bitmap of CPUs. Raises ``QuantityError``."""
    return integer(value, "a set of CPUs", "a list of CPU ids, [0, 1], or a bitmap, 0x03")


def size(value: object) -> int:
    """A size in bytes: a number, or one with a binary unit. Raises ``QuantityError``."""
    found = _bytes(value, "a size")
    if found == 0:
        raise QuantityError("a size of 0 bytes", f"write it as {_BYTES_EXAMPLE}")
    return found


def offset(value: object) -> int:
    """An offset in bytes: as a size, or 0. Raises ``QuantityError``."""
    return _bytes(value, "an offset")


def _bytes(value: object, what: str) -> int:
    if isinstance(value, str) and (match := re.fullmatch(_SIZE, value.strip())) and number(value.strip()) is None:
        count, unit = number(match[1]), match[2]
        if count is not None and unit in _UNITS:
            return integer(count * _UNITS[unit], what, _BYTES_EXAMPLE)
        if count is not None and unit.lower().strip("ul"):
            raise QuantityError(f"{unit!r} is not a unit of size", f"write {match[1]}{_unit_like(unit)}")
    if isinstance(value, str) and (match := re.fullmatch(_FRACTION, value.strip())) and match[2] in _UNITS:
        from fractions import Fraction  # noqa: PLC0415 - as above

        exact = Fraction(match[1]) * _UNITS[match[2]]
        if exact.denominator == 1 and 0 < exact < LIMIT:
            near = human(int(exact)).removesuffix(" bytes")
            raise QuantityError(f"{show(value)} is not {what}", f"write {near}", (int(exact),))
    return integer(value, what, _BYTES_EXAMPLE)


def _unit_like(unit: str) -> str:
    lower = unit.lower()
    if lower in _UNITS_BY_LOWER:
        return _UNITS_BY_LOWER[lower]
    return next((known for known in _UNITS if known[0] == unit[0].upper()), "KiB")


def duration(value: object) -> int:
    """A duration in nanoseconds, from a number with a unit, or 0. Raises ``QuantityError``.

    The same everywhere: in machine files, in studies and on the command line. A number alone means nothing, because
    some would take it for seconds and others for nanoseconds.
    """
    example = "500ns, 10us, 1.5ms, 2s, 3m or 1h"
    text = value.strip() if isinstance(value, str) and len(value) <= _LONGEST else ""
    plain = value if isinstance(value, int) and not isinstance(value, bool) else number(text)
    if plain == 0:
        return 0
    if plain is not None or re.fullmatch(_DECIMAL, text):
        units = [f"{text or value}{unit}" for unit in ("ns", "us", "ms", "s", "m", "h")]
        raise QuantityError(f"{show(value)} has no unit", f"write {', '.join(units[:-1])} or {units[-1]}")
    match = re.fullmatch(_DURATION, text)
    if match is None:
        raise QuantityError(f"{show(value)} is not a duration", f"write it as {example}")
    count, fraction, unit = match[1], match[2] or "", match[3]
    if unit not in _TIMES:
        known = unit.lower().replace("µ", "u").replace("μ", "u")
        hint = f"write {text.removesuffix(unit)}{known}" if known in _TIMES else f"write it as {example}"
        raise QuantityError(f"{unit!r} is not a unit of time", hint)
    scale = 10 ** len(fraction)
    nanoseconds, rest = divmod(int(count.replace("_", "") + fraction) * _TIMES[unit], scale)
    if rest:
        near = nanoseconds or 1  # what is given as some time is not none at all, which means another thing
        raise QuantityError(f"{text} is not a whole number of nanoseconds", f"write {near}ns", (near,))
    return integer(nanoseconds, "a duration", example)


def colors(value: object) -> int:
    """A bitmap of page colours, from a list of colour numbers or from the bitmap itself. Raises ``QuantityError``."""
    example = "a list of colour numbers, [0, 1], or a bitmap, 0x03"
    if not isinstance(value, list | tuple):
        return integer(value, "a set of colours", example)
    bitmap = 0
    for item in value:
        color = integer(item, "a colour number", "", "write each by itself: [0, 1, 2]")
        if color >= 64:
            raise QuantityError(f"there is no colour {color}", "colours are numbered from 0 to 63 at most")
        if bitmap >> color & 1:
            raise QuantityError(f"colour {color} is given twice", "give each colour once")
        bitmap |= 1 << color
    return bitmap


def show(value: object) -> str:
    """A value of the YAML as an error message names it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def human(count: int) -> str:
    """A size as a user would write it: ``64KiB``, else bytes."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if count and count % _UNITS[unit] == 0:
            return f"{count // _UNITS[unit]}{unit}"
    return f"{count} bytes"


def human_duration(nanoseconds: int) -> str:
    """A duration as a user would write it, in the largest unit that needs no fraction: ``10us``."""
    for unit in ("s", "ms", "us"):
        if nanoseconds and nanoseconds % _TIMES[unit] == 0:
            return f"{nanoseconds // _TIMES[unit]}{unit}"
    return f"{nanoseconds}ns" if nanoseconds else "0"


def span(start: int, end: int) -> str:
    """An address range, both ends included."""
    return f"{start:#x}..{max(start, end - 1):#x}"


def listing(items: Iterable[object], last: str = "and") -> str:
    """``a, b and c``."""
    words = [str(item) for item in items]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else "none"
