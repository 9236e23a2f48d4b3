"""The console of a VM, for a program that types and reads."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Protocol, final

from baonet.run.transcripts import Transcript


class Waits(Protocol):
    """``what`` reads behind the name of the VM: why the wait is no success."""

    def __call__(
        self, met: Callable[[], bool], what: str, *, timeout: str | None, vm: int | None
    ) -> Awaitable[None]: ...


@final
class GuestConsole:
    """``OpenRun.console``: the first UART of a VM."""

    def __init__(self, vm: int, transcript: Transcript, type_: Callable[[int, bytes], None], wait: Waits) -> None:
        self._vm = vm
        self._transcript = transcript
        self._type = type_
        self._wait = wait

    @property
    def text(self) -> str:
        """What the VM has printed; of very much the last 16 MiB. Bytes that are no UTF-8 show as escapes."""
        return self._transcript.text

    def send(self, text: str | bytes) -> None:
        """Type, without a newline of its own; the guest gets it as it goes on and reads."""
        data = text.encode() if isinstance(text, str) else text
        if data:
            self._type(self._vm, data)

    def send_break(self) -> None:
        """A break: a long zero on the line."""
        self._type(self._vm, b"")

    async def wait_for(
        self,
        text: str | bytes | re.Pattern[str] | re.Pattern[bytes],
        *,
        timeout: str | None = None,  # noqa: ASYNC109 - of the machine's time
    ) -> str:
        """Until the VM has printed ``text``: what it has printed since the last wait here, up to and with that.

        ``timeout`` (``"10s"``) is of the machine's own time. In virtual time the machine goes on meanwhile, and stands
        again at the next moment at which ``baonet run --until`` would end.

        Raises WaitTimeoutError, GuestParkedError as soon as a vcpu is parked, RunEndedError, and RunError when the VM
        cannot print any more; ValueError for an empty text.
        """
        wanted: bytes | re.Pattern[bytes]
        if isinstance(text, re.Pattern):
            pattern = text.pattern.encode() if isinstance(text.pattern, str) else text.pattern
            wanted = re.compile(pattern, text.flags & ~re.UNICODE)
            shown = f"what matches {text.pattern!r}"
        else:
            wanted = text.encode() if isinstance(text, str) else text
            shown = repr(text)
        if not wanted:
            raise ValueError("an empty text would be found at once")
        found: list[bytes] = []

        def met() -> bool:
            if not found and (piece := self._transcript.find(wanted)) is not None:
                found.append(piece)
            return bool(found)

        await self._wait(met, f"has not printed {shown}", timeout=timeout, vm=self._vm)
        return found[0].decode("utf-8", "backslashreplace")
