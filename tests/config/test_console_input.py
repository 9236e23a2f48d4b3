"""Console input in machine files and in files of its own: read, put in order, and written so that it is read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.config.console_input import dump_input, load_input
from baonet.config.loader import load
from baonet.document.errors import ConfigError
from baonet.machine import Input, Machine
from tests.config.machines import BASE, write

ENTRIES = """\
  - {vm: linux, at: 2s, text: "root\\n"}
  - {vm: ping, at: 1.5ms, text: héllo}
  - {vm: linux, at: 1_500_000ns, bytes: "ff 00FE"}
  - {vm: ping, at: 0, text: "\\e[A\\x03"}
"""
INPUTS = (
    Input(0, 0, b"\x1b[A\x03"),
    Input(0, 1_500_000, "héllo".encode()),
    Input(1, 1_500_000, b"\xff\x00\xfe"),
    Input(1, 2_000_000_000, b"root\n"),
)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return load(write(tmp_path_factory.mktemp("machine")))


def test_input_of_a_machine_is_in_the_order_of_time(tmp_path: Path) -> None:
    text = BASE.replace("version: 1\n", f"version: 1\nclock: {{mode: virtual}}\ninput:\n{ENTRIES}")
    assert load(write(tmp_path, text)).input == INPUTS


def test_an_input_file_holds_the_same_list(tmp_path: Path, machine: Machine) -> None:
    path = tmp_path / "typed.yaml"
    path.write_text("# what the operator does\n" + ENTRIES, encoding="utf-8")
    assert load_input(path, machine) == INPUTS


def test_an_input_file_is_written_for_people(machine: Machine) -> None:
    assert dump_input(INPUTS, machine) == (
        '- {vm: "ping", at: 0, text: "\\e[A\\x03"}\n'
        '- {vm: "ping", at: 1500us, text: "héllo"}\n'
        '- {vm: "linux", at: 1500us, bytes: "ff 00 fe"}\n'
        '- {vm: "linux", at: 2s, text: "root\\n"}\n'
    )
    assert dump_input((), machine) == "[]\n"


inputs = st.lists(
    st.builds(
        Input,
        vm=st.integers(0, 1),
        at=st.integers(0, 10**15) | st.integers(0, 10**6).map(lambda us: us * 1000),
        data=st.binary(min_size=1, max_size=40) | st.text(min_size=1, max_size=40).map(str.encode),
    ),
    max_size=8,
).map(lambda found: tuple(sorted(found, key=lambda each: each.at)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=inputs)
def test_what_is_written_is_read_again(tmp_path: Path, machine: Machine, typed: tuple[Input, ...]) -> None:
    path = tmp_path / "typed.yaml"
    path.write_bytes(dump_input(typed, machine).encode())
    assert load_input(path, machine) == typed


def test_more_input_than_a_machine_file_may_have(tmp_path: Path, machine: Machine) -> None:
    typed = tuple(Input(0, at * 1000, b"a long line of text\r") for at in range(30_000))
    path = tmp_path / "typed.yaml"
    path.write_text(dump_input(typed, machine))
    assert path.stat().st_size > 1 << 20
    assert load_input(path, machine) == typed


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("", (1, 1), ("", "the file is empty", "an empty list is written []")),
        ("vm: ping", (1, 1), ("", "a mapping is not a list", "write [ ] around it, or")),
        (
            "- {vm: ping, at: 1s, text: a}\n- {vm: pin, at: 1s, text: a}",
            (2, 8),
            ("[1].vm", "there is no VM 'pin'", "ping"),
        ),
        ("- {vm: ping, at: noon, text: a}", (1, 18), ("[0].at", "'noon' is not a duration", "10us")),
        ("- {vm: ping, at: 2000000s, text: a}", (1, 18), ("[0].at", "2000000s is out of range", "from 0 to 1000000s")),
        ("- {vm: ping, at: 1s, txt: a}", (1, 22), ("[0].txt", "unknown key 'txt'", "did you mean 'text'?")),
    ],
)
def test_what_is_wrong_with_an_input_file(
    tmp_path: Path, machine: Machine, text: str, place: tuple[int, int], told: tuple[str, str, str]
) -> None:
    path = tmp_path / "typed.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_input(path, machine)
    (found,) = caught.value.problems
    field, message, hint = told
    assert (found.path, (found.line, found.column), found.field) == (str(path), place, field)
    assert message in found.message
    assert hint in found.hint
