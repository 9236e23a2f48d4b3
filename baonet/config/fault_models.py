"""What a user writes about faults: what goes wrong in the machine, and when."""

from __future__ import annotations

from typing import TypeAlias

from baonet.document.kinds import Choice, ListOf
from baonet.document.models import Model, optional, required
from baonet.document.one_of import OneOf
from baonet.document.values import BIT, MOST_TIME, NAME, OFFSET, SEED, Probability, duration, whole
from baonet.machine.dataclass import dataclass

_TIME = duration()
_SPAN = duration(1, MOST_TIME)
_PCPU = whole("CPU id", 0, 63)
_COUNT = whole("number", 1, 1 << 32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MessageFaultModel(Model):
    """Messages are lost, or arrive twice.

    Rules are tried in their order. The first that chooses a message is the one that disturbs it.
    """

    fault: str = required(
        Choice(("drop", "duplicate")),
        "`drop`: the message is lost. `duplicate`: it arrives twice, the second time right after the first.",
    )
    message: str = optional(
        Choice(("ipc", "ipi", "spi")),
        "Which messages: `ipc`, notifications between VMs; `ipi`, what the CPUs of one VM send each other; `spi`, "
        "interrupts of devices.",
        "ipc",
    )
    from_: str | None = optional(NAME, "Only messages from this VM. Default: any.", None)
    to: str | None = optional(NAME, "Only messages to this VM. Default: any.", None)
    probability: float = optional(Probability(), "How likely each of these messages is chosen.", 1.0)
    seed: int = optional(SEED, "Where the random numbers of this rule start. The same seed chooses the same.", 0)
    after: int = optional(_TIME, "Only messages that are sent at this time or later.", 0)
    until: int | None = optional(_TIME, "Only messages that are sent before this time. Default: to the end.", None)
    count: int | None = optional(_COUNT, "The rule ends when it has chosen this many. Default: never.", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LateMessageFaultModel(MessageFaultModel):
    """Messages arrive late."""

    fault: str = required(
        Choice(("delay", "reorder")),
        "`delay`: the message arrives later, and those after it on its way from CPU to CPU not before it. `reorder`: "
        "it arrives later, and those after it overtake it.",
    )
    by: int = required(_SPAN, "How much later it arrives.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StallModel(Model):
    """A physical CPU makes no progress for a time, as if its firmware had taken it; then it goes on."""

    fault: str = required(Choice(("stall",)), "What happens.")
    pcpu: int = required(_PCPU, "Id of the physical CPU.")
    at: int = required(_TIME, "When it begins.")
    for_: int = required(_SPAN, "How long it lasts.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CrashModel(Model):
    """A physical CPU stops for ever."""

    fault: str = required(Choice(("crash",)), "What happens.")
    pcpu: int = required(_PCPU, "Id of the physical CPU.")
    at: int = required(_TIME, "When it stops.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FlipModel(Model):
    """Bits of a shared memory object flip."""

    fault: str = required(Choice(("flip",)), "What happens.")
    shared_memory: str = required(NAME, "Name of the shared memory object.")
    at: int = required(_TIME, "When they flip.")
    offset: int | None = optional(
        OFFSET, "The byte, counted from the start of the object. Default: random, for each bit anew.", None
    )
    bit: int | None = optional(
        BIT, "The bit of the byte, 0 for the least significant. Default: random, for each bit anew.", None
    )
    count: int = optional(_COUNT, "How many bits flip, each another one.", 1)
    seed: int = optional(SEED, "Where the random numbers start. The same seed chooses the same bits.", 0)


FaultModel: TypeAlias = MessageFaultModel | LateMessageFaultModel | StallModel | CrashModel | FlipModel

_MODELS: dict[str, type[FaultModel]] = {
    "drop": MessageFaultModel,
    "duplicate": MessageFaultModel,
    "delay": LateMessageFaultModel,
    "reorder": LateMessageFaultModel,
    "stall": StallModel,
    "crash": CrashModel,
    "flip": FlipModel,
}
FAULTS = ListOf(OneOf("fault", _MODELS))
