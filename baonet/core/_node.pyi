"""What a process of a node needs that has no core, whatever the machine's architecture is. Native, and loaded alone."""

LANE_SIZE: int
LEDGER_SIZE: int
SLOT_SIZE: int
"""Bytes of a slot: a pcpu's in the memory that a node's processes share."""
PL011_STATE_SIZE: int
"""Bytes of a UART's state in shared memory."""

def kick(slots: object, index: int) -> None:
    """Have the core of slot ``index`` leave its guest at the next block, or its next stay, with ``Stay.KICKED``.

    ``slots``: the buffer of all slots. Raises IndexError when it has no such slot.
    """

def hand_over(ledger: object, entries: object, segment: int, page: int, owner: int, let_go: int) -> None:
    """Have nobody keep anything of a page: it was written to from outside, or is elsewhere now.

    ``owner`` is a pcpu's number plus 1, 0: all may read it; any other number is nobody who could let it go. ``let_go``:
    the time in cycles before which whoever takes it is to see none. Only while nobody of the island runs. Raises
    IndexError where there is no such page.
    """

def write(ledger: object, entries: object, segment: int, page: int) -> None:
    """A page was written to from outside: its owner has let it go now, and all may read it. Otherwise as ``hand_over``."""

def visible(ledger: object, pcpu: int) -> int:
    """The latest time, in cycles, that the guest of a pcpu that stands can have seen. Raises IndexError."""

def chain(window: int, most: int, link: bytes, open: bytes, records: bytes) -> tuple[bytes, bytes]:
    """What comes of a chain's last link and the records of its open one when ``records`` come (``baonet.trace.chain``).

    ``window`` is in ticks of the records' time; ``most``: records of a link. Raises ValueError when one of these is 0,
    for a link of another length, and for a part of a record.
    """

def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent, of which this is the process number, ends. Raises OSError."""

def tell_refused_calls() -> None:
    """Tell on standard error, from now on, which system call a seccomp filter has refused. Raises OSError."""
