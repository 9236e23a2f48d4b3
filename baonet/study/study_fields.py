"""What a study file can say: its keys, and the kinds of their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, final

from baonet.cluster import where
from baonet.document.document import YamlNode
from baonet.document.kinds import (
    Boolean,
    Choice,
    ListOf,
    Quantity,
    Reader,
    Schema,
    Text,
    UnreadableError,
    ValueKind,
)
from baonet.document.models import MappingOf, Model, optional, required
from baonet.document.quantities import integer, listing, show
from baonet.document.values import NAME, PATH, duration, whole
from baonet.machine import ClockMode
from baonet.machine.dataclass import dataclass
from baonet.study.catalog import METRICS
from baonet.study.plan import CLOCK, FOR, INPUT, ON, PLACEMENT, RUN_OPTIONS, UNTIL, Alternative, Axis, alternative
from baonet.study.units import amount

DURATION = duration()
PLOTS = ("histogram", "cdf", "percentiles", "stages", "shares", "heatmap", "bars")
PLACEMENTS = ("one-process", "process-per-cpu", "process-per-vm", "process-per-island")  # of the launcher, unloaded
_FIELD = re.compile(r"[a-z_]+([.\[][A-Za-z0-9_.\[\]-]*)?")


@final
@dataclass(frozen=True, slots=True)
class _Duration:
    """A duration that is not 0, kept as it is written: it is an option of ``baonet run``."""

    text: str = "a duration"

    def read(self, node: YamlNode, reader: Reader) -> str:
        if DURATION.read(node, reader) == 0:
            raise reader.fail(node, "a run of no time", "write 500us, 20ms, 2s or 10m")
        return str(node.value)

    def schema(self, models: dict[str, Schema]) -> Schema:
        return DURATION.schema(models)


def _count(text: str, least: int, most: int) -> Quantity:
    return Quantity(f"{text}, {least} to {most}", integer, {"type": "integer"}, least, most)


@final
@dataclass(frozen=True, slots=True)
class Pairs:
    """A mapping whose keys are the user's own, such as field paths. ``value`` reads what they map to."""

    text: str
    value: Callable[[str, YamlNode, Reader], Any]

    def read(self, node: YamlNode, reader: Reader) -> dict[str, Any]:
        if not isinstance(node.value, dict):
            raise reader.fail(node, f"{show(node.value)} is not a mapping", f"it is {self.text}")
        found = {}
        for key, each in node.value.items():
            with suppress(UnreadableError):  # the rest may have problems too
                found[key] = self.value(key, each, reader)
        if len(found) < len(node.value):
            raise UnreadableError
        return found

    def schema(self, models: dict[str, Schema]) -> Schema:
        return {"type": "object"}


@final
@dataclass(frozen=True, slots=True)
class _Point:
    """A point that is listed: its node, which ``listed_alternative`` reads."""

    text: str = "a mapping"

    def read(self, node: YamlNode, reader: Reader) -> YamlNode:
        if not isinstance(node.value, dict):
            raise reader.fail(node, f"{show(node.value)} is not a mapping", f"it is {self.text}")
        return node

    def schema(self, models: dict[str, Schema]) -> Schema:
        return {"type": "object"}


class Texts:
    """A text that is not empty, or a list of them."""

    text: str = "text, or a list of texts"

    def read(self, node: YamlNode, reader: Reader) -> tuple[str, ...]:
        kind = Text(pattern=r"(?s).+", rule="write what a guest prints")
        return ListOf(kind, 1).read(node, reader) if isinstance(node.value, list) else (kind.read(node, reader),)

    def schema(self, models: dict[str, Schema]) -> Schema:
        return {"type": ["string", "array"]}


@final
@dataclass(frozen=True, slots=True)
class _Nodes:
    """Which nodes run it, kept as it is written."""

    text: str = "which nodes run it"

    def read(self, node: YamlNode, reader: Reader) -> str:
        text = Text().read(node, reader)
        try:
            where.parse(text)
        except where.WhereError as error:
            raise reader.fail(node, *str(error).split(": ", 1)) from None
        return text

    def schema(self, models: dict[str, Schema]) -> Schema:
        return {"type": "string"}


_RUN_KINDS: Mapping[str, ValueKind[Any]] = {
    FOR: _Duration(),
    UNTIL: Texts(),
    INPUT: PATH,
    CLOCK: Choice(tuple(each.value for each in ClockMode)),
    PLACEMENT: Choice(PLACEMENTS),
    ON: _Nodes(),
}


def read_option(path: str, node: YamlNode, reader: Reader) -> None:
    """Check a value of one of RUN_OPTIONS; null is none. Those of fields are checked with the machine file."""
    if path in _RUN_KINDS and node.value is not None:
        _RUN_KINDS[path].read(node, reader)


def _path(key: str, node: YamlNode, reader: Reader) -> None:
    """Check a field path of a machine file. Whether the machine has such a field is seen when it is set."""
    if key.startswith("run.") and key not in RUN_OPTIONS:
        hint = f"it can be {listing(RUN_OPTIONS, 'or')}"
        reader.problems.append(node.key_problem(f"{key!r} cannot be set", hint))
        raise UnreadableError
    if not _FIELD.fullmatch(key):
        hint = "write it as in clock.window, vms.0.cpus or run.placement"
        reader.problems.append(node.key_problem(f"{key!r} is not a field path", hint))
        raise UnreadableError


def _value(key: str, node: YamlNode, reader: Reader) -> object:
    _path(key, node, reader)
    read_option(key, node, reader)
    return node.plain()


