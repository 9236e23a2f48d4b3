"""Images that a node was sent, by their content: a directory with a file for each, for all processes of a user there.

A file comes into its place whole and is not replaced while it is good, and whoever uses it has a shared lock on it, so
that nobody makes room with it. Nothing that was there before is trusted: it is read once and compared with its name.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self, final

from baonet.machine import Stamp
from baonet.machine.dataclass import dataclass
from baonet.machine.stamp import stamp
from baonet.wire.fields import ProtocolError, told

LIMIT: Final = 8 << 30
"""Bytes of a cache."""
_SHA: Final = re.compile("[0-9a-f]{64}")
_PART: Final = ".part-"
_STALE: Final = 3600.0
"""Seconds after which nobody writes any more, where no lock says so."""


@final
class ImageCache:
    """Images that came from other hosts. Not for several threads at once.

    ``directory`` None: the user's (``$XDG_CACHE_HOME/baonet/images``), or where that cannot be written one that ends
    with this object or its process. ``limit`` is in bytes, of all files together; the oldest by use go first.

    What it has, by ``has`` or from a writer of its own, is in use until ``release``. Raises OSError when ``directory``
    cannot be used.
    """

    def __init__(self, directory: Path | None = None, limit: int = LIMIT) -> None:
        self.limit = limit
        self._held: dict[str, _Held] = {}
        self._parts: set[Path] = set()
        self._remove: Callable[[], object] = _nothing
        if directory is None:
            directory = _of_user()
        else:
            _make_private(directory)
        if directory is None:
            directory = Path(tempfile.mkdtemp(prefix="baonet-images-"))
            self._remove = weakref.finalize(self, _remove, directory, os.getpid())
        self.directory: Path = directory
        self._sweep()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def has(self, sha: str) -> bool:
        """Whether it is there and good; then it is in use. One that is damaged is removed.

        All of it is read when it is asked for first, or when its file has changed. Raises OSError.
        """
        path = self._path(sha)
        held = self._held.get(sha)
        if held is not None:
            if _stamp_at(path) == held.stamp:
                return True
            self._let_go(sha)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        _lock(descriptor, fcntl.LOCK_SH)
        try:
            good = _hash(descriptor) == sha
        except OSError:
            os.close(descriptor)
            raise
        if good and self._hold(sha, path, descriptor):
            return True
        if not good and _stamp_at(path) == stamp(descriptor):
            path.unlink(missing_ok=True)
        os.close(descriptor)
        return False

    def path(self, sha: str) -> Path:
        """Of an image that it has. Raises FileNotFoundError when it has not, and else OSError as ``has``."""
        path = self._path(sha)
        if not self.has(sha):
            raise FileNotFoundError(errno.ENOENT, "the image is not in the cache", str(path))
        return path

    def receive(self, sha: str, size: int) -> ImageWriter:
        """Take an image of ``size`` bytes.

        Raises OSError when there is no room for it beside those in use.
        """
        path = self._path(sha)
        if not 0 <= size <= self.limit:
            what = f"an image of {size} bytes does not fit in a cache of {self.limit}"
            raise OSError(errno.ENOSPC, what, str(self.directory))
        descriptor, part = self._part()
        writer = ImageWriter(self, size, part, path, descriptor)
        try:
            os.ftruncate(descriptor, size)  # so everybody counts it from now on
            self._make_room(size)
        except OSError:
            writer.give_up()
            raise
        return writer

    def drop(self, part: Path, descriptor: int) -> None:
        """Of a writer, whose end it is."""
        part.unlink(missing_ok=True)
        self._parts.discard(part)
        os.close(descriptor)

    def release(self) -> None:
        """Nothing is in use any more: a run is over."""
        for sha in [*self._held]:
            self._let_go(sha)

    def close(self) -> None:
        """Let go of all; what was made for this object alone is removed."""
        self.release()
        self._remove()

    def _path(self, sha: str) -> Path:
        if not _SHA.fullmatch(sha):
            raise ProtocolError(f"{told(sha)} where the SHA-256 of an image is due")
        return self.directory / sha

    def _part(self) -> tuple[int, Path]:
        """A file that is being written, which its lock says."""
        while True:
            descriptor, part = tempfile.mkstemp(prefix=_PART, dir=self.directory)
            _lock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                self._parts.add(Path(part))
                return descriptor, Path(part)
            os.close(descriptor)  # somebody swept before it was locked

    def keep(self, part: Path, path: Path, descriptor: int) -> None:
        """The file of a writer, whose bytes have been checked, comes into its place, unless a good one is there.

        To replace that would make it another file for whoever loads it.
        """
        sha = path.name
        while True:
            try:
                os.link(part, path)
            except FileExistsError:
                if self.has(sha):
                    return
                continue  # it was damaged, and is gone
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                part.replace(path)
            break
        _lock(descriptor, fcntl.LOCK_SH)
        reader = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        _lock(reader, fcntl.LOCK_SH)
        if not self._hold(sha, path, reader):
            os.close(reader)
            raise FileNotFoundError(errno.ENOENT, "somebody removed the image from the cache", str(path))

    def _hold(self, sha: str, path: Path, descriptor: int) -> bool:
        """Use a file that is good, unless it went before it was locked."""
        now = stamp(descriptor)
        if _stamp_at(path) != now:
            return False
        with suppress(OSError):
            os.utime(path, ns=(time.time_ns(), now.modified))
        self._held[sha] = _Held(descriptor, now)
        return True

    def _let_go(self, sha: str) -> None:
        os.close(self._held.pop(sha).descriptor)

    def _sweep(self) -> None:
        """Remove what was being written by somebody who was killed."""
        for part in self.directory.glob(f"{_PART}*"):
            with suppress(FileNotFoundError):
                if part.stat().st_mtime < time.time() - _STALE:
                    _remove_unused(part)

    def _make_room(self, size: int) -> None:
        found = []
        for entry in os.scandir(self.directory):
            with suppress(FileNotFoundError):
                found.append((entry.stat().st_atime_ns, entry.stat().st_size, Path(entry.path)))
        excess = sum(length for _, length, _ in found) - self.limit
        for _, length, path in sorted(found):
            if excess <= 0:
                return
            if path.name not in self._held and path not in self._parts and _remove_unused(path):
                excess -= length
        if excess > 0:
            what = f"no room for an image of {size} bytes: those in use take the rest of the cache's {self.limit}"
            raise OSError(errno.ENOSPC, what, str(self.directory))


@final
class ImageWriter:
    """One image on its way into a cache: ``write`` all of it, then ``finish``. What is not finished leaves nothing."""

    def __init__(self, cache: ImageCache, size: int, part: Path, path: Path, descriptor: int) -> None:
        self._cache = cache
        self._size = size
        self._part = part
        self._path = path
        self._descriptor = descriptor
        self._open = True
        self._written = 0
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.give_up()

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Raises ProtocolError when it is more than was told, and OSError when the disk is full; then it is over."""
        view = memoryview(chunk).cast("B")
        self._written += len(view)
        try:
            if self._written <= self._size:
                self._hash.update(view)
                while view:
                    view = view[os.write(self._descriptor, view) :]
                return
        except OSError as error:
            self.give_up()
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            what = f"no room for an image of {self._size} bytes: {error.strerror}"
            raise OSError(error.errno, what, str(self._cache.directory)) from None
        self.give_up()
        raise self._wrong(f"has more than the {self._size} bytes that were told")

    def finish(self) -> Path:
        """Where the image is, which the cache has now.

        Raises ProtocolError for other bytes than were told, and OSError.
        """
        with self:
            if self._written != self._size:
                raise self._wrong(f"has {self._written} bytes of the {self._size} that were told")
            if self._hash.hexdigest() != self._path.name:
                raise self._wrong(f"has other bytes: their hash is {self._hash.hexdigest()}")
            self._cache.keep(self._part, self._path, self._descriptor)
        return self._path

    def give_up(self) -> None:
        """Nothing, when it is over."""
        if self._open:
            self._open = False
            self._cache.drop(self._part, self._descriptor)

    def _wrong(self, what: str) -> ProtocolError:
        return ProtocolError(f"what came as the image {self._path.name} {what}")


