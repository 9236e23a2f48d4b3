"""The architecture is an axis of the native engine: its shared files, compiled for another one, run guests of that."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

import baonet.core.native
from baonet.core.armv8.engine import native as armv8
from baonet.core.engine import library_path
from tests.patience import PROCESS

ROOT = Path(__file__).parents[2]
TOY = Path(__file__).parent / "toy_arch"
NATIVE = Path(next(iter(baonet.core.native.__path__)))
COMPILER = shutil.which("cc") or shutil.which("gcc")
PYTHON = Path(sysconfig.get_path("include"))
FLAGS = (
    "-std=gnu11",
    "-O0",
    "-shared",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-strict-aliasing",
    "-Wall",
    "-Wextra",
    "-Werror",
)

needs_compiler = pytest.mark.skipif(
    COMPILER is None or not (PYTHON / "Python.h").exists(), reason="no C compiler with the headers of Python"
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the toy, with the headers of no architecture in reach but its own."""
    assert COMPILER is not None
    alone = tmp_path_factory.mktemp("toy")
    native = [*NATIVE.iterdir(), *(NATIVE / "memsys").iterdir()]
    shared = [Path(shutil.copy(path, alone)) for path in native if path.suffix in {".c", ".h"}]
    includes = [f"-I{path}" for path in (alone, TOY, PYTHON, library_path().parents[1] / "include")]
    made = alone / "_engine.so"
    sources = [str(path) for path in (*shared, TOY / "toy.c") if path.suffix == ".c"]
    command = [COMPILER, *FLAGS, *includes, *sources, "-o", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS, check=False)
    assert not done.returncode, done.stderr
    return made


def exported(path: Path) -> set[str]:
    """What it puts in front of the library's functions."""
    with path.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".dynsym")
        assert isinstance(table, SymbolTableSection)
        return {symbol.name for symbol in table.iter_symbols() if symbol["st_shndx"] != "SHN_UNDEF"} - {
            "_init",
            "_fini",
        }


@needs_compiler
def test_it_stands_in_front_of_its_own_architecture_only(engine: Path) -> None:
    toys, armv8s = exported(engine) - {"PyInit__engine"}, exported(Path(armv8.__file__ or "")) - {"PyInit__engine"}
    assert len(toys) > 30
    assert all(name.endswith("_riscv64") for name in toys)
    assert all(name.endswith("_aarch64") for name in armv8s)
    assert {name.removesuffix("_riscv64") for name in toys} < {name.removesuffix("_aarch64") for name in armv8s}


@needs_compiler
def test_its_guests_run_and_their_instructions_are_counted(engine: Path) -> None:
    command = [sys.executable, "-m", "tests.core.toy_arch.guest", str(engine), str(library_path())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PROCESS, check=False)
    assert not done.returncode, done.stderr
