from typing import Any

from perfetto.trace_processor.platform import PlatformDelegate

class ProtoFactory:
    TraceProcessorRpc: Any
    TraceProcessorRpcStream: Any
    def __init__(self, platform_delegate: PlatformDelegate) -> None: ...
