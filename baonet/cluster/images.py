"""Images by their content: between hosts the files that a machine names are their SHA-256.

The lead says which are ``wanted`` and sends the ``portable`` machine; a node that has them makes it ``local``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Final, final

from baonet.cluster.image_cache import LIMIT, ImageCache, ImageWriter
from baonet.machine import LoadSegment, Machine, Vm
from baonet.machine.dataclass import dataclass, replace
from baonet.machine.stamp import stamp, unchanged
from baonet.wire.fields import ProtocolError, told

__all__ = ["LIMIT", "Image", "ImageCache", "ImageWriter", "in_files", "local", "needed", "portable", "wanted"]

_CONTENT: Final = "sha256:"
_INLINE: Final = 1 << 16
"""What goes with the machine's records; more is better sent once than with each run."""


@final
@dataclass(frozen=True, slots=True)
class Image:
    """The bytes of a file: their SHA-256 in hexadecimal, and how many they are."""

    sha: str
    size: int


def in_files(machine: Machine, cache: ImageCache) -> Machine:
    """For the lead, before ``wanted``: images that were unpacked are files in its cache from then on.

    Raises OSError as ``ImageCache.receive``.
    """

    def filed(segment: LoadSegment) -> LoadSegment:
        if len(segment.data) <= _INLINE:
            return segment
        sha = hashlib.sha256(segment.data).hexdigest()
        if not cache.has(sha):
            with cache.receive(sha, len(segment.data)) as writer:
                writer.write(segment.data)
                writer.finish()
        path = cache.path(sha)
        return replace(segment, size=len(segment.data), path=str(path), data=b"", stamp=stamp(path))

    return _changed(machine, filed)


def wanted(machine: Machine) -> dict[str, Image]:
    """Every file that the machine's segments name, by its path. Each is read once.

    Raises OSError when one cannot be read, or is not the one that was checked.
    """
    found: dict[str, Image] = {}
    for vm in machine.vms:
        for segment in vm.segments:
            if segment.path is None:
                continue
            if segment.path not in found:
                found[segment.path] = _image(segment.path)
            if segment.stamp is not None:
                unchanged(segment.path, segment.stamp, segment.path)
    return found


def needed(machine: Machine, images: Mapping[str, Image], vms: Set[int]) -> tuple[Image, ...]:
    """Those of ``wanted`` that these VMs load, each once."""
    paths = {segment.path for vm in vms for segment in machine.vms[vm].segments if segment.path is not None}
    return tuple(sorted({images[path] for path in paths}, key=lambda image: image.sha))


def _image(path: str) -> Image:
    with Path(path).open("rb") as file:
        before = stamp(file.fileno())
        sha = hashlib.file_digest(file, "sha256").hexdigest()
        unchanged(file.fileno(), before, path)
    return Image(sha, before.size)


def portable(machine: Machine, images: Mapping[str, Image]) -> Machine:
    """The lead's machine with its images by content. ``images`` are those of ``wanted``; KeyError when one is not."""

    def by_content(segment: LoadSegment) -> LoadSegment:
        if segment.path is None:
            return segment
        return replace(segment, path=_CONTENT + images[segment.path].sha, stamp=None)

    return _changed(machine, by_content)


def local(machine: Machine, cache: ImageCache, vms: Set[int]) -> Machine:
    """The machine of ``portable`` with the files of this cache, and as they are. Only ``vms`` are loaded here.

    Raises FileNotFoundError when an image is not there, and ProtocolError for a segment that names another file of this
    host, or more than is in its image.
    """

    def in_cache(segment: LoadSegment) -> LoadSegment:
        if segment.path is None:
            return segment
        sha = segment.path.removeprefix(_CONTENT)
        if sha == segment.path:
            raise ProtocolError(f"the machine names the file {told(segment.path)} where the hash of an image is due")
        path = cache.path(sha)
        kept = stamp(path)
        if not 0 <= segment.offset <= segment.offset + segment.size <= kept.size:
            where = f"{segment.size} bytes at {segment.offset} of an image of {kept.size}"
            raise ProtocolError(f"the machine loads {where}")
        return replace(segment, path=str(path), stamp=kept)

    def elsewhere(segment: LoadSegment) -> LoadSegment:
        return replace(segment, path=None)

    here = (_with_segments(vm, in_cache if number in vms else elsewhere) for number, vm in enumerate(machine.vms))
    return replace(machine, vms=tuple(here))


def _changed(machine: Machine, change: Callable[[LoadSegment], LoadSegment]) -> Machine:
    return replace(machine, vms=tuple(_with_segments(vm, change) for vm in machine.vms))


def _with_segments(vm: Vm, change: Callable[[LoadSegment], LoadSegment]) -> Vm:
    return replace(vm, segments=tuple(map(change, vm.segments)))
