"""Mappings with known keys: a model is a frozen dataclass whose fields each name the kind of their value.

They are made with ``required`` and ``optional``. A key that is not known is told with what was probably meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Self, TypeVar, final

from baonet.document.document import YamlNode
from baonet.document.kinds import Choice, OfMappings, Reader, Schema, UnreadableError, ValueKind, nearest
from baonet.document.quantities import listing, show
from baonet.machine.dataclass import MISSING, Field, dataclass, field, fields

T = TypeVar("T")
D = TypeVar("D")


@final
@dataclass(frozen=True, slots=True)
class Foreign:
    """A name that others have for the field ``key``. ``hint`` tells what to write when the value is another one too.

    ``ours``: it is none of others, but was ours, or is elsewhere. That of no name, '', is of a text where the mapping
    should be.
    """

    key: str = ""
    hint: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A mapping with known keys. ``node`` is its place in the file; ``foreign``: names of others, or of old."""

    foreign: ClassVar[Mapping[str, Foreign]] = MappingProxyType({})

    node: YamlNode = field(repr=False)
    brought: tuple[Model, ...] = field(default=(), repr=False)
    """What of the mapping belongs to ``parts``, one of each."""

    @classmethod
    def parts(cls) -> Sequence[type[Model]]:
        """Models of others, with defaults, whose fields stand in the mapping among this one's."""
        return ()

    @classmethod
    def made(cls, node: YamlNode, values: Mapping[str, Any]) -> Self:
        """From the values of its own fields and of those of its parts."""
        names = {each.name for each in fields(cls)}
        brought = tuple(part.made(node, values) for part in cls.parts())
        return cls(node=node, brought=brought, **{name: value for name, value in values.items() if name in names})

    @classmethod
    def of(cls, model: Model) -> Self:
        """A model that is known to be one of these, as who brings a part gets it back."""
        assert isinstance(model, cls)
        return model

    def given(self, *names: str) -> dict[str, Any]:
        """The fields of these names that are not None."""
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def part(self, kind: type[M]) -> M:
        """Its part of one of the kinds that ``parts`` has."""
        return next(each for each in self.brought if isinstance(each, kind))


M = TypeVar("M", bound=Model)


@final
@dataclass(frozen=True, slots=True)
class MappingOf(OfMappings, Generic[M]):
    """A mapping that ``model`` describes, a class or what loads it when a mapping is there.

    ``shorthand`` is the key that a bare text stands for. A mapping in which something is wrong is left out, unless it
    is ``lenient``: then fields that are wrong have their defaults, or what their model has ``instead``, so that the
    rest of it can still be checked.
    """

    given: type[M] | Callable[[], type[M]]
    shorthand: str = ""
    lenient: bool = False

    @property
    def model(self) -> type[M]:
        return self.given if isinstance(self.given, type) else self.given()

    @property
    def text(self) -> str:
        name = f"[{title(self.model)}](#{anchor(self.model)})"
        return f"text or {name}" if self.shorthand else name

    def read(self, node: YamlNode, reader: Reader) -> M:
        values, whole = self.values(node, reader)
        if not whole:
            raise UnreadableError
        return self.model.made(node, values)

    def values(self, node: YamlNode, reader: Reader) -> tuple[dict[str, Any], bool]:
        """The fields that could be read, and whether they make a model."""
        given, known = node.value, described(self.model)
        if self.shorthand and isinstance(given, str):
            given = {self.shorthand: node}
        if not isinstance(given, dict):
            raise reader.fail(node, f"{show(node.value)} is not a mapping", self._takes(given))
        values: dict[str, Any] = {}
        unknown = [key for key in given if all(key != key_of(each) for each in known)]
        meant = self._unknown(unknown, given, reader)
        # A key that is misspelt is read as the one that was meant, so that what hides behind it is told too.
        given = {**given, **{key: given[word] for key, word in meant.items() if word is not None}}
        whole = self.lenient or not unknown or None not in meant.values()
        if None in meant.values():
            reader.broken.update({node.name, *(f"{node.name}.{key}".lstrip(".") for key in meant)})
        for each in known:
            key = key_of(each)
            if key in given:
                try:
                    values[each.name] = self._value(each, given[key], reader)
                except UnreadableError:
                    reader.broken.update({given[key].name, f"{node.name}.{key}".lstrip(".")})
                    whole = whole and self.lenient
                    if self.lenient and is_required(each):
                        values[each.name] = each.metadata["instead"]
            elif is_required(each):
                whole = whole and self.lenient
                name = f"{node.name}.{key}".lstrip(".")
                reader.broken.update({node.name, name})
                if self.lenient:
                    values[each.name] = each.metadata["instead"]
                if key not in meant:
                    hint = first_sentence(each.metadata["text"])
                    missing = node.problem(f"{key!r} is missing", f"{key}: {hint}")
                    reader.problems.append(reader.absent.get(name, missing))
        return values, whole

    def _takes(self, given: object) -> str:
        """What to write in place of something that is no mapping."""
        known, meant = described(self.model), self.model.foreign.get("")
        if isinstance(given, str | bool) and meant is not None:
            return meant.hint
        names = listing(f"'{key_of(each)}'" for each in known)
        keys = f"the keys {names}" if len(known) > 1 else f"the key {names}"
        for each in known:
            if key_of(each) == self.shorthand:
                kind = each.metadata["kind"]
                of = f": {kind.told};" if isinstance(kind, Choice) else ","
                keys = f"a text, its '{self.shorthand}'{of} or {keys}"
        needed = [key_of(each) for each in known if is_required(each)]
        alone = isinstance(given, str) and len(needed) == 1
        return f"write {{{needed[0]}: {given}}}; it takes {keys}" if alone else f"it takes {keys}"

    @staticmethod
    def _value(each: Field[Any], node: YamlNode, reader: Reader) -> Any:
        if node.value is None:
            hint = "give it one" if is_required(each) else "give it one, or remove the key"
            raise reader.fail(node, f"{key_of(each)!r} has no value", hint)
        return each.metadata["kind"].read(node, reader)

    def _unknown(self, unknown: list[str], given: dict[str, YamlNode], reader: Reader) -> dict[str, str | None]:
        """Report unknown keys; the known keys that were probably meant, with what stands for each.

        None stands for a key whose value is of another kind, or that is nothing of ours; its own name is then the key.
        """
        known = [key_of(each) for each in described(self.model)]
        meant: dict[str, str | None] = {}
        for key in unknown:
            foreign = self.model.foreign.get(key)
            free = [name for name in known if name not in given and name not in meant]
            if foreign is not None:
                hint = foreign.hint or f"it is called {foreign.key!r} here"
                stands = foreign.key if foreign.key in free else key
                meant[stands] = key if stands == foreign.key and not foreign.hint else None
            elif below := self._below(key) or self._dotted(key, known):
                hint = below
                meant[key] = None
            elif near := nearest(key, free):
                hint = f"did you mean {near!r}?"
                meant[near] = key
            else:
                hint = f"the keys here are {listing(known)}"
                meant[key] = None
            reader.problems.append(given[key].key_problem(f"unknown key {key!r}", hint))
        return meant

    def _below(self, key: str) -> str | None:
        """Where a key stands that is one of a mapping in this one, if only one mapping has it."""
        kinds = {key_of(each): each.metadata["kind"] for each in described(self.model)}
        places = [
            name
            for name, kind in kinds.items()
            if isinstance(kind, MappingOf) and key in map(key_of, described(kind.model))
        ]
        return f"it belongs under {places[0]!r}: '{places[0]}: {{{key}: ...}}'" if len(places) == 1 else None

    @staticmethod
    def _dotted(key: str, known: list[str]) -> str | None:
        """How a path of ``--set`` is written in a file."""
        first, _, rest = key.partition(".")
        return f"write '{first}: {{{rest.replace('.', ': {')}: ...{'}' * key.count('.')}'" if first in known else None

    def schema(self, models: dict[str, Schema]) -> Schema:
        name = self.model.__name__.removesuffix("Model")
        if name not in models:
            models[name] = {}
            properties = {key_of(each): _property(each, models) for each in described(self.model)}
            models[name].update(
                title=title(self.model),
                description=first_line(self.model),
                type="object",
                additionalProperties=False,
                properties=properties,
                required=[key_of(each) for each in described(self.model) if is_required(each)],
            )
        reference = {"$ref": f"#/$defs/{name}"}
        return {"anyOf": [{"type": "string"}, reference]} if self.shorthand else reference


