"""The commands of the pages, as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from baonet.cli.common import load_machine
from baonet.cli.main import main
from baonet.core import _memsys
from tests.system.machine import baonet, vm, write
from tests.system.study_figures import strange

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/virtual-time.md", "docs/distributed.md", "docs/tracing.md", "examples/studies/README.md"]
STUDIES = sorted(path.name for path in (ROOT / "docs" / "studies").glob("*.md"))
MINUTES = {f"memory-{what}.md" for what in ("colors", "interrupt-latency", "linux", "riscv", "working-set")}
"""Of studies that take several each."""
WRITTEN = sorted(
    path for where in ("*.md", "docs/**/*.md", "examples/**/*.md", "nodes/**/*.md") for path in ROOT.glob(where)
)
NEEDS_MORE = re.compile(r"linux|make |tests/guests/fetch|^for |--console|ssh:|slurm|ray|docker|kubectl")


def commands(page: str) -> list[str]:
    """Of shell blocks and of indented lines, without comments and what needs a terminal or Debian's kernel."""
    text = (ROOT / page).read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"^ {4}(baonet .*\n)", text, re.MULTILINE)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not NEEDS_MORE.search(line)]


def run(lines: list[str], directory: Path) -> str:
    """As a user would in a clone, with the environment active; what they write stays in ``directory``.

    Returns what they said on standard error.
    """
    said = ""
    for name in ("configs", "examples", "docs"):
        (directory / name).symlink_to(ROOT / name)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for line in lines:
        done = subprocess.run(
            ["bash", "-ec", line],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}"
        said += done.stderr
    return said


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.slow) if "distributed" in page else page for page in PAGES]
)
def test_the_commands_of_a_page_work(page: str, tmp_path: Path) -> None:
    found = commands(page)
    run([line for line in found if "baonet study" not in line and "baonet report" not in line], tmp_path)
    assert found or page == "README.md"


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.long if page in MINUTES else pytest.mark.guests) for page in STUDIES]
)
def test_the_study_of_a_page_works(page: str, tmp_path: Path) -> None:
    found = commands(f"docs/studies/{page}")
    assert found
    run(found, tmp_path)
    assert list(tmp_path.glob("*.html"))
    if page.startswith("memory-"):
        assert strange(of_studies(page, found), tmp_path.glob("*.sqlite")) == []


def of_studies(page: str, done: list[str]) -> str:
    """The parts of a page, each with its heading, whose studies have all been done."""
    parts = re.split(r"^(?=#)", (ROOT / "docs" / "studies" / page).read_text(), flags=re.MULTILINE)
    study = re.compile(r"^ {4}(baonet study .*)", re.MULTILINE)
    return "".join(part for part in parts if set(study.findall(part)) <= set(done))


def test_a_figure_of_a_page_that_nothing_has_come_to(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "results.sqlite")
    database.execute("CREATE TABLE samples (unit TEXT, sum REAL, count INTEGER)")
    database.execute("CREATE TABLE numbers (unit TEXT, value REAL)")
    database.execute("INSERT INTO samples VALUES ('ns', 2708.4, 2)")
    database.execute("INSERT INTO numbers VALUES ('s', 0.00151)")
    database.commit()
    right = "| | published | here |\n|---|---|---|\n| solo | 906 | 1354 |\n\n| 7 | 1.51 ms | +6 % |\n| 8 | 1.35 us |\n"
    assert strange(right, [tmp_path / "results.sqlite"]) == []
    wrong = "| direct | 1358 ns |\n| mediated | 1.354 |\n| shell | 1.5 us |\n"
    assert strange(wrong, [tmp_path / "results.sqlite"]) == ["| direct | 1358 ns |", "| shell | 1.5 us |"]


# Pages that show whole files


def shown(page: str, language: str, number: int = 0) -> str:
    """A block of a language."""
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    return found[number]


