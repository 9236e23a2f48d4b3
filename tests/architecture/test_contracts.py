"""The import contracts are about all that they are to be about."""

from __future__ import annotations

import configparser
from pathlib import Path

import baonet

PACKAGE = Path(baonet.__path__[0])


def test_every_file_that_cores_share_is_held_to_know_no_architecture() -> None:
    """But for the registry."""
    contracts = configparser.ConfigParser()
    contracts.read(PACKAGE.parent / ".importlinter")
    held = set(contracts["importlinter:contract:cores"]["source_modules"].split())
    modules = {f"baonet.core.{path.stem}" for path in (PACKAGE / "core").glob("*.py") if path.stem != "__init__"}
    assert held == modules - {"baonet.core.wings"}
