"""The JSON Schema of machine files (draft 2020-12), for editors with a YAML language server."""

from __future__ import annotations

import json
from typing import Any

from baonet.config.models import MachineModel
from baonet.config.platform_models import PlatformModel
from baonet.config.wings import ARCHITECTURES
from baonet.document.kinds import MappingOf, Schema, first_line

_OF_NO_ARCHITECTURE = ("version", "platform", "extends")
"""What says of which architecture a file is, and what has to be read before."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> str:
    """The schema of machine files; that of platform files is its ``#/$defs/Platform``."""
    definitions: dict[str, Any] = {}
    MappingOf(PlatformModel).schema(definitions)
    MappingOf(MachineModel).schema(definitions)
    for each in definitions.values():
        each["properties"] = {
            key: form if key in _OF_NO_ARCHITECTURE else _by_architecture(form)
            for key, form in each["properties"].items()
        }
    machine = definitions.pop("Machine")
    schema = {
        "$schema": DIALECT,
        **machine,
        "title": "baonet machine file",
        "description": first_line(MachineModel),
        "$defs": dict(sorted(definitions.items())),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False)


def _by_architecture(form: Schema) -> Schema:
    """Of a text, a number or a list: that, or one for each architecture. A mapping has such values within."""
    if "$ref" in form:
        return form
    about = {key: value for key, value in form.items() if key in ("description", "default")}
    plain = {key: value for key, value in form.items() if key not in about}
    names = dict.fromkeys(ARCHITECTURES, plain)
    each = {"type": "object", "properties": names, "additionalProperties": False, "minProperties": 1}
    return {**about, "anyOf": [*plain["anyOf"], each] if plain.keys() == {"anyOf"} else [plain, each]}