def _property(each: Field[Any], models: dict[str, Schema]) -> Schema:
    form: Schema = {"description": each.metadata["text"], **each.metadata["kind"].schema(models)}
    if each.default is not MISSING and each.default is not None:
        form["default"] = list(each.default) if isinstance(each.default, tuple) else each.default
    return form


def required(kind: ValueKind[T], text: str, instead: object = None) -> T:
    """A field that must be given. In a lenient mapping ``instead`` is its value when it could not be read."""
    made: Any = field(metadata={"kind": kind, "text": text, "instead": instead})
    return made  # type: ignore[no-any-return]  # as dataclasses.field itself, typed as the value it stands for


def optional(kind: ValueKind[T], text: str, default: D, after: str = "") -> T | D:
    """A field that may be absent. In a part of another model it is told ``after`` that one's field of this name."""
    made: Any = field(default=default, metadata={"kind": kind, "text": text, "after": after})
    return made  # type: ignore[no-any-return]  # as above


def described(model: type[Model]) -> list[Field[Any]]:
    """The fields of a model that a user can give, with those that its parts bring where they belong."""
    found = [each for each in fields(model) if "kind" in each.metadata]
    ends: dict[str, str] = {}  # behind which field the next part's go that are told after one
    for part in model.parts():
        after = found[-1].name
        for each in described(part):
            if any(other.name == each.name for other in found):
                continue  # two parts bring it: a file has it once
            after = each.metadata.get("after") or after
            at = next(n for n, other in enumerate(found, 1) if other.name == ends.get(after, after))
            found.insert(at, each)
            ends[after] = each.name
    return found


def key_of(each: Field[Any]) -> str:
    """The key that a user writes. A field whose key is a word of Python's has an underscore after it."""
    return each.name.removesuffix("_")


def is_required(each: Field[Any]) -> bool:
    return each.default is MISSING


def title(model: type[Model]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__.removesuffix("Model"))


def anchor(model: type[Model]) -> str:
    return title(model).lower().replace(" ", "-")


def first_line(model: type[Model]) -> str:
    return (model.__doc__ or "").partition("\n")[0]


def first_sentence(text: str) -> str:
    """Up to the first full stop or semicolon, without it."""
    return re.split(r"[.;:](?:\s|$)", text, maxsplit=1)[0]
