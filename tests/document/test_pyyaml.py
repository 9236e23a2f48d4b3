"""PyYAML as it is loaded here does what it does, and patterns of others are compiled as ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from baonet.document.pyyaml import yaml

LOADED = """
import re
made, compiled = [], re._compiler.compile
re._compiler.compile = lambda *given: made.append(given) or compiled(*given)
from baonet.document.pyyaml import yaml
assert not made, made
assert isinstance(re.compile("a"), re.Pattern)
"""


def test_no_pattern_is_compiled_before_it_is_used() -> None:
    subprocess.run([sys.executable, "-c", LOADED], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize(
    "text", ["[0x1F, 1e+3, 2001-12-14, yes, ~, 12:30]", "a: {<<: {b: 1}, c: '=='}", "- !!float 1\n- x"]
)
def test_what_is_read_is_what_the_text_says(text: str) -> None:
    plain = subprocess.run(
        [sys.executable, "-c", "import sys, yaml; print(yaml.safe_load(sys.argv[1]))", text],
        check=True,
        capture_output=True,
        text=True,
    )
    assert f"{yaml.safe_load(text)}\n" == plain.stdout


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(yaml.reader.ReaderError, match="special characters are not allowed"):
        yaml.load("a\x01", yaml.SafeLoader)
