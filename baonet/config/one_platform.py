"""The text of a machine file that is of several platforms, as one of a single platform: what a user starts from.

The text stays what it is, with its comments; only the platform's name and the values that are given by architecture
change, in the places where YAML's reader finds them.
"""

from __future__ import annotations

from baonet.config import wings
from baonet.config.platforms import builtin
from baonet.document.pyyaml import yaml

_Change = tuple[int, int, str]
"""From where to where in the text, and what stands there then."""


def for_platform(text: str, platform: str) -> str:
    """``platform``: the name of a built-in one. The text is that of a machine file without mistakes."""
    architecture = wings.of(builtin()[platform]).name
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    changes = [*_named(root, platform), *_chosen(root, text, architecture)]
    for start, end, instead in sorted(changes, reverse=True):
        text = text[:start] + instead + text[end:]
    return text


def _named(root: yaml.MappingNode, platform: str) -> list[_Change]:
    """The platform's name, which a text or ``extends`` has."""
    node = _value(root, "platform")
    if isinstance(node, yaml.MappingNode):
        node = _value(node, "extends")
    return [] if node is None else [(node.start_mark.index, node.end_mark.index, platform)]


def _value(node: yaml.MappingNode, key: str) -> yaml.Node | None:
    return next((value for name, value in node.value if name.value == key), None)


def _chosen(node: yaml.Node, text: str, architecture: str) -> list[_Change]:
    """Each value by architecture becomes the one for this, in the columns where it then begins."""
    if isinstance(node, yaml.SequenceNode):
        return [change for item in node.value for change in _chosen(item, text, architecture)]
    if not isinstance(node, yaml.MappingNode):
        return []
    found: list[_Change] = []
    for key, value in node.value:
        names = [name.value for name, _ in value.value] if isinstance(value, yaml.MappingNode) else []
        if not names or not wings.ARCHITECTURES.keys() >= set(names):
            found += _chosen(value, text, architecture)
            continue
        own = _value(value, architecture)
        if own is None:
            found.append(_without(node, key, value, text))
            continue
        start, end = own.start_mark, own.end_mark
        shift = start.column - value.start_mark.column if not value.flow_style else 0
        lines = text[start.index : end.index].rstrip().split("\n")
        kept = "\n".join([lines[0], *(line[shift:] if not line[:shift].strip() else line for line in lines[1:])])
        last = text[: value.end_mark.index].rstrip()
        found.append((value.start_mark.index, len(last), kept))
    return found


def _without(node: yaml.MappingNode, key: yaml.Node, value: yaml.Node, text: str) -> _Change:
    """A key of a mapping in braces, or on lines of its own, taken out with what parts it from the one before."""
    start, end = key.start_mark.index, value.end_mark.index
    before = text[:start].rstrip()
    if node.flow_style:
        return (len(before) - 1, end, "") if before.endswith(",") else (start, end, "")
    return start - key.start_mark.column, len(text[:end].rstrip()) + 1, ""
