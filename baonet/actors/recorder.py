"""What a pcpu's core has recorded: its digest, and the chunks that go into the trace."""

from __future__ import annotations

from typing import Final, final

from baonet.core.cpu import Core
from baonet.machine.saved import Saved, StateForm
from baonet.trace.chain import Chain
from baonet.wire.messages import TraceChunk
from baonet.wire.port import Port

_FORM: Final = StateForm("a recorder", 2, link=bytes, records=bytes)


@final
class Recorder:
    """``tracing``: the records are wanted, so they go to ``reader``.

    Their digest is made in virtual time, of which ``window`` is the length of a window in cycles; under the host's
    clock, where nothing repeats, there is none.
    """

    def __init__(
        self, pcpu: int, core: Core, port: Port, reader: int, tracing: bool, *, window: int | None = None
    ) -> None:
        self._pcpu = pcpu
        self._core = core
        self._port = port
        self._reader = reader
        self._tracing = tracing
        self._chain = None if window is None else Chain(window)

    def drain(self, everything: bool = False) -> None:
        """Take the full chunks from the core; with ``everything`` also what has been recorded since."""
        for records, begin, end in self._core.take_records(everything):
            if self._chain is not None:
                self._chain.add(records)
            if self._tracing:
                self._port.send(self._reader, TraceChunk(self._pcpu, records, begin, end))

    def digest(self) -> bytes:
        """Of all that was drained, also by those that were saved before: the last link of a ``Chain``."""
        assert self._chain is not None
        return self._chain.digest()

    def save(self) -> Saved:
        """The chain so far; what the core still has, the core keeps."""
        assert self._chain is not None
        link, records = self._chain.state()
        return _FORM.save(link=link, records=records)

    def load(self, data: object) -> None:
        """Go on behind what another has drained. Raises StateError for what is not its state."""
        assert self._chain is not None
        fields = _FORM.load(data)
        with _FORM.reading():
            self._chain.resume(fields["link"], fields["records"])
