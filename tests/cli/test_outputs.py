"""What commands write: never over what they read, opened before the work begins, whole or as it was."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from baonet.cli.common import UsageError
from baonet.cli.main import main
from baonet.cli.outputs import Outputs
from tests.patience import ANSWER, PROCESS
from tests.system.machine import COMMAND, Result, baonet, vm, write


class Here:
    """The command in this process: what is refused starts no other."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *arguments: object) -> Result:
        status = main([str(each) for each in arguments])
        return Result(status, *self._capture.readouterr())


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(capsys)


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


@pytest.fixture
def machine(tmp_path: Path, here: Here) -> Path:
    """A machine file with its image, its input and a device tree beside it."""
    image = Path(vm("hello")["image"]["path"])
    (tmp_path / "guest.elf").write_bytes(image.read_bytes())
    (tmp_path / "platform.yaml").write_text("extends: qemu-aarch64-virt\n")
    (tmp_path / "typed.yaml").write_text("[]\n")
    guest = vm("hello") | {"image": {"path": "guest.elf"}, "device_tree": "given.dtb"}
    auto = write(tmp_path, {"platform": "platform.yaml", "vms": [guest | {"device_tree": "auto"}]})
    assert here("dtb", auto, "--vm", "hello", "-o", tmp_path / "given.dtb").status == 0
    return write(tmp_path, {"platform": "platform.yaml", "vms": [guest]})


@pytest.mark.parametrize("option", ["--trace", "--stats", "--record"])
@pytest.mark.parametrize(
    "name", ["machine.yaml", "guest.elf", "platform.yaml", "given.dtb", "typed.yaml", "link", "hard"]
)
def test_a_run_writes_over_nothing_that_it_reads(machine: Path, option: str, name: str, here: Here) -> None:
    (machine.parent / "link").symlink_to("guest.elf")
    (machine.parent / "hard").hardlink_to(machine)
    before = content(machine.parent)
    given = ("--clock", "virtual", "--input", machine.parent / "typed.yaml")
    result = here("run", machine, *given, option, machine.parent / name)
    assert result.status == 2
    assert f"{option} {machine.parent / name} would be lost: " in result.err
    assert result.err.endswith(" is read\n")
    assert result.out == ""
    assert content(machine.parent) == before


def test_a_trace_that_another_run_writes_is_refused_and_stays_whole(tmp_path: Path) -> None:
    trace = tmp_path / "trace.bnt"
    file = write(tmp_path, {"vms": [vm("echo")]})
    options = ["--clock", "virtual", "--console", "echo", "--trace", str(trace)]
    command = [*COMMAND, "run", str(file), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        first.stdout.readline()
        second = baonet("run", file, *options)
        assert (second.status, second.err) == (2, f"baonet run: --trace {trace}: another command is writing to it\n")
        first.stdin.write("quit\n")
        first.stdin.close()
        assert first.wait(ANSWER) == 0
    assert baonet("trace", "verify", trace).status == 0


def test_two_outputs_are_two_files(machine: Path, here: Here) -> None:
    out = machine.parent / "out"
    result = here("run", machine, "--trace", out, "--stats", machine.parent / "." / "out")
    assert (result.status, result.err) == (2, f"baonet run: --trace {out} and --stats {out} are one file\n")
    assert not out.exists()


def test_a_device_tree_and_a_report_write_over_nothing_that_they_read(
    machine: Path, tmp_path: Path, here: Here
) -> None:
    before = content(tmp_path)
    result = here("dtb", machine, "--vm", "hello", "-o", tmp_path / "guest.elf")
    assert (result.status, content(tmp_path)) == (2, before)
    results = tmp_path / "r.sqlite"
    results.write_bytes(b"SQLite format 3\0")
    result = here("report", results, "-o", results)
    assert (result.status, result.err) == (2, f"baonet report: {results} would be lost: {results} is read\n")
    assert results.read_bytes() == b"SQLite format 3\0"


@pytest.mark.parametrize("output", ["study.yaml", "machine.yaml", "guest.elf"])
def test_a_study_writes_over_nothing_that_it_reads(machine: Path, output: str, here: Here) -> None:
    study = machine.parent / "study.yaml"
    study.write_text("version: 1\nmachine: machine.yaml\nmetrics: [exits]\nfor: 1ms\n")
    before = content(machine.parent)
    result = here("study", study, "-o", machine.parent / output, "--fresh")
    assert result.status == 2
    assert "would be lost" in result.err
    assert content(machine.parent) == before


def test_a_study_removes_no_directory_that_it_reads_from(machine: Path, here: Here) -> None:
    (machine.parent / "r.work").mkdir()
    study = machine.parent / "r.work" / "study.yaml"
    study.write_text("version: 1\nmachine: ../machine.yaml\nmetrics: [exits]\nfor: 1ms\n")
    result = here("study", study, "-o", machine.parent / "r")
    assert result.status == 2
    assert "is removed at the end" in result.err
    assert study.exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["-o", "/"], "-o /: is a directory: name a file"),
        (["-o", "."], "-o .: is a directory: name a file"),
        (["-o", ""], "-o : is a directory: name a file"),
        (["--traces", ""], "--traces: name a directory, or '.' for this one"),
    ],
)
def test_results_of_a_study_have_a_name(machine: Path, options: list[str], told: str, here: Here) -> None:
    study = machine.parent / "study.yaml"
    study.write_text("version: 1\nmachine: machine.yaml\nmetrics: [exits]\nfor: 1ms\n")
    result = here("study", study, *options)
    assert (result.status, result.out, result.err) == (2, "", f"baonet study: {told}\n")