@pytest.mark.parametrize(("number", "compiler"), [(0, "aarch64-linux-gnu-gcc"), (1, "riscv64-linux-gnu-gcc")])
def test_the_first_guest_is_built_and_says_what_it_should(number: int, compiler: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip("no cross compiler")
    page = "docs/first-guest.md"
    for name, language in (("start.S", "asm"), ("guest.c", "c"), ("guest.yaml", "yaml")):
        (tmp_path / name).write_text(shown(page, language, number))
    *others, last = shown(page, "sh", number).splitlines()
    assert others[0].startswith(compiler)
    assert run(others, tmp_path) == "", "not even a warning of the linker"
    assert last == "baonet run guest.yaml"
    result = baonet("run", tmp_path / "guest.yaml")
    assert (result.status, result.out) == (0, "first | first: hello\n")


@pytest.mark.parametrize(("number", "nop"), [(0, b"\x1f\x20\x03\xd5"), (1, b"\x13\0\0\0")])
def test_the_machine_of_a_config_c_is_right(
    number: int, nop: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = "docs/from-bao.md"
    (tmp_path / "config.c").write_text(shown(page, "c", number))
    (tmp_path / "machine.yaml").write_text(shown(page, "yaml", number))
    for image in ("linux.bin", "free-rtos.bin"):
        (tmp_path / image).write_bytes(nop * 1024)
    assert main(["check", str(tmp_path / "machine.yaml"), "--strict"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["check", str(tmp_path / "config.c")]) == 2
    assert "is Bao's config.c" in (said := capsys.readouterr().err)
    assert page in said


def test_the_neighbour_of_a_page_is_felt_and_colours_help(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "docs/memory-system.md"
    monkeypatch.chdir(tmp_path)  # where the statistics go
    (tmp_path / "interference.yaml").write_text(shown(page, "yaml"))
    *runs, check = commands(page)
    told = ""
    for name in ("examples", "configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    for line in runs:
        result = baonet(*shlex.split(line)[1:2], tmp_path / "interference.yaml", *shlex.split(line)[3:])
        assert result.status == 0, result.err
        told += "\n".join(each for each in result.out.splitlines() if "random-reads" in each) + "\n"
    alone, interfered, colored = (int(each) for each in re.findall(r"min/mean/max \d+/(\d+)/", told))
    for wanted, found in zip(texts(page)[0].splitlines(), told.splitlines(), strict=True):
        assert found.startswith(wanted.removesuffix("[...]"))
    assert interfered > 5 * alone
    assert alone < colored < 1.5 * alone
    assert main(["check", str(tmp_path / "interference.yaml"), *shlex.split(check)[3:]]) == 0
    assert "colours of 2 pages" in capsys.readouterr().out


def test_what_may_stand_beside_a_preset_is_right(tmp_path: Path) -> None:
    """The page has the platform alone; the VMs are those of the machine before."""
    page = "docs/memory-system.md"
    vms = shown(page, "yaml")[shown(page, "yaml").index("vms:") :]
    (tmp_path / "machine.yaml").write_text(shown(page, "yaml", 1) + vms)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    machine = load_machine(str(tmp_path / "machine.yaml"))
    assert machine is not None
    system = machine.platform.memory_system
    assert system is not None
    assert (system.l2_size, system.dram_latency, system.dram_line, system.prefetch_streams) == (2 << 20, 120, 8, 0)


@pytest.mark.parametrize("number", [0, 1])
def test_every_field_of_the_config_c_that_is_shown_has_its_place(number: int) -> None:
    """It is a name of ours, or one that the reference page explains."""
    used = set(re.findall(r"\.([a-z_]+) =", shown("docs/from-bao.md", "c", number)))
    reference = (ROOT / "docs" / "configuration.md").read_text()
    assert used > {"shmemlist", "cpu_num", "place_phys"}
    for name in used:
        assert f"| `{name}` |" in reference, name


@pytest.mark.parametrize("page", [str(path.relative_to(ROOT)) for path in WRITTEN])
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", (ROOT / page).read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)", file.read_text(), re.MULTILINE)
            assert anchor in [re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in titles], target


SAID = [
    ("README.md", 0, "configs/ping-pong.yaml", []),
    ("README.md", 1, "misbehave-unmapped-read", []),
    ("docs/virtual-time.md", 0, "configs/ping-pong.yaml", ["--for", "10ms"]),
    (
        "docs/memory-counters.md",
        0,
        "configs/ping-pong.yaml",
        ["--set", "platform.memory_system=cortex-a53", "--for", "5ms", "--stats", os.devnull],
    ),
]


@pytest.mark.parametrize(("page", "number", "machine", "options"), SAID)
def test_a_run_says_what_a_page_shows(page: str, number: int, machine: str, options: list[str], tmp_path: Path) -> None:
    """Where the page has dots there may be more."""
    ready = machine.endswith(".yaml")
    file = ROOT / machine if ready else write(tmp_path, {"vms": [vm(machine) | {"name": "guest"}]})
    result = baonet("run", file, *options)
    said = "\n".join(line.rstrip() for line in (result.out + result.err).splitlines())
    for line in texts(page)[number].splitlines():
        wanted = ".*".join(map(re.escape, re.split(r" ?\[\.\.\.\]|\.\.\.", line.rstrip())))
        assert re.search(rf"^{wanted}$", said, re.MULTILINE), line


def test_every_counter_of_memory_has_its_name_on_the_page() -> None:
    (told,) = re.findall(
        r"^Counters are (.*?)\n\n", (ROOT / "docs/memory-counters.md").read_text(), re.MULTILINE | re.DOTALL
    )
    counted = {name for name in _memsys.Pcpu({}).counters() if not name.startswith("stall")}
    assert set(re.findall(r"`(\w+)`", told)) - {"cpi"} == counted


def texts(page: str) -> list[str]:
    return re.findall(r"^```text\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def test_the_study_that_is_shown_is_one(tmp_path: Path) -> None:
    page = "docs/studies.md"
    (tmp_path / "latency.yaml").write_text(shown(page, "yaml"))
    assert main(["init", "ping-pong", "-o", str(tmp_path / "ping-pong.yaml")]) == 0
    few = ["points:", "  - {clock.latency.ipc: 500ns}", "repeats: 1", "for: 1ms"]
    text = (tmp_path / "latency.yaml").read_text()
    text = re.sub(r"^sweep:\n(  .*\n)+|^(repeats|for):.*\n", "", text, flags=re.MULTILINE) + "\n".join(few) + "\n"
    (tmp_path / "short.yaml").write_text(text)
    listed = baonet("study", tmp_path / "latency.yaml", "--list")
    assert len(listed.out.splitlines()) == 16, "eight points of two runs each"
    assert baonet("study", tmp_path / "short.yaml", "-o", tmp_path / "latency.sqlite").status == 0
    read = shown(page, "python")
    done = subprocess.run([sys.executable, "-c", read], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert '["pong", "ping"] array(' in done.stdout, done.stderr


@pytest.mark.parametrize("name", ["two-linux", "mixed-criticality"])
def test_a_machine_with_uarts_of_its_own_says_how_it_runs_on_risc_v(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether its images are there or not: both UARTs are."""
    file = ROOT / "configs" / f"{name}.yaml"
    (override,) = re.findall(r"--set (\S+),", file.read_text())
    assert f"`--set {override}`" in (ROOT / "README.md").read_text()
    main(["check", str(file), "--set", override])
    assert "uart1" not in capsys.readouterr().err
