"""``load``: from a machine file to a ``Machine``, or to everything that is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from baonet.config import check, document, platform_file
from baonet.config.build import build
from baonet.config.draft import Draft
from baonet.config.errors import ConfigError
from baonet.config.kinds import MappingOf, Reader, UnreadableError
from baonet.config.machine import Faithful, Machine
from baonet.config.models import MachineModel
from baonet.config.overrides import Overrides, apply
from baonet.config.placement import Placement

_MACHINE = MappingOf(MachineModel)


def load(path: Path, overrides: Overrides = ()) -> Machine:
    """Read, check and resolve a machine file, with ``overrides`` in place of some of its fields.

    Raises ``ConfigError`` with all its problems: those of its form, then those between its fields and of its images,
    as far as what could be read allows.
    """
    root, problems = document.parse(path)
    reader = Reader()
    reader.problems += problems
    reader.problems += apply(root, _MACHINE, overrides)
    try:
        values, whole = _MACHINE.values(root, reader)
    except UnreadableError:
        raise ConfigError(reader.problems) from None
    reader.files.append(path)
    platform = None
    if "platform" in values and reader.intact("platform"):
        platform = platform_file.resolve(values["platform"], reader)
    draft = Draft(
        root=root,
        reader=reader,
        platform=platform,
        shared_memory=values.get("shared_memory", ()),
        vms=values.get("vms", ()),
        clock=values.get("clock"),
        input=values.get("input", ()),
        faults=values.get("faults", ()),
    )
    reader.problems += check.problems(draft)
    placements = [Placement(vm) for vm in draft.vms]
    for placement in placements:
        placement.read(draft)
        reader.problems += placement.problems
        reader.files += placement.files
    if platform is None or not whole or reader.problems:
        raise ConfigError(reader.problems)
    faithful = Faithful(values.get("faithful", Faithful.PRACTICAL.value))
    machine, unplaced = build(draft, platform, placements, faithful)
    if unplaced:
        raise ConfigError(unplaced)
    return replace(machine, files=tuple(str(each) for each in dict.fromkeys(reader.files)))
