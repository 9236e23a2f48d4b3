"""Faults as records, and what is told of several mistakes at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from baonet.config.loader import load
from baonet.machine import CrashFault, Disturbance, Fault, FlipFault, MessageFault, MessageKind, StallFault
from tests.config.machines import BASE, marked, problems, write


def with_faults(*items: str) -> str:
    lines = "".join(f"  - {{{item}}}\n" for item in items)
    return BASE.replace("version: 1\n", f"version: 1\nclock: {{mode: virtual}}\nfaults:\n{lines}")


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("fault: drop", MessageFault(Disturbance.DROP, MessageKind.IPC)),
        (
            "fault: duplicate, message: spi, to: linux, count: 3",
            MessageFault(Disturbance.DUPLICATE, MessageKind.SPI, target=1, count=3),
        ),
        (
            "fault: delay, message: ipi, from: linux, to: linux, by: 1.5us, probability: 0.25, seed: 7",
            MessageFault(Disturbance.DELAY, MessageKind.IPI, 1, 1, 0.25, 7, by=1500),
        ),
        (
            "fault: reorder, from: ping, by: 2us, after: 1ms, until: 1s, probability: 1",
            MessageFault(Disturbance.REORDER, MessageKind.IPC, 0, after=1_000_000, until=1_000_000_000, by=2000),
        ),
        ("fault: stall, pcpu: 3, at: 5ms, for: 250ns", StallFault(3, 5_000_000, 250)),
        ("fault: crash, pcpu: 0, at: 0", CrashFault(0, 0)),
        ("fault: flip, shared_memory: mailbox, at: 1s", FlipFault(0, 1_000_000_000)),
        (
            "fault: flip, shared_memory: mailbox, at: 1ns, offset: 0, bit: 0, seed: 0xffff_ffff_ffff_ffff",
            FlipFault(0, 1, 0, 0, 1, (1 << 64) - 1),
        ),
        ("fault: flip, shared_memory: mailbox, at: 1ns, bit: 7, count: 65536", FlipFault(0, 1, None, 7, 65536)),
        ("fault: flip, shared_memory: mailbox, at: 1ns, offset: 32KiB, count: 8", FlipFault(0, 1, 0x8000, None, 8)),
    ],
)
def test_a_fault_and_its_record(tmp_path: Path, text: str, record: Fault) -> None:
    assert load(write(tmp_path, with_faults(text))).faults == (record,)


def test_faults_stay_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Rules are tried in their order, and the trace tells them by their number."""
    text = with_faults("fault: crash, pcpu: 1, at: 2s", "fault: drop", "fault: crash, pcpu: 0, at: 1s")
    assert load(write(tmp_path, text)).faults == (
        CrashFault(1, 2_000_000_000),
        MessageFault(Disturbance.DROP, MessageKind.IPC),
        CrashFault(0, 1_000_000_000),
    )


def test_mistakes_of_several_faults_at_once(tmp_path: Path) -> None:
    text, places = marked(
        with_faults(
            "fault: crash, pcpu: §9, at: 1s, §bit: 3",
            "fault: drop, from: §pong, §pcpu: 3",
            "fault: stall, pcpu: §7, at: 1s, for: 1s",
            "fault: §fire",
            "fault: drop, to: §pong",
        )
    )
    expected = [place for place in places if place not in (places[0], places[2])]
    assert [(each.line, each.column) for each in problems(write(tmp_path, text))] == expected


def test_an_item_that_is_no_fault_hides_nothing(tmp_path: Path) -> None:
    text = BASE.replace(
        "version: 1\n", "version: 1\nfaults: [{fault: crash, pcpu: 9, at: 1s}, 5, {fault: drop, to: x}]\n"
    )
    found = problems(write(tmp_path, text))
    assert [each.field for each in found] == ["faults[0].pcpu", "faults[1]", "faults[2].to"]
