"""A wheel has the hypervisor and what drives it compiled. A checkout has not: that would hide what is edited."""

from __future__ import annotations

import tomllib
from pathlib import Path

import baonet

ROOT = Path(baonet.__path__[0]).parent
LISTED: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["baonet"]["compiled"]
GROUP = "baonet.compiled__mypyc"
"""What the others share."""


def test_a_checkout_runs_its_source_and_a_wheel_what_is_compiled() -> None:
    """``make compiled`` runs this in a wheel."""
    libraries = [path.relative_to(ROOT) for path in (ROOT / "baonet").rglob("*.so")]
    found = {".".join([*path.parts[:-1], path.name.partition(".")[0]]) for path in libraries}
    checkout = (ROOT / "Makefile").exists()
    assert {module for module in found if not module.startswith("baonet.core.")} == set(
        () if checkout else (GROUP, *LISTED)
    )
