"""A study file, read: every mistake at once, each with its place, as for machine files."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from baonet.document import document
from baonet.document.document import YamlNode
from baonet.document.errors import ConfigError
from baonet.document.kinds import (
    Reader,
    UnreadableError,
    nearest,
)
from baonet.document.overrides import read_overrides
from baonet.document.quantities import listing, show
from baonet.machine.dataclass import replace
from baonet.study.catalog import CONSOLE, CONSOLE_TIME, METRICS
from baonet.study.choice import ID
from baonet.study.plan import RUN_OPTIONS, Alternative, Axis, MetricSpec, PlotSpec, Study
from baonet.study.study_fields import FIELDS, REQUIRED, MetricModel, PlotModel, listed_alternative, read_option

MOST_RUNS = 100_000
_FILE = document.Form(
    "study file",
    "start with 'version: 1'",
    own=frozenset({"machine"}),
    mistaken=(document.A_MACHINE, document.A_PLATFORM),
)


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


def with_settings(study: Study, texts: Sequence[str]) -> Study:
    """With what ``PATH=VALUE`` gives to every run, in place of what the file gives to all. Raises ``ConfigError``.

    What each point sets for itself is no place for it: nothing would come of it, and nobody would know.
    """
    given, problems = read_overrides(str(study.path), texts)
    points = study.points()
    for each in given:
        if each.path.startswith("run.") and each.path not in RUN_OPTIONS:
            hint = f"it can be {listing(RUN_OPTIONS, 'or')}"
            problems.append(each.problem(f"{each.path!r} cannot be set", hint))
        elif all(each.path in point.settings for point in points) or all(each.path in own for own in study.seeds):
            hint = "give a part of it that the study does not set, or change the study file"
            problems.append(each.problem("each point of the study sets it for itself", hint))
        else:
            reader = Reader()
            with suppress(UnreadableError):
                read_option(each.path, each.node(each.value, each.path), reader)
            problems += reader.problems
    if problems:
        raise ConfigError(problems)
    return replace(study, given={**study.given, **{each.path: each.value for each in given}})


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
            found = listed_alternative(node, reader)
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
