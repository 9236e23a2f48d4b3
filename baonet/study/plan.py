"""A study: which runs of which machine, and what is measured. Frozen records; ``study_file`` reads them from YAML."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, final

from baonet.document.overrides import wholes_first
from baonet.machine.dataclass import dataclass, field
from baonet.study.one_run import RunRequest
from baonet.study.units import Amount, amount

Settings: TypeAlias = Mapping[str, object]
"""Field paths of the machine file, or ``machine`` and ``run.*``, with their values as the YAML holds them."""

FOR = "run.for"
UNTIL = "run.until"
INPUT = "run.input"
CLOCK = "run.clock"
PLACEMENT = "run.placement"
ON = "run.on"
RUN_OPTIONS = (FOR, UNTIL, INPUT, CLOCK, PLACEMENT, ON)


def places(path: str) -> bool:
    """Whether a setting says where CPUs run, which in virtual time changes nothing in what they do."""
    return path in (PLACEMENT, ON) or path.partition(".")[0] == "placement"


"""What a study can set beside the machine file, to whose fields all other paths lead."""


@final
@dataclass(frozen=True, slots=True)
class Alternative:
    """One position of an axis. ``amount`` is where it lies on a plot's x axis, if it has a magnitude."""

    label: str
    settings: Settings
    amount: Amount | None = None


@final
@dataclass(frozen=True, slots=True)
class Axis:
    name: str
    alternatives: tuple[Alternative, ...]


@final
@dataclass(frozen=True, slots=True)
class Point:
    """One configuration of the machine: an alternative of each axis, by the name of the axis."""

    number: int
    place: Mapping[str, Alternative]

    @property
    def settings(self) -> Settings:
        return {path: value for each in self.place.values() for path, value in each.settings.items()}

    @property
    def label(self) -> str:
        return place_label({axis: each.label for axis, each in self.place.items()})


@final
@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A metric as the study asks for it. ``kind`` is a key of ``baonet.study.catalog.METRICS``."""

    name: str
    kind: str
    vm: str | None = None
    pattern: str = ""
    unit: str = ""
    interrupts: tuple[int, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True)
class PlotSpec:
    """A picture as the study asks for it: ``axis`` is what goes along x, None for the first that has amounts."""

    metric: str
    kind: str
    axis: str | None = None
    only: str = ""
    title: str = ""
    log: bool | None = None


@final
@dataclass(frozen=True, slots=True)
class Run:
    """One run to do: a point, which of the seeds, which of the repeats; ``settings`` are all of it."""

    point: int
    seed: int
    repeat: int
    settings: Settings


@final
@dataclass(frozen=True, slots=True)
class Study:
    """``duration`` is of virtual time, ``timeout`` of the host's, for one run; both as ``baonet run`` takes them.

    ``until`` are texts that guests print, each as ``baonet run --until`` takes it; the run ends when all have come.
    ``accept`` are the exit statuses of ``baonet run`` after which a run counts as done. ``on``: which nodes run it, for
    runs that say no other; it is of a call, not of the study. ``given``: what every run has, unless its point says
    something else.
    """

    path: Path
    machine: Path
    axes: tuple[Axis, ...]
    listed: tuple[Alternative, ...] = ()
    seeds: tuple[Settings, ...] = ({},)
    repeats: int = 1
    metrics: tuple[MetricSpec, ...] = ()
    plots: tuple[PlotSpec, ...] | None = None
    duration: str | None = None
    until: tuple[str, ...] = ()
    timeout: str = "10m"
    accept: tuple[int, ...] = (0,)
    on: str | None = None
    title: str = ""
    description: str = ""
    expected: str = ""
    given: Settings = field(default_factory=dict)

    def points(self) -> tuple[Point, ...]:
        """Those that are listed, or every combination of the axes, the last axis fastest."""
        if self.listed:
            return tuple(Point(number, {"": each}) for number, each in enumerate(self.listed))
        names = [axis.name for axis in self.axes]
        product = itertools.product(*(axis.alternatives for axis in self.axes))
        return tuple(Point(number, dict(zip(names, place, strict=True))) for number, place in enumerate(product))

    def runs(self) -> Iterator[Run]:
        """Every run. All points come once before any comes again, so that an early end has a bit of everything."""
        points = self.points()
        for repeat in range(self.repeats):
            for seed, seeded in enumerate(self.seeds):
                for point in points:
                    yield Run(point.number, seed, repeat, {**point.settings, **seeded})

    def whole(self, settings: Settings) -> Settings:
        """With what every run has."""
        return {**self.given, **settings}

    def machine_of(self, settings: Settings) -> Path:
        """The machine file of a run. One that an axis names is relative to the study file."""
        named = self.whole(settings).get("machine")
        return self.machine if named is None else self.path.parent / str(named)

    def overrides(self, settings: Settings) -> Settings:
        """The part of the settings that changes the machine file: a whole, and then what changes a part of it."""
        own = ("machine", *RUN_OPTIONS)
        return wholes_first({path: value for path, value in self.whole(settings).items() if path not in own})

    def request(self, settings: Settings) -> RunRequest:
        """What a run is to do."""
        settings = self.whole(settings)
        clock = {"clock.mode": settings[CLOCK]} if CLOCK in settings else {}
        until = settings.get(UNTIL, self.until)
        input_ = settings.get(INPUT)
        return RunRequest(
            machine=str(self.machine_of(settings)),
            settings={**self.overrides(settings), **clock},
            until=() if until is None else tuple(map(str, until if isinstance(until, list | tuple) else (until,))),
            duration=_text(settings.get(FOR, self.duration)),
            input=None if input_ is None else str(self.path.parent / str(input_)),
            placement=_text(settings.get(PLACEMENT)),
            on=_text(settings.get(ON, self.on)),
            timeout=self.timeout,
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def place_label(place: Mapping[str, str]) -> str:
    """A place on the axes for a reader: the alternative of each by the axis's name."""
    return ", ".join(f"{axis.removeprefix('run.')} {label}".strip() for axis, label in place.items()) or "-"


def alternative(path: str, value: object) -> Alternative:
    """A position of an axis that is one field."""
    label = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if path == "machine" and isinstance(value, str):
        label = Path(value).stem
    return Alternative(label, {path: value}, amount(value))
