"""The forms of saved state, as ``forms.yaml`` has them.

What was saved by one baonet is read by another that has the same forms. Who changes the fields of one counts its
version up, of a row that of the form that has it, and writes the list anew with ``python -m tests.machine.forms``.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import yaml

import baonet
from baonet.machine.saved import StateForm, StateRow

LIST = Path(__file__).with_name("forms.yaml")


def _fields(form: StateForm | StateRow) -> dict[str, str]:
    return {name: getattr(kind, "__name__", str(kind)) for name, kind in form.fields.items()}


def found() -> dict[str, dict[str, object]]:
    """By their names for people: version, of a form, and the type of each field."""
    forms: dict[str, dict[str, object]] = {}
    for module in pkgutil.walk_packages(baonet.__path__, "baonet."):
        if module.name.endswith(("__main__", "_engine", "_node")):
            continue
        if module.name.startswith("baonet.core."):  # has its state in C, and of the architectures' one can be loaded
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, StateForm):
                forms[value.what] = {"version": value.version, "fields": _fields(value)}
            elif isinstance(value, StateRow):
                forms[value.what] = {"fields": _fields(value)}
    return dict(sorted(forms.items()))


if __name__ == "__main__":
    LIST.write_text("# Written by python -m tests.machine.forms\n" + yaml.safe_dump(found(), sort_keys=False))
