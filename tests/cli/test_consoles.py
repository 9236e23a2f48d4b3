"""Consoles of several VMs on one terminal, and consoles that are elsewhere: a pseudo-terminal, a Unix socket."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from baonet.actors.attached import Line
from tests.cli.test_terminal import CTRL_A, terminal
from tests.patience import ANSWER, PROCESS
from tests.system.machine import COMMAND, Result, run, vm, write
from tests.system.virtual import SECOND_UART, TWO_UARTS, parsed

TWO: dict[str, Any] = {
    "platform": {"extends": "qemu-aarch64-virt", "devices": TWO_UARTS},
    "vms": [vm("echo", "first"), vm("spin", "second", devices=SECOND_UART)],
}
VIRTUAL = ["--clock", "virtual"]


def test_of_two_consoles_both_are_shown_and_the_first_has_the_keyboard(tmp_path: Path) -> None:
    with terminal(tmp_path, TWO, "--console", "second", "--console", "first") as user:
        user.wait_for(b"type a line, or quit")
        user.wait_for(b"spin: 1 vCPUs")
        user.type(b"to the one that is named first\r")
        user.type(CTRL_A + b"c")
        user.wait_for(b"[console of 'first']")
        user.type(b"to the other\r")
        user.wait_for(b"echo 1: to the other")
        user.type(b"quit\r")
        user.wait_for(b"baonet: VM 'first' is off\r\n")
        user.type(CTRL_A + b"x")
        assert user.end() == 0
        assert user.restored()
    shown = re.sub(rb"\x1b\[[0-9;]*m", b"", user.shown)
    assert b"second | spin: 1 vCPUs" in shown
    assert b"first  | echo 1: to the other" in shown
    assert b"\n" not in shown.replace(b"\r\n", b""), "each line starts in the first column"


def test_all_and_a_vm_is_line_by_line_where_there_is_no_other_vm(tmp_path: Path) -> None:
    """The keyboard is that VM's, and its name is before each line, as with others."""
    options = ("--console", "all", "--console", "echo")
    result = run(tmp_path, {"vms": [vm("echo")]}, *options, stdin="hi\rquit\r")
    assert (result.status, result.err) == (0, "")
    assert result.out.splitlines()[1:] == ["echo | echo 1: hi", "echo | echo: done"]


def test_ctrl_a_c_shows_the_next_vm_and_what_it_said_last(tmp_path: Path) -> None:
    with terminal(tmp_path, TWO, "--console", "second") as user:
        user.wait_for(b"spin: 1 vCPUs\r\n")
        time.sleep(0.2)
        assert b"or quit" not in user.shown
        user.type(CTRL_A + b"c")
        user.wait_for(b"[console of 'first']\r\n")
        user.wait_for(b"or quit\r\n")
        user.type(b"here\r")
        user.wait_for(b"echo 1: here\r\n")
        user.type(CTRL_A + b"h")
        user.wait_for(b"Ctrl-A b  send a break\r\n")
        user.type(b"quit\r")
        user.wait_for(b"baonet: VM 'first' is off\r\n")
        user.type(CTRL_A + b"c")
        user.wait_for(b"[console of 'second']\r\n")
        user.wait_for(b"spin: 1 vCPUs\r\n", times=2)
        user.type(CTRL_A + b"x")
        assert user.end() == 0


def test_a_guest_that_reads_nothing_leaves_the_escape_key(tmp_path: Path) -> None:
    with terminal(tmp_path, {"vms": [vm("spin")]}, "--console", "spin") as user:
        user.wait_for(b"vCPUs\r\n")
        for _ in range(60):
            user.type(b"x" * 3000)
        user.wait_for(b"\a")
        user.type(CTRL_A + b"x")
        assert user.end() == 0


