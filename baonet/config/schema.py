"""The JSON Schema of machine files (draft 2020-12), for editors with a YAML language server."""

from __future__ import annotations

import json
from typing import Any, final

from baonet.config.models import MachineModel
from baonet.config.platform_models import PlatformModel
from baonet.config.wings import ARCHITECTURES
from baonet.document.kinds import Schema
from baonet.document.models import MappingOf, first_line

_OF_NO_ARCHITECTURE = ("version", "platform", "extends")
"""What says of which architecture a file is, and what has to be read before."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> str:
    """The schema of machine files; that of platform files is its ``#/$defs/Platform``."""
    models: dict[str, Any] = {}
    MappingOf(PlatformModel).schema(models)
    MappingOf(MachineModel).schema(models)
    values = _Values()
    for name, each in models.items():
        each["properties"] = {
            key: form if key in _OF_NO_ARCHITECTURE else values.by_architecture(name, key, form)
            for key, form in each["properties"].items()
        }
    machine = models.pop("Machine")
    schema = {
        "$schema": DIALECT,
        **machine,
        "title": "baonet machine file",
        "description": first_line(MachineModel),
        "$defs": dict(sorted((models | values.definitions).items())),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False)


@final
class _Values:
    """Forms of values, each a definition that all keys have in common whose values are of this form."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self._names: dict[str, str] = {}

    def by_architecture(self, model: str, key: str, form: Schema) -> Schema:
        """Of a text, a number or a list: that, or one for each architecture. A mapping has such values within."""
        if "$ref" in form:
            return form
        about = {word: value for word, value in form.items() if word in ("description", "default")}
        plain = {word: value for word, value in form.items() if word not in about}
        known = json.dumps(plain)
        if known not in self._names:
            name = self._names[known] = f"{model}.{key}" if key in self.definitions else key
            self.definitions[name] = plain
            self.definitions[_each(name)] = _alternatives(_reference(name))
        return {**about, **_reference(_each(self._names[known]))}


def _each(name: str) -> str:
    return f"{name}-by-architecture"


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _alternatives(plain: Schema) -> Schema:
    names = dict.fromkeys(ARCHITECTURES, plain)
    return {
        "anyOf": [
            plain,
            {"type": "object", "properties": names, "additionalProperties": False, "minProperties": 1},
        ]
    }
