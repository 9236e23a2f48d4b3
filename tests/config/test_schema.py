"""The JSON Schema says what the loader takes; the reference page is current, and its examples are true."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from baonet.config import reference
from baonet.config.loader import load
from baonet.config.platforms import builtin
from baonet.config.schema import json_schema
from baonet.document.document import Form, parse
from baonet.document.quantities import duration
from tests.config import mistakes_of_form
from tests.config.json_schema import violations
from tests.config.machines import BASE, marked, problems, write
from tests.config.test_platform_file import OWN

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads(json_schema())
IN_WORDS_ONLY = {
    "duplicate key",
    "a tag",
    "a key that is no word",
    "a merge of a number",
    "too large a number",
    "a window too short",
    "a slice too long",
    "a latency too long",
}
"""Mistakes of form that a schema of the values cannot say."""


def broken(path: Path, schema: dict[str, Any] | None = None) -> list[str]:
    root, _ = parse(path, Form())
    return list(violations(schema or SCHEMA, root.plain(), SCHEMA))


def test_the_schema_takes_good_files(tmp_path: Path) -> None:
    assert broken(write(tmp_path)) == []
    shorter = BASE.replace("qemu-aarch64-virt", "{extends: zcu104, cpus: 8}").replace("0x40000000", "0x4000_0000")
    assert broken(write(tmp_path, shorter.replace("auto", "{path: a.dtb, base: 8}"))) == []
    (tmp_path / "own.yaml").write_text(OWN)
    assert broken(tmp_path / "own.yaml", SCHEMA["$defs"]["Platform"]) == []


def test_the_schema_says_the_form_of_a_value_once() -> None:
    """Each can be given for each architecture, which in the place of every key would be most of the text."""
    forms = [json.dumps(form) for name, form in SCHEMA["$defs"].items() if name[0].islower()]
    assert len(set(forms)) == len(forms)
    assert len(json_schema()) < 100_000
    address = SCHEMA["$defs"]["Memory"]["properties"]["base"]
    assert address["$ref"] == SCHEMA["$defs"]["Device"]["properties"]["pa"]["$ref"]
    assert not list(violations(address, {"armv8": 0x4000_0000, "riscv": "0x8020_0000"}, SCHEMA))
    assert list(violations(address, {"x86": 0}, SCHEMA))


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_schema_takes_our_configurations(path: Path) -> None:
    assert broken(path) == []


@pytest.mark.parametrize("name", [name for name in mistakes_of_form.CASES if name not in IN_WORDS_ONLY])
def test_the_schema_refuses_what_the_loader_refuses(tmp_path: Path, name: str) -> None:
    case = mistakes_of_form.CASES[name]
    text, _ = marked(BASE.replace(case.old, case.new, 1))
    assert broken(write(tmp_path, text))


def test_everything_is_described() -> None:
    def walk(form: dict[str, Any], at: str) -> None:
        for name, each in form.get("properties", {}).items():
            assert each["description"].endswith("."), f"{at}.{name}"

    walk(SCHEMA, "")
    for name, form in SCHEMA["$defs"].items():
        walk(form, name)


def test_the_page_is_current() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == reference.page(), "run `make docs`"


def test_the_page_tells_the_costs_of_every_platform() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (?:measured|estimate|not modelled)", reference.page(), re.MULTILINE)
    told = {name: duration(text) for name, text in rows}
    assert all(asdict(platform.costs) == told for platform in builtin().values())


def test_the_example_of_the_page_is_a_machine(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", reference.page(), re.DOTALL)
    path = write(tmp_path, example)
    (tmp_path / "initrd.cpio.gz").write_bytes(bytes(10))
    assert [vm.name for vm in load(path).vms] == ["pinger", "linux"]


def test_the_error_of_the_page_is_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = reference.page()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    write(tmp_path, example.replace("0x40000000", "0x40000800"))
    (tmp_path / "initrd.cpio.gz").write_bytes(bytes(10))
    monkeypatch.chdir(tmp_path)
    (found,) = problems(Path("machine.yaml"))
    assert f"```\n{found}\n```" in page


def test_links_of_the_page_lead_somewhere() -> None:
    page = reference.page()
    anchors = {line.strip("# ").lower().replace(" ", "-") for line in page.splitlines() if line.startswith("## ")}
    assert set(re.findall(r"\]\(#([a-z-]+)\)", page)) <= anchors