def _values(key: str, node: YamlNode, reader: Reader) -> list[object]:
    _path(key, node, reader)
    if not isinstance(node.value, list) or not node.value:
        raise reader.fail(node, f"{show(node.plain())} is not a list of values", "write [first, second]")
    for each in node.value:
        read_option(key, each, reader)
    return [each.plain() for each in node.value]


def _axis(key: str, node: YamlNode, reader: Reader) -> Axis:
    if not isinstance(node.value, list) or not node.value:
        raise reader.fail(node, f"{show(node.plain())} is not a list of values", "write [first, second]")
    if any(isinstance(each.value, dict) and "set" in each.value for each in node.value):
        found = tuple(listed_alternative(each, reader) for each in node.value)
    else:
        found = tuple(alternative(key, value) for value in _values(key, node, reader))
    labels = [each.label for each in found]
    for number, label in enumerate(labels):
        if label in labels[:number]:
            raise reader.fail(
                node.value[number], f"{label!r} is there twice", "give each alternative a label of its own"
            )
    return Axis(key, found)


def listed_alternative(node: YamlNode, reader: Reader) -> Alternative:
    """``{label, set: {path: value}, value}``, or the settings alone."""
    if isinstance(node.value, dict) and "set" not in node.value:
        settings = SETTINGS.read(node, reader)
        return Alternative(_label(settings), settings)
    model = MappingOf(AlternativeModel).read(node, reader)
    given = amount(model.value) if model.value is not None else amount(model.label)
    return Alternative(model.label or _label(model.set), model.set, given)


def _label(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{path} {alternative(path, value).label}" for path, value in settings.items()) or "as in the file"


@final
@dataclass(frozen=True, slots=True)
class _Amount:
    """A number, or one with a unit."""

    text: str = "a number, with a unit perhaps"

    def read(self, node: YamlNode, reader: Reader) -> str | int:
        if amount(node.value) is None or isinstance(node.value, dict | list | bool) or node.value is None:
            raise reader.fail(node, f"{show(node.plain())} is no amount", "write 64, 0.5, 64KiB or 10us")
        return node.value

    def schema(self, models: dict[str, Schema]) -> Schema:
        return {"type": ["number", "string"]}


_INTERRUPT = whole("number of an interrupt", 0, 4095)
SETTINGS = Pairs("field paths with their values", _value)
_IDS = Pairs("ids with the text that stands for them", lambda key, node, reader: Text().read(node, reader))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AlternativeModel(Model):
    """One alternative of an axis."""

    label: str = optional(Text(), "How the report names it.", "")
    set: dict[str, object] = required(SETTINGS, "The fields that it sets.")
    value: str | int | None = optional(_Amount(), "Where it lies on the axis of a plot.", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MetricModel(Model):
    """A metric; a bare text is `metric`."""

    metric: str | None = optional(Choice(tuple(METRICS)), "Which metric.", None)
    console: str | None = optional(Text(), "Regular expression with a group for a number in what guests print.", None)
    console_time: str | None = optional(Text(), "Regular expression; when a guest prints it first.", None)
    name: str | None = optional(Text(), "Its name in the report. Default: that of the metric.", None)
    vm: str | None = optional(NAME, "The VM whose console is meant. Default: every VM.", None)
    unit: str = optional(Text(), "Unit of the numbers; ns and B are shown with a fitting prefix.", "")
    interrupts: tuple[int, ...] = optional(ListOf(_INTERRUPT), "Only these interrupts.", ())
    ids: dict[str, str] | None = optional(_IDS, "Text for ids of markers.", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PlotModel(Model):
    """A picture of the report."""

    metric: str = required(Text(), "Name of the metric.")
    kind: str = required(Choice(PLOTS), "What is drawn.")
    axis: str | None = optional(Text(), "The axis of the sweep along x.", None)
    only: str = optional(Text(), "Only what has this text in its key.", "")
    title: str = optional(Text(), "Title of the picture.", "")
    log: bool | None = optional(Boolean(), "Whether the scales are logarithmic.", None)


FIELDS: dict[str, tuple[ValueKind[Any], str]] = {
    "version": (Choice((1,)), "Version of this format. Required."),
    "title": (Text(), "Heading of the report. Default: the name of the file."),
    "description": (Text(), "What is studied, and why: the report's first paragraph."),
    "expected": (Text(), "What shape is expected; the report shows it beside the results."),
    "machine": (PATH, "The machine file, relative to the study file. Required."),
    "for": (_Duration(), "Virtual time after which a run ends."),
    "until": (Texts(), "A run ends when guests have printed this, or all of these: `TEXT`, or `VM:TEXT` for one VM."),
    "timeout": (_Duration(), "The host's time after which a run is given up, as failed. Default 10m."),
    "repeats": (_count("number", 1, 10_000), "How often each point runs with each seed. Default 1."),
    "accept": (ListOf(_count("exit status", 0, 255), 1), "Exit statuses of `baonet run` that are fine. Default [0]."),
    "set": (SETTINGS, "Field paths with values that every run has, unless its point says something else."),
    "sweep": (Pairs("field paths with lists of values", _axis), "The axes: every combination of them is a point."),
    "points": (ListOf(_Point()), "The points, in place of `sweep`."),
    "seeds": (
        Pairs("field paths with lists of values", _values),
        "Fields whose n-th values make the n-th seed.",
    ),
    "metrics": (ListOf(MappingOf(MetricModel, shorthand="metric"), 1), "What is measured. Required."),
    "plots": (ListOf(MappingOf(PlotModel)), "The pictures of the report. Default: those that suit each metric."),
}
REQUIRED = ("version", "machine", "metrics")
