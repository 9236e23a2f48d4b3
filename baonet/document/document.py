"""A YAML file as a tree of nodes that know their place.

Read from the parser's events, not with PyYAML's composer or constructor: those take the last of two equal keys, make
``no`` a boolean and ``12:30`` a number, can run Python, and follow the nesting of the file with the C stack. Here a
plain scalar is null, a boolean (``true``, ``false``), a number as ``quantities`` reads it, or text. Anchors, aliases
and merge keys (``<<``) work as in YAML 1.1.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeAlias, final

from baonet.document.errors import ConfigError, Problem
from baonet.document.pyyaml import yaml
from baonet.document.quantities import human, number
from baonet.document.standard_input import beginning
from baonet.machine.dataclass import dataclass, field, replace

_DEEPEST = 50
_ANY_NUMBER = 1 << 62
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Scalar: TypeAlias = "str | int | bool | None"
MappingKey: TypeAlias = "str | int"


@final
@dataclass(frozen=True, slots=True)
class Other:
    """Another kind of file of ours: keys by which it is known, what it is, and what to do with it."""

    keys: frozenset[str]
    what: str
    hint: str


A_MACHINE = Other(frozenset({"vms"}), "a machine file", "run it with 'baonet run'; a study names it as its 'machine'")
A_PLATFORM = Other(frozenset({"ram", "extends"}), "a platform", "name it under 'platform' of a machine file")
A_STUDY = Other(frozenset({"metrics"}), "a study", "run it with 'baonet study'")


@final
@dataclass(frozen=True, slots=True)
class Form:
    """What kind of file is read: how messages call it, how one begins, and what is too large for it.

    ``nodes`` counts values after aliases are followed, which stops a file that multiplies itself. A file that has none
    of the keys ``own``, and one of ``mistaken``, is that.
    """

    name: str = "machine file"
    start: str = "start with 'version: 1', or let 'baonet init' write one"
    bytes: int = 1 << 20
    nodes: int = 100_000
    own: frozenset[str] = frozenset()
    mistaken: tuple[Other, ...] = ()


MACHINE_FILE = Form(own=frozenset({"vms", "platform"}), mistaken=(A_STUDY, A_PLATFORM))
_BAO = "Bao's config.c"
_FROM_BAO = "docs/from-bao.md tells what becomes of each of its fields; 'baonet init' writes a file to start from"


@final
@dataclass(slots=True)
class Source:
    """The file that nodes come from: its name as the user gave it, and its lines.

    ``title`` is how problems call it when it is not the file itself.
    """

    path: str
    lines: list[str]
    title: str = ""

    def problem(self, place: tuple[int, int], field: str, message: str, hint: str = "", width: int = 1) -> Problem:
        line, column = place
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return Problem(self.title or self.path, line, column, field, message, hint, text, width)


@final
@dataclass(slots=True, eq=False)
class YamlNode:
    """One value of the file. Its line is 0 when it comes from elsewhere.

    ``name`` is the field path from the root. ``key`` is the (line, column) of the key it belongs to, for an item of a
    mapping. ``width`` is the number of characters of a scalar on its line. ``instead``: what the file has where this
    comes from elsewhere.
    """

    source: Source
    line: int
    column: int
    width: int
    value: dict[str, YamlNode] | list[YamlNode] | Scalar
    name: str = ""
    key: tuple[int, int] | None = None
    instead: YamlNode | None = None

    @property
    def place(self) -> str:
        """Where it is, as a sentence tells it."""
        return f"on line {self.line}" if self.line else "by an override"

    def plain(self) -> object:
        """The value alone, as pydantic takes it."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def at(self, *keys: MappingKey) -> YamlNode:
        """The node at these keys, or the last one on the way there that exists."""
        node = self
        for key in keys:
            found = node.child(key)
            if found is None:
                return node
            node = found
        return node

    def find(self, name: str) -> YamlNode:
        """The node of a field path such as ``vms[0].memory``, or the last one on the way there that exists."""
        steps = re.findall(r"\[(\d+)\]|([^.\[\]]+)", name)
        return self.at(*(int(index) if index else word for index, word in steps))

    def child(self, key: MappingKey) -> YamlNode | None:
        if isinstance(self.value, dict):
            return self.value.get(key) if isinstance(key, str) else None
        if isinstance(self.value, list) and isinstance(key, int) and 0 <= key < len(self.value):
            return self.value[key]
        return None

    def problem(self, message: str, hint: str = "", field: str | None = None) -> Problem:
        name = self.name if field is None else field
        return self.source.problem((self.line, self.column), name, message, hint, self.width)

    def key_problem(self, message: str, hint: str = "") -> Problem:
        """A problem with the key rather than with its value."""
        place = self.key or (self.line, self.column)
        width = len(self.name.rpartition(".")[2]) if self.key else self.width
        return self.source.problem(place, self.name, message, hint, width)


