"""The checkouts of baonet that are compared: this one, and another directory or commit of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "against"
"""Checkouts of commits, each with its environment: made once."""


class NoCheckoutError(Exception):
    """What was asked for is no checkout, or cannot be made one."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """``command`` is `baonet` there; ``options`` are for each of its runs."""

    name: str
    command: tuple[str, ...]
    directory: Path
    options: tuple[str, ...] = ()


def here(options: Sequence[str] = (), name: str = "here") -> Checkout:
    return Checkout(name, (sys.executable, "-m", "baonet.cli.main"), ROOT, tuple(options))


def another(where: str) -> Checkout:
    """A directory with a ``.venv``, or a commit of this repository. Raises NoCheckoutError."""
    directory = Path(where)
    if not directory.is_dir():
        directory = _commit(where)
    python = directory / ".venv" / "bin" / "python"
    if not python.exists():
        raise NoCheckoutError(f"{directory} has no .venv: run make .venv/.installed there")
    return Checkout(where, (str(python.absolute()), "-m", "baonet.cli.main"), directory.absolute())


def _commit(name: str) -> Path:
    found = _run("git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if found.returncode:
        raise NoCheckoutError(f"{name} is neither a directory nor a commit")
    directory = KEPT / found.stdout.strip()
    if not (directory / ".venv" / ".installed").exists():
        print(f"making {directory} ...", file=sys.stderr, flush=True)
        if not directory.exists():
            _must("git", "worktree", "add", "--detach", str(directory), found.stdout.strip())
        _must("make", "-C", str(directory), ".venv/.installed")
    return directory


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _must(*command: str) -> None:
    done = _run(*command)
    if done.returncode:
        raise NoCheckoutError(f"{' '.join(command)}: {done.stdout[-500:]}{done.stderr[-500:]}")
