"""The bytes that are kept are what the sources beside them assemble to."""

from __future__ import annotations

import pytest

from tests.core.assemble import MODULES, Module, module


@pytest.mark.parametrize("kept", MODULES, ids=lambda kept: f"{kept.source.parent.name}-{kept.source.name}")
def test_kept_bytes_are_those_of_the_source(kept: Module) -> None:
    if not kept.tools.available:
        pytest.skip(f"no {kept.tools.prefix}as here: the kept bytes are not compared")
    assert kept.target.read_text() == module(kept), "run python -m tests.core.assemble"
