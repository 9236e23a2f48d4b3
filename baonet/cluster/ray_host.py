"""An actor of Ray: it has one node as a process, whose standard input it holds.

However the actor ends, that input ends with it, and so does the node.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Final, final

_SHOWN: Final = 1000
"""Bytes of a node's last words."""


@final
class RayHost:
    def run(self, ticket: str, python: Sequence[str] | None, command: Sequence[str]) -> str:
        """To the node's end: its status and its last words. ``python``: what this Python does, if no ``command``."""
        words = command if python is None else [sys.executable, *python]
        with tempfile.TemporaryFile() as said:
            with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=said, stderr=said, bufsize=0) as node:
                assert node.stdin is not None
                node.stdin.write(f"{ticket}\n".encode())
                status = node.wait()
            size = os.fstat(said.fileno()).st_size
            end = os.pread(said.fileno(), _SHOWN, max(0, size - _SHOWN)).decode(errors="replace")
        last = " / ".join(line.strip() for line in end.splitlines() if line.strip())
        return f"the node has ended with status {status}{f': {last}' if last else ''}"