@final
@dataclass(slots=True)
class _Open:
    """A collection that the events have begun and not ended. ``pending`` is the key that waits for its value."""

    node: YamlNode
    anchor: str | None
    pending: YamlNode | None = None
    merges: list[YamlNode] = field(default_factory=list)


@final
class _Builder:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.root: YamlNode | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, YamlNode] = {}

    def event(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._add(self._scalar(event), event.anchor)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = self._open.pop()
            self._merge(closed)
            self._add(closed.node, closed.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            mark = event.start_mark
            hint = "one file holds one machine: remove the '---'"
            raise ConfigError([self._problem(mark, "a second document", hint)])

    def _problem(self, mark: Any, message: str, hint: str = "") -> Problem:
        return self.source.problem((mark.line + 1, mark.column + 1), "", message, hint)

    def _node(self, event: Any, value: dict[str, YamlNode] | list[YamlNode] | Scalar) -> YamlNode:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else 1
        return YamlNode(self.source, start.line + 1, start.column + 1, max(1, width), value)

    def _tag(self, event: Any, allowed: tuple[str, ...]) -> None:
        if event.tag is not None and event.tag not in allowed:
            hint = "write the value without a tag"
            self.problems.append(self._problem(event.start_mark, f"the tag {event.tag!r} means nothing here", hint))

    def _scalar(self, event: Any) -> YamlNode:
        self._tag(event, ("!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:int"))
        text: str = event.value
        if event.style or event.tag in ("!", "tag:yaml.org,2002:str"):
            return self._node(event, text)
        if text in ("", "~", "null"):
            return self._node(event, None)
        if text in ("true", "false"):
            return self._node(event, text == "true")
        found = number(text)
        return self._node(event, text if found is None else found)

    def _start(self, event: Any) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        self._tag(event, ("!", "tag:yaml.org,2002:map" if mapping else "tag:yaml.org,2002:seq"))
        if len(self._open) >= _DEEPEST:
            raise ConfigError([self._problem(event.start_mark, "nested too deeply", "no field lies this deep")])
        self._open.append(_Open(self._node(event, {} if mapping else []), event.anchor))

    def _alias(self, event: Any) -> None:
        found = self._anchors.get(event.anchor)
        if found is None:
            message = f"no anchor &{event.anchor} comes before this alias"
            if any(opened.anchor == event.anchor for opened in self._open):
                message = f"the alias *{event.anchor} contains itself"
            raise ConfigError([self._problem(event.start_mark, message)])
        self._add(found, None)

    def _add(self, node: YamlNode, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent.node.value, list):
            parent.node.value.append(node)
        elif parent.pending is None:
            parent.pending = node
        else:
            key, parent.pending = parent.pending, None
            self._pair(parent, key, node)

    def _pair(self, parent: _Open, key: YamlNode, node: YamlNode) -> None:
        assert isinstance(parent.node.value, dict)
        if isinstance(key.value, dict | list):
            self.problems.append(key.problem("a key must be a word"))
            return
        word = str(key.value) if key.value is not None else "null"
        if word == "<<":
            parent.merges.append(node)
            return
        first = parent.node.value.get(word)
        if first is not None and first.key is not None:
            message = f"the key {word!r} is given twice"
            self.problems.append(key.problem(message, f"it is first given on line {first.key[0]}: keep one", word))
            return
        parent.node.value[word] = _keyed(node, (key.line, key.column))

    def _merge(self, closed: _Open) -> None:
        for merged in closed.merges:
            for each in merged.value if isinstance(merged.value, list) else [merged]:
                if not isinstance(each.value, dict):
                    self.problems.append(each.problem("'<<' takes a mapping or a list of mappings"))
                    continue
                assert isinstance(closed.node.value, dict)
                for word, node in each.value.items():
                    closed.node.value.setdefault(word, node)


def _keyed(node: YamlNode, key: tuple[int, int]) -> YamlNode:
    return YamlNode(node.source, node.line, node.column, node.width, node.value, "", key)


def moved(node: YamlNode, name: str, key: tuple[int, int] | None) -> YamlNode:
    """A copy of the tree as it would be at this field path, whose key stands there."""
    return replace(_named(node, name, [_ANY_NUMBER]), key=key)


def _named(node: YamlNode, name: str, left: list[int]) -> YamlNode:
    """A copy of the tree with field paths; aliased parts get one copy for each place."""
    left[0] -= 1
    if left[0] < 0:
        raise ConfigError(
            [node.problem("the file has too many values, those of aliases counted wherever they stand", field=name)]
        )
    value = node.value
    if isinstance(value, dict):
        value = {k: _named(n, f"{name}.{k}" if name else k, left) for k, n in value.items()}
    elif isinstance(value, list):
        value = [_named(n, f"{name}[{i}]", left) for i, n in enumerate(value)]
    return YamlNode(node.source, node.line, node.column, node.width, value, name, node.key)


def _text(path: Path, form: Form) -> tuple[Source, str]:
    name = str(path)
    try:
        raw = beginning(path, form.bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError([Problem(name, 0, 0, "", f"cannot be read: {reason}")]) from None
    if len(raw) > form.bytes:
        raise ConfigError([Problem(name, 0, 0, "", f"is larger than {human(form.bytes)}: this is no {form.name}")])
    other = _other_language(name, raw)
    if other:
        hint = _FROM_BAO if other == _BAO else form.start
        raise ConfigError([Problem(name, 0, 0, "", f"is {other}, and a {form.name} is YAML", hint)])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"byte {raw[error.start]:#04x} is not UTF-8"
        raise ConfigError([Problem(name, line, column, "", message, "save the file as UTF-8")]) from None
    return Source(name, text.splitlines()), text


def _no_break_space(source: Source, lines: range) -> tuple[int, int] | None:
    """The first on some lines, counted from 0."""
    for line in lines:
        column = source.lines[line].find("\xa0") if line < len(source.lines) else -1
        if column >= 0:
            return line + 1, column + 1
    return None


def _is_tab(source: Source, place: tuple[int, int]) -> bool:
    line, column = place
    text = source.lines[line - 1] if 0 < line <= len(source.lines) else ""
    return text[column - 1 : column] == "\t"


def _other_language(name: str, raw: bytes) -> str:
    """What the file is when it is something that people have in place of ours."""
    if raw.startswith(b"\x7fELF"):
        return "an ELF program"
    if raw.startswith((b"\xd0\x0d\xfe\xed", b"/dts-v1/")):
        return "a device tree"
    # A line of YAML can start with '#', and ours do; no YAML has a directive of C's there.
    directives = b"include" in raw or b"ifndef" in raw
    if name.endswith((".c", ".h")) or (
        directives and re.match(rb"\s*(/\*.*?\*/\s*|//[^\n]*\n\s*)*#\s*(include\s*[<\"]|ifndef )", raw, re.DOTALL)
    ):
        return _BAO if re.search(rb"\bvmlist\b", raw) else "C source"
    return ""


def parse(path: Path, form: Form = MACHINE_FILE) -> tuple[YamlNode, list[Problem]]:
    """The tree of a file, or of standard input, with the problems that do not hinder reading on.

    Raises ``ConfigError``.
    """
    source, text = _text(path, form)
    root, problems = read(text, source, form)
    if isinstance(root.value, dict) and not form.own & root.value.keys():
        for other in form.mistaken:
            if other.keys & root.value.keys():
                raise ConfigError([Problem(source.path, 0, 0, "", f"is {other.what}, and no {form.name}", other.hint)])
    return root, problems


def read(text: str, source: Source, form: Form) -> tuple[YamlNode, list[Problem]]:
    """The tree of a text, with the problems that do not hinder reading on. Raises ``ConfigError``."""
    builder = _Builder(source)
    try:
        for event in yaml.parse(text, _LOADER):
            builder.event(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        message = f"not YAML: {error.problem or error.context}"
        context = error.context_mark
        hint = f"{error.context} that starts on line {context.line + 1}" if context and error.context else ""
        if _is_tab(source, place):
            message, hint = "a tab: YAML has none where a value or an indent can be", "use spaces"
        elif context is not None and (strange := _no_break_space(source, range(context.line, place[0]))):
            place, message, hint = strange, "a no-break space, which YAML takes for a letter", "write a space"
        raise ConfigError([*builder.problems, source.problem(place, "", message, hint)]) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"not YAML: {error.reason}"
        raise ConfigError([*builder.problems, source.problem(place, "", message)]) from None
    except yaml.YAMLError as error:
        raise ConfigError([*builder.problems, source.problem((0, 0), "", f"not YAML: {error}")]) from None
    if builder.root is None:
        empty = source.problem((1, 1), "", "the file is empty", form.start)
        raise ConfigError([*builder.problems, empty])
    return _named(builder.root, "", [form.nodes]), builder.problems
