"""As much of JSON Schema (draft 2020-12) as ours uses, to try the schema on files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
_KNOWN = {
    "$schema", "title", "description", "default", "$defs", "$ref", "anyOf", "const", "enum", "type", "properties",
    "required", "additionalProperties", "minProperties", "items", "minItems", "uniqueItems", "minimum",
    "maximum", "pattern",
}  # fmt: skip


def violations(schema: dict[str, Any], value: Any, root: dict[str, Any], at: str = "") -> Iterator[str]:
    """Where and why ``value`` does not follow the schema."""
    unknown = set(schema) - _KNOWN
    assert not unknown, f"{unknown} is not tried"
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        yield from violations(root["$defs"][name], value, root, at)
    if "anyOf" in schema and all(list(violations(each, value, root, at)) for each in schema["anyOf"]):
        yield f"{at}: none of anyOf"
    if "const" in schema and value != schema["const"]:
        yield f"{at}: const"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: enum"
    kind = _TYPES.get(schema.get("type", ""))
    if kind is not None and (not isinstance(value, kind) or (kind is not bool and isinstance(value, bool))):
        yield f"{at}: type"
        return
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{at}: pattern"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{at}: range"
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{at}: minItems"
        if schema.get("uniqueItems") and len(set(map(str, value))) != len(value):
            yield f"{at}: uniqueItems"
        for i, item in enumerate(value):
            yield from violations(schema.get("items", {}), item, root, f"{at}[{i}]")
    if isinstance(value, dict) and "properties" in schema:
        if len(value) < schema.get("minProperties", 0):
            yield f"{at}: minProperties"
        others = schema.get("additionalProperties")
        yield from (f"{at}: {key} is required" for key in schema.get("required", ()) if key not in value)
        for key, item in value.items():
            if key in schema["properties"]:
                yield from violations(schema["properties"][key], item, root, f"{at}.{key}")
            elif isinstance(others, dict):
                yield from violations(others, item, root, f"{at}.{key}")
            elif others is False:
                yield f"{at}: {key} is not known"
