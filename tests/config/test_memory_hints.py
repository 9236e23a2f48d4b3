"""What is said of a ``memory_system`` that is wrong holds: who does it has a right one, or the next thing to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.machines import problems, write
from tests.config.test_memory_system import with_system


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("snoop: {dirty: 1e9}", "'1e9' is not a whole number; it can be from 0 to 10000"),
        ("l2: {ways: 0.5}", "'0.5' is not a whole number; write 1"),
        ("l2: {ways: 17.0}", "'17.0' is not a whole number; it can be from 1 to 16"),
        ("l2: {ways: 100U}", "'100U' is not a whole number; it can be from 1 to 16"),
        ("dram: {line: 0.0001ns}", "0.0001ns is not a whole number of nanoseconds; write 1ns"),
        ("dram: {line: 10000.5ns}", "10000.5ns is not a whole number of nanoseconds; write 10000ns"),
        ("dram: {line: 1.0000000001s}", "1.0000000001s is not a whole number of nanoseconds; it can be from 0 to 10us"),
    ],
)
def test_a_number_of_another_form_is_told_with_one_that_can_be_there(tmp_path: Path, text: str, wanted: str) -> None:
    (found,) = problems(write(tmp_path, with_system(f"{{preset: cortex-a53, {text}}}")))
    assert f"{found.message}; {found.hint}" == wanted
