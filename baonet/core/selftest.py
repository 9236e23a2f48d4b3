"""The start-up self-test: refuses to run guests where the native engine does not hold.

What is tried is the architecture's (``Trial``). Two processes run it once, in less than a second; the result is then
kept in the user's cache. A result is good as long as everything is the same that can change it: the bytes of the
library, of the engine and of the test itself, the host's CPU (the library compiles for what it finds) and whether there
are two of it, the kernel, the C library and how it was told to link. Failures, and passes on a host that was too busy
to run both processes at the same time, are never kept.

To hash the library's 28 MB at every start would cost more than all the rest of a start. So a second file, named after
what ``stat`` says of both libraries (the time of the last change of the inode too, which nobody can set back), says
that they had these hashes: the usual start is two ``stat`` and one look for a file.
"""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
import time
from _blake2 import blake2b  # that of hashlib, which would load OpenSSL
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from baonet.core import wings
from baonet.core.architecture import Trial, TrialMemory
from baonet.core.child import belong_to, held
from baonet.core.engine import check, library_path
from baonet.core.errors import EngineError, LitmusError

DEADLINE: Final = 30.0  # CPU seconds of a process; less than one is usual
_SHARED: Final = tuple(Path(__file__).with_name(name) for name in ("trial_bed.py", "trial_parts.py"))
"""What the trials of all architectures are made of."""
PATIENCE: Final = 10  # times as long it may take on a host with a lot else to do
_CONCLUSIVE, _INCONCLUSIVE, _FAILED, _NO_MEMORY = 0, 3, 4, 5


def ensure(architecture: str) -> None:
    """Test the engine of an architecture, or find that it was tested. Forks, and returns when the children have ended.

    It is not loaded here. Raises EngineError when the engine does not hold on this host, with what went wrong, or
    cannot be in this process; OSError and MemoryError when the host does not give the processes or the memory to find
    out.
    """
    check(architecture)
    wing = wings.load(architecture)
    files = (library_path(), *_SHARED, *wing.trial_files)
    directory = _directory()
    seen = _file(directory, "seen", stats := _stats(files))
    if seen and seen.exists():
        return
    passed = _file(directory, "passed", hashes := _hashes(files))
    if not (passed and passed.exists()) and not test(wing.trial()):
        return
    if seen and passed:
        _keep(passed, f"passed: {hashes} on {_host()}")
        _keep(seen, f"{passed.name}: {stats}")


def test(trial: Trial) -> bool:
    """Run all parts. Returns whether the processes had the CPUs to run at the same time. Raises EngineError."""
    shared = trial.shared()
    children: dict[int, int] = {}  # by the reading end of a pipe, which ends with the child
    deadline = time.monotonic() + DEADLINE * PATIENCE
    conclusive = True
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        for number in range(2):
            reading, writing = os.pipe()
            parent = os.getpid()
            with held():
                pid = os.fork()
                if pid == 0:
                    _child(trial, shared, number, writing, parent)
            os.close(writing)
            children[reading] = pid
        poll = select.poll()  # the numbers may be beyond what select(2) takes
        for reading in children:
            poll.register(reading, select.POLLIN)
        while children:
            ready = [reading for reading, _ in poll.poll(max(deadline - time.monotonic(), 0) * 1000)]
            if not ready:
                parts = {trial.part_of(shared.reached[number]) for number in range(2)}
                raise _refusal(f"{' and '.join(sorted(parts))}: did not end within {DEADLINE * PATIENCE:g} s")
            for reading in ready:
                poll.unregister(reading)
                conclusive &= _end(reading, children.pop(reading), trial, shared)
    finally:
        for reading, pid in children.items():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(reading)
    return conclusive


def _end(reading: int, pid: int, trial: Trial, shared: TrialMemory) -> bool:
    """Collect a child that has ended or is about to."""
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == _NO_MEMORY:
        raise MemoryError(text)
    if status not in (_CONCLUSIVE, _INCONCLUSIVE):
        part = trial.part_of(max(shared.reached[:2]))
        if status == -signal.SIGPROF:
            raise _refusal(f"{part}: did not end within {DEADLINE:g} s of a CPU")
        raise _refusal(text or f"{part}: a process ended with status {status}")
    return status == _CONCLUSIVE


def _refusal(text: str) -> EngineError:
    return EngineError(
        f"the native engine does not work on this host, and guests would go wrong unseen: {text}. "
        "Reinstall unicorn==2.1.4 and baonet; if it stays, please report this text with the host's CPU and kernel"
    )


def _child(trial: Trial, shared: TrialMemory, number: int, pipe: int, parent: int) -> NoReturn:
    status = _FAILED
    try:
        belong_to(parent)
        signal.setitimer(signal.ITIMER_PROF, DEADLINE)  # its signal ends the process
        status = _CONCLUSIVE if trial.run(shared, number) else _INCONCLUSIVE
    except LitmusError as error:
        os.write(pipe, str(error).encode())
    except MemoryError as error:
        os.write(pipe, str(error).encode())
        status = _NO_MEMORY
    except BaseException as error:
        os.write(pipe, repr(error).encode())
    finally:
        os._exit(status)


# The cache


def _directory() -> Path | None:
    """Where results are kept: a directory of this user's that nobody else can write to. None: there is none."""
    home = os.environ.get("HOME")
    bases = (os.environ.get("XDG_CACHE_HOME"), home and f"{home}/.cache")
    candidates = [Path(base, "baonet") for base in bases if base and base.startswith("/")]
    candidates.append(Path(os.environ.get("TMPDIR", "/tmp"), f"baonet-{os.getuid()}"))
    for directory in candidates:
        with suppress(OSError):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = directory.lstat()
            private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
            if private and os.access(directory, os.W_OK):
                return directory
    return None


def _stats(files: tuple[Path, ...]) -> str:
    found = []
    for file in files:
        status = file.stat()
        found.append((str(file), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return repr(found)


def _hashes(files: tuple[Path, ...]) -> str:
    import hashlib  # noqa: PLC0415 - the usual start hashes no file

    found = []
    for file in files:
        with file.open("rb") as opened:
            found.append(hashlib.file_digest(opened, "sha256").hexdigest())
    return repr(found)


def _host() -> str:
    """What else the outcome depends on."""
    return repr(
        (
            _first_line("/sys/devices/system/cpu/modalias") or _first_line("/proc/cpuinfo"),
            len(os.sched_getaffinity(0)) > 1,
            os.uname()[2:],  # not the host's name
            os.confstr("CS_GNU_LIBC_VERSION"),
            [os.environ.get(name) for name in ("LD_PRELOAD", "LD_BIND_NOW", "LD_LIBRARY_PATH")],
        )
    )


def _first_line(path: str) -> str:
    with suppress(OSError), Path(path).open() as file:
        return file.readline()
    return ""


def _file(directory: Path | None, kind: str, text: str) -> Path | None:
    if directory is None:
        return None
    return directory / f"selftest-{kind}-{blake2b((text + _host()).encode(), digest_size=16).hexdigest()}"


def _keep(path: Path, text: str) -> None:
    """All of it or nothing; a cache that cannot be written only costs the next start its time."""
    with suppress(OSError):
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(text)
        part.replace(path)
