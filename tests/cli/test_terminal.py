"""The terminal as a VM's console: escapes, input and output through a real pseudo-terminal, and its state after."""

from __future__ import annotations

import itertools
import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.cli.terminal import HELP, Escapes
from tests.patience import ANSWER, LIMIT, PROCESS
from tests.system.machine import COMMAND, pair, vm, write

CTRL_A = b"\x01"
TWO_UARTS = [
    {"name": "uart0", "kind": "pl011", "pa": 0x09000000, "interrupt": 33},
    {"name": "uart1", "kind": "pl011", "pa": 0x09040000, "interrupt": 40},
]


def feed(pieces: list[bytes]) -> tuple[bytes, list[str]]:
    """What passes to the guest, and what was asked of us."""
    asked: list[str] = []
    passed = bytearray()
    escapes = Escapes(passed.extend, {"x": lambda: asked.append("quit"), "h": lambda: asked.append("help")})
    for piece in pieces:
        escapes.feed(piece)
    return bytes(passed), asked


def test_escapes_keep_the_order_of_what_is_typed_and_asked() -> None:
    came: list[bytes] = []
    Escapes(came.append, {"b": lambda: came.append(b"<break>")}).feed(b"one\x01btwo\x01\x01\x01b")
    assert came == [b"one", b"<break>", b"two\x01", b"<break>"]


@pytest.mark.parametrize(
    ("typed", "passed", "asked"),
    [
        (b"plain \x03\x04\x1a\x1c", b"plain \x03\x04\x1a\x1c", []),
        (b"a\x01xb", b"ab", ["quit"]),
        (b"\x01h\x01h", b"", ["help", "help"]),
        (b"\x01\x01", b"\x01", []),
        (b"\x01\x01x", b"\x01x", []),
        (b"\x01\x01\x01x", b"\x01", ["quit"]),
        (b"\x01qz", b"z", []),
        (b"x\x01", b"x", []),
    ],
)
def test_escapes(typed: bytes, passed: bytes, asked: list[str]) -> None:
    assert feed([typed]) == (passed, asked)


@given(st.lists(st.sampled_from([b"x", b"h", b"q", CTRL_A, b"\r"]), max_size=12), st.sets(st.integers(0, 12)))
def test_escapes_do_not_depend_on_how_input_is_cut(typed: list[bytes], cuts: set[int]) -> None:
    whole = b"".join(typed)
    borders = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    pieces = [whole[start:end] for start, end in itertools.pairwise(borders)]
    assert feed(pieces) == feed([whole])


class Terminal:
    """`baonet run` on a pseudo-terminal of its own session."""

    def __init__(self, file: Path, *options: str, errors: Path | None = None) -> None:
        self.ours, theirs = pty.openpty()
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs
        with errors.open("wb") if errors is not None else nullcontext(theirs) as told:
            self.process = subprocess.Popen(
                [*COMMAND, "run", str(file), "--timeout", LIMIT, *options],
                stdin=theirs,
                stdout=theirs,
                stderr=told,
                start_new_session=True,
            )
        self.shown = b""

    def wait_for(self, text: bytes, times: int = 1) -> None:
        deadline = time.monotonic() + 60
        while self.shown.count(text) < times:
            self._read(deadline)

    def _read(self, deadline: float) -> None:
        ready, _, _ = select.select([self.ours], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"nothing more came after {self.shown!r}"
        self.shown += os.read(self.ours, 65536)

    def type(self, data: bytes) -> None:
        os.write(self.ours, data)

    def end(self) -> int:
        status = self.process.wait(60)
        while select.select([self.ours], [], [], 0)[0]:
            self.shown += os.read(self.ours, 65536)
        return status

    def restored(self) -> bool:
        return termios.tcgetattr(self.theirs) == self.before

    def go(self, before: bool, after: bool) -> None:
        """The terminal goes. ``before``, ``after``: that SIGHUP comes. Nobody has made it the session's own."""
        if before:
            self.process.send_signal(signal.SIGHUP)
        os.close(self.ours)
        self.ours = os.open(os.devnull, os.O_RDWR)
        if after:
            self.process.send_signal(signal.SIGHUP)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


@contextmanager
def terminal(directory: Path, machine: dict[str, Any], *options: str, errors: Path | None = None) -> Iterator[Terminal]:
    made = Terminal(write(directory, machine), *options, errors=errors)
    try:
        yield made
    finally:
        made.close()


PLACEMENT = pytest.mark.parametrize("placement", ["process-per-cpu", "one-process"])


@PLACEMENT
def test_what_is_typed_reaches_the_guest_and_ctrl_a_x_ends_it(tmp_path: Path, placement: str) -> None:
    with terminal(tmp_path, {"vms": [vm("echo")]}, "--console", "echo", "--placement", placement) as user:
        user.wait_for(b"type a line, or quit\r\n")
        user.type(b"hello there\r")
        user.wait_for(b"echo 1: hello there\r\n")
        assert not user.restored()
        user.type(CTRL_A + CTRL_A + b"mark\x03\r")  # Ctrl-C is the guest's
        user.wait_for(b"echo 2: \x01mark\x03\r\n")
        user.type(CTRL_A + b"h")
        user.wait_for(HELP)
        user.type(CTRL_A)
        user.type(b"x")
        assert user.end() == 0
        assert user.restored()
        assert user.shown.startswith(b"echo: type a line")  # no prefix, and nothing but the guest's


def test_the_guest_that_ends_puts_the_terminal_back(tmp_path: Path) -> None:
    with terminal(tmp_path, {"vms": [vm("echo")]}, "--console", "echo") as user:
        user.wait_for(b"or quit\r\n")
        user.type(b"quit\r")
        assert user.end() == 0
        assert user.restored()
        assert user.shown.endswith(b"echo: done\r\n")


def test_a_report_puts_the_terminal_back_first(tmp_path: Path) -> None:
    machine = {"vms": [vm("misbehave-unmapped-read", "bad")]}
    with terminal(tmp_path, machine, "--console", "bad") as user:
        assert user.end() == 3
        assert user.restored()
        assert b"VM 'bad' (vm 0), vcpu 0 on pcpu 0: no emulation handler" in user.shown
        assert b"\n" not in user.shown.replace(b"\r\n", b"")  # each line starts in the first column


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 143), (signal.SIGQUIT, 143), (signal.SIGINT, 130)],
)
def test_a_signal_puts_the_terminal_back(tmp_path: Path, number: signal.Signals, status: int) -> None:
    with terminal(tmp_path, {"vms": [vm("echo")]}, "--console", "echo") as user:
        user.wait_for(b"or quit\r\n")
        user.process.send_signal(number)
        assert user.end() == status
        assert user.restored()


