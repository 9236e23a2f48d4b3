"""Console input at given times: the ``input`` list of a machine file, and files that hold nothing but such a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from baonet.document import document
from baonet.document.errors import ConfigError, Problem
from baonet.document.kinds import Boolean, ListOf, Reader, Text, UnreadableError, nearest
from baonet.document.models import MappingOf, Model, optional, required
from baonet.document.quantities import human_duration, listing
from baonet.document.values import NAME, duration
from baonet.machine import Input, Machine
from baonet.machine.dataclass import dataclass

_BYTES = Text("bytes in hexadecimal", "[0-9a-fA-F]{2}( ?[0-9a-fA-F]{2})*", 'two digits for each, "1b 5b 41"')
_FILE = document.Form("input file", "an empty list is written []", 1 << 24, 1 << 22)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class InputModel(Model):
    """What is typed on a VM's console, and when. It has one of `text`, `bytes` and `break`."""

    vm: str = required(NAME, "Name of the VM.")
    at: int = required(duration(), "When it is typed, in virtual time; it arrives after the console's latency.")
    text: str | None = optional(
        Text(),
        'Text, in UTF-8. Double quotes know escapes: `"root\\n"` ends with a newline, `"\\x03"` is Ctrl-C.',
        None,
    )
    bytes: str | None = optional(_BYTES, 'Any bytes, in hexadecimal: `"1b 5b 41"`.', None)
    break_: bool = optional(Boolean(), "A break (a long zero on the line), with which SysRq begins on Linux.", False)


INPUT = ListOf(MappingOf(InputModel))


def problems(models: Sequence[InputModel], vms: Sequence[str]) -> Iterator[Problem]:
    """What is wrong between the fields of each, and with the VMs that they name."""
    for model in models:
        yield from unknown_vm(model.node.at("vm"), model.vm, vms)
        given = [key for key, value in (("text", model.text), ("bytes", model.bytes)) if value is not None]
        given += ["break"] if model.break_ else []
        if len(given) > 1:
            yield model.node.at(given[1]).key_problem(f"'{given[1]}' beside '{given[0]}'", "give one of them")
        elif not given:
            yield model.node.problem("nothing is typed", "give 'text', 'bytes' or 'break: true'")
        elif model.text == "":
            yield model.node.at("text").problem("nothing is typed", "give at least one character")
        elif model.text is not None and _encoded(model.text) is None:
            yield model.node.at("text").problem("the text holds half a character (a surrogate)", "give it as 'bytes'")


def unknown_vm(node: document.YamlNode, name: str, vms: Sequence[str]) -> Iterator[Problem]:
    """A problem if no VM has this name."""
    if name not in vms:
        near = nearest(name, list(vms))
        hint = f"did you mean {near!r}?" if near else f"the VMs are {listing(vms)}"
        yield node.problem(f"there is no VM {name!r}", hint)


def resolve(models: Sequence[InputModel], vms: Sequence[str]) -> tuple[Input, ...]:
    """The input of models without problems, in the order of time; what is typed at the same time stays in order."""
    found = [Input(vms.index(model.vm), model.at, _data(model)) for model in models]
    return tuple(sorted(found, key=lambda each: each.at))


def _data(model: InputModel) -> bytes:
    return bytes.fromhex(model.bytes) if model.bytes is not None else (model.text or "").encode()


def _encoded(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def load_input(path: Path, machine: Machine) -> tuple[Input, ...]:
    """Read an input file: the same list as under ``input`` of a machine file, in the order of time.

    Raises ``ConfigError`` with all its problems.
    """
    root, wrong = document.parse(path, _FILE)
    reader = Reader()
    reader.problems += wrong
    vms = [vm.name for vm in machine.vms]
    models: tuple[InputModel, ...] = ()
    with suppress(UnreadableError):
        models = INPUT.read(root, reader)
    reader.problems += problems(models, vms)
    if reader.problems:
        raise ConfigError(reader.problems)
    return resolve(models, vms)


def dump_input(inputs: Iterable[Input], machine: Machine) -> str:
    """The input file that ``load_input`` reads these from."""
    lines = [_line(each, machine.vms[each.vm].name) for each in inputs]
    return "".join(lines) or "[]\n"


def _line(each: Input, vm: str) -> str:
    if not each.data:
        return f'- {{vm: "{vm}", at: {human_duration(each.at)}, break: true}}\n'
    try:
        data = f'text: "{"".join(_escaped(character) for character in each.data.decode())}"'
    except UnicodeDecodeError:
        data = f'bytes: "{each.data.hex(" ")}"'
    return f'- {{vm: "{vm}", at: {human_duration(each.at)}, {data}}}\n'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
