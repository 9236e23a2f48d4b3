"""The plain values of a machine file: numbers, sizes, durations, names."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, final

from baonet.document import quantities
from baonet.document.document import YamlNode
from baonet.document.kinds import ListOf, Quantity, Reader, Schema, Text
from baonet.document.quantities import show
from baonet.machine.dataclass import dataclass, replace

if TYPE_CHECKING:
    from fractions import Fraction

MOST_TIME = 1_000_000 * 1_000_000_000
"""The latest moment of a machine's virtual time, in nanoseconds: 11 days."""

_NUMBER = "(0[xX][0-9a-fA-F]+(_[0-9a-fA-F]+)*|0[bB][01]+(_[01]+)*|0|[1-9][0-9]*(_[0-9]+)*)"


_BYTES = _NUMBER + "( ?(B|KiB|MiB|GiB|TiB))?"
_PROBABILITY = r"0(\.[0-9]{1,18})?|1(\.0{1,18})?|\.[0-9]{1,18}"
_PATTERN = f"^({_PROBABILITY})$"
_DECIMAL = r"(0|[1-9][0-9]{0,5})(\.[0-9]{1,6})?"


def _form(pattern: str, least: int = 0) -> Schema:
    return {"anyOf": [{"type": "integer", "minimum": least}, {"type": "string", "pattern": f"^{pattern}$"}]}


def duration(least: int = 0, most: int = MOST_TIME) -> Quantity:
    """A duration between two numbers of nanoseconds."""
    written = "(0|(0|[1-9][0-9]*(_[0-9]+)*)(\\.[0-9]+)? ?(ns|us|ms|s|min|m|h))"
    zero = [] if least else [{"const": 0}]
    form = {"anyOf": [*zero, {"type": "string", "pattern": f"^{written}$"}]}
    human = quantities.human_duration
    text = "duration" if most == MOST_TIME else f"duration, {human(least)} to {human(most)}"
    return Quantity(text, quantities.duration, form, least, most, human)


def whole(text: str, least: int, most: int) -> Quantity:
    """A whole number between two others; ``text`` says of what."""
    form = {
        "anyOf": [{"type": "integer", "minimum": least, "maximum": most}, {"type": "string", "pattern": f"^{_NUMBER}$"}]
    }
    of = f" {text}" if text.endswith("s") else ""  # what it counts
    hint = f"it can be from {least} to {most}{of}" if most < 1 << 63 else f"it can be {least} or more"
    return Quantity(f"{text}, {least} to {most}", partial(quantities.integer, hint=hint), form, least, most)


@final
@dataclass(frozen=True, slots=True)
class Probability:
    """A number from 0 to 1. The YAML reader leaves what has a decimal point as text."""

    text: str = "number, 0 to 1"

    def read(self, node: YamlNode, reader: Reader) -> float:
        value = node.value
        if not isinstance(value, bool) and isinstance(value, int | str) and re.fullmatch(_PROBABILITY, str(value)):
            return float(value)
        raise reader.fail(node, f"{show(value)} is not a probability", "it can be from 0 to 1, such as 0.05")

    def schema(self, models: dict[str, Schema]) -> Schema:
        return {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": _PATTERN}]}


@final
@dataclass(frozen=True, slots=True)
class Decimal:
    """A decimal number between two others, exact."""

    least: Fraction
    most: Fraction

    @property
    def text(self) -> str:
        return f"number, {float(self.least):g} to {float(self.most):g}"

    def read(self, node: YamlNode, reader: Reader) -> Fraction:
        value, limits = node.value, f"from {float(self.least):g} to {float(self.most):g}"
        hint = f"it can be {limits}, such as 0.7, with up to 6 decimals"
        if isinstance(value, bool) or not isinstance(value, int | str) or not re.fullmatch(_DECIMAL, str(value)):
            raise reader.fail(node, f"{show(value)} is not a decimal number", hint)
        from fractions import Fraction  # noqa: PLC0415 - few machines have such a number

        found = Fraction(str(value))
        if not self.least <= found <= self.most:
            raise reader.fail(node, f"{value} is out of range", hint)
        return found

    def schema(self, models: dict[str, Schema]) -> Schema:
        limits = {"minimum": float(self.least), "maximum": float(self.most)}
        return {"anyOf": [{"type": "number", **limits}, {"type": "string", "pattern": f"^{_DECIMAL}$"}]}


@final
@dataclass(frozen=True, slots=True)
class CpuSet:
    """CPU ids, from a list of them or from a bitmap."""

    text: str = "CPUs"

    def read(self, node: YamlNode, reader: Reader) -> tuple[int, ...]:
        if isinstance(node.value, list):
            return _CPU_LIST.read(node, reader)
        bitmap = _CPU_BITMAP.read(node, reader)
        return tuple(cpu for cpu in range(64) if bitmap >> cpu & 1)

    def schema(self, models: dict[str, Schema]) -> Schema:
        return {"anyOf": [_CPU_LIST.schema(models), *_CPU_BITMAP.form["anyOf"]]}


_CPU_LIST = ListOf(whole("CPU id", 0, 1023))
_CPU_BITMAP = Quantity("CPUs", quantities.cpus, _form(_NUMBER))
CPUS = CpuSet()
ADDRESS = Quantity("address", quantities.address, _form(_NUMBER))
SIZE = Quantity("size", quantities.size, _form(_BYTES, 1), 1)
OFFSET = Quantity("offset", quantities.offset, _form(_BYTES))
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
BIT = replace(whole("bit", 0, 7), text="bit, 0 to 7")
SEED = replace(whole("number", 0, (1 << 64) - 1), text="number")
NAME = Text(
    "a name",
    "[A-Za-z0-9][A-Za-z0-9._-]{0,31}",
    "up to 32 of A-Z, a-z, 0-9, '.', '_' and '-', the first a letter or a digit",
)
PATH = Text("a path", r"[^\0]+", "the path of a file")
