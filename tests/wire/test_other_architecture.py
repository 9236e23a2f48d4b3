"""What another architecture brings goes over the wire: reports and conditions under its numbers, and its machines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
from baonet.hyp import wings
from tests.hyp.test_architecture import Toy, ToyCondition, ToyPart, ToyReport

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

from tests.hyp.machines import machine, platform, vm
from baonet.wire.portable import dump_machine, load_machine

made = machine(vm(0, arch=ToyPart(7)), platform=platform(arch=ToyPart(5)))
data = dump_machine(made)
assert load_machine(data) == made
print(*(name for name in ("toy", "ToyPart", "Armv8Vm") if name.encode() in data))
"""


def test_its_records_have_numbers_of_their_own_and_its_machines_its_parts() -> None:
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert (told.returncode, told.stderr) == (0, "")
    parked, examined, in_machine = told.stdout.splitlines()
    assert parked == "93cc8097a46c656674000102a474726170aa4974206973206f6e652e40c40154"
    assert examined == "92cc8193020140"
    assert in_machine == "toy ToyPart"
