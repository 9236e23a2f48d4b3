"""How a machine comes from the lead to a node of another host: its records, and of its images what is not there yet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Final, final

from baonet.cluster.images import Image, ImageCache, in_files, local, needed, portable, wanted
from baonet.cluster.parts import here
from baonet.cluster.stream import Stream
from baonet.cluster.terms import Awaiting
from baonet.hyp.vmm import plan
from baonet.machine import Machine
from baonet.wire import cluster
from baonet.wire.fields import ProtocolError
from baonet.wire.portable import MAX_MACHINE, dump_machine, load_machine, machine_digest

_CHUNK: Final = 1 << 18
_AHEAD: Final = 1 << 20
"""Bytes that wait for a node that reads slower than the file is read."""
PATIENCE: Final = 60.0
"""Seconds in which a node goes on to take what it is sent, or asks for it."""


@final
class Shipment:
    """A machine that the lead sends: ``machine`` and ``images`` are what a node is told of it first.

    Raises OSError when a file of it cannot be read, or has changed since it was checked.
    """

    def __init__(self, machine: Machine, cache: ImageCache) -> None:
        filed = in_files(machine, cache)
        files = wanted(filed)
        self._filed, self._files = filed, files
        self._data = dump_machine(portable(filed, files))
        self._paths: Mapping[str, str] = {image.sha: path for path, image in files.items()}
        self.machine = cluster.Image(machine_digest(self._data), len(self._data))

    def images(self, vms: Set[int]) -> tuple[cluster.Image, ...]:
        """What a node needs that has the memory of these VMs."""
        return tuple(cluster.Image(image.sha, image.size) for image in needed(self._filed, self._files, vms))

    def send(self, stream: Stream, waiting: Awaiting) -> None:
        """To a node that was told. ``waiting`` is told meanwhile, and may raise.

        Raises StreamError, ProtocolError, OSError.
        """
        send(stream, self._data, waiting)
        for sha in stream.expect(cluster.ImagesWanted, PATIENCE).images:
            if sha not in self._paths:
                raise ProtocolError(f"wants an image that this machine does not have: {sha:.64}")
            with Path(self._paths[sha]).open("rb") as file:
                while data := file.read(_CHUNK):
                    waiting(f"node {stream.name} is sent an image")
                    _chunk(stream, data)


def announced(data: bytes) -> cluster.Image:
    """As a node is told of what comes."""
    return cluster.Image(hashlib.sha256(data).hexdigest(), len(data))


def send(stream: Stream, data: bytes, waiting: Awaiting) -> None:
    """To a node that was told. ``waiting`` is told meanwhile, and may raise. Raises StreamError."""
    for start in range(0, len(data), _CHUNK):
        waiting(f"node {stream.name} is sent the machine")
        _chunk(stream, data[start : start + _CHUNK])


def received(lead: Stream, told: cluster.Image, what: str, most: int) -> bytes:
    """What was announced. Raises ProtocolError for anything else, and for more than ``most`` bytes; StreamError."""
    if told.size > most:
        raise ProtocolError(f"a {what} of {told.size} bytes: at most {most} are allowed")
    data = bytearray()
    while len(data) < told.size:
        data += _next(lead)
    if hashlib.sha256(data).hexdigest() != told.sha256:
        raise ProtocolError(f"the {what} is not the one that was announced: its digest differs")
    return bytes(data)


def _chunk(stream: Stream, data: bytes) -> None:
    stream.send(cluster.Chunk(data))
    stream.drain(PATIENCE, _AHEAD)


@final
class Receipt:
    """On a node: what comes is kept in ``cache``, where other runs find it."""

    def __init__(self, cache: ImageCache) -> None:
        self._cache = cache

    def __call__(self, lead: Stream, asked: cluster.Enlist) -> Machine:
        """Raises ProtocolError for what is not as it was told, StreamError, OSError when there is no room, and
        ValueError for what is no machine.
        """
        data = received(lead, asked.machine, "machine", MAX_MACHINE)
        images = [Image(each.sha256, each.size) for each in asked.images]
        missing = [image for image in images if not self._cache.has(image.sha)]
        lead.send(cluster.ImagesWanted(tuple(image.sha for image in missing)))
        for image in missing:
            self._receive(lead, image)
        machine = load_machine(data)
        return local(machine, self._cache, here(plan(machine), asked))

    def _receive(self, lead: Stream, image: Image) -> None:
        with self._cache.receive(image.sha, image.size) as writer:
            come = 0
            while come < image.size:
                data = _next(lead)
                writer.write(data)
                come += len(data)
            writer.finish()


def _next(lead: Stream) -> bytes:
    message = lead.await_message(PATIENCE)
    if not isinstance(message, cluster.Chunk) or not message.data:
        raise ProtocolError(f"{type(message).__name__} came where bytes of the machine are due")
    return message.data