@pytest.mark.parametrize("command", [["init"], ["report", "absent.sqlite"]])
def test_an_empty_name_is_not_the_one_that_is_taken_without(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: Here
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Is a directory" in here(*command, "-o", "").err
    assert not content(tmp_path)


@pytest.mark.parametrize("option", ["--trace", "--stats", "--record"])
def test_what_cannot_be_written_is_told_before_the_guests_run(machine: Path, option: str, here: Here) -> None:
    result = here("run", machine, "--clock", "virtual", option, "/no/such/dir/x")
    told = f"baonet run: {option} /no/such/dir/x: No such file or directory\n"
    assert (result.status, result.out, result.err) == (2, "", told)


def test_what_was_typed_is_kept_however_a_run_ends(tmp_path: Path) -> None:
    """Here whoever reads the guest's output goes away."""
    file = write(tmp_path, {"clock": {"mode": "virtual"}, "vms": [vm("flood-forever")]})
    out = tmp_path / "typed.yaml"
    command = f"{' '.join(COMMAND)} run {file} --console flood-forever --record {out} | head -n 1"
    subprocess.run(command, shell=True, check=True, timeout=PROCESS, input=b"typed\n", stdout=subprocess.DEVNULL)
    assert out.exists()


def test_an_interrupted_run_leaves_statistics_whole(machine: Path) -> None:
    """The file is there at once, with all that is in it; a run that fails leaves the one of before."""
    out = machine.parent / "stats.json"
    out.write_text("before")
    assert baonet("run", machine, "--stats", out, "--console", "nobody").status == 2
    assert out.read_text() == "before"
    assert baonet("run", machine, "--stats", out).status == 0
    assert out.read_text().endswith("}\n")
    assert sorted(path.name for path in machine.parent.iterdir()) == [
        "given.dtb", "guest.elf", "machine.yaml", "platform.yaml", "stats.json", "typed.yaml",
    ]  # fmt: skip


def test_what_is_no_regular_file_is_written_where_it_is(machine: Path) -> None:
    assert baonet("run", machine, "--stats", "/dev/null", "--trace", "/dev/null").status == 0
    line = f"{' '.join(COMMAND)} run {machine} --stats /dev/stdout > {machine.parent / 'log'}"
    subprocess.run(line, shell=True, check=True, timeout=PROCESS)
    log = (machine.parent / "log").read_text()
    assert log.startswith("hello | hello:")
    assert '"ending": "done"' in log


# One output by itself


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with Outputs([]) as outputs:
        out = outputs.whole(target)
        assert not target.exists()
        out.begin().write(b"half")
        assert not target.exists()
        out.finish(b" and half")
    assert target.read_bytes() == b"half and half"
    with suppress(ZeroDivisionError), Outputs([]) as outputs, outputs.whole(target).writing() as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert target.read_bytes() == b"half and half"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_has_the_permissions_of_new_files_and_an_old_one_its_own(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch(mode=0o600)
    with Outputs([]) as outputs:
        for path in (old, new):
            outputs.whole(path).finish(b"x")
    mask = os.umask(0)
    os.umask(mask)
    assert (old.stat().st_mode & 0o777, new.stat().st_mode & 0o777) == (0o600, 0o666 & ~mask)


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    with Outputs([]) as outputs:
        outputs.whole(tmp_path / "link").finish(b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"


def test_a_stream_keeps_what_was_there_until_it_begins(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"before")
    with Outputs([]) as outputs:
        outputs.stream(old)
        outputs.stream(new)
    assert old.read_bytes() == b"before"
    assert not new.exists()
    with Outputs([]) as outputs:
        outputs.stream(old).begin().write(b"now")
    assert old.read_bytes() == b"now"


def test_what_is_read_may_be_no_file_at_all(tmp_path: Path) -> None:
    with Outputs([Path("/dev/stdin"), tmp_path / "absent", Path("/dev/null")]) as outputs:
        outputs.whole("/dev/null").finish(b"x")
        with pytest.raises(UsageError, match="null"):
            outputs.whole("a\0b")


def test_the_last_words_of_a_full_disk(machine: Path) -> None:
    result = baonet("run", machine, "--stats", "/dev/full")
    assert (result.status, result.err) == (1, "baonet: --stats /dev/full: No space left on device\n")
