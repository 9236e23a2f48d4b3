"""A study file, read: every mistake at once, each with its place, as for machine files."""

# ruff: noqa: RUF009  # ``required`` and ``optional`` are dataclasses.field with a description, not default values

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from baonet.document import document
from baonet.document.document import YamlNode
from baonet.document.errors import ConfigError
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
    nearest,
)
from baonet.document.models import MappingOf, Model, optional, required
from baonet.document.overrides import read_overrides
from baonet.document.quantities import integer, listing, show
from baonet.document.values import NAME, PATH, duration, whole
from baonet.study.catalog import CONSOLE, CONSOLE_TIME, METRICS
from baonet.study.choice import ID
from baonet.study.plan import RUN_OPTIONS, Alternative, Axis, MetricSpec, PlotSpec, Settings, Study, alternative
from baonet.study.units import amount

DURATION = duration()
PLOTS = ("histogram", "cdf", "percentiles", "stages", "shares", "heatmap", "bars")
MOST_RUNS = 100_000
_FILE = document.Form(
    "study file",
    "start with 'version: 1'",
    own=frozenset({"machine"}),
    mistaken=(document.A_MACHINE, document.A_PLATFORM),
)
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
    """A point that is listed: its node, which ``_alternative`` reads."""

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
    return node.plain()


def _values(key: str, node: YamlNode, reader: Reader) -> list[object]:
    _path(key, node, reader)
    if not isinstance(node.value, list) or not node.value:
        raise reader.fail(node, f"{show(node.plain())} is not a list of values", "write [first, second]")
    return [each.plain() for each in node.value]


def _axis(key: str, node: YamlNode, reader: Reader) -> Axis:
    if not isinstance(node.value, list) or not node.value:
        raise reader.fail(node, f"{show(node.plain())} is not a list of values", "write [first, second]")
    if any(isinstance(each.value, dict) and "set" in each.value for each in node.value):
        found = tuple(_alternative(each, reader) for each in node.value)
    else:
        found = tuple(alternative(key, value) for value in _values(key, node, reader))
    labels = [each.label for each in found]
    for number, label in enumerate(labels):
        if label in labels[:number]:
            raise reader.fail(
                node.value[number], f"{label!r} is there twice", "give each alternative a label of its own"
            )
    return Axis(key, found)


def _alternative(node: YamlNode, reader: Reader) -> Alternative:
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


def read(path: Path) -> Study:
    """The study of a file. Raises ``ConfigError`` with everything that is wrong with it."""
    root, problems = document.parse(path, _FILE)
    reader = Reader()
    reader.problems += problems
    values = _top(root, reader)
    metrics = tuple(_metrics(values.get("metrics", ()), reader))
    _plots(values.get("plots") or (), metrics, values.get("sweep", {}), reader)
    listed = tuple(_listed(root, values["points"], reader)) if "points" in values else ()
    if "points" in values and "sweep" in values:
        reader.problems.append(root.at("points").key_problem("both 'points' and 'sweep'", "keep one of them"))
    seeds = _seeds(root, values.get("seeds", {}), reader)
    if reader.problems:
        raise ConfigError(reader.problems)
    study = Study(
        path=path,
        machine=path.parent / values["machine"],
        axes=tuple(values.get("sweep", {}).values()),
        listed=listed,
        seeds=seeds,
        repeats=values.get("repeats", 1),
        metrics=metrics,
        plots=tuple(_plot(each) for each in values["plots"]) if "plots" in values else None,
        duration=values.get("for"),
        until=values.get("until", ()),
        timeout=values.get("timeout", "10m"),
        accept=values.get("accept", (0,)),
        title=values.get("title") or path.stem,
        description=values.get("description", ""),
        expected=values.get("expected", ""),
        given=values.get("set", {}),
    )
    count = len(seeds) * study.repeats * (len(listed) or math.prod(len(axis.alternatives) for axis in study.axes))
    if count > MOST_RUNS:
        raise ConfigError([root.problem(f"these are {count} runs", f"at most {MOST_RUNS}: make the sweep smaller")])
    return study


def settings(path: Path, texts: Sequence[str]) -> Settings:
    """What ``PATH=VALUE`` gives to every run of the study of a file. Raises ``ConfigError``."""
    given, problems = read_overrides(str(path), texts)
    for each in given:
        if each.path.startswith("run.") and each.path not in RUN_OPTIONS:
            hint = f"it can be {listing(RUN_OPTIONS, 'or')}"
            problems.append(each.problem(f"{each.path!r} cannot be set", hint))
    if problems:
        raise ConfigError(problems)
    return {each.path: each.value for each in given}


