"""Who made results, or a page of them: version, date, host and command."""

from __future__ import annotations

import os
import platform
import shlex
import time
from collections.abc import Sequence
from importlib import metadata

from baonet.document.escapes import escaped


def origin(command: Sequence[str]) -> dict[str, str]:
    """As facts of a results file. ``command`` is what was typed."""
    cpus = len(os.sched_getaffinity(0))
    return {
        "baonet": metadata.version("baonet"),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "host": f"{platform.node()}, {platform.system()} {platform.release()}, {platform.machine()}, {cpus} CPUs",
        "command": escaped(shlex.join(command)),
    }
