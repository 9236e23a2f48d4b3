"""The native engine's layers: its files include as the tables at the heads of ``core.h``, of ``memsys.h`` and of each
architecture's ``arch.h`` say, and in no circle; and the shared ones name no architecture.
"""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import baonet.core.native

NATIVE = Path(next(iter(baonet.core.native.__path__)))
SHARED = sorted(path for path in NATIVE.iterdir() if path.suffix in {".c", ".h"})
MODEL = sorted(path for path in (NATIVE / "memsys").iterdir() if path.suffix in {".c", ".h"})
MEMSYS = NATIVE / "memsys" / "memsys.h"
ARCHITECTURES = sorted(path.parent for path in NATIVE.glob("*/arch.h"))


def layers(header: Path) -> dict[str, set[str]]:
    """The units (a .c file and its header are one) of each layer that a header's table names, the highest first."""
    rows = re.findall(r"^ \*   (\w+) +(\S.*)$", header.read_text().partition("*/")[0], re.MULTILINE)
    return {layer: set() if units.startswith("(") else set(units.split()) for layer, units in rows}


def files(architecture: Path) -> list[Path]:
    """Those that are compiled for an architecture, with their headers."""
    return [*SHARED, *MODEL, *sorted(path for path in architecture.iterdir() if path.suffix in {".c", ".h"})]


def included(path: Path) -> set[str]:
    """The units whose headers this file includes, but for its own."""
    names = re.findall(r'^#include "(?:[\w/]*/)?(\w+)\.h"', path.read_text(), re.MULTILINE)
    return set(names) - {path.stem}


@pytest.fixture(params=ARCHITECTURES, ids=lambda path: path.name)
def architecture(request: pytest.FixtureRequest) -> Path:
    found = request.param
    assert isinstance(found, Path)
    return found


def test_every_file_is_in_one_layer(architecture: Path) -> None:
    shared, own = layers(NATIVE / "core.h"), layers(architecture / "arch.h")
    assert own.keys() <= shared.keys()
    for table, directory in ((shared, NATIVE), (layers(MEMSYS), MEMSYS.parent), (own, architecture)):
        listed = [unit for units in table.values() for unit in units]
        assert sorted(listed) == sorted({path.stem for path in directory.iterdir() if path.suffix in {".c", ".h"}})


def test_an_include_never_goes_up(architecture: Path) -> None:
    own = layers(architecture / "arch.h")
    units: list[set[str]] = []
    for name, shared in layers(NATIVE / "core.h").items():
        units += layers(MEMSYS).values() if name == "model" else [shared | own.get(name, set())]
    for path in files(architecture):
        (layer,) = (n for n, each in enumerate(units) if path.stem in each)
        assert included(path) <= set().union(*units[layer:]), path.name


def test_no_circle(architecture: Path) -> None:
    graph: dict[str, set[str]] = {}
    for path in files(architecture):
        graph.setdefault(path.stem, set()).update(included(path))
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"{' -> '.join(error.args[1])} include one another")
    assert order.index("library") < order.index("core") < order.index("run") < order.index("module")


NAMES = re.compile(
    r"aarch|armv8|\barm_|\barm\b|arm64|riscv|\bich\b|\bicc|gic|\bintid|\bhvc|_hvc|\bsmc|_smc|psci|\besr(?!ch\b)|_esr|\bspsr|\bel[0-3]\b|_el[0-3]\b"
    r"|\brv(32|64)|\bsbi|_sbi|\bharts?\b|_hart|hart_|(?<![a-z])v?a?plic|imsic|\bsatp|\bsepc|\bscause|\bstval|stimecmp|\bsfence|\bhvip|\becall|_ecall"
    r"|(?<!memsys_)tlbi|ivau|ialluis|\bdsb\b|stlr|\bwfe\b|\ba64|\bt32|sysreg|(?<!memsys_)cortex",
    re.IGNORECASE,
)
ALLOWED = {
    "pl011.c": "a device of Arm's, which any platform may have",
    "pl011.h": "likewise",
}


