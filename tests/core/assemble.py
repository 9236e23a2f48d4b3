"""Guest code for the self-test and for these tests, from assembly to a Python module that keeps the bytes.

``python -m tests.core.assemble`` writes the modules anew. Only that, and the test that compares, need the cross
assembler.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Tools:
    """A cross assembler: what its programs' names begin with, and what it is to be told."""

    prefix: str
    options: tuple[str, ...] = ()

    @property
    def available(self) -> bool:
        return all(shutil.which(self.prefix + tool) for tool in ("as", "ld", "nm", "objcopy"))


A64 = Tools("aarch64-linux-gnu-")
ARM = Tools("arm-linux-gnueabihf-")
RISCV = Tools("riscv64-linux-gnu-", ("-march=rv64gc",))


@dataclass(frozen=True, slots=True)
class Module:
    """``target`` keeps what ``source`` assembles to."""

    source: Path
    target: Path
    tools: Tools


MODULES = tuple(
    Module(ROOT / f"{name}.S", ROOT / f"{name}_code.py", tools)
    for name, tools in (
        ("baonet/core/armv8/selftest", A64),
        ("tests/core/guests", A64),
        ("tests/core/aarch32", ARM),
        ("tests/core/probes", A64),
        ("tests/guests/debugger", A64),
        ("baonet/core/riscv/selftest", RISCV),
        ("tests/core/riscv/frame", RISCV),
    )
)


def assemble(source: Path, tools: Tools) -> tuple[bytes, dict[str, int]]:
    """The bytes, which run at any address, and the offset of every global symbol."""
    with tempfile.TemporaryDirectory() as directory:
        built = Path(directory, "guest")

        def tool(name: str, *arguments: str | Path) -> str:
            return subprocess.run([tools.prefix + name, *arguments], check=True, capture_output=True, text=True).stdout

        tool("as", *tools.options, "-o", f"{built}.o", source)
        tool("ld", "-N", "-Ttext=0", "-e0", "-o", f"{built}.elf", f"{built}.o")
        tool("objcopy", "-O", "binary", "-j", ".text", f"{built}.elf", f"{built}.bin")
        entries = {}
        for line in tool("nm", "--extern-only", "--numeric-sort", f"{built}.elf").splitlines():
            address, kind, name = line.split()
            if kind == "T" and not name.startswith("_"):
                entries[name] = int(address, 16)
        return Path(f"{built}.bin").read_bytes(), entries


def module(kept: Module) -> str:
    """The text of the Python module."""
    code, entries = assemble(kept.source, kept.tools)
    rows = [code[at : at + 52].hex() for at in range(0, len(code), 52)]
    lines = [
        f'"""What {kept.source.name} assembles to, and where its routines are. Written by tests/core/assemble.py."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "CODE: Final = bytes.fromhex(",
        '    """',
        *(f"    {row}" for row in rows),
        '    """',
        ")",
        "ENTRY: Final = {",
        *(f'    "{name}": 0x{offset:X},' for name, offset in entries.items()),
        "}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for each in MODULES:
        if each.source.exists() and each.tools.available:
            each.target.write_text(module(each))
