"""What real Bao's interrupt controllers answered, access by access: ``tests/truth/riscv`` asks whole machines."""

from __future__ import annotations

import json
from pathlib import Path

from baonet.machine.riscv import Aia, Plic
from tests.hyp.riscv.board import APLIC, IMSIC, Board
from tests.hyp.riscv.fabric import PLIC
from tests.hyp.riscv.probes import AplicProbe, PlicProbe

ANSWERS = Path(__file__).parents[2] / "truth" / "riscv" / "answers.json"


def bao(suite: str) -> dict[str, list[str]]:
    return {
        row["probe"]: row["bao"]
        for row in json.loads(ANSWERS.read_text())
        if row["suite"] == suite and row.get("stable", True)
    }


def differing(suite: str, answers: dict[str, str]) -> dict[str, tuple[list[str], str]]:
    known = bao(suite)
    assert len(answers.keys() & known.keys()) > 40
    return {
        probe: (known[probe], answer)
        for probe, answer in answers.items()
        if probe in known and answer not in known[probe]
    }


def test_the_plic_answers_as_under_bao() -> None:
    """But where QEMU's PLIC does not do as its specification has it: a line that is up at the completion fires again.

    And where it keeps a request whose line went down before it was of a priority that is signalled.
    """
    probe = PlicProbe(Board(Plic(PLIC)))
    probe.registers()
    probe.ipc()
    probe.uart()
    assert differing("plic", probe.answers).keys() == {"uart.level", "uart.prio_back_to_1"}
    assert probe.answers["uart.level"] == "a a c2 0 0"


def test_the_aplic_answers_as_under_bao() -> None:
    """In MSI mode."""
    probe = AplicProbe(Board(Aia(APLIC, IMSIC)), direct=False)
    probe.registers()
    probe.ipc()
    probe.uart()
    assert differing("aia", probe.answers) == {}


def test_the_aplic_answers_as_under_bao_in_direct_mode() -> None:
    probe = AplicProbe(Board(Aia(APLIC)), direct=True)
    probe.registers()
    probe.direct_registers()
    probe.direct_ipc()
    probe.direct_uart()
    assert differing("aplic-direct", probe.answers) == {}
