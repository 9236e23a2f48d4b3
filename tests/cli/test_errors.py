"""The user's mistakes: one clear error each, before anything runs, and never a trace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import baonet, run, vm, write

GUEST = Path(vm("hello")["image"]["path"])


def assert_told(status: int, errors: str, *words: str) -> None:
    assert status == 2, errors
    for word in words:
        assert word in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ("the file is empty",)),
        (b"version: 1\n\0", ("control characters are not allowed",)),
        (b"version: \xff", ("is not UTF-8",)),
        (b"version: 1\nvms: [\n", ("not YAML",)),
        (b"[1, 2]", ("machine.yaml:1:1",)),
        (b"version: 1\nversion: 1\n", ("version",)),
        (b"version: 2\nplatform: qemu-aarch64-virt\nvms: []\n", ("machine.yaml:1:10", "version")),
        (b"version: 1\nplatform: qemu-aarch64-wirt\nvms: []\n", ("qemu-aarch64-virt",)),
        (b"? [1, 2]\n: {3: 4}\n", ("machine.yaml:1",)),
        (b"&a [*a]", ("machine.yaml:1",)),
        (b"!!python/object/apply:os.system [true]", ("machine.yaml:1",)),
    ],
)
def test_files_that_are_no_machine(tmp_path: Path, command: str, content: bytes, words: tuple[str, ...]) -> None:
    file = tmp_path / "machine.yaml"
    file.write_bytes(content)
    result = baonet(command, file)
    assert_told(result.status, result.err, "machine.yaml", *words)
    assert result.out == ""


def test_a_directory_is_no_machine_file(tmp_path: Path) -> None:
    result = baonet("check", tmp_path)
    assert_told(result.status, result.err, "cannot be read: Is a directory")


@pytest.mark.parametrize("command", ["run", "check"])
def test_memory_of_colours_that_others_have_taken(tmp_path: Path, command: str) -> None:
    region = [{"base": 0x40000000, "size": "300MiB"}]
    vms = [vm("hello", memory=region, colors=[3]), vm("hello", name="other", devices=[], memory=region, colors=[3])]
    result = baonet(command, write(tmp_path, {"vms": vms}))
    assert_told(
        result.status, result.err, "vms[1].memory[0].size: failed to alloc", "of its colours left for VM 'other'"
    )
    assert "machine.yaml:19:11: vms[1]" in result.err


@pytest.mark.parametrize("kind", ["missing", "directory", "empty", "text", "truncated", "other-machine", "fifo"])
def test_images_that_cannot_be_loaded(tmp_path: Path, kind: str) -> None:
    image = tmp_path / "image"
    elf = GUEST.read_bytes()
    match kind:
        case "directory":
            image.mkdir()
        case "empty":
            image.touch()
        case "text":
            image.write_text("not a program")
        case "truncated":
            image.write_bytes(elf[:100])
        case "other-machine":
            image.write_bytes(elf[:18] + b"\x3e\0" + elf[20:])
        case "fifo":
            os.mkfifo(image)
    result = run(tmp_path, {"vms": [vm("hello") | {"image": {"path": str(image)}}]})
    assert_told(result.status, result.err, "machine.yaml:", "image")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_image_that_may_not_be_read(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.touch(mode=0)
    result = run(tmp_path, {"vms": [vm("hello") | {"image": {"path": str(image)}}]})
    assert_told(result.status, result.err, "machine.yaml:", "Permission denied")


def test_an_image_outside_its_vms_memory(tmp_path: Path) -> None:
    result = run(tmp_path, {"vms": [vm("hello", memory=[{"base": 0x80000000, "size": "16MiB"}])]})
    assert_told(result.status, result.err, "machine.yaml:")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    machine: dict[str, Any] = {"vms": [vm("hello", cpus=9), vm("hello", imag={}), vm("echo", memory=[])]}
    result = baonet("check", write(tmp_path, machine))
    assert result.status == 2
    assert result.err.count("machine.yaml:") >= 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--timeout", "0s"), "0s would end at once: write 500ms, 30s or 2m"),
        (("--timeout", "-1"), "--timeout"),
        (("--timeout", "30"), "'30' has no unit: write 30ns, 30us"),
        (("--until", ""), "an empty text would be found at once"),
        (("--clock", "sun"), "invalid choice: 'sun'"),
        (("--placement", "moon"), "invalid choice: 'moon'"),
        (("--console",), "expected one argument"),
        (("--stats", "/"), "--stats /: Is a directory"),
        (("--stats", "/no/such/dir/x"), "--stats /no/such/dir/x: No such file or directory"),
        (("--no-such-option",), "unrecognized arguments: --no-such-option"),
    ],
)
def test_options_of_run(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    result = baonet("run", write(tmp_path, {"vms": [vm("echo")]}), *options)
    assert_told(result.status, result.err, words)
    assert result.out == ""


def test_a_text_that_is_not_utf_8_can_be_waited_for(tmp_path: Path) -> None:
    file = write(tmp_path, {"vms": [vm("hello")]})
    result = baonet("run", file, "--until", os.fsdecode(b"never \xff"))
    assert (result.status, result.err) == (6, "baonet: no guest printed 'never \\xff', which --until waits for\n")


def test_a_device_tree_that_cannot_be_written(tmp_path: Path) -> None:
    file = write(tmp_path, {"vms": [vm("hello")]})
    result = baonet("dtb", file, "--vm", "hello", "-o", "/no/such/dir/x.dtb")
    assert (result.status, result.err) == (1, "baonet: /no/such/dir/x.dtb: No such file or directory\n")


def test_memory_that_the_host_does_not_have(tmp_path: Path) -> None:
    """More than the address space holds: the host's answer, in one line."""
    platform = {"extends": "qemu-aarch64-virt", "ram": [{"base": 0x40000000, "size": "1000GiB"}]}
    regions = [{"base": 0x40000000, "size": "16MiB"}, {"base": 0x100000000, "size": "900GiB"}]
    result = run(tmp_path, {"platform": platform, "vms": [vm("hello", memory=regions)]})
    assert result.status in (0, 1, 2)  # 0: a host that gives what it does not have
    assert "Traceback" not in result.err
    assert result.err.count("\n") <= 4
