"""The command ``baonet``: what of it runs first. It imports next to nothing before Ctrl-C ends it in one line."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys

from baonet.cli.interrupted import say_ended


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    atexit.register(gc.freeze)  # or the interpreter's end looks for garbage in all that there is
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupted)  # while modules are loaded, which takes longest
    from baonet.cli.commands import execute  # noqa: PLC0415 - see above

    return execute(arguments, before)


def _interrupted(number: int, _: object) -> None:
    say_ended(number)
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