def test_a_pipe_waits_for_a_guest_that_reads_nothing(tmp_path: Path) -> None:
    """What is typed and not read has a bound: the UART's, the agent's, and the pipe's own."""
    file = write(tmp_path, {"vms": [vm("spin")]})
    command = [*COMMAND, "run", str(file), "--console", "spin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert b"vCPUs" in process.stdout.readline()  # a host that is busy takes its time to start it
        os.set_blocking(process.stdin.fileno(), False)
        given, quiet = 0, time.monotonic() + 1
        while time.monotonic() < quiet:
            try:
                given += os.write(process.stdin.fileno(), b"y\n" * 2048)
                quiet = time.monotonic() + 1
            except BlockingIOError:
                time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(ANSWER) == 143
    assert 100_000 < given < 400_000


def test_a_break_is_recorded_and_typed_again(tmp_path: Path) -> None:
    typed = tmp_path / "typed.yaml"
    machine = {"vms": [vm("echo")]}
    options = [*VIRTUAL, "--console", "echo", "--record", str(typed)]
    with terminal(tmp_path, machine, *options, "--trace", str(tmp_path / "live")) as user:
        user.wait_for(b"or quit\r\n")
        user.type(b"before" + CTRL_A + b"bafter\r")
        user.wait_for(b"echo 1: ")
        user.type(b"quit\r")
        assert user.end() == 0
    (digest,) = re.findall(rb"digest ([0-9a-f]{64})", user.shown)
    assert {"vm": "echo", "break": True} in [
        {key: value for key, value in each.items() if key != "at"} for each in yaml.safe_load(typed.read_text())
    ]
    again = parsed(run(tmp_path, machine, *VIRTUAL, "--input", str(typed), "--console", "echo"))
    assert again.digest == digest.decode()


@contextmanager
def running(directory: Path, machine: dict[str, Any], *options: str) -> Iterator[subprocess.Popen[bytes]]:
    file = write(directory, machine)
    command = [*COMMAND, "run", str(file), *options]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def connected(path: Path) -> socket.socket:
    """As soon as somebody listens there, which is a moment after the file is there."""
    deadline = time.monotonic() + 30
    while True:
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(ANSWER)
        try:
            peer.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            peer.close()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            return peer


def asked(peer: socket.socket, line: bytes, answer: bytes) -> None:
    """A line to the guest, until it answers."""
    peer.sendall(line)
    got = b""
    while answer not in got:
        piece = peer.recv(4096)
        assert piece, got
        got += piece


@pytest.mark.parametrize("clock", ["host", "virtual"])
def test_a_socket_is_a_console_that_peers_come_to_and_leave(tmp_path: Path, clock: str) -> None:
    path = tmp_path / "console"
    with running(tmp_path, TWO, "--clock", clock, "--console", f"first=unix:{path}") as process:
        with connected(path) as peer:
            asked(peer, b"one\r", b": one\r\n")
        with connected(path) as peer:
            asked(peer, b"two\r", b": two\r\n")
            assert path.stat().st_mode & 0o777 == 0o600
            peer.sendall(b"quit\r")
            assert process.stdout is not None
            said = process.stdout.readline()  # on a busy host it comes after all that
            process.send_signal(signal.SIGTERM)
            out, errors = process.communicate(timeout=PROCESS)
    assert process.returncode == 143, errors
    assert b"second | spin: 1 vCPUs" in said + out
    assert b"first" not in said + out
    assert not path.exists()


def test_a_peer_that_reads_nothing_holds_guests_back_and_no_end(tmp_path: Path) -> None:
    path = tmp_path / "console"
    machine = {"vms": [vm("flood-forever")]}
    with (
        running(
            tmp_path, machine, "--console", f"flood-forever=unix:{path}", "--stats", str(tmp_path / "s")
        ) as process,
        connected(path) as peer,
    ):
        assert peer.recv(1)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(ANSWER) == 143
        taken = 0
        while piece := peer.recv(1 << 16):
            taken += len(piece)
    assert taken < 1 << 20
    assert not path.exists()


@pytest.mark.parametrize("placement", ["process-per-cpu", "one-process"])
def test_a_peer_that_reads_nothing_holds_its_vm_and_no_other(tmp_path: Path, placement: str) -> None:
    """Under the host's clock, in which VMs do not wait for each other."""
    machine = {**TWO, "vms": [vm("flood-forever", "flood", devices=SECOND_UART), vm("echo")]}
    paths = {name: tmp_path / name for name in ("flood", "echo")}
    options = [word for name, path in paths.items() for word in ("--console", f"{name}=unix:{path}")]
    options += ["--stats", str(tmp_path / "stats"), "--placement", placement]
    with (
        running(tmp_path, machine, *options) as process,
        connected(paths["flood"]) as stopped,
        connected(paths["echo"]) as peer,
    ):
        stopped.recv(1)
        for number in range(20):
            asked(peer, b"line\r", b": line\r\n")
            time.sleep(0.02 if number else 0.3)
        taken = 0
        while taken < 1 << 20:  # it goes on when its peer does
            taken += len(stopped.recv(1 << 16))
        process.send_signal(signal.SIGTERM)
        assert process.wait(ANSWER) == 143


@pytest.mark.parametrize("placement", ["process-per-island", "one-process", "process-per-cpu"])
def test_a_slow_peer_changes_nothing_in_virtual_time(tmp_path: Path, placement: str) -> None:
    """Its island waits, the other one at the next horizon, and all that is printed comes."""
    machine = {**TWO, "vms": [vm("flood-forever", "flood", devices=SECOND_UART), vm("timer")]}
    options = [*VIRTUAL, "--for", "12ms", "--placement", placement]
    plain = parsed(run(tmp_path, machine, *options, "--console", "flood"))
    path = tmp_path / "console"
    with running(tmp_path, machine, *options, "--console", f"flood=unix:{path}", "--console", "none") as process:
        got = b""
        with connected(path) as peer:
            while piece := peer.recv(1 << 13):
                got += piece
                time.sleep(0.002)
        _, errors = process.communicate(timeout=PROCESS)
    slow = parsed(Result(process.returncode, "", errors.decode()))
    assert (slow.status, slow.digest, slow.time) == (0, plain.digest, plain.time)
    # The first of it was printed before anybody was there, as the run does not wait for that.
    assert plain.out.encode().endswith(got.replace(b"\r", b""))
    assert len(got) > Line.LIMIT


def test_a_pseudo_terminal_is_a_console_that_others_open(tmp_path: Path) -> None:
    with running(tmp_path, TWO, "--console", "first=pty", "--console", "none") as process:
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        (name,) = re.findall(r"^baonet: the console of VM 'first' is (\S+)\n$", line)
        for word in (b"one", b"two"):
            device = os.open(name, os.O_RDWR | os.O_NOCTTY)
            try:
                tty.setraw(device)
                os.write(device, word + b"\r")
                got = b""
                while b": " + word + b"\r\n" not in got:
                    assert select.select([device], [], [], 30)[0], got
                    got += os.read(device, 4096)
            finally:
                os.close(device)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PROCESS)
    assert (process.returncode, out) == (130, b""), errors


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["second=unix:{taken}"], "--console unix:{taken}: exists already: remove it, or give another path"),
        (["second=unix:{no}/where"], "--console unix:{no}/where: No such file or directory"),
        (["second=unix:" + "x" * 200], "--console unix:" + "x" * 200 + ": AF_UNIX path too long"),
        (["second=unix:"], "--console second=unix:: 'unix:' is neither pty nor unix:PATH"),
        (["second=tty"], "--console second=tty: 'tty' is neither pty nor unix:PATH"),
        (["third=pty"], "there is no VM 'third': this machine has first, second"),
        (["first", "third"], "there is no VM 'third': this machine has first, second"),
        (["first=pty", "first=pty"], "--console first=pty: the console of 'first' is elsewhere already"),
        (["none", "first"], "--console none: give it without all and without VMs for the terminal"),
    ],
)
def test_what_is_refused(tmp_path: Path, options: list[str], error: str) -> None:
    taken = tmp_path / "taken"
    taken.write_text("keep")
    places = {"taken": str(taken), "no": str(tmp_path / "no")}
    words = [word for option in options for word in ("--console", option.format(**places))]
    result = run(tmp_path, TWO, *words)
    lines = [line for line in result.err.splitlines() if "/dev/pts" not in line]
    assert (result.status, lines) == (2, [f"baonet run: {error.format(**places)}"])
    assert taken.read_text() == "keep"
