"""What the host did not give, in words that name its limit: everybody meets the same ones."""

from __future__ import annotations

import errno
import resource
from typing import Final

_LIMITS: Final = {
    errno.EMFILE: (resource.RLIMIT_NOFILE, "open files", "-n"),
    errno.EAGAIN: (resource.RLIMIT_NPROC, "processes and threads", "-u"),
    errno.EFBIG: (resource.RLIMIT_FSIZE, "bytes in a file (its memory is one)", "-f"),
    errno.ENOMEM: (resource.RLIMIT_AS, "bytes of address space", "-v"),
}
_NOT_MAPPED: Final = ("failed to map segment", "cannot allocate memory", "Cannot allocate memory")
"""What the dynamic linker says of ENOMEM; it has no number of it."""


def limited(error: BaseException) -> bool:
    """Whether it is the host that gave no more of something, and no mistake of anybody's."""
    return _number(error) in _LIMITS


def refused(error: BaseException, who: str = "this machine") -> str:
    """One line. ``who`` needed it."""
    number = _number(error)
    filename = getattr(error, "filename", None)
    if number is None or number not in _LIMITS or (number == errno.EFBIG and filename is not None):
        return reason(error) if filename is None else f"{filename}: {reason(error)}"
    limit, what, option = _LIMITS[number]
    most, _ = resource.getrlimit(limit)
    if most == resource.RLIM_INFINITY:
        what = "memory" if number == errno.ENOMEM else what
        return f"{who} needs more {what} than the host has for it: it says '{str(error) or 'no memory'}'"
    text = f"{who} needs more {what} than the host allows ({most}): see 'ulimit {option}'"
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if number == errno.EAGAIN and space != resource.RLIM_INFINITY:  # so says pthread_create(3) of a stack, too
        text += f", or for a thread's stack more address space ({space} bytes): see 'ulimit -v'"
    return text


def reason(error: BaseException) -> str:
    """Why, of an error whose file is named beside it."""
    if not isinstance(error, OSError):
        return str(error)
    text = error.strerror or str(error)
    most, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if error.errno != errno.EFBIG or most == resource.RLIM_INFINITY:
        return text
    return f"{text}: the host allows {most} bytes, see 'ulimit -f'"


def _number(error: BaseException) -> int | None:
    """The errno that it comes from, if that is of a limit. EAGAIN of a file is not."""
    if isinstance(error, MemoryError | SystemError):  # "error return without exception set" is CPython's without memory
        return errno.ENOMEM
    if isinstance(error, ImportError) and any(text in str(error) for text in _NOT_MAPPED):
        return errno.ENOMEM
    if isinstance(error, OSError) and (error.errno != errno.EAGAIN or error.filename is None):
        return error.errno
    return None
