"""Reports and conditions of another architecture go over the wire, under the numbers that it brings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
from baonet.hyp import wings
from tests.hyp.test_architecture import Toy, ToyCondition, ToyReport

wings.ARCHITECTURES = {**wings.ARCHITECTURES, "toy": Toy()}  # as if its line were there: the wire asks once

from baonet.hyp.condition import Doing
from baonet.wire.codec import decode, encode
from baonet.wire.messages import Examined, Parked

for message in (
    Parked(ToyReport("left", 0, 1, 2, "trap", "It is one.", 0x40), b"T"),
    Examined(ToyCondition(2, Doing.WAITING, 0x40)),
):
    data = encode(message)
    assert decode(data) == message, message
    print(data.hex())
"""


def test_its_records_have_numbers_of_their_own() -> None:
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert (told.returncode, told.stderr) == (0, "")
    parked, examined = told.stdout.split()
    assert parked == "93cc8097a46c656674000102a474726170aa4974206973206f6e652e40c40154"
    assert examined == "92cc8193020140"
