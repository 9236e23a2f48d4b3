"""What has to hold between the fields of a machine file."""

from __future__ import annotations

from collections.abc import Iterator

from baonet.config.draft import Draft
from baonet.config.errors import Problem


def problems(draft: Draft) -> Iterator[Problem]:
    yield from ()
