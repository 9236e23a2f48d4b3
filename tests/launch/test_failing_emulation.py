"""A hypervisor that fails while it emulates an access, in the midst of a guest's stay, ends the run with its error."""

from __future__ import annotations

from pathlib import Path

import pytest

from baonet.actors.ending import Ending
from baonet.hyp.armv8.vgic import Vgic
from tests.launch.live import run
from tests.system.machine import pair
from tests.system.virtual import PLACEMENTS


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_every_placement_tells_it(tmp_path: Path, placement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of pcpu 1, which the last two placements have in another process than the conductor."""

    def write(vgic: Vgic, ipa: int, size: int, value: int) -> bool:
        if vgic._pcpu == 1:
            raise RuntimeError("the distributor is broken")
        return original(vgic, ipa, size, value)

    original = Vgic.write
    monkeypatch.setattr(Vgic, "write", write)
    outcome, _ = run(tmp_path, pair() | {"clock": {"mode": "virtual"}}, placement)
    assert outcome.ending is Ending.FAILED
    assert outcome.vms == {"ping": "dead", "pong": "dead"}
    told, *ended = outcome.failures
    assert told.rstrip().endswith("RuntimeError: the distributor is broken")
    assert "Fatal" not in told
    assert all("ended" in each for each in ended)