@final
@dataclass(frozen=True, slots=True)
class _Held:
    """``descriptor`` has the lock; it cannot write: children have it too."""

    descriptor: int
    stamp: Stamp


_NO_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""Of a file system that does not know a second name of a file."""


def _of_user() -> Path | None:
    given, home = Path(os.environ.get("XDG_CACHE_HOME", "")), Path(os.environ.get("HOME", ""))
    base = given if given.is_absolute() else home / ".cache"
    if not base.is_absolute():
        return None
    directory = base / "baonet" / "images"
    try:
        _make_private(directory)
    except OSError:
        return None
    return directory


def _make_private(directory: Path) -> None:
    """Raises OSError when it cannot be a directory that its user alone may use."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.stat()
    if found.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "belongs to somebody else", str(directory))
    if stat.S_IMODE(found.st_mode) != 0o700:
        directory.chmod(0o700)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(directory))


def _hash(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp_at(path: Path) -> Stamp | None:
    try:
        return stamp(path)
    except FileNotFoundError:
        return None


def _lock(descriptor: int, how: int) -> bool:
    """False: somebody has it. Where a file system has no locks nobody says that he has."""
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _remove_unused(path: Path) -> bool:
    """Whether nobody has it locked, so that it is gone. To lock it alone some file systems must let it be written."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return not path.exists()
    unused = _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if unused:
        path.unlink(missing_ok=True)
    os.close(descriptor)
    return unused


def _remove(directory: Path, owner: int) -> None:
    """A child is no owner."""
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)


def _nothing() -> None: ...
