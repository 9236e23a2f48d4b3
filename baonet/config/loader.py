"""``load``: from a machine file to a ``Machine``, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from baonet.config import by_architecture, check, doubts, from_platform, platform_file
from baonet.config.build import build
from baonet.config.draft import Draft
from baonet.config.models import MachineModel
from baonet.config.placement import VmContents
from baonet.document import document
from baonet.document.errors import ConfigError, Problem
from baonet.document.kinds import Reader, UnreadableError
from baonet.document.models import MappingOf
from baonet.document.overrides import Overrides
from baonet.document.standard_input import STDIN
from baonet.machine import Faithful, Machine, MisfitError, Platform
from baonet.machine.dataclass import replace

_MACHINE = MappingOf(MachineModel)


def load(
    path: Path,
    overrides: Overrides = (),
    warnings: list[Problem] | None = None,
    fit: Callable[[Machine], object] | None = None,
) -> Machine:
    """Read, check and resolve a machine file, with ``overrides`` in place of some of its fields.

    What is allowed and probably not meant is added to ``warnings``, also when there are problems. ``fit`` is asked in
    the end, and what it raises as ``MisfitError`` is a problem of the file as well.

    Raises ``ConfigError`` with all its problems: those of its form, then those between its fields and of its images,
    as far as what could be read allows.
    """
    root, problems = document.parse(path)
    reader = Reader()
    reader.problems += problems
    by_architecture.settle(root, _MACHINE, overrides, reader)
    try:
        values, whole = _MACHINE.values(root, reader)
    except UnreadableError:
        raise ConfigError(reader.problems) from None
    reader.files += [] if path is STDIN else [path]
    platform = None
    if "platform" in values and reader.intact("platform"):
        platform = platform_file.resolve(values["platform"], reader)
    draft = Draft(
        root=root,
        reader=reader,
        platform=platform,
        shared_memory=values.get("shared_memory", ()),
        vms=[from_platform.completed(vm, platform) for vm in values.get("vms", ())],
        clock=values.get("clock"),
        input=values.get("input", ()),
        faults=values.get("faults", ()),
        placement=values.get("placement"),
        hypervisor=values.get("hypervisor"),
    )
    reader.problems += check.problems(draft)
    placements = [VmContents(vm, draft.architecture) for vm in draft.vms]
    for placement in placements:
        placement.read(draft)
        reader.problems += placement.problems
        reader.files += placement.files
    doubtful = [*reader.doubts, *doubts.of_draft(draft, placements)]
    try:
        machine = _built(draft, platform, placements, values, whole=whole)
        doubtful += doubts.of_machine(machine, placements)
        if fit is not None:
            fit(machine)
    except MisfitError as error:
        raise ConfigError([root.find(error.field).problem(str(error), error.hint)]) from None
    finally:
        if warnings is not None:
            wrong = {problem.field for problem in reader.problems}
            warnings += sorted(dict.fromkeys(each for each in doubtful if each.field not in wrong))
    return machine


def _built(
    draft: Draft, platform: Platform | None, placements: Sequence[VmContents], values: Mapping[str, Any], *, whole: bool
) -> Machine:
    """Raises ``ConfigError`` when anything is wrong."""
    reader = draft.reader
    faithful = Faithful(values.get("faithful", Faithful.PRACTICAL.value))
    if platform is None or not whole or reader.problems:
        unplaced = [] if platform is None else _unplaced(draft, platform, placements, faithful)
        raise ConfigError([*reader.problems, *unplaced])
    machine, unplaced = build(draft, platform, placements, faithful)
    if unplaced:
        raise ConfigError(unplaced)
    return replace(machine, files=tuple(str(each) for each in dict.fromkeys(reader.files)))


def _unplaced(
    draft: Draft, platform: Platform, placements: Sequence[VmContents], faithful: Faithful
) -> Sequence[Problem]:
    """What has no room in the memory of VMs with which nothing else is wrong, whatever is wrong with others."""
    if not draft.intact(draft.root, "shared_memory"):
        return ()
    fields = [problem.field for problem in draft.reader.problems]
    healthy = [each for each in placements if not any(_below(field, each.model.node.name) for field in fields)]
    part = replace(draft, vms=[each.model for each in healthy], input=(), faults=(), placement=None)
    return build(part, platform, healthy, faithful)[1]


def _below(field: str, name: str) -> bool:
    return field == name or field.startswith((f"{name}.", f"{name}["))
