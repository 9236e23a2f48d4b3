"""`baonet node` as a user starts it, for tests that call it."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from pathlib import Path
from typing import Self

from tests.patience import ANSWER
from tests.system.machine import COMMAND


class WaitingNode:
    """It has keys if there is a directory of them, and a ``cache`` of its own. ``said``: its standard error's lines."""

    def __init__(self, keys: Path | None, *options: str, cache: Path | None = None) -> None:
        trust = ["--insecure"] if keys is None else ["--keys", str(keys)]
        self.process = subprocess.Popen(
            [*COMMAND, "node", "--listen", "127.0.0.1:0", *trust, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=None if cache is None else {**os.environ, "XDG_CACHE_HOME": str(cache)},
        )
        assert self.process.stderr is not None
        self.said: list[str] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._more:
                self.said.append(line)
                self._more.notify_all()

    def says(self, text: str) -> str:
        """The line with this in it, when it has come."""
        with self._more:
            assert self._more.wait_for(lambda: any(text in line for line in self.said), 20), self.said
            return next(line for line in self.said if text in line)

    @property
    def address(self) -> str:
        match = re.search(r"waits at (\S+):", self.says(" waits at "))
        assert match is not None
        return match[1]

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(ANSWER)
        self._reader.join(ANSWER)
        assert self.process.stderr is not None
        self.process.stderr.close()