def _top(root: YamlNode, reader: Reader) -> dict[str, Any]:
    if not isinstance(root.value, dict):
        raise ConfigError(
            [*reader.problems, root.problem(f"{show(root.value)} is no study", "start with 'version: 1'")]
        )
    values: dict[str, Any] = {}
    given = set(root.value)
    for word, node in root.value.items():
        key = word
        if key not in FIELDS:
            near = nearest(key, [name for name in FIELDS if name not in given])
            hint = f"did you mean {near!r}?" if near else f"the keys here are {listing(FIELDS)}"
            reader.problems.append(node.key_problem(f"unknown key {key!r}", hint))
            if near is None:
                continue
            key = near  # what hides behind it is told too
            given.add(key)
        if node.value is None:
            reader.problems.append(node.problem(f"{key!r} has no value", "give it one, or remove the key"))
        else:
            try:
                values[key] = FIELDS[key][0].read(node, reader)
            except UnreadableError:
                continue
    for key in REQUIRED:
        if key not in given:
            reader.problems.append(root.problem(f"{key!r} is missing", FIELDS[key][1]))
    return values


def _metrics(models: tuple[MetricModel, ...], reader: Reader) -> Iterator[MetricSpec]:
    names: set[str] = set()
    for model in models:
        given = [key for key in ("metric", "console", "console_time") if getattr(model, key) is not None]
        if len(given) != 1 or model.metric in (CONSOLE, CONSOLE_TIME):
            hint = f"write one of {listing(sorted(set(METRICS) - {CONSOLE, CONSOLE_TIME}))}, or 'console: PATTERN'"
            reader.fail(model.node, "it is not clear which metric this is", hint)
            continue
        kind = model.metric or given[0].replace("_", "-")
        pattern = model.console or model.console_time or ""
        if not _compiles(pattern, model.node.at(given[0]), reader, groups=kind == CONSOLE):
            continue
        for option in ("vm", "unit", "interrupts", "ids"):
            if getattr(model, option) and option not in METRICS[kind].takes:
                node = model.node.at(option)
                reader.problems.append(node.key_problem(f"{kind} takes no {option!r}", "remove it"))
        name = model.name or kind
        if name in names:
            reader.fail(model.node, f"there are two metrics '{name}'", "give them different names: 'name: ...'")
        names.add(name)
        yield MetricSpec(name, kind, model.vm, pattern, model.unit, model.interrupts, model.ids or {})


def _compiles(pattern: str, node: YamlNode, reader: Reader, groups: bool) -> bool:
    try:
        compiled = re.compile(pattern.encode(), re.MULTILINE)
    except re.error as error:
        reader.fail(node, f"not a regular expression: {error}", "see Python's re module")
        return False
    if not groups or compiled.groups == 1 or (compiled.groups and len(compiled.groupindex) == compiled.groups):
        return True
    what = "several groups without names" if compiled.groups else "no group"
    reader.fail(node, f"this pattern has {what}", r"put the number in parentheses: 'took (\d+) ns', (?P<name>\d+)")
    return False


def _plots(
    models: tuple[PlotModel, ...], metrics: tuple[MetricSpec, ...], axes: Mapping[str, Axis], reader: Reader
) -> None:
    kinds = {each.name: each.kind for each in metrics}
    for model in models:
        kind = kinds.get(model.metric)
        if kind is None:
            reader.fail(model.node.at("metric"), f"there is no metric '{model.metric}'", f"there are {listing(kinds)}")
        elif model.kind not in METRICS[kind].plots:
            hint = f"it can be {listing(METRICS[kind].plots, 'or')}"
            reader.fail(model.node.at("kind"), f"there is no {model.kind} of {kind}", hint)
        if model.axis is not None and model.axis not in (*axes, ID):
            reader.fail(model.node.at("axis"), f"there is no axis '{model.axis}'", f"the sweep has {listing(axes)}")


def _plot(model: PlotModel) -> PlotSpec:
    return PlotSpec(model.metric, model.kind, model.axis, model.only, model.title, model.log)


def _listed(root: YamlNode, points: Sequence[YamlNode], reader: Reader) -> Iterator[Alternative]:
    labels = set()
    for node in points:
        try:
            found = _alternative(node, reader)
        except UnreadableError:
            continue
        if found.label in labels:
            reader.fail(node, f"{found.label!r} is there twice", "give each point a label of its own")
        labels.add(found.label)
        yield found
    if not points:
        reader.fail(root.at("points"), "the list is empty", "it needs at least one point")


def _seeds(root: YamlNode, given: Mapping[str, list[object]], reader: Reader) -> tuple[Mapping[str, object], ...]:
    lengths = {len(values) for values in given.values()}
    if len(lengths) > 1:
        reader.fail(root.at("seeds"), "the lists have different lengths", "the n-th values together are the n-th seed")
        return ({},)
    if not given:
        return ({},)
    return tuple(dict(zip(given, values, strict=True)) for values in zip(*given.values(), strict=True))
