"""YAML as we read it: places, the traps of YAML 1.1, and files that are no YAML at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from baonet.document.document import YamlNode, parse
from baonet.document.errors import ConfigError


def read(directory: Path, text: str | bytes) -> YamlNode:
    path = directory / "file.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    root, problems = parse(path)
    assert not problems
    return root


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x4000_0000", 0x40000000),
        ("0b1010", 10),
        ("1_000", 1000),
        ("0", 0),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("'33'", "33"),
        ("!!str 33", "33"),
        ("no", "no"),
        ("On", "On"),
        ("12:30:45", "12:30:45"),
        ("017", "017"),
        ("1e3", "1e3"),
        ("2001-12-14", "2001-12-14"),
        ("=", "="),
    ],
)
def test_plain_values(tmp_path: Path, text: str, value: object) -> None:
    found = read(tmp_path, f"key: {text}\n").at("key").value
    assert (type(found), found) == (type(value), value)


def test_every_node_knows_its_place(tmp_path: Path) -> None:
    root = read(tmp_path, "a:\n  - {b: 1, c: [2, 33]}\n")
    node = root.at("a", 0, "c", 1)
    assert (node.line, node.column, node.width, node.name) == (2, 19, 2, "a[0].c[1]")
    assert root.at("a", 0, "c").key == (2, 12)
    assert root.at("a", 0, "missing", 3) is root.at("a", 0)


def test_columns_count_characters(tmp_path: Path) -> None:
    assert read(tmp_path, "{näme: ünï, b: 1}\n").at("b").column == 16


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfa: 1\n").at("a").column == 4


def test_aliases_and_merge_keys(tmp_path: Path) -> None:
    root = read(tmp_path, "a: &x {p: 1, q: 2}\nb: *x\nc:\n  <<: *x\n  q: 3\nd: {<<: [{r: 4}, *x], r: 5}\n")
    assert root.plain() == {
        "a": {"p": 1, "q": 2},
        "b": {"p": 1, "q": 2},
        "c": {"q": 3, "p": 1},
        "d": {"r": 5, "p": 1, "q": 2},
    }
    assert root.at("b", "p").name == "b.p"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", (1, 1), "the file is empty"),
        ("# nothing\n", (1, 1), "the file is empty"),
        ("a: [1\nb: 2\n", (2, 2), "not YAML"),
        ("a: b: c\n", (1, 5), "not YAML: mapping values are not allowed"),
        ("\ta: 1\n", (1, 1), "a tab: YAML has none where a value"),
        ('a: "\\q"\n', (1, 5), "not YAML: found unknown escape character"),
        ("a: 1\n--- b\n", (2, 1), "a second document"),
        ("a: *x\n", (1, 4), "no anchor &x comes before"),
        ("a: &x [*x]\n", (1, 8), "the alias *x contains itself"),
        ("[" * 60, (1, 51), "nested too deeply"),
        ("- " * 100_000, (1, 101), "nested too deeply"),
        (b"a: \xff\n", (1, 4), "byte 0xff is not UTF-8"),
        (b"a: 1\nb: \x07\n", (2, 4), "not YAML: control characters are not allowed"),
    ],
)
def test_files_that_are_no_use(tmp_path: Path, text: str | bytes, place: tuple[int, int], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == place
    assert problem.message.startswith(message)


def test_aliases_that_multiply(tmp_path: Path) -> None:
    bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
    bomb += "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    with pytest.raises(ConfigError, match="too many values, those of aliases"):
        read(tmp_path, bomb)


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.yaml", "No such file"), (".", "Is a directory"), ("a\0b", "null byte"), ("x" * 300, "too long")],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(tmp_path / name)
    (problem,) = caught.value.problems
    assert problem.place == str(tmp_path / name)
    assert message in problem.message


def test_a_file_that_is_much_too_large(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="larger than 1MiB: this is no machine file"):
        read(tmp_path, "#" * (1 << 20) + "\n")
