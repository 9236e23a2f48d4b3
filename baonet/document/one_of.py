"""A mapping of which one key tells what the others can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, final

from baonet.document.document import YamlNode
from baonet.document.kinds import OfMappings, Reader, Schema, UnreadableError, nearest
from baonet.document.models import M, MappingOf, described, key_of
from baonet.document.quantities import listing, show
from baonet.machine.dataclass import dataclass, replace


@final
@dataclass(frozen=True, slots=True)
class OneOf(OfMappings, Generic[M]):
    """A mapping that one of ``models`` describes: the one for the word under ``key``."""

    key: str
    models: Mapping[str, type[M]]

    @property
    def text(self) -> str:
        return listing((MappingOf(model).text for model in dict.fromkeys(self.models.values())), "or")

    def read(self, node: YamlNode, reader: Reader) -> M:
        if not isinstance(node.value, dict):
            raise reader.fail(node, f"{show(node.value)} is not a mapping", f"it takes the key '{self.key}' and others")
        words = listing(self.models, "or")
        told = node.value.get(self.key)
        if told is None:
            raise reader.fail(node, f"{self.key!r} is missing", f"it can be {words}")
        word = told.value
        if not isinstance(word, str) or word not in self.models:
            near = nearest(word, list(self.models)) if isinstance(word, str) else None
            hint = f"did you mean {near!r}?" if near else f"it can be {words}"
            raise reader.fail(told, f"{show(word)} is not known here", hint)
        return self._read(word, node, node.value, reader)

    def _read(self, word: str, node: YamlNode, given: dict[str, YamlNode], reader: Reader) -> M:
        """Read the mapping as what ``word`` says; keys that belong to other words are told apart from unknown ones."""
        model = self.models[word]
        own = _keys(model)
        strange = {}
        for key in given:
            others = [other for other, its in self.models.items() if key in _keys(its)]
            if key not in own and others:
                strange[key] = others
        for key, others in strange.items():
            hint = f"remove it: it belongs to {listing(others)}"
            reader.problems.append(given[key].key_problem(f"{key!r} means nothing to {self.key}: {word}", hint))
        rest = replace(node, value={key: value for key, value in given.items() if key not in strange})
        found = MappingOf(model).read(rest, reader)
        if strange:
            raise UnreadableError
        return found

    def schema(self, models: dict[str, Schema]) -> Schema:
        return {"anyOf": [MappingOf(model).schema(models) for model in dict.fromkeys(self.models.values())]}


def _keys(model: type[M]) -> set[str]:
    return {key_of(each) for each in described(model)}
