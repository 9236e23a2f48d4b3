"""The ready machines are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.system.machine import baonet

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_a_ready_machine_has_no_error(file: Path) -> None:
    images = [file.parent / path for path in re.findall(r"(?<=: )\.\./[^,}\s]+", file.read_text())]
    assert images
    if not all(image.exists() for image in images):
        pytest.skip("its guests are fetched by tests/guests/fetch")
    result = baonet("check", file)
    assert (result.status, result.err) == (0, "")
