"""The file of a run that was saved: of which machine it is, what its agent kept, and what the machine has come to.

The same moment gives the same bytes, wherever the machine runs.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final, final

from baonet.cluster.images import portable, wanted
from baonet.cluster.state import MachineState, pack, unpack
from baonet.machine import LoadSegment, Machine
from baonet.machine.dataclass import dataclass, replace
from baonet.machine.node_placement import PACKED
from baonet.machine.saved import Saved, StateError, StateForm
from baonet.run.errors import RunError
from baonet.wire.portable import dump_machine, machine_digest

_MAGIC: Final = b"baonet state\n"
_SUM: Final = 32
"""Bytes behind the word: BLAKE2b of all that follow. A page that is another would be run."""
_FORM: Final = StateForm("a saved run", 1, machine=str, run=dict, state=dict)


@final
@dataclass(frozen=True, slots=True)
class SavedRun:
    """``run``: what the agent kept."""

    run: Saved
    state: MachineState


def _identity(machine: Machine) -> str:
    """By which a state is known to be of this machine: all of it but where it runs, with images by their content.

    Raises OSError when an image cannot be read, or has changed since it was checked.
    """

    def short(segment: LoadSegment) -> LoadSegment:
        return replace(segment, data=hashlib.sha256(segment.data).digest(), unpacked=None, stamp=None)

    by_content = portable(machine, wanted(machine))
    vms = tuple(replace(vm, segments=tuple(map(short, vm.segments))) for vm in by_content.vms)
    return machine_digest(dump_machine(replace(by_content, path="", vms=vms, files=(), placement=PACKED)))


def head(data: bytes) -> bytes:
    """What stands before ``data`` in the file."""
    return _MAGIC + hashlib.blake2b(data, digest_size=_SUM).digest()


def write(path: str | os.PathLike[str], saved: SavedRun, machine: Machine) -> None:
    """All of it or nothing: a file that is there already is kept until the new one is whole. Raises OSError."""
    data = pack(_FORM.save(machine=_identity(machine), run=saved.run, state=saved.state.save()))
    target = Path(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:200]}.", dir=target.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from None
    try:
        with open(descriptor, "wb") as file:
            file.write(head(data))
            file.write(data)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def read(path: str | os.PathLike[str], machine: Machine) -> SavedRun:
    """Raises RunError when it is not a state of this machine, and OSError."""
    name, data = os.fspath(path), Path(path).read_bytes()
    if not data.startswith(_MAGIC):
        raise RunError(f"{name} is no state to go on from: give a file that OpenRun.save has written")
    content = data[len(_MAGIC) + _SUM :]
    if not data.startswith(head(content)):
        raise RunError(f"{name} is damaged: it is not what OpenRun.save has written: give a whole copy of it")
    try:
        fields = _FORM.load(unpack(content))
        saved = SavedRun(fields["run"], MachineState.load(fields["state"]))
    except StateError as error:
        raise RunError(f"{name} is no state to go on from: {error}") from None
    if fields["machine"] != _identity(machine):
        raise RunError(
            f"{name} is the state of another machine, or of one with other images or input: load the machine file, "
            "with the settings, that it was saved from"
        )
    return saved
