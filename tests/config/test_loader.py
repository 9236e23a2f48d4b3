"""``load`` as a whole: anything that is not a machine is a ``ConfigError``, and it takes little time to find out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.config.loader import load
from baonet.document.errors import ConfigError
from baonet.document.escapes import escaped
from baonet.machine import Machine, MisfitError
from tests.config.machines import BASE, marked, problems, write
from tests.examples import examples

ROOT = Path(__file__).parents[2]
WORDS = [
    "0", "-1", "033", "0xffffffffffffffff", "18446744073709551616", "4KiB", "1e9", "~", "true", "[]", "{}", "[[0]]",
    "{a: b}", "&a", "*a", "<<", "!!set", "'", '"', "|", ">", "- ", "? ", ": ", "#", "---", "...", "%YAML", "\t", "\n",
    "  ", "\0", "\x85", "\u2028", "\ufeff", "ü", "𝄞", "auto", "ping.elf", "Image", ".", "/dev/null", "mailbox",
    "qemu-aarch64-virt", "zcu104", "machine.yaml", "cpus", "memory", "strict", "1TiB", "255", "27", "30", "16",
]  # fmt: skip
LINES = BASE.splitlines(keepends=True)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """The valid file with a few of its characters, tokens or lines changed."""
    text = BASE
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 12)))
        new = draw(st.sampled_from(WORDS) | st.text(max_size=4) | st.sampled_from(LINES))
        text = text[:at] + new + text[end:]
    return text


def test_what_a_floor_above_finds_is_a_problem_at_its_place(tmp_path: Path) -> None:
    def fit(machine: Machine) -> None:
        raise MisfitError(f"{machine.vms[1].name} does not fit", "vms[1].memory[0].size", "use less")

    text, places = marked(BASE.replace("size: 512MiB", "size: §512MiB"))
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text), fit=fit)
    (found,) = caught.value.problems
    assert [(found.line, found.column)] == places
    assert (found.field, found.message, found.hint) == ("vms[1].memory[0].size", "linux does not fit", "use less")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(400))
@given(text=mutations())
def test_a_mutation_is_a_machine_or_a_config_error(tmp_path: Path, text: str) -> None:
    path = write(tmp_path)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for problem in problems(path):
        assert problem.line >= 1
        assert escaped(problem.message) in str(problem)


values = st.recursive(
    st.sampled_from([0, 1, 2, 4096, 0x40000000, 1 << 40, True, None, "auto", "mailbox", "64KiB", "ping.elf", "linux"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["path", "base", "size", "phys", "pa", "va", "interrupts", "name", "colors", "gicd", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)
fields = st.sampled_from(
    [
        "version",
        "platform",
        "clock",
        "faithful",
        "shared_memory",
        "name",
        "image",
        "initrd",
        "command_line",
        "device_tree",
        "cpus",
        "cpu_affinity",
        "colors",
        "memory",
        "devices",
        "ipcs",
        "timer",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(300))
@given(changes=st.dictionaries(fields, values, min_size=1, max_size=3))
def test_any_value_in_any_field_is_a_machine_or_a_config_error(tmp_path: Path, changes: dict[str, object]) -> None:
    lines = []
    for line in BASE.splitlines():
        key = line.strip("- ").partition(":")[0]
        indent = line[: len(line) - len(line.lstrip("- "))]
        lines.append(f"{indent}{key}: {flow(changes[key])}" if key in changes else line)
    problems(write(tmp_path, "\n".join(lines)))


def flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return {None: "null", True: "true"}.get(value, str(value)) if value is None or value is True else str(value)


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_our_configurations_are_right(path: Path) -> None:
    found = [problem for problem in problems(path) if "cannot be read" not in problem.message]
    assert not found, "\n".join(map(str, found))


def test_bao_s_own_demo_layouts_are_accepted(tmp_path: Path) -> None:
    """Timers among the devices, RAM at 0, a GIC elsewhere, one UART in two VMs, the same notification in both."""
    text = """
version: 1
platform: qemu-aarch64-virt
shared_memory: [{name: shm, size: 64KiB}]
vms:
  - name: linux
    image: {path: Image, base: 0x60000000}
    cpus: 3
    cpu_affinity: [1, 2, 3]
    memory: [{base: 0x60000000, size: 1GiB, phys: 0x60000000}]
    devices: [{interrupts: [27]}, {pa: 0x09000000, size: 64KiB, interrupts: [33]}]
    ipcs: [{base: 0xF0000000, size: 64KiB, shared_memory: shm, interrupts: [52]}]
  - name: freertos
    image: {path: initrd.raw, base: 0}
    cpus: 1
    memory: [{base: 0, size: 128MiB}]
    devices: [{pa: 0x09000000, va: 0xFF000000, size: 64KiB}, {interrupts: [27]}]
    ipcs: [{base: 0xF0000000, size: 64KiB, shared_memory: shm, interrupts: [52]}]
    gic: {gicd: 0xF9010000, gicr: 0xF9020000}
"""
    (tmp_path / "initrd.raw").write_bytes(bytes(100))
    machine = load(write(tmp_path, text))
    assert [vm.interrupts for vm in machine.vms] == [(27, 33), (27,)]
    assert machine.vms[1].entry == 0


def test_loading_imports_nothing_that_takes_long(tmp_path: Path) -> None:
    """The first guest output has to come within 0.6 s of starting the command."""
    code = (
        "import sys; from pathlib import Path; from baonet.config.loader import load; load(Path(sys.argv[1]));"
        "print([name for name in ('pydantic', 'elftools', 'difflib', 'trio', 'json', 'importlib.metadata')"
        " if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, write(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout == "[]\n"
