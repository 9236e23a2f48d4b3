"""Commands beside ``run``: init, check, dtb, platforms, completion, and how the terminal is treated."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from baonet.cli.common import colors, rewrites
from baonet.cli.init import machines, platforms
from baonet.cli.main import main
from baonet.config.loader import load
from baonet.config.platforms import builtin
from baonet.config.wings import of
from baonet.document.errors import ConfigError, Problem
from tests.patience import PROCESS
from tests.system.machine import COMMAND, UART, baonet, pair, vm, write


def test_python_m_baonet() -> None:
    done = subprocess.run([sys.executable, "-m", "baonet", "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"baonet \d+\.\d+\.\d+\n", done.stdout)


# init


def test_the_first_machine_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert capsys.readouterr().out == "wrote hello.yaml, hello.elf\nrun it: baonet run hello.yaml\n"
    result = baonet("run", tmp_path / "hello.yaml")
    assert result.status == 0
    assert "hello | hello: done" in result.out
    assert "warning" not in result.err


@pytest.mark.parametrize("name", sorted(machines()))
def test_a_ready_machine_can_be_written_anywhere(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "deep" / "m.yaml"
    assert main(["init", name, "-o", str(file)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"wrote {file}")
    paths = re.findall(r"path: ([^,}\s]+)", re.sub(r"#.*", "", file.read_text()))
    comments = " ".join(re.findall(r"^# *(.*)", file.read_text(), re.MULTILINE))
    assert "configs/" not in comments
    for path in set(paths) - {"auto"}:
        assert "/" not in path
        assert (file.parent / path).is_file() or path in told.splitlines()[1]
        if path in told.splitlines()[1]:
            assert re.search(rf"{re.escape(path)} (is|are|and) ", comments), "the machine file says what it is"
    if all((file.parent / path).is_file() for path in set(paths) - {"auto"}):
        assert main(["check", str(file)]) == 0


@pytest.mark.parametrize("platform", platforms())
@pytest.mark.parametrize("name", sorted(machines()))
def test_a_ready_machine_is_of_the_platform_that_is_asked_for(tmp_path: Path, name: str, platform: str) -> None:
    file = tmp_path / "m.yaml"
    assert main(["init", name, "--platform", platform, "-o", str(file)]) == 0
    text = re.sub(r"#.*", "", file.read_text())
    assert re.findall(r"qemu\S+", text) == [platform]
    assert not re.search(r"(armv8|riscv): ", text)
    paths = set(re.findall(r"path: ([^,}\s]+)", text)) - {"auto"}
    missing = [path for path in paths if not (file.parent / path).exists()]
    for path in missing:
        assert "/" not in path
        (file.parent / path).touch()
    told = found(file)
    assert all(each.field.endswith(".path") for each in told), told
    assert missing or not told


def found(file: Path) -> Sequence[Problem]:
    """What is wrong with a machine file."""
    try:
        load(file)
    except ConfigError as error:
        return error.problems
    return ()


def test_a_platform_that_no_ready_machine_is_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--platform", "zcu104", "-o", str(tmp_path / "m.yaml")]) == 2
    assert "qemu-riscv64-virt-plic" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_ready_machines_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(machines())
    assert all(len(line.split()) > 2 for line in lines)


def test_init_writes_over_nothing_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hello.elf").write_text("mine")
    assert main(["init"]) == 2
    assert capsys.readouterr().err == (
        "baonet init: hello.elf would be written over: --force does it, -o names another file\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["hello.elf"]
    assert main(["init", "--force"]) == 0
    assert main(["init", "pingpong"]) == 2
    assert "did you mean 'ping-pong'?" in capsys.readouterr().err


# check and dtb


def test_warnings_leave_the_status_unless_it_is_strict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, {"vms": [vm("hello", devices=[UART | {"interrupts": [17]}])]})
    assert main(["check", str(file)]) == 0
    out, err = capsys.readouterr()
    assert "pcpu 0: hello vcpu 0, master" in out
    assert "warning: 'uart0' has interrupt 33, and 17 belongs to nothing here" in err
    assert re.match(rf"{re.escape(str(file))}:\d+:\d+: vms\[0\]\.devices\[0\]\.interrupts\[0\]: ", err)
    assert main(["check", "--strict", str(file)]) == 1
    assert main(["check", "--strict", str(file), "--set", "vms.0.devices.0.interrupts=[33]"]) == 0


def test_a_run_shows_warnings_once(tmp_path: Path) -> None:
    result = baonet("run", write(tmp_path, {"vms": [vm("hello", devices=[UART | {"interrupts": [17]}])]}))
    assert result.status == 0
    assert result.err.count("warning: 'uart0' has interrupt 33") == 1


def test_check_and_dtb_take_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, {"vms": [vm("hello")]})
    assert main(["check", str(file), "--set", "vms.hello.cpus=3"]) == 0
    assert "pcpu 2: hello vcpu 2" in capsys.readouterr().out
    assert main(["check", str(file), "--set", "vms.hello.cpus=9"]) == 2
    assert "with vms.hello.cpus=9" in capsys.readouterr().err
    for cpus in (1, 4):
        out = tmp_path / f"{cpus}.dtb"
        assert main(["dtb", str(file), "--vm", "hello", "--set", f"vms.0.cpus={cpus}", "-o", str(out)]) == 0
        assert out.read_bytes().count(b"cpu@") == cpus


def test_the_map_shows_where_everything_lands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "initrd").write_bytes(bytes(5000))
    machine = pair()
    machine["vms"][1] |= {"device_tree": "auto", "initrd": {"path": str(tmp_path / "initrd")}}
    assert main(["check", str(write(tmp_path, machine)), "--map"]) == 0
    _, ping, pong = capsys.readouterr().out.split("\n\n")
    assert ping.startswith("ping: entry 0x40100000, x0 0x0\n")
    assert pong.startswith("pong: entry 0x40100000, x0 0x40e00000\n")
    rows = [line.split(None, 1) for line in pong.splitlines()[1:]]
    starts = [int(where.partition("..")[0], 16) for where, _ in rows]
    assert starts == sorted(starts)
    told = " ".join(what for _, what in rows)
    for words in ("GIC distributor", "128KiB  GIC redistributors", "uart0 (pl011)", "16MiB  RAM", "image pong.elf",
                  "5000 bytes  initrd initrd", "device tree", "64KiB  shared memory 'mailbox'"):  # fmt: skip
        assert words in told, words


COLORED = {
    "platform": {"extends": "qemu-aarch64-virt", "memory_system": "cortex-a53"},
    "clock": {"mode": "virtual"},
}


def colors_told(
    directory: Path, capsys: pytest.CaptureFixture[str], machine: dict[str, Any], *options: str
) -> list[str]:
    assert main(["check", str(write(directory, machine)), "--colors", *options]) == 0
    return capsys.readouterr().out.rstrip("\n").split("\n\n", 1)[1].splitlines()


def test_the_colours_are_drawn_and_who_has_some_in_common(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = pair() | COLORED
    options = ("--set", "vms.0.colors=[0, 1, 2]", "--set", "vms.1.colors=[2, 3, 4]", "--set", "hypervisor.colors=[7]",
               "--set", "shared_memory.0.colors=[2, 5]")  # fmt: skip
    heading, _, numbers, *rows = colors_told(tmp_path, capsys, machine, *options)
    assert heading == (
        "8 colours of 2 pages: colour n has the sets from n * 128 on, 128 of the 1024 sets of the shared cache"
    )
    assert numbers.split() == list("01234567")
    drawn = {row[:10].strip(): row[10:].replace("r", ".").split() for row in rows[:4]}
    assert drawn == {
        "hypervisor": list(".......#"),
        "ping": list("###....."),
        "pong": list("..###..."),
        "'mailbox'": list("..#..#.."),
    }
    assert "ping and pong have 1 colour in common: 2" in rows
    assert not any(line.startswith(("hypervisor and", "ping and 'mailbox'")) for line in rows[4:]), "it is theirs"


def test_what_the_hypervisor_takes_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where it is placed. Colours bring pages of 4 KiB, and these many tables."""
    taken = []
    for machine in (pair(), pair() | COLORED, pair() | COLORED | {"hypervisor": {"colors": [7]}}):
        for options in ([], ["--set", "vms.0.colors=[0, 1, 2]"]):
            assert main(["check", str(write(tmp_path, machine)), *options]) == 0
            told = re.findall(r"^hypervisor: (\d+)KiB: (.*)$", capsys.readouterr().out, re.MULTILINE)
            taken += [(int(size), [int(part) for part in re.findall(r"(\d+)KiB for", parts)]) for size, parts in told]
    assert len(taken) == 4, "without a memory system nobody has placed it"
    assert all(size == sum(parts) and len(parts) == 5 for size, parts in taken)
    blocks, pages = taken[:2]
    assert blocks[1][:4] == pages[1][:4]
    assert blocks[1][4] < pages[1][4]
    assert taken[2:] == taken[:2]


