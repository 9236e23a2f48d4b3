"""The command ``baonet``: what of it runs first. It imports next to nothing before Ctrl-C ends it in one line."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from typing import Any, NoReturn

from baonet.cli.interrupted import say_ended


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    before = signal.getsignal(signal.SIGINT)
    return _main(arguments, before, before)


def _main(arguments: list[str] | None, on_interrupt: Any, afterwards: Any) -> int:
    """``on_interrupt`` is what SIGINT does while a command runs, and ``afterwards`` when it is over."""
    gc.disable()  # while modules are loaded, of which nothing becomes garbage
    if on_interrupt is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupted)  # while modules are loaded, which takes longest
    from baonet.cli.commands import execute  # noqa: PLC0415 - see above

    return execute(arguments, on_interrupt, afterwards)


def command() -> NoReturn:
    """The process is this command: what its interpreter would free by and by at its end, the host frees at once."""
    status = None

    def end() -> None:
        """Without a status, or where a stream does not take what is left, there is something to be told."""
        if status is None:
            return
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return
        os._exit(status)

    if not atexit._ncallbacks():  # or somebody looks at this process: what was registered first is done last
        atexit.register(end)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        status = _main(None, signal.SIG_IGN, signal.SIG_IGN)
    else:
        status = _main(None, signal.default_int_handler, _interrupted)
    sys.exit(status)


def _interrupted(number: int, _: object) -> None:
    say_ended(number)
    os._exit(130)


if __name__ == "__main__":
    command()
