"""A wheel has the hypervisor and what drives it compiled. A checkout has not: that would hide what is edited."""

from __future__ import annotations

import tomllib
from pathlib import Path

import baonet

ROOT = Path(baonet.__path__[0]).parent
LISTED: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["baonet"]["compiled"]
GROUP = Path("baonet/compiled__mypyc")
"""What the others share."""


def test_every_name_in_the_list_is_of_a_file() -> None:
    assert [pattern for pattern in LISTED if not [*ROOT.glob(pattern)]] == []


def test_a_checkout_runs_its_source_and_a_wheel_what_is_compiled() -> None:
    """``make compiled`` runs this in a wheel."""
    libraries = {path.relative_to(ROOT) for path in (ROOT / "baonet").rglob("*.so")}
    found = {path.with_name(path.name.partition(".")[0]) for path in libraries}
    listed = {file.relative_to(ROOT).with_suffix("") for pattern in LISTED for file in ROOT.glob(pattern)}
    checkout = (ROOT / "Makefile").exists()
    assert {path for path in found if path.parts[1] != "core"} == (set() if checkout else {GROUP} | listed)