def test_check_says_which_memory_system_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    on = ["--set", "platform.memory_system=cortex-a53", "--set", "platform.memory_system.l2.size=2MiB"]
    for options, told in (([], []), (on[:2], ["cortex-a53"]), (on, ["cortex-a53, l2.size 2MiB"])):
        assert main(["check", str(write(tmp_path, pair())), "--clock", "virtual", *options]) == 0
        assert re.findall(r"^memory system: (.*)$", capsys.readouterr().out, re.MULTILINE) == told


def test_colours_of_a_machine_that_has_none_to_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a memory system nobody has placed the hypervisor; without a cache there is nothing to draw."""
    _, _, _, hypervisor, ping, pong, *rest = colors_told(tmp_path, capsys, pair())
    assert all(row.count("#") == 8 for row in (hypervisor, ping, pong))
    assert "ping and pong have all 8 colours in common: 0 to 7" in rest
    bank, gic = {"base": 0x40000000, "size": "1GiB"}, {"version": 3, "gicd": 0x08000000, "gicr": 0x080A0000}
    plain = {"platform": {"cpus": 1, "ram": [bank], "gic": gic}, "vms": [vm("hello", devices=[])]}
    (told,) = colors_told(tmp_path, capsys, plain)
    assert told == "the platform has no page colours: every page can be in every set of its cache"


def test_vms_of_different_clusters_have_no_sets_in_common(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clusters = ("--set", "platform.clusters=[1, 3]")
    lines = colors_told(tmp_path, capsys, pair() | COLORED, *clusters)
    heads = [line for line in lines if line.startswith("cluster")]
    assert heads == ["cluster 0, CPUs 0 to 0:", "cluster 1, CPUs 1 to 3:"]
    assert not any(line.startswith("ping and pong") for line in lines)


# platforms and completion


@pytest.mark.parametrize("name", builtin())
def test_a_platform_is_shown_whole(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["platforms"]) == 0
    brief = capsys.readouterr().out
    assert main(["platforms", name]) == 0
    whole = " ".join(capsys.readouterr().out.split())
    platform = builtin()[name]
    assert name in brief
    for address in of(platform).platform_windows(platform):
        assert f" {address.start:#x}" in whole
    assert f"timer {platform.timer_frequency} Hz" in whole
    for cost, source in of(platform).costs.sources.items():
        assert f"{cost} " in whole
        assert source.replace("*", "") in whole
    assert not any(other + ":" in whole.split() for other in builtin() if other != name)


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_commands_options_and_files(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("platforms", "zcu104", "placement", "process-per-island", "init"):
        assert word in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        assert re.search(r"_run___trace_COMPGEN=\w*files", script)
        assert re.search(r"_report___svg_COMPGEN=\w*dirs", script)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (["run", "FILE", "--console", ""], {"all", "none", "ping", "pong"}),
        (["run", "FILE", "--clock", "host", "--console", "po"], {"pong"}),
        (["dtb", "FILE", "--vm", "p"], {"ping", "pong"}),
        (["run", "--console", ""], {"all", "none"}),
        (["run", "OTHER", "--console", ""], {"all", "none"}),
    ],
)
def test_bash_completes_the_vms_of_a_machine_file(
    tmp_path: Path, line: list[str], found: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, pair() | {"platform": "no such platform"})  # not finished yet
    (other := tmp_path / "other.yaml").write_text("[")
    assert main(["completion", "bash"]) == 0
    words = [{"FILE": str(file), "OTHER": str(other)}.get(word, word) for word in line]
    asked = (
        f"COMP_WORDS=({shlex.join([str(Path(sys.executable).with_name('baonet')), *words])}); COMP_CWORD={len(words)}\n"
        "_shtab_baonet\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )
    script = capsys.readouterr().out + asked
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True, timeout=PROCESS)
    assert (set(done.stdout.split()), done.stderr) == (found, "")


# terminals


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("term", "no_color", "shown"),
    [
        ("xterm", None, (True, True)),
        ("xterm", "", (True, True)),
        ("xterm", "1", (True, False)),
        ("dumb", None, (False, False)),
    ],
)
def test_no_color_and_dumb_terminals(
    monkeypatch: pytest.MonkeyPatch, term: str, no_color: str | None, shown: tuple[bool, bool]
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    assert (rewrites(Terminal()), colors(Terminal())) == shown
    assert (rewrites(io.StringIO()), colors(io.StringIO())) == (False, False)


# Standard input


@pytest.mark.parametrize("command", [["check"], ["run", "--for", "1s"], ["dtb", "--vm", "hello"]])
def test_a_machine_from_standard_input(tmp_path: Path, command: list[str]) -> None:
    """What it names lies in the current directory, where a file of the name ``-`` is something else."""
    guest = {"image": {"path": "guest.elf"}, "device_tree": "auto"}
    file = write(tmp_path, {"clock": {"mode": "virtual"}, "vms": [vm("hello") | guest]})
    (tmp_path / "guest.elf").symlink_to(vm("hello")["image"]["path"])
    (tmp_path / "-").write_text("version: 2\n")
    name, *options = command
    found = [
        subprocess.run(
            [*COMMAND, name, each, *options],
            input=text,
            cwd=tmp_path,
            capture_output=True,
            timeout=PROCESS,
            check=False,
        )
        for each, text in (("-", file.read_bytes()), ("machine.yaml", b""))
    ]
    assert found[0].returncode == 0, found[0].stderr
    assert (found[0].stdout, found[0].stderr) == (found[1].stdout, found[1].stderr)


def test_errors_of_standard_input_name_it(tmp_path: Path) -> None:
    assert baonet("check", "-").err.startswith("<stdin>:1:1: the file is empty\n")
    assert baonet("run", "-", stdin="version: 1\nmetrics: []\n").err.startswith("<stdin>: is a study, and no machine ")
    said = baonet("run", "-", "--clock", "virtual", "--input", "-", stdin=write(tmp_path, pair()).read_text()).err
    assert said == "baonet run: --input -: standard input is the machine file already\n"


def test_a_study_from_standard_input(tmp_path: Path) -> None:
    file = write(tmp_path, {"clock": {"mode": "virtual"}, "vms": [vm("hello")]})
    text = f"version: 1\nmachine: {file}\nfor: 1us\nmetrics: [exits]\n"
    nameless = baonet("study", "-", stdin=text)
    told = "baonet study: a study from standard input has no name: name the results with -o\n"
    assert (nameless.status, nameless.err) == (2, told)
    done = baonet("study", "-", "-o", tmp_path / "r.sqlite", stdin=text)
    assert (done.status, done.out) == (0, f"{tmp_path / 'r.sqlite'}\n"), done.err
