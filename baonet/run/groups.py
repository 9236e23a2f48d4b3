"""What went wrong, out of the groups that nurseries make of it."""

from __future__ import annotations


def first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """One failure ends all tasks, and each nursery on its way wraps it once more."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
