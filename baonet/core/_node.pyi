"""What a process of a node needs that has no core, whatever the machine's architecture is. Native, and loaded alone."""

SLOT_SIZE: int
"""Bytes of a slot: a pcpu's in the memory that a node's processes share."""
PL011_STATE_SIZE: int
"""Bytes of a UART's state in shared memory."""

def kick(slots: object, index: int) -> None:
    """Have the core of slot ``index`` leave its guest at the next block, or its next stay, with ``Stay.KICKED``.

    ``slots``: the buffer of all slots. Raises IndexError when it has no such slot.
    """

def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent, of which this is the process number, ends. Raises OSError."""

def tell_refused_calls() -> None:
    """Tell on standard error, from now on, which system call a seccomp filter has refused. Raises OSError."""
