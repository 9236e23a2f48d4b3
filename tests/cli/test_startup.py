"""What a start loads: by the names of modules, as the time that each takes depends on the host."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from baonet.cli.commands import COMMANDS
from tests.patience import PROCESS

RUN = """
import os, sys
from baonet.cli.main import main
if os.fork() == 0:  # the self-test has passed on this host
    from baonet.core import selftest
    selftest.test = lambda trial: True
    selftest.ensure({architecture!r})
    os._exit(0)
assert os.wait()[1] == 0
status = main(["run", "configs/hello.yaml", "--set", "platform={platform}", "--console", "none"])
print(*sys.modules)
sys.exit(status)
"""
FIRST = """
import os, sys
from baonet.cli.main import main
from baonet.core import selftest
from baonet.run import hosted
if os.fork() == 0:
    selftest.test = lambda trial: True
    selftest.ensure("armv8")
    os._exit(0)
assert os.wait()[1] == 0
hosted._FIRST = {patience}
hosted.cores = lambda: {cores}
class Seen:
    agent = os.getpid()
    def find_spec(self, name, *_):
        if name == "trio":
            assert os.getpid() == self.agent
            print("Trio is loaded beside", *sys.modules, flush=True)
sys.meta_path.insert(0, Seen())
sys.exit(main(["run", {file!r}, *{options!r}]))
"""
MODULES = 254
"""Of baonet's own, each of which takes a third of a millisecond with what is in it. Raise it knowingly."""
ROOT = Path(__file__).parents[2]
OTHER = {"armv8": "riscv", "riscv": "armv8"}


def said(code: str, cache: Path) -> str:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PROCESS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(code: str, cache: Path) -> set[str]:
    return set(said(code, cache).split())


def below(modules: set[str], *packages: str) -> set[str]:
    return {name for name in modules for package in packages if name == package or name.startswith(f"{package}.")}


@pytest.mark.parametrize(
    ("architecture", "platform"), [("armv8", "qemu-aarch64-virt"), ("riscv", "qemu-riscv64-virt-plic")]
)
def test_a_run_loads_what_it_needs(architecture: str, platform: str, tmp_path: Path) -> None:
    """A machine file may be of any architecture, so the configuration has them all; nothing else has."""
    modules = loaded(RUN.format(architecture=architecture, platform=platform), tmp_path)
    other = OTHER[architecture]
    own = {f"baonet.core.{architecture}._engine", f"baonet.hyp.{architecture}.wing", "baonet.cli.run"}
    assert own <= modules
    assert not below(modules, f"baonet.core.{other}", f"baonet.hyp.{other}")
    assert not below(modules, *(f"baonet.cli.{name}" for name in COMMANDS if name != "run")), "other commands"
    tried = ("trial_bed", "trial_parts", *(f"{architecture}.{name}" for name in ("trial", "litmus", "testbed")))
    assert not below(modules, *(f"baonet.core.{name}" for name in tried)), "parts of the self-test"
    assert below(modules, "baonet.cluster") == {"baonet.cluster", "baonet.cluster.terms"}
    timed = ("memory_models", "memory_system", "memory_preset", f"{architecture}.memory_presets")
    assert not below(modules, *(f"baonet.config.{name}" for name in timed)), "memory that takes time"
    assert not below(modules, "baonet.hyp.hypervisor_memory", "baonet.hyp.physical_map")
    assert not below(modules, "baonet.wire.cluster", "baonet.study", "importlib.metadata", "cryptography", "capstone")
    assert not below(modules, "asyncio", "http", "email", "multiprocessing", "trio.testing", "xml", "csv")
    assert not below(modules, "fractions", "decimal")
    assert len(below(modules, "baonet")) <= MODULES


@pytest.mark.parametrize(
    ("file", "options"),
    [
        ("hello", ()),
        ("ping-pong", ("--clock", "host")),
        ("ping-pong", ("--placement", "process-per-cpu", "--for", "1ms")),
    ],
)
def test_a_guests_first_words_do_not_wait_for_trio(file: str, options: tuple[str, ...], tmp_path: Path) -> None:
    """Nor does a process of pcpus ever load it, which could not when it is confined."""
    code = FIRST.format(patience=PROCESS, cores=2, file=f"configs/{file}.yaml", options=options)
    lines = said(code, tmp_path).splitlines()
    (trio,) = (number for number, line in enumerate(lines) if line.startswith("Trio is loaded"))
    assert trio > 0, "somebody has spoken"
    early = set(lines[trio].split())
    assert not below(early, "attr", "ssl", "logging", "platform", "random", "subprocess", "tempfile")
    assert not below(early, "dataclasses", "inspect", "traceback", "shutil", "locale", "hashlib", "_hashlib", "socket")
    assert sum(name.startswith("baonet") for name in early) <= MODULES


def test_what_is_spared_for_bad_times_takes_no_memory() -> None:
    code = """
import resource
from baonet.cli import commands, streams
commands._status = lambda *_: 0
streams.prepare = lambda: None
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    assert commands.execute([], None, 0) == 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
commands._SPARE = 64 << 20
print(faults())
"""
    assert int(said(code, Path("/nonexistent"))) < 1000, "of 16384 pages"


def test_trio_comes_before_guests_that_would_leave_no_core_to_load_it_on(tmp_path: Path) -> None:
    options = ("--clock", "host")
    code = FIRST.format(patience=PROCESS, cores=1, file="configs/ping-pong.yaml", options=options)
    assert said(code, tmp_path).startswith("Trio is loaded")


def test_the_help_loads_what_it_says_and_the_version_nothing_of_a_machine(tmp_path: Path) -> None:
    code = "import sys; from baonet.cli.main import main; main([{!r}]); print(*sys.modules); sys.exit(0)"
    for option in ("--help", "--version"):
        assert not below(loaded(code.format(option), tmp_path), "baonet.config", "baonet.hyp", "trio", "yaml")
