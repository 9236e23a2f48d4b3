"""Guest code for the self-test and for these tests, from assembly to a Python module that keeps the bytes.

``python -m tests.core.assemble`` writes the modules anew. Only that, and the test that compares, need the cross
assembler.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = {
    ROOT / "baonet/core/armv8/selftest.S": ROOT / "baonet/core/armv8/selftest_code.py",
    ROOT / "tests/core/guests.S": ROOT / "tests/core/guests_code.py",
    ROOT / "tests/core/aarch32.S": ROOT / "tests/core/aarch32_code.py",
    ROOT / "tests/core/probes.S": ROOT / "tests/core/probes_code.py",
    ROOT / "tests/guests/debugger.S": ROOT / "tests/guests/debugger_code.py",
}


def prefix(source: Path) -> str:
    """Of the tools for its instruction set."""
    return "arm-linux-gnueabihf-" if source.stem == "aarch32" else "aarch64-linux-gnu-"


def available(source: Path) -> bool:
    return all(shutil.which(prefix(source) + tool) for tool in ("as", "ld", "nm", "objcopy"))


def assemble(source: Path) -> tuple[bytes, dict[str, int]]:
    """The bytes, which run at any address, and the offset of every global symbol."""
    with tempfile.TemporaryDirectory() as directory:
        built = Path(directory, "guest")

        def tool(name: str, *arguments: str | Path) -> str:
            return subprocess.run(
                [prefix(source) + name, *arguments], check=True, capture_output=True, text=True
            ).stdout

        tool("as", "-o", f"{built}.o", source)
        tool("ld", "-N", "-Ttext=0", "-e0", "-o", f"{built}.elf", f"{built}.o")
        tool("objcopy", "-O", "binary", "-j", ".text", f"{built}.elf", f"{built}.bin")
        entries = {}
        for line in tool("nm", "--extern-only", "--numeric-sort", f"{built}.elf").splitlines():
            address, kind, name = line.split()
            if kind == "T" and not name.startswith("_"):
                entries[name] = int(address, 16)
        return Path(f"{built}.bin").read_bytes(), entries


def module(source: Path) -> str:
    """The text of the Python module that keeps what ``source`` assembles to."""
    code, entries = assemble(source)
    rows = [code[at : at + 52].hex() for at in range(0, len(code), 52)]
    lines = [
        f'"""What {source.name} assembles to, and where its routines are. Written by tests/core/assemble.py."""',
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
    for source, target in MODULES.items():
        if source.exists() and available(source):
            target.write_text(module(source))
