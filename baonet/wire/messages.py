"""Every message of the wire by its number: of the agent, of the conductor, and of the hypervisor (``baonet.hyp``).

A message's number never changes its meaning; a new meaning gets a new number, and ``VERSION`` grows when an old message
goes or changes. docs/protocol.md is made from this file.
"""

from __future__ import annotations

from typing import Final

from baonet.hyp import messages as hyp
from baonet.hyp.armv8 import vgic_messages as vgic
from baonet.wire.control import (
    AGENT,
    ConsoleBreak,
    ConsoleInput,
    ConsoleOutput,
    Control,
    Delivered,
    Digest,
    Examined,
    Failure,
    Halt,
    Halted,
    Hello,
    Horizon,
    InputTaken,
    Notice,
    Parked,
    Reached,
    Reset,
    Running,
    Start,
    Statistics,
    StatisticsRequest,
    Stop,
    Stopped,
    TraceChunk,
    Typed,
    VmOff,
    VmReset,
)
from baonet.wire.turns import Crash, FaultNote, Mail, Paused, Resume, Stall, Turn, Turned, TurnMessage

__all__ = [
    "AGENT",
    "NUMBERS",
    "VERSION",
    "Control",
    "Message",
    "ConsoleBreak",
    "ConsoleInput",
    "ConsoleOutput",
    "Delivered",
    "Digest",
    "Examined",
    "Failure",
    "Halt",
    "Halted",
    "Hello",
    "Horizon",
    "InputTaken",
    "Notice",
    "Parked",
    "Reached",
    "Reset",
    "Running",
    "Start",
    "Statistics",
    "StatisticsRequest",
    "Stop",
    "Stopped",
    "TraceChunk",
    "Typed",
    "VmOff",
    "VmReset",
]

VERSION: Final = 3

Message = Control | TurnMessage | hyp.HypMessage

NUMBERS: Final[dict[int, type]] = {
    0: Hello,
    1: Start,
    2: Stop,
    3: Halt,
    4: Halted,
    5: Reset,
    6: ConsoleOutput,
    7: ConsoleInput,
    8: Parked,
    9: VmOff,
    10: VmReset,
    11: Notice,
    12: Failure,
    13: StatisticsRequest,
    14: Statistics,
    15: Stopped,
    16: TraceChunk,
    17: Digest,
    18: Horizon,
    19: Reached,
    20: Delivered,
    21: Typed,
    22: ConsoleBreak,
    23: InputTaken,
    24: Turn,
    25: Turned,
    26: FaultNote,
    27: Stall,
    28: Crash,
    29: Mail,
    30: Paused,
    31: Resume,
    32: hyp.PsciOn,
    33: hyp.PsciCpuOn,
    34: hyp.PsciAffinityInfo,
    35: hyp.PsciResult,
    36: hyp.PsciState,
    37: hyp.IpcNotify,
    38: hyp.VmBarrier,
    48: vgic.VgicUpdateEnable,
    49: vgic.VgicInject,
    50: vgic.VgicForward,
    51: vgic.VgicRecall,
    52: vgic.VgicRelease,
    53: vgic.VgicRead,
    54: vgic.VgicWrite,
    55: vgic.VgicResult,
    56: vgic.SpiLine,
    64: Running,
    65: Examined,
}
"""Which number stands for which message, first in its array.

0 and 64 the agent's, 24 and 72 the conductor's, 32 the hypervisor's, 48 the vGIC's.
"""
