"""The engine's functions of floating point beside the library's that they stand in front of (``hardfloat.c``)."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

import baonet.core.native
from baonet.core.engine import library_path
from tests.patience import PROCESS

COMPILER: Final = shutil.which("cc") or shutil.which("gcc")
NATIVE: Final = Path(next(iter(baonet.core.native.__path__)))
OF_ONE, OF_TWO, FUSED, TO_INTEGER, FROM_INTEGER = range(5)
_SHAPES: Final = (
    (re.compile(r"float(\d+)_muladd"), FUSED),
    (re.compile(r"float(\d+)_(?:add|sub|mul|div|min|max|minnum|maxnum)"), OF_TWO),
    (re.compile(r"float(\d+)_(?:sqrt|round_to_int)"), OF_ONE),
    (re.compile(r"float(\d+)_to_float(\d+)"), OF_ONE),
    (re.compile(r"float(\d+)_to_u?int(\d+)_scalbn"), TO_INTEGER),
    (re.compile(r"u?int(\d+)_to_float(\d+)_scalbn"), FROM_INTEGER),
)
_NAME: Final = re.compile(r"(?:float|u?int)\d+_\w+")


class _Difference(ctypes.Structure):
    _fields_ = (
        ("operands", ctypes.c_uint64 * 3),
        ("numbers", ctypes.c_uint64 * 2),
        ("status", ctypes.c_uint64),
        ("results", ctypes.c_uint64 * 2),
        ("statuses", ctypes.c_uint64 * 2),
    )

    def __str__(self) -> str:
        fields = ((name, getattr(self, name)) for name, *_ in self._fields_)
        return ", ".join(f"{name} {value if isinstance(value, int) else [*map(hex, value)]}" for name, value in fields)


class _Symbol(ctypes.Structure):
    _fields_ = (("where", ctypes.POINTER(ctypes.c_void_p)), ("name", ctypes.c_char_p))


def compiled(directory: Path, *flags: str) -> ctypes.CDLL:
    """``hardfloat.c``; raises where it does not compile."""
    assert COMPILER
    made = directory / "hardfloat.so"
    command = [COMPILER, "-std=gnu11", "-O1", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"]
    source = str(Path(__file__).with_suffix(".c"))
    done = subprocess.run(
        [*command, *flags, source, "-o", str(made)], capture_output=True, text=True, timeout=PROCESS, check=False
    )
    assert not done.returncode, done.stderr
    return ctypes.CDLL(str(made))


def of_a_host_that_cannot_fuse(directory: Path, architecture: str) -> ctypes.CDLL:
    """The same, with the engine's ``hardfloat.c`` as it is where the host does not multiply and add at once."""
    includes = (NATIVE, NATIVE / architecture, NATIVE / "memsys", sysconfig.get_path("include"))
    made = compiled(
        directory,
        f'-DENGINE="{NATIVE / "hardfloat.c"}"',
        "-D__builtin_cpu_supports(feature)=0",
        *(f"-I{each}" for each in includes),
    )
    library = ctypes.CDLL(str(library_path()))
    for symbol in (_Symbol * 100).in_dll(made, "softfloat_symbols"):
        if not symbol.name:
            break
        symbol.where.contents.value = ctypes.cast(getattr(library, symbol.name.decode()), ctypes.c_void_p).value
    return made


@dataclass(frozen=True, slots=True)
class Function:
    """One that the engine has of the library's: the bits of its operands and of its result."""

    name: str
    shape: int
    bits: int
    result: int
    signed: bool


def functions(engine: Path) -> Iterator[Function]:
    """All that an engine exports, without the architecture's suffix."""
    with engine.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".dynsym")
        assert isinstance(table, SymbolTableSection)
        names = [symbol.name for symbol in table.iter_symbols() if symbol["st_shndx"] != "SHN_UNDEF"]
    for name in sorted(name.rpartition("_")[0] for name in names if _NAME.fullmatch(name)):
        pattern, shape = next(each for each in _SHAPES if each[0].fullmatch(name))
        found = pattern.fullmatch(name)
        assert found
        bits = int(found[1])
        yield Function(name, shape, bits, int(found[found.lastindex or 1]), not name.startswith("u"))


@dataclass(frozen=True, slots=True)
class Comparison:
    """``made`` as ``compiled`` makes it; ``ours`` has the engine's functions, whose names have the suffix."""

    made: ctypes.CDLL
    ours: ctypes.CDLL
    suffix: str

    def check(self, function: Function, count: int, seed: int) -> None:
        """Fails where they differ."""
        library, told = ctypes.CDLL(str(library_path())), _Difference()
        self.made.differences.restype = ctypes.c_uint64
        found = self.made.differences(
            *(getattr(each, f"{function.name}_{self.suffix}") for each in (self.ours, library)),
            function.shape,
            function.bits,
            function.result,
            function.signed,
            ctypes.c_uint64(count),
            ctypes.c_uint64(seed),
            ctypes.byref(told),
        )
        assert not found, f"{function.name}: {found} of {count}, the first: {told}"
