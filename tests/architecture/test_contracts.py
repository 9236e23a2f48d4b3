"""The import contracts are about all that they are to be about."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

import baonet

PACKAGE = Path(baonet.__path__[0])


@pytest.mark.parametrize(("contract", "package"), [("cores", "core"), ("shared", "hyp")])
def test_every_file_that_architectures_share_is_held_to_know_none(contract: str, package: str) -> None:
    """But for the registry."""
    contracts = configparser.ConfigParser()
    contracts.read(PACKAGE.parent / ".importlinter")
    held = set(contracts[f"importlinter:contract:{contract}"]["source_modules"].split())
    modules = {f"baonet.{package}.{path.stem}" for path in (PACKAGE / package).glob("*.py") if path.stem != "__init__"}
    assert held == modules - {f"baonet.{package}.wings"}


def test_of_all_floors_only_a_wing_of_the_core_reaches_into_a_wing_of_the_hypervisor() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(PACKAGE.parent / ".importlinter")
    wings = contracts["importlinter:contract:wings"]
    packages = {f"baonet.{path.parent.name}" for path in PACKAGE.glob("*/__init__.py")}
    assert set(wings["source_modules"].split()) == packages - {"baonet.hyp"}
    own = {f"baonet.core.{name}.* -> baonet.hyp.{name}.*" for name in ("armv8", "riscv")}
    assert set(wings["ignore_imports"].strip().splitlines()) == own
