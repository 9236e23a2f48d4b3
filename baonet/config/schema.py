"""The JSON Schema of machine files (draft 2020-12), for editors with a YAML language server."""

from __future__ import annotations

import json
from typing import Any

from baonet.config.models import MachineModel
from baonet.config.platform_models import PlatformModel
from baonet.document.kinds import MappingOf, first_line

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> str:
    """The schema of machine files; that of platform files is its ``#/$defs/Platform``."""
    definitions: dict[str, Any] = {}
    MappingOf(PlatformModel).schema(definitions)
    MappingOf(MachineModel).schema(definitions)
    machine = definitions.pop("Machine")
    schema = {
        "$schema": DIALECT,
        **machine,
        "title": "baonet machine file",
        "description": first_line(MachineModel),
        "$defs": dict(sorted(definitions.items())),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False)
