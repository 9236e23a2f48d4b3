"""The bytes that are kept are what the sources beside them assemble to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core import assemble


@pytest.mark.parametrize("source", assemble.MODULES, ids=lambda source: source.name)
def test_kept_bytes_are_those_of_the_source(source: Path) -> None:
    if not assemble.available(source):
        pytest.skip(f"no {assemble.prefix(source)}as here: the kept bytes are not compared")
    assert assemble.MODULES[source].read_text() == assemble.module(source), "run python -m tests.core.assemble"
