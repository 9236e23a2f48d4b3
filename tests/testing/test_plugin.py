"""The fixtures as others use them: tests of guests in files of their own, run by pytest in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import baonet
from baonet.run.guest_console import GuestConsole
from baonet.testing.blocking import BlockingConsole, BlockingRun
from tests.patience import PROCESS
from tests.system.machine import Result, pair, vm, write

TRIO = "[pytest]\ntrio_mode = true\n"


def pytest_on(directory: Path, text: str, *options: str, configuration: str = TRIO) -> Result:
    (directory / "pytest.ini").write_text(configuration)
    (directory / "test_guest.py").write_text(dedent(text))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=PROCESS, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def test_a_guest_is_tested_in_three_lines(tmp_path: Path) -> None:
    write(tmp_path, {"vms": [vm("hello")]})
    result = pytest_on(
        tmp_path,
        """
        async def test_hello(baonet_run):
            run = await baonet_run("machine.yaml", set={"clock.mode": "virtual"})
            await run.console("hello").wait_for("hello")

        def test_hello_without_async(baonet_run_blocking):
            run = baonet_run_blocking("machine.yaml", set={"clock.mode": "virtual"})
            run.console("hello").wait_for("hello")
            assert run.finished().vms == {"hello": "off"}
        """,
    )
    assert result.status == 0, result.out + result.err
    assert "2 passed" in result.out


def test_one_session_has_guests_of_both_architectures(tmp_path: Path) -> None:
    """Here in one test too, side by side."""
    configs = Path(__file__).parents[2] / "configs"
    result = pytest_on(
        tmp_path,
        f"""
        import pytest
        PLATFORMS = ("qemu-aarch64-virt", "qemu-riscv64-virt")

        @pytest.mark.parametrize("platform", PLATFORMS)
        async def test_hello(baonet_run, platform):
            run = await baonet_run("{configs}/hello.yaml", set={{"platform": platform}})
            await run.console("hello").wait_for("hello")

        def test_beside(baonet_run_blocking):
            runs = [
                baonet_run_blocking("{configs}/hello.yaml", set={{"platform": each, "clock.mode": "virtual"}})
                for each in PLATFORMS
            ]
            assert [set(run.registers("hello")) & {{"x0", "a0"}} for run in runs] == [{{"x0"}}, {{"a0"}}]
            for run in runs:
                run.console("hello").wait_for("hello")
        """,
    )
    assert result.status == 0, result.out + result.err
    assert "3 passed" in result.out


@pytest.mark.parametrize(
    ("configuration", "options", "failed"),
    [(TRIO, [], 1), ("[pytest]\n", [], 2), ("[pytest]\n", ["-p", "no:trio"], 2)],
    ids=["test without async", "no trio_mode", "no pytest-trio"],
)
def test_whom_the_fixture_is_for_is_told(tmp_path: Path, configuration: str, options: list[str], failed: int) -> None:
    write(tmp_path, {"vms": [vm("hello")]})
    result = pytest_on(
        tmp_path,
        """
        async def test_hello(baonet_run):
            await baonet_run("machine.yaml")

        def test_hello_without_async(baonet_run):
            baonet_run("machine.yaml")
        """,
        *options,
        configuration=configuration,
    )
    assert result.status == 1
    assert result.out.count("\nbaonet_run is for tests that pytest-trio runs") == failed
    assert f"{failed} error" in result.out
    assert "Tests without async have baonet_run_blocking." in result.out
    assert "AssertionError" not in result.out


def test_the_blocking_run_has_all_that_the_other_has() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(BlockingConsole) == public(GuestConsole)
    instead = {"read_memory", "write_memory"}
    assert public(BlockingRun) - instead == public(baonet.OpenRun) - {"memory", "live", "begin", "end"}


def test_a_blocking_run_stands_types_and_looks_as_the_other(tmp_path: Path) -> None:
    write(tmp_path, {"vms": [vm("echo")]})
    result = pytest_on(
        tmp_path,
        """
        import baonet
        import pytest

        def test_echo(baonet_run_blocking):
            digests = []
            for _ in range(2):
                run = baonet_run_blocking("machine.yaml", set={"clock.mode": "virtual"}, placement="process-per-cpu")
                run.until("or quit")
                run.console("echo").send("hello\\n")
                assert "1: hello" in run.console("echo").wait_for("hello")
                assert run.registers("echo")["pc"]
                run.write_memory("echo", 0x40F00000, b"x")
                run.for_("10us")
                assert run.read_memory("echo", 0x40F00000, 1) == b"x"
                with pytest.raises(baonet.WaitTimeoutError):
                    run.console("echo").wait_for("never", timeout="1s")
                run.console("echo").send("quit\\n")
                digests.append(run.finished().digest)
            assert digests[0] == digests[1] is not None
        """,
    )
    assert result.status == 0, result.out + result.err


def test_a_failure_shows_the_console_the_reports_and_the_digest(tmp_path: Path) -> None:
    write(tmp_path, {"vms": [vm("misbehave-unmapped-read", "guest")]})
    result = pytest_on(
        tmp_path,
        """
        async def test_guest(baonet_run):
            run = await baonet_run("machine.yaml", set={"clock.mode": "virtual"}, stop_on_report=False)
            await run.finished()
            assert False, "as it should be"

        def test_guest_blocking(baonet_run_blocking):
            run = baonet_run_blocking("machine.yaml", set={"clock.mode": "virtual"})
            run.console("guest").wait_for("never")
        """,
    )
    assert result.status == 1, result.out + result.err
    assert result.out.count("- baonet machine.yaml -") == 2
    assert "=> 0x4010015c: ldr w0, [x1]" in result.out
    assert "the console of VM 'guest':" in result.out
    assert "GuestParkedError: VM 'guest' (vm 0), vcpu 0 on pcpu 0: no emulation handler" in result.out
    assert ", digest " in result.out


def test_a_mistake_of_the_machine_file_is_told_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, {"vms": [vm("hello", cpus=99)]})
    result = pytest_on(
        tmp_path,
        """
        async def test_hello(baonet_run):
            await baonet_run("machine.yaml")
        """,
    )
    assert result.status == 1
    assert "machine.yaml:" in result.out
    assert "vms[0].cpus" in result.out


def test_pytest_alone_loads_nothing_of_baonet(tmp_path: Path) -> None:
    write(tmp_path, pair())
    result = pytest_on(
        tmp_path,
        """
        import sys

        def test_nothing():
            heavy = ("baonet.run", "baonet.core", "baonet.config", "unicorn", "msgpack", "yaml")
            assert [name for name in heavy if name in sys.modules] == []
        """,
        "-p",
        "no:hypothesispytest",
    )
    assert result.status == 0, result.out
