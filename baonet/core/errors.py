"""What a host can lack. It stands apart from the engine, which cannot be imported there."""

from __future__ import annotations


class EngineError(Exception):
    """The native engine cannot work here; the text says why and what to do."""


class OtherEngineError(EngineError):
    """This process has the engine of another architecture, and any other process may do."""


class LitmusError(Exception):
    """The engine does not do what a CPU of its architecture does; the text says what it did."""
