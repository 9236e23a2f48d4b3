"""How long tests wait for what always comes.

Such a limit tells a hang, and nothing of how fast the host is: it is far beyond what anything takes where many others
want the same cores. What a test says of time itself has limits of its own.
"""

from __future__ import annotations

from typing import Final

RUN: Final = 300
"""Seconds of a run that ends by itself."""
LIMIT: Final = f"{RUN}s"
"""The same, for ``--timeout``."""
PROCESS: Final = RUN + 40
"""Seconds until a process has ended that has such a run. A test may take a minute more (pyproject.toml)."""
ANSWER: Final = 60.0
"""Seconds for what comes at once on an idle host."""
