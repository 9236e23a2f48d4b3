"""What a user takes from one command to another: a dash, help with examples, mistakes that name the command."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from baonet.cli.commands import parser
from baonet.cli.completion import completion
from baonet.cli.init import machines
from baonet.cli.main import main
from tests.system.machine import baonet, vm, write


def commands(of: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield of
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from commands(inner)


COMMANDS = list(commands(parser()))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.prog)
def test_each_help_has_an_example(command: argparse.ArgumentParser) -> None:
    assert f"{command.prog} " in (command.epilog or "")
    assert "example" in (command.epilog or "")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.prog)
def test_an_option_that_is_unknown_is_told_by_its_command(
    command: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    required = {"baonet": ["schema"], "baonet trace": ["info", "x"], "baonet dtb": ["x", "--vm", "x"]}
    required |= {"baonet trace export": ["x", "--csv", "x"], "baonet completion": ["bash"], "baonet schema": []}
    required |= {"baonet platforms": [], "baonet node": [], "baonet nodes": ["--on", "x:1"]}
    required |= {"baonet keys": ["show"], "baonet keys init": [], "baonet keys show": []}
    assert main([*command.prog.split()[1:], *required.get(command.prog, ["x"]), "--no-such-option"]) == 2
    assert "error: unrecognized arguments: --no-such-option" in (said := capsys.readouterr().err)
    assert said.startswith(f"usage: {command.prog} ")


def test_a_field_without_a_value_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "machine.yaml", "--set", "vms.0.cpus"]) == 2
    assert "argument --set: vms.0.cpus has no value: write vms.0.cpus=VALUE" in capsys.readouterr().err


def test_ready_machines_are_completed(capsys: pytest.CaptureFixture[str]) -> None:
    assert completion(argparse.Namespace(shell="bash", vms=None)) == 0
    script = capsys.readouterr().out
    assert f"_choices=({' '.join(machines())})" in script


def test_a_dash_is_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = write(tmp_path, {"vms": [vm("hello")]})
    run = baonet("run", file, "--console", "none", "--stats", "-")
    assert json.loads(run.out)["ending"] == "done"
    written = baonet("dtb", file, "--vm", "hello", "-o", "./-")
    assert (written.status, written.out) == (0, "")
    assert (tmp_path / "-").read_bytes()[:4] == b"\xd0\x0d\xfe\xed"
    both = baonet("run", file, "--stats", "-", "--record", "-", "--clock", "virtual")
    assert (both.status, both.err) == (2, "baonet run: --record - and --stats - are one file\n")


@pytest.mark.parametrize("command", ["init -o -", "study study.yaml -o -"])
def test_what_no_stream_can_be_says_so(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text("version: 1\nmachine: m.yaml\npoints: [{}]\nmetrics: [exits]\n")
    write(tmp_path, {"vms": [vm("hello")]}).rename(tmp_path / "m.yaml")
    assert main(command.split()) == 2
    assert "name a file" in capsys.readouterr().err
