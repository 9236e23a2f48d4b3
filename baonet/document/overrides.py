"""Fields of a machine file that are given from outside it, as in a sweep, in place of what the file says.

An override is made part of the tree of the file before anything is checked, so what it says is read and checked as if
it stood there. Its problems name it instead of a line: ``machine.yaml with vms.0.cpus=9: vms[0].cpus: ...``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, final

from baonet.document.document import Form, Source, YamlNode, read
from baonet.document.errors import ConfigError, Problem
from baonet.document.kinds import ListOf, ValueKind, nearest
from baonet.document.models import MappingOf, described, key_of
from baonet.document.quantities import listing, show
from baonet.machine.dataclass import dataclass, replace

Overrides: TypeAlias = Mapping[str, object] | Sequence[str]
"""Values by field path, or texts such as ``clock.window=20us``, whose values are YAML."""

_STEP = r"(?:^|\.)([A-Za-z0-9_-]+)|\[([^\[\]]+)\]"
_HINT = "write it as clock.window, vms.0.cpus or vms[ping].command_line"
_VALUE = Form("value", "write '' for an empty text")
_SHOWN = 40  # characters of a value


@final
@dataclass(frozen=True, slots=True)
class Override:
    """One field, and the value that it is given."""

    path: str
    value: object
    source: Source

    def problem(self, message: str, hint: str, field: str = "") -> Problem:
        return self.source.problem((0, 0), field or self.path, message, hint)

    def node(self, value: object, name: str) -> YamlNode:
        """The tree that the file would have for a value at this field path."""
        made: dict[str, YamlNode] | list[YamlNode] | str | int | bool | None
        if isinstance(value, Mapping):
            made = {str(key): self.node(item, f"{name}.{key}") for key, item in value.items()}
        elif isinstance(value, list | tuple):
            made = [self.node(item, f"{name}[{i}]") for i, item in enumerate(value)]
        else:
            made = value if value is None or isinstance(value, str | int) else str(value)
        return YamlNode(self.source, 0, 0, 1, made, name)


def read_overrides(path: str, overrides: Overrides) -> tuple[list[Override], list[Problem]]:
    """Those of the file ``path`` that can be read, in their order, and what is wrong with the others."""
    found: list[Override] = []
    problems: list[Problem] = []
    for each in overrides:
        if isinstance(overrides, Mapping):
            field, text = each, _shown(overrides[each])
        else:
            field, _, text = each.partition("=")
        source = Source(path, [], f"{path} with {field}={_cut(text)}")
        try:
            value = overrides[each] if isinstance(overrides, Mapping) else _parsed(field, text, source)
            found.append(Override(field, value, source))
        except ConfigError as error:
            problems += error.problems
    return found, problems


def wholes_first(given: Mapping[str, object]) -> dict[str, object]:
    """Overrides by field path whose order nobody has chosen, so that none undoes what another gives a part of it."""
    steps = {path: [name or item for name, item in re.findall(_STEP, path)] for path in given}
    found: dict[str, object] = {}
    for way in steps.values():
        wholes = [each for each, start in steps.items() if start == way[: len(start)]]
        found |= {each: given[each] for each in sorted(wholes, key=lambda each: len(steps[each])) if each not in found}
    return found


def put(root: YamlNode, kind: ValueKind[Any], override: Override) -> Iterator[Problem]:
    """Change the tree of a file, which ``kind`` describes. What cannot be set is told and left out."""
    try:
        _set(root, kind, override)
    except ConfigError as error:
        yield from error.problems


def _parsed(path: str, text: str, source: Source) -> object:
    """What a text means as YAML. Raises ``ConfigError``."""
    if not text.strip() or text.lstrip().startswith("#"):
        return None
    try:
        node, problems = read(text, Source(source.path, []), _VALUE)
    except ConfigError as error:
        problems = list(error.problems)
    if problems:
        raise ConfigError(source.problem((0, 0), path, each.message, each.hint) for each in problems)
    return node.plain()


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "{...}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "..."


def _set(root: YamlNode, kind: ValueKind[Any], override: Override) -> None:
    """Raises ``ConfigError`` when there is no such place."""
    *way, last = _steps(override)
    node: YamlNode = root
    here: ValueKind[Any] | None = kind
    for step in way:
        node, here = _into(node, here, step, override)
    _expand(node, here)
    if isinstance(node.value, dict):
        name = f"{node.name}.{last}" if node.name else last
        made = override.node(override.value, name)
        made.instead = node.value.get(last)
        node.value[last] = made
    elif isinstance(node.value, list):
        index = _index(node, last, override)
        node.value[index] = override.node(override.value, f"{node.name}[{index}]")
    else:
        raise _no_way(node, override)


def _steps(override: Override) -> list[str]:
    step = re.compile(_STEP)
    steps, end = [], 0
    while (match := step.match(override.path, end)) is not None:
        steps.append(match[1] or match[2])
        end = match.end()
    if not steps or end < len(override.path):
        raise ConfigError([override.problem(f"{override.path!r} is not a field path", _HINT)])
    return steps


def _expand(node: YamlNode, kind: ValueKind[Any] | None) -> None:
    """A bare text that stands for a mapping becomes that mapping."""
    if isinstance(node.value, str) and isinstance(kind, MappingOf) and kind.shorthand:
        node.value = {kind.shorthand: replace(node, name=f"{node.name}.{kind.shorthand}", key=None)}


def _into(
    node: YamlNode, kind: ValueKind[Any] | None, step: str, override: Override
) -> tuple[YamlNode, ValueKind[Any] | None]:
    """The node one step further on, and what it should be. A mapping that is not there yet is made."""
    _expand(node, kind)
    if isinstance(node.value, list):
        item = kind.item if isinstance(kind, ListOf) else None
        return node.value[_index(node, step, override)], item
    if not isinstance(node.value, dict):
        raise _no_way(node, override)
    fields = described(kind.model) if isinstance(kind, MappingOf) else []
    inner: ValueKind[Any] | None = next((each.metadata["kind"] for each in fields if key_of(each) == step), None)
    if step not in node.value:
        name = f"{node.name}.{step}" if node.name else step
        if isinstance(inner, ListOf):
            raise ConfigError([override.problem(f"there is no list '{name}' to change", "give the whole list")])
        node.value[step] = override.node({}, name)
    return node.value[step], inner


def _index(node: YamlNode, step: str, override: Override) -> int:
    """The position in a list that a number or the name of an item tells."""
    assert isinstance(node.value, list)
    if step.isdecimal():
        if int(step) < len(node.value):
            return int(step)
        number = len(node.value)
        hint = f"its items are numbered from 0 to {number - 1}" if number else "the list is empty"
        raise ConfigError([override.problem(f"'{node.name}' has no item {step}", hint)])
    names = [name.value if (name := item.child("name")) is not None else None for item in node.value]
    if step in names:
        return names.index(step)
    known = [name for name in names if isinstance(name, str)]
    near = nearest(step, known)
    hint = f"did you mean {near!r}?" if near else f"the names are {listing(known)}" if known else "give its number"
    raise ConfigError([override.problem(f"'{node.name}' has no item named {step!r}", hint)])


def _no_way(node: YamlNode, override: Override) -> ConfigError:
    name = node.name or "the file"
    return ConfigError([override.problem(f"'{name}' is {show(node.plain())}, which has no fields", _HINT)])
