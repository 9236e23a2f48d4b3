"""What a command says of the signal that ends it, wherever it is: this module imports next to nothing."""

from __future__ import annotations

import os
import select
import signal


def say_ended(number: int) -> None:
    """By what, as a run says it: in a handler, so past the streams, and only where somebody takes it at once."""
    poll = select.poll()
    poll.register(2, select.POLLOUT)
    try:
        if poll.poll(0):
            os.write(2, f"baonet: ended by {signal.Signals(number).name}\n".encode())
    except OSError:
        pass  # nobody is there any more
