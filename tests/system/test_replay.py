"""What was typed in a live session, typed again: the same run. And virtual time beside a user's."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.test_terminal import CTRL_A, Terminal, terminal
from tests.patience import LIMIT
from tests.system.machine import baonet, pair, run, vm, write
from tests.system.virtual import IPC, MAILBOX, PLACEMENTS, SECOND_UART, TWO_UARTS, Virtual, islands, parsed, virtual

ECHO: dict[str, Any] = {"vms": [vm("echo")]}
_LAST = re.compile(rb"baonet: (\d+)\.(\d{9}) s of virtual time; digest ([0-9a-f]{64}); [^\r\n]*\r\n")


def session(user: Terminal) -> Virtual:
    """How a live session went, when it has ended; what is its console and what is ours comes on one terminal."""
    status = user.end()
    found = _LAST.search(user.shown)
    assert found, user.shown
    return Virtual(status, user.shown[: found.start()].decode(), "", int(found[1] + found[2]), found[3].decode())


def replayed(directory: Path, machine: dict[str, Any], typed: Path, console: str, *options: str) -> Virtual:
    """The same without a terminal: nothing is typed but what the file says."""
    file = write(directory, machine)
    placement = "process-per-cpu" if "--placement" not in options else ""
    more = ["--placement", placement] if placement else []
    return parsed(
        baonet("run", file, "--clock", "virtual", "--input", typed, "--console", console, "--timeout", LIMIT,
               *more, *options)
    )  # fmt: skip


def type_slowly(user: Terminal, *lines: bytes) -> None:
    """Key by key, as people do, each line when the last one has been answered."""
    for number, line in enumerate(lines, 1):
        for key in line:
            user.type(bytes([key]))
            time.sleep(0.01)
        user.type(b"\r")
        user.wait_for(b"echo %d: %s\r\n" % (number, line))


@pytest.mark.parametrize("placement", PLACEMENTS[:2])
@pytest.mark.parametrize("mhz", [1000, 333])
def test_a_session_again(tmp_path: Path, placement: str, mhz: int) -> None:
    typed, options = tmp_path / "typed.yaml", ["--set", f"clock.mhz={mhz}", "--console", "echo"]
    more = ["--clock", "virtual", "--placement", placement, "--record", str(typed), *options]
    with terminal(tmp_path, ECHO, *more) as user:
        user.wait_for(b"or quit\r\n")
        type_slowly(user, b"hello there", b"\xc3\xa9t\xc3\xa9", b"\x03\x1b[A")
        user.type(b"quit\r")
        live = session(user)
    assert live.status == 0
    assert len(yaml.safe_load(typed.read_text())) > 5
    again = replayed(tmp_path, ECHO, typed, "echo", "--set", f"clock.mhz={mhz}")
    assert (again.status, again.digest, again.time) == (0, live.digest, live.time)
    assert again.out.replace("\n", "\r\n").replace("\r\r", "\r") == live.out.replace("\r\r", "\r")


def test_a_session_with_others_at_work_ends_at_the_same_moment(tmp_path: Path) -> None:
    """The timer's island is far ahead of the one that waits for input, and writes records all the time."""
    typed = tmp_path / "typed.yaml"
    options = ["--clock", "virtual", "--console", "echo", "--until", "echo 2: on"]
    with terminal(tmp_path, islands(), *options, "--record", str(typed)) as user:
        user.wait_for(b"or quit\r\n")
        type_slowly(user, b"well", b"on")
        live = session(user)
    assert live.time > 20_000_000, "less than lies between four keys that are typed"
    again = replayed(tmp_path, islands(), typed, "echo", "--until", "echo 2: on")
    assert (again.status, again.digest, again.time) == (live.status, live.digest, live.time)


def test_a_busy_guest_can_be_typed_to(tmp_path: Path) -> None:
    machine: dict[str, Any] = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": TWO_UARTS},
        "shared_memory": [MAILBOX],
        "vms": [vm("echo"), vm("flood-forever", devices=SECOND_UART, cpus=2)],
    }
    machine["vms"][0]["ipcs"] = machine["vms"][1]["ipcs"] = [IPC]  # one island
    typed = tmp_path / "typed.yaml"
    options = ["--clock", "virtual", "--console", "echo", "--until", "echo 2: on"]
    with terminal(tmp_path, machine, *options, "--record", str(typed)) as user:
        user.wait_for(b"or quit\r\n")
        type_slowly(user, b"well", b"on")
        live = session(user)
    again = replayed(tmp_path, machine, typed, "echo", "--until", "echo 2: on", "--placement", "one-process")
    assert (again.status, again.digest, again.time) == (live.status, live.digest, live.time)


def test_an_idle_guest_does_not_run_ahead_of_its_user(tmp_path: Path) -> None:
    """The timer guest waits a second of its time in WFI; without a user that takes no time."""
    began = time.monotonic()
    with terminal(tmp_path, {"vms": [vm("timer")]}, "--clock", "virtual", "--console", "timer") as user:
        user.wait_for(b"timer: done\r\n")
        result = session(user)
    assert result.time / 1e9 - 0.1 < time.monotonic() - began
    assert result.digest == virtual(tmp_path, {"vms": [vm("timer")]}).digest


def test_an_idle_session_waits_and_can_be_left(tmp_path: Path) -> None:
    with terminal(tmp_path, ECHO, "--clock", "virtual", "--console", "echo") as user:
        user.wait_for(b"or quit\r\n")
        time.sleep(0.5)
        user.type(b"still\r")
        user.wait_for(b"echo 1: still\r\n")
        user.type(CTRL_A + b"x")
        result = session(user)
    assert result.status == 0
    assert result.time < 60_000_000_000


def test_what_the_file_and_the_command_line_type_come_in_the_order_of_time(tmp_path: Path) -> None:
    typed = tmp_path / "typed.yaml"
    typed.write_text('- {vm: echo, at: 2ms, text: "second\\n"}\n')
    inputs = [{"vm": "echo", "at": at, "text": text} for at, text in (("1ms", "first\n"), ("3ms", "quit\n"))]
    result = virtual(tmp_path, ECHO | {"input": inputs}, "--input", str(typed))
    assert result.status == 0
    assert [line for line in result.out.splitlines() if re.search(r"echo \d:", line)] == [
        "echo | echo 1: first",
        "echo | echo 2: second",
    ]


def test_what_is_recorded_of_a_run_without_a_user_is_nothing(tmp_path: Path) -> None:
    typed = tmp_path / "typed.yaml"
    assert virtual(tmp_path, pair(), "--for", "1ms", "--record", str(typed)).status == 0
    assert typed.read_text() == "[]\n"


def test_a_record_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    result = run(tmp_path, {"vms": [vm("hello")]}, "--clock", "virtual", "--record", str(tmp_path / "no" / "where"))
    assert (result.status, result.out) == (2, "")  # before anything ran
    assert "no/where: No such file or directory" in result.err
    assert "Traceback" not in result.err
