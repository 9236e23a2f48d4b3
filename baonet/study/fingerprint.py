"""What results depend on, as digests by name: two studies whose digests are the same have the same results.

Title, texts, plots, repeats and timeout are not among it: those can be changed between two calls.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

from baonet.config.console_input import load_input
from baonet.document.errors import ConfigError, Problem
from baonet.machine import Machine
from baonet.study.plan import INPUT, Settings, Study

LoadMachine = Callable[[Path, Settings], Machine]


_MOST_WRONG = 100
"""Machines with errors, after which no more are looked at: most often all have the same."""


def fingerprint(study: Study, load: LoadMachine) -> dict[str, str]:
    """Names are for the user, as in "the machine file".

    Raises ConfigError with all that is wrong with the machines, and with what is typed on their consoles.
    """
    found = {
        "baonet itself": metadata.version("baonet"),
        "the study's 'for', 'until' or 'accept'": _of([study.duration, study.until, study.accept]),
        "the study's seeds": _of([dict(seed) for seed in study.seeds]),
        "the study's points": _of([[point.label, dict(point.settings)] for point in study.points()]),
        "the study's metrics": _of([repr(each) for each in study.metrics]),
    }
    if study.given:
        found["what all runs of the study have"] = _of(dict(study.given))
    platforms: dict[str, None] = {}
    files: dict[Path, str] = {}
    wrong: list[ConfigError] = []
    for settings in _machines(study):
        path, overrides = study.machine_of(settings), study.overrides(settings)
        try:
            machine = load(path, overrides)
            if (typed := _input(study, settings)) is not None:
                load_input(typed, machine)
        except ConfigError as error:
            wrong.append(error)
            if len(wrong) == _MOST_WRONG:
                break
            continue
        platforms[repr(machine.platform)] = None
        files |= {Path(each): "the image" for each in machine.files}
        files[path] = "the machine file"
    if wrong:
        raise ConfigError(problem for each in wrong for problem in each.problems)
    files |= dict.fromkeys(inputs(study), "the input")
    for path, what in files.items():
        _file(found, what, path)
    found["the platform"] = _of(list(platforms))
    return found


def inputs(study: Study) -> set[Path]:
    """The files of console input."""
    found = (_input(study, settings) for settings in _machines(study))
    return {path for path in found if path is not None}


def _input(study: Study, settings: Settings) -> Path | None:
    name = study.whole(settings).get(INPUT)
    return None if name is None else study.path.parent / str(name)


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The names of what is different."""
    return [name for name in dict.fromkeys([*before, *now]) if before.get(name) != now.get(name)]


def _machines(study: Study) -> list[Settings]:
    """The settings of every different machine."""
    found = {_of(dict(run.settings)): run.settings for run in study.runs() if run.repeat == 0}
    return list(found.values())


def _of(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _file(found: dict[str, str], what: str, path: Path) -> None:
    name = f"{what} {path.name}"
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, 0, "", f"cannot be read: {error.strerror or error}")]) from None
    # Two files of one name: both count.
    if found.setdefault(name, digest) != digest:
        found[f"{name} {digest[:8]}"] = digest