@pytest.mark.parametrize("path", [path for path in SHARED if path.name not in ALLOWED], ids=lambda path: path.name)
def test_a_shared_file_names_no_architecture(path: Path) -> None:
    found = [line for line in path.read_text().splitlines() if NAMES.search(line)]
    assert not found


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.name)
def test_a_shared_file_includes_nothing_of_an_architecture_but_its_header(path: Path) -> None:
    names = re.findall(r'^#include "(.*)"', path.read_text(), re.MULTILINE)
    assert all((NATIVE / name).exists() or name in {"arch.h", MEMSYS.name} for name in names)
    assert not any("/" in name for name in names)


PYTHON = {
    "architecture.h": "declares what makes a core, and what Python asks of it",
    "code_map.c": "ends the process",
    "common_blocks.c": "makes a core",
    "core.h": "the object, and what emulated accesses call",
    "emulate.c": "an emulated access is the hypervisor's, and happens with the GIL held",
    "entry.c": "makes a core",
    "leave.c": "ends the process",
    "library.h": "loads the library",
    "named.c": "makes a core",
    "named.h": "makes a core",
    "observed.c": "makes a core",
    "regions.c": "makes a core",
    "register_table.c": "makes a core",
    "errands.c": "asks the hypervisor what an interrupt would be, with the GIL held",
    "rounds.c": "an emulated access has failed, and its error is Python's",
    "rounds.h": "the object",
    "stay.h": "an emulated access has failed, and who is told is Python's",
    "stay.c": "takes the GIL where the hypervisor may be asked in mid-stay, and where a thread begins",
    "trace.c": "ends the process",
    "translate.c": "ends the process",
    "uart.c": "makes a UART; ends the process",
    "unicorn.c": "loads the library",
    "upkeep.c": "makes a core",
    "views32.c": "makes a core",
}
WRITTEN = {
    "arrived": "by threads as they begin, atomically",
    "cmpxchgb": "when the library is loaded",
    "cmpxchgl": "when the library is loaded",
    "cmpxchgq": "when the library is loaded",
    "cmpxchgw": "when the library is loaded",
    "flushes": "atomically, by who flushes the code of a CPU that does not run",
    "library": "when it is loaded",
    "library_translate": "when a core is made",
    "pool": "by the one that hands out stays, and atomically by those that take them",
    "names": "never: PyArg_ParseTupleAndKeywords takes no constant",
}
STATIC = re.compile(
    r"^\s*static (?!const |inline |_Thread_local )[^{;=]*?\b(\w+)(?:\)\([^)]*\)|\[\w*\])? *[=;]", re.MULTILINE
)
STRUCTURE = re.compile(r"^static struct \{.*?^\} (\w+);", re.MULTILINE | re.DOTALL)


def below_python(architecture: Path) -> dict[str, str]:
    """The code, without its comments, of what a running guest may come to."""
    faces = layers(architecture / "arch.h").get("python", set()) | layers(NATIVE / "core.h")["python"]
    found = {path.name: path.read_text() for path in files(architecture) if path.stem not in faces}
    return {name: re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL) for name, text in found.items()}


def test_a_guest_runs_without_python(architecture: Path) -> None:
    """It may be in a thread that Python knows nothing of: the files named have some for what is said there."""
    found = {name for name, code in below_python(architecture).items() if re.search(r"\b_?Py[A-Z]", code)}
    assert found <= PYTHON.keys()


def test_a_guest_writes_to_nothing_that_threads_share_unseen(architecture: Path) -> None:
    files = below_python(architecture).values()
    found = {name for code in files for pattern in (STATIC, STRUCTURE) for name in pattern.findall(code)}
    assert found <= WRITTEN.keys()
    if architecture.name == "armv8":
        assert found == WRITTEN.keys()