@pytest.mark.parametrize("guest", ["echo", "flood-forever"])  # one that reads, one whose text cannot be written
@pytest.mark.parametrize("signals", ["", "before", "after"])
def test_a_terminal_that_goes_ends_the_run_as_sighup_does(tmp_path: Path, guest: str, signals: str) -> None:
    """Whatever is noticed first: the end of the input, a write that fails, or SIGHUP."""
    with terminal(tmp_path, {"vms": [vm(guest)]}, "--console", guest, errors=tmp_path / "errors") as user:
        user.wait_for(b"l")
        user.go(before=signals == "before", after=signals == "after")
        assert user.process.wait(ANSWER) == 143
    assert (tmp_path / "errors").read_text().startswith("baonet: ended by SIGHUP\n")


def test_a_terminal_that_goes_ends_other_commands_as_sighup_does(tmp_path: Path) -> None:
    file = write(tmp_path, {"vms": [vm("hello")]})
    ours, theirs = pty.openpty()
    os.close(ours)
    for command, status in ((["check", file], 129), (["schema"], 129), (["run", file, "--for", "1s"], 143)):
        done = subprocess.run(
            [*COMMAND, *map(str, command)], stdout=theirs, stderr=theirs, check=False, timeout=PROCESS
        )
        assert done.returncode == status, command
    os.close(theirs)


def test_a_killed_cpu_puts_the_terminal_back(tmp_path: Path) -> None:
    with terminal(tmp_path, {"vms": [vm("echo")]}, "--console", "echo") as user:
        user.wait_for(b"or quit\r\n")
        pid = user.process.pid
        (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        assert user.end() == 1
        assert user.restored()
        assert user.shown.endswith(b"baonet: pcpu 0 (VM 'echo', vcpu 0) was killed by SIGKILL\r\n")


@PLACEMENT
def test_ctrl_c_ends_the_machine(tmp_path: Path, placement: str) -> None:
    """The terminal sends SIGINT to every process of the job, the pcpus too."""
    with terminal(tmp_path, {"vms": [vm("echo", cpus=2)]}, "--placement", placement) as user:
        user.wait_for(b"or quit")
        os.killpg(user.process.pid, signal.SIGINT)
        assert user.end() == 130
        assert b"killed" not in user.shown


def test_one_vms_console_shows_nothing_of_the_others(tmp_path: Path) -> None:
    machine = pair()
    machine["vms"].append(vm("hello", devices=[{"pa": 0x09040000, "va": 0x09000000, "interrupts": [40]}]))
    machine["platform"] = {"extends": "qemu-aarch64-virt", "devices": TWO_UARTS}
    with terminal(tmp_path, machine, "--console", "hello") as user:
        assert user.end() == 0
        assert b"hello: done\r\n" in user.shown
        assert b"ping" not in user.shown


def test_our_own_lines_on_a_raw_terminal_start_in_the_first_column(tmp_path: Path) -> None:
    with terminal(tmp_path, {"vms": [vm("misbehave-calls", "calls")]}, "--console", "calls", "-v") as user:
        assert user.end() == 0
        assert user.shown.count(b"baonet: INFO") >= 4
        assert b"\n" not in user.shown.replace(b"\r\n", b"")
