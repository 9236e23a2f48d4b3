"""The files that a command writes: opened before its work begins, and none of them one that it reads.

A whole file is written beside its name and takes it at the end, so that what was there stays until then, and stays
when the work fails. A stream, such as a trace, is written in its place as it comes. What is no regular file (a
terminal, a pipe, /dev/null, our own standard output by another name) is written in its place too. ``-`` is standard
output; a file of that name is ``./-``.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, final

from baonet.cli.common import UsageError

_STANDARD = Path("/dev/stdout")


@final
class Outputs:
    """``reads``: the files that the command reads.

    ``wait`` is called with an output's name again and again while it is a FIFO that nobody reads, and may raise.
    As a context: what was not finished is dropped at its end, and a stream into which nothing came.
    """

    def __init__(self, reads: Iterable[Path], wait: Callable[[str], None] = lambda name: time.sleep(0.05)) -> None:
        self._wait = wait
        self._reads = [(path, found) for path in reads if (found := _status(path)) is not None]
        self._given: list[tuple[Path, str]] = []
        self._open: list[Output] = []

    def whole(self, path: str | Path, option: str = "") -> Output:
        """A file that is to have its content at once. ``option`` names it in errors.

        Raises UsageError when the command reads it or writes it already, OSError when it cannot be opened.
        """
        return self._add(path, option, beside=True)

    def stream(self, path: str | Path, option: str = "") -> Output:
        """A file that is written as things come; what is in it goes when ``begin`` is called. Raises as ``whole``."""
        return self._add(path, option, beside=False)

    def _add(self, given: str | Path, option: str, beside: bool) -> Output:
        name = "output" if (option, given) == ("", "-") else f"{option} {given}".lstrip()
        path = _STANDARD if given == "-" else Path(given)
        try:
            self._refuse(path, name)
            output = Output(path, name, beside, self._wait)
        except OSError as error:
            raise OSError(error.errno, error.strerror, name) from None
        except ValueError as error:  # a null character
            raise UsageError(f"{name}: {error}") from None
        self._given.append((path.resolve(), name))
        self._open.append(output)
        return output

    def _refuse(self, path: Path, name: str) -> None:
        found = _status(path)
        if found is not None and stat.S_ISREG(found.st_mode):
            for read, other in self._reads:
                if os.path.samestat(found, other):
                    raise UsageError(f"{name} would be lost: {read} is read")
        for given, other_name in self._given:
            if path.resolve() == given and (found is None or stat.S_ISREG(found.st_mode) or path == _STANDARD):
                raise UsageError(f"{name} and {other_name} are one file")

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, *_: object) -> None:
        for output in self._open:
            output.drop()


@final
class Output:
    """One file, open. ``name`` is how errors call it."""

    def __init__(self, path: Path, name: str, beside: bool, wait: Callable[[str], None]) -> None:
        """Raises OSError."""
        self.name = name
        self._target = path.resolve()
        self._beside: Path | None = None
        self._done = False
        found = _status(path)
        own = sys.stdout.fileno() if path == _STANDARD else None if found is None else _standard(found)
        if own is not None:
            descriptor = os.dup(own)  # what we say ourselves goes to the same place, and stays
        elif beside and (found is None or stat.S_ISREG(found.st_mode)):
            if found is not None and not os.access(self._target, os.W_OK):
                raise PermissionError(13, os.strerror(13))
            import tempfile  # noqa: PLC0415 - few runs write a file

            descriptor, made = tempfile.mkstemp(dir=self._target.parent, prefix=f".{self._target.name[:200]}.")
            self._beside = Path(made)
            os.fchmod(descriptor, _mask() if found is None else stat.S_IMODE(found.st_mode))
        else:
            descriptor = _open(path, lambda: wait(name))
            _take(descriptor, name)
        self._ours = found is None
        self._kept = found is None or own is not None
        self.file: BinaryIO = os.fdopen(descriptor, "wb")

    @property
    def beside(self) -> bool:
        """Whether it is a file beside its name: nobody reads it before it is whole, and no reader can stop."""
        return self._beside is not None

    def begin(self) -> BinaryIO:
        """The file, empty."""
        if not self._kept and stat.S_ISREG(os.fstat(self.file.fileno()).st_mode):
            self.file.truncate(0)
        return self.file

    def finish(self, data: bytes = b"") -> None:
        """Write ``data`` and give the file its name. Raises OSError."""
        with self.writing() as file:
            file.write(data)

    @contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        """The file, to be filled; after that it has its name. Raises OSError."""
        try:
            yield self.begin()
            self.file.close()
            if self._beside is not None:
                self._beside.replace(self._target)
        except OSError as error:
            if error.filename is not None and error.filename != str(self._beside):
                raise
            raise OSError(error.errno, error.strerror, self.name) from None
        self._done = True

    def drop(self) -> None:
        """Nothing, once it is finished. A file that we made and that has nothing in it is removed."""
        if self._done:
            return
        self._done = True
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            if self._beside is not None:
                self._beside.unlink()
            elif self._ours and stat.S_ISREG(self._target.lstat().st_mode) and not self._target.stat().st_size:
                self._target.unlink()


def _open(path: Path, wait: Callable[[], None]) -> int:
    """A FIFO without a reader is tried again: an open that blocks hears no signal and no deadline."""
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
        except OSError as error:
            found = _status(path)
            if error.errno != errno.ENXIO or found is None or not stat.S_ISFIFO(found.st_mode):
                raise
            wait()
        else:
            os.set_blocking(descriptor, True)
            return descriptor


def _take(descriptor: int, name: str) -> None:
    """A file that two commands write has nothing of either. Raises UsageError."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UsageError(f"{name}: another command is writing to it") from None
    except OSError:
        pass  # not on every file system


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def _standard(found: os.stat_result) -> int | None:
    """Our standard output or error, if it is that file."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            if stat.S_ISREG(found.st_mode) and os.path.samestat(found, os.fstat(stream.fileno())):
                return stream.fileno()
    return None


def _mask() -> int:
    """The permissions of a new file."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
