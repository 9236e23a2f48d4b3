"""baonet init [MACHINE]"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from baonet.cli.common import Subparsers, UsageError
from baonet.cli.outputs import Outputs
from baonet.config.one_platform import for_platform
from baonet.config.wings import ARCHITECTURES
from baonet.document.kinds import nearest

FIRST = "hello"
EPILOG = """\
The guests that come with baonet are written beside the machine file. Others, such as a Linux kernel, are yours to put
there: the command says which.

examples:
  baonet init && baonet run hello.yaml
  baonet init --list
  baonet init ping-pong -o /tmp/try/machine.yaml
  baonet init --platform qemu-riscv64-virt
"""
_PATH = re.compile(r"(?<=path: )[^\s,{}]*?([^\s,/{}]+)/([^\s,/{}]+)(?=[\s,}])")


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "init",
        help=brief,
        description="Write a machine file to start from, with its guests.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="MACHINE", nargs="?", default=FIRST, help=f"which machine (default: {FIRST})")
    parser.add_argument("-o", "--output", metavar="FILE", help="machine file to write (default: MACHINE.yaml, here)")
    parser.add_argument(
        "--platform", choices=platforms(), default=platforms()[0], help="what it runs on (default: %(default)s)"
    )
    parser.add_argument("--force", action="store_true", help="write over files that are there")
    parser.add_argument("--list", action="store_true", help="list the machines that come with baonet")
    parser.set_defaults(command=init)


def init(options: argparse.Namespace) -> int:
    try:
        if options.list:
            width = max(map(len, machines()))
            for name, file in machines().items():
                print(f"{name:{width}}  {_title(file)}")
        else:
            output = f"{options.name}.yaml" if options.output is None else options.output
            _write(options.name, output, options.platform, force=options.force)
    except UsageError as error:
        print(f"baonet init: {error}", file=sys.stderr)
        return 2
    return 0


def machines() -> dict[str, Traversable]:
    """The ready machine files by name."""
    files = _ready("configs").iterdir()
    return {PurePosixPath(file.name).stem: file for file in sorted(files, key=lambda each: each.name)}


def platforms() -> list[str]:
    """Those that the ready machines are for: the guests want their RAM where the first of an architecture has it."""
    return [
        name
        for each in ARCHITECTURES.values()
        for name, (platform, _) in each.platforms.items()
        if platform.ram == next(iter(each.platforms.values()))[0].ram
    ]


def _ready(directory: str) -> Traversable:
    return resources.files("baonet") / "ready" / directory


def _title(file: Traversable) -> str:
    """The comment that a machine file begins with: its first sentence."""
    return re.split(r"[.:](?:\s|$)", file.read_text(encoding="utf-8").removeprefix("# ").partition("\n")[0])[0]


def _write(name: str, output: str, platform: str, force: bool) -> None:
    """Raises UsageError, and OSError when a file cannot be written."""
    if output == "-":
        raise UsageError("-o -: guests are written beside the machine file: name a file")
    known = machines()
    if name not in known:
        near = nearest(name, list(known))
        hint = f"did you mean '{near}'?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"there is no ready machine '{name}': {hint}")
    text = for_platform(known[name].read_text(encoding="utf-8"), platform)
    target = Path(output)
    files = {target: _PATH.sub(r"\2", text).replace(f"configs/{name}.yaml", output).encode()}
    missing = []
    for directory, guest in dict.fromkeys(_PATH.findall(text)):
        source = _ready(re.sub("^bin", "guests", directory)) / guest
        if source.is_file():
            files[target.parent / guest] = source.read_bytes()
        elif not (target.parent / guest).exists():
            missing.append(guest)
    _refuse(files, force)
    target.parent.mkdir(parents=True, exist_ok=True)
    with Outputs([]) as outputs:
        opened = [(outputs.whole(path), data) for path, data in files.items()]
        for out, data in opened:
            out.finish(data)
    for line in _told(target, list(files), missing):
        print(line)


def _refuse(files: dict[Path, bytes], force: bool) -> None:
    there = [str(path) for path, data in files.items() if path.exists() and path.read_bytes() != data]
    if there and not force:
        raise UsageError(f"{', '.join(there)} would be written over: --force does it, -o names another file")


def _told(target: Path, written: list[Path], missing: list[str]) -> Iterator[str]:
    yield f"wrote {', '.join(map(str, written))}"
    if missing:
        where = "here" if target.parent == Path() else f"in {target.parent}"
        yield f"put {', '.join(missing)} {where}: the machine file says what each is"
    else:
        yield f"run it: baonet run {target}"
