"""The part of it that is used: signal has the same, made of it."""

from types import FrameType

SIGINT: int
SIG_DFL: int

def default_int_handler(number: int, frame: FrameType | None, /) -> None: ...
def getsignal(number: int, /) -> object: ...
def signal(number: int, handler: int, /) -> object: ...
