"""Values that a file gives for each architecture, in a mapping whose keys are names of architectures.

They are settled before anything is read: in the tree there stands then what is for the architecture of the file's
platform, at its own place. So everything else of the configuration knows nothing of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeGuard, final

from baonet.config import platform_file, wings
from baonet.document.document import YamlNode, moved
from baonet.document.errors import Problem
from baonet.document.kinds import ListOf, Reader, ValueKind, nearest
from baonet.document.models import MappingOf, described, is_required, key_of
from baonet.document.overrides import Override, Overrides, put, read_overrides
from baonet.document.quantities import listing
from baonet.machine.dataclass import dataclass, replace

PLATFORM: Final = "platform"
_NAMED_BY_USERS: Final = ("placement",)
"""Keys of a machine whose mappings have names as keys, which may be those of architectures."""


def settle(root: YamlNode, kind: ValueKind[Any], overrides: Overrides, reader: Reader) -> None:
    """Apply overrides to the tree of a machine file, in their order, and settle it.

    An override that has nothing for the architecture sets nothing; a required value that has nothing is told. Problems
    go to ``reader``.
    """
    given, problems = read_overrides(root.source.path, overrides)
    reader.problems += problems
    settler = _Settler(root, reader, _meant(root, kind, given))
    settler.settle(root, kind)
    for each in given:
        if _is_by_architecture(each.value):
            if settler.name not in each.value:
                continue
            each = replace(each, value=each.value[settler.name])  # noqa: PLW2901
        reader.problems += put(root, kind, each)
        if isinstance(each.value, dict | list):
            settler.settle(root, kind)


def _meant(root: YamlNode, kind: ValueKind[Any], given: Sequence[Override]) -> str:
    """Of which architecture the platform is with those of the overrides that can say so; '' if none is of it.

    They are tried on a copy: each has its turn among all the others when it is known which of them count.
    """
    telling = [each for each in given if each.path.startswith(PLATFORM) and not _is_by_architecture(each.value)]
    if not telling:
        return ""
    tried = moved(root, root.name, root.key)
    for each in telling:
        list(put(tried, kind, each))
    return platform_file.meant(tried.at(PLATFORM)).name


def _is_by_architecture(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and bool(value) and value.keys() <= wings.ARCHITECTURES.keys()


@final
@dataclass
class _Settler:
    root: YamlNode
    reader: Reader
    _found: str

    @property
    def name(self) -> str:
        """The platform's architecture. Looked for when something depends on it: it may be in another file."""
        self._found = self._found or platform_file.meant(self.root.at(PLATFORM)).name
        return self._found

    def settle(self, node: YamlNode, kind: ValueKind[Any] | None) -> None:
        """What is below a node, of this kind if that is known."""
        if isinstance(node.value, list):
            item = kind.item if isinstance(kind, ListOf) else None
            for each in node.value:
                self.settle(each, item)
        elif isinstance(node.value, dict):
            fields = {key_of(each): each for each in described(kind.model)} if isinstance(kind, MappingOf) else {}
            for key, each in list(node.value.items()):
                if node is self.root and key in _NAMED_BY_USERS:
                    continue
                field = fields.get(key)
                inner = each
                if field is not None:
                    self._misspelt(each, field.metadata["kind"])
                if _is_by_architecture(each.value):
                    chosen = each.value.get(self.name)
                    if chosen is None:
                        del node.value[key]
                        if field is not None and is_required(field):
                            self.reader.absent[each.name] = self._nothing(each)
                        continue
                    inner = node.value[key] = moved(chosen, each.name, each.key)
                self.settle(inner, None if field is None else field.metadata["kind"])

    def _misspelt(self, node: YamlNode, kind: ValueKind[Any]) -> None:
        """Tell what was meant for an architecture and has another name, and take it for what was meant."""
        if not isinstance(node.value, dict) or not node.value or _is_by_architecture(node.value):
            return
        if isinstance(kind, MappingOf) and any(key_of(each) in node.value for each in described(kind.model)):
            return
        names = list(wings.ARCHITECTURES)
        meant = {key: key if key in names else nearest(key, names) for key in node.value}
        if not set(names) & meant.keys() and None in meant.values():
            return
        for key, name in meant.items():
            if key not in names:
                hint = f"did you mean {name!r}?" if name else f"it can be {listing(names, 'or')}"
                self.reader.problems.append(node.value[key].key_problem(f"no architecture is called {key!r}", hint))
        node.value = {name: node.value[key] for key, name in meant.items() if name}

    def _nothing(self, node: YamlNode) -> Problem:
        assert isinstance(node.value, dict)
        hint = f"add '{self.name}: ...', or choose a platform of {listing(node.value, 'or')}"
        return node.problem(f"there is nothing for {self.name}, which is the platform's architecture", hint)
