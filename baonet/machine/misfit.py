"""What does not fit in a machine that is complete."""

from __future__ import annotations


class MisfitError(ValueError):
    """What the hypervisor finds wrong with a machine that is complete. ``field``: the path of the field to blame."""

    def __init__(self, message: str, field: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.hint = hint
