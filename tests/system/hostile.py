"""Guests that try to fill what is in their way, as the words of their code."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from tests.system.machine import vm

_HVC, _BACK = 0xD4000002, 0x14000000


def _loop(words: list[int], start: int) -> list[int]:
    """``words``, and a branch back to the word ``start``."""
    return [*words, _BACK | (start - len(words)) & 0x3FF_FFFF]


NOTICES = _loop(
    [
        0x52800213,  # mov w19, #16
        0x52B8C000,  # mov w0, #0xc6000000
        0x0B130000,  # add w0, w0, w19
        _HVC,  # an unknown hypercall, another each time
        0x11000673,  # add w19, w19, #1
    ],
    1,
)
NOTIFY = _loop(
    [
        0x52B8C000,  # mov w0, #0xc6000000
        0x11000400,  # add w0, w0, #1: notify
        0xD2800001,  # mov x1, #0: of the first shared memory object
        0xD2800002,  # mov x2, #0: the event
        _HVC,
    ],
    0,
)
RING = _loop(
    [
        *NOTIFY[:-1],
        0x528C0003,  # mov w3, #0x6000: 50 us
        0x71000463,  # subs w3, w3, #1
        0x54FFFFE1,  # b.ne back to it
    ],
    0,
)
RESET = [
    0xD2B08000,  # mov x0, #0x84000000
    0xF2800120,  # movk x0, #9: PSCI SYSTEM_RESET
    0xD4000003,  # smc #0
]
RANDOM = [
    0xD53B2401,  # mrs x1, rndr
    0x54000100,  # b.eq to the last two instructions: there was no number
    0xD53B2422,  # mrs x2, rndrrs
    0x540000C0,  # b.eq to them
    0xEB02003F,  # cmp x1, x2
    0x54000080,  # b.eq to them
    0xD2B08000,  # mov x0, #0x84000000
    0xF2800100,  # movk x0, #8: PSCI SYSTEM_OFF
    _HVC,
    0xD2A40000,  # mov x0, #0x20000000
    0xB9400001,  # ldr w1, [x0], where nothing is
]
SLEEP = _loop([0xD503207F], 0)  # wfi
SEND = _loop(
    [
        0xD2A12000,  # mov x0, #0x09000000: the UART
        0x52800BC1,  # mov w1, #'^'
        0x39000001,  # strb w1, [x0]
    ],
    2,
)

PARK = [
    0x52B88000,  # mov w0, #0xc4000000
    0x11000C00,  # add w0, w0, #3: CPU_ON
    0xD2800021,  # mov x1, #1: of the other vcpu
    0x10000122,  # adr x2, at the last two instructions
    0xD2800003,  # mov x3, #0
    _HVC,
    0x528C0003,  # mov w3, #0x6000
    0x71000463,  # subs w3, w3, #1
    0x54FFFFE1,  # b.ne back to it
    0x52B08000,  # mov w0, #0x84000000
    0x11002400,  # add w0, w0, #9: SYSTEM_RESET
    _HVC,
    0xD2A40000,  # mov x0, #0x20000000
    0xB9400001,  # ldr w1, [x0], where nothing is
]
"""The second vcpu is parked, and the first starts the VM anew, and so on."""


def hostile(directory: Path, name: str, words: list[int], **fields: Any) -> dict[str, Any]:
    """A VM of one CPU that runs ``words``."""
    path = directory / f"{name}.bin"
    path.write_bytes(struct.pack(f"<{len(words)}I", *words))
    return vm("hello", name) | {"image": {"path": str(path), "base": 0x40000000}} | fields
