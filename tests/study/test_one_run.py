"""What a study is told of a run, in the process that has it."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from baonet.study.one_run import RunRequest, perform
from tests.patience import PROCESS
from tests.run.test_open_run import children
from tests.system.machine import vm, write

REQUEST = RunRequest("machine.yaml", {"clock.mode": "virtual"}, (), None, None, None, None, "60s")


@pytest.mark.parametrize(
    ("guest", "changes", "status", "said"),
    [
        ("hello", {}, 0, "the run is over (done): VM 'g' off"),
        ("hello", {"until": ("g:never",)}, 6, "nobody printed 'g:never'"),
        ("spin", {"duration": "1ms"}, 0, "VM 'g' running"),
        ("echo", {}, 5, "vcpu 0 on pcpu 0: waits for an interrupt (WFI)"),
        ("misbehave-unmapped-read", {}, 3, "no emulation handler for abort"),
        ("spin", {"timeout": "100ms"}, 4, "the run is over (timeout)"),
        ("hello", {"placement": "nowhere"}, 2, "there is no placement 'nowhere': it can be one-process, "),
        ("hello", {"settings": {"vms.0.cpus": 0}}, 2, "machine.yaml with vms.0.cpus=0: vms[0].cpus: "),
        ("hello", {"input": "absent.yaml"}, 2, "absent.yaml"),
        (
            "hello",
            {"settings": {}, "duration": "1ms"},
            2,
            "'for' is of virtual time: set run.clock to virtual with it",
        ),
    ],
)
def test_a_run_has_a_status_and_a_reason(
    tmp_path: Path, guest: str, changes: dict[str, object], status: int, said: str
) -> None:
    write(tmp_path, {"vms": [vm(guest, "g")]})
    request = dataclasses.replace(REQUEST, machine=str(tmp_path / "machine.yaml"), **changes)  # type: ignore[arg-type]
    answer = perform(request, str(tmp_path / "run.bnt"))
    assert answer.status == status, answer.said
    assert said in answer.said
    if status > 2 and status != 4:
        assert said in answer.said.splitlines()[0], answer.said
    assert children() == []


def test_a_trace_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"vms": [vm("hello")]})
    request = dataclasses.replace(REQUEST, machine=str(tmp_path / "machine.yaml"))
    assert perform(request, str(tmp_path / "no" / "run.bnt")).status == 1
    answer = perform(request, "/dev/full")
    assert (answer.status, "/dev/full: No space left on device" in answer.said) == (1, True), answer.said


def test_a_run_that_the_host_has_no_room_for_says_so_first(tmp_path: Path) -> None:
    """It ends before it stands at its beginning."""
    file = write(tmp_path, {"vms": [vm("hello")]})
    code = (
        "import resource\n"
        "from baonet.study.one_run import RunRequest, perform\n"
        "resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))\n"
        f"asked = RunRequest({str(file)!r}, {{'clock.mode': 'virtual'}}, (), None, None, None, None, '60s')\n"
        f"answer = perform(asked, {str(tmp_path / 'run.bnt')!r})\n"
        "print(answer.status, answer.said.splitlines()[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PROCESS, check=False)
    assert re.match("1 pcpu 0: this machine needs more bytes of address space than the host allows", done.stdout), done
