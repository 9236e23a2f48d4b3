"""What the host did not give is told by the limit that the user can raise."""

from __future__ import annotations

import errno
import resource

import pytest

from baonet.actors.refusals import refused


@pytest.mark.parametrize(("space", "told"), [(1 << 28, True), (resource.RLIM_INFINITY, False)])
def test_a_thread_may_want_address_space(monkeypatch: pytest.MonkeyPatch, space: int, told: bool) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda limit: (space if limit == resource.RLIMIT_AS else 7, 0))
    text = refused(OSError(errno.EAGAIN, "no"))
    assert text.startswith("this machine needs more processes and threads than the host allows (7): see 'ulimit -u'")
    assert ("'ulimit -v'" in text) == told
