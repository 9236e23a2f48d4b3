"""Parts of the self-test that look at one trap at a time: where it is, what it is, how many instructions went before.

The library charges a whole block when that begins and knows where it is by the host's code alone, so every way out of
the middle of a block is tried, behind instructions of 2 and of 4 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from baonet.core.errors import LitmusError
from baonet.core.riscv.selftest_code import ENTRY
from baonet.core.riscv.testbed import (
    EDGE,
    NOT_ACCESSED,
    NOT_DIRTY,
    NOWHERE,
    RAM,
    USER,
    USER_DATA,
    WORDS,
    RiscvSide,
)
from baonet.core.trial_bed import FOR_EVER
from baonet.hyp.riscv.cpu import (
    BREAKPOINT,
    ECALL_FROM_U,
    EXIT_CAUSE,
    EXIT_IPA,
    FETCH_PAGE,
    ILLEGAL_INSTRUCTION,
    LOAD_GUEST_PAGE,
    LOAD_MISALIGNED,
    LOAD_PAGE,
    SOFTWARE,
    STORE_GUEST_PAGE,
    STORE_MISALIGNED,
    STORE_PAGE,
    VIRTUAL_INSTRUCTION,
    RiscvExit,
)

_BEFORE: Final = 6  # instructions of the macro `trap` that retire
_HANDLER: Final = 5  # of `stop`
_UNMAPPED: Final = 0x1000


class _Own(NamedTuple):
    """An exception that the guest handles itself."""

    routine: str
    address: int
    cause: int
    stval: int | None = None  # the address
    sepc: int | None = None  # of the instruction
    before: int = _BEFORE


class _Asked(NamedTuple):
    """One that ends in the hypervisor."""

    routine: str
    address: int
    cause: int
    ipa: int | None = None


def _at(routine: str) -> int:
    return RAM + ENTRY[f"trap_{routine}_at"]


_OWN: Final = (
    _Own("c_ebreak", 0, BREAKPOINT, _at("c_ebreak")),
    _Own("ebreak", 0, BREAKPOINT, _at("ebreak")),
    _Own("load", _UNMAPPED + 0x123, LOAD_PAGE),
    _Own("c_load", _UNMAPPED, LOAD_PAGE),
    _Own("flw", _UNMAPPED, LOAD_PAGE),
    _Own("lr", _UNMAPPED, LOAD_PAGE),
    _Own("store", _UNMAPPED, STORE_PAGE),
    _Own("c_store", _UNMAPPED, STORE_PAGE),
    _Own("amo", _UNMAPPED, STORE_PAGE),
    _Own("load", NOT_ACCESSED, LOAD_PAGE),
    _Own("store", NOT_ACCESSED, STORE_PAGE),
    _Own("store", NOT_DIRTY, STORE_PAGE),
    _Own("amo", NOT_DIRTY, STORE_PAGE),
    _Own("load", USER_DATA, LOAD_PAGE),
    _Own("jump", _UNMAPPED, FETCH_PAGE, sepc=_UNMAPPED, before=_BEFORE + 1),
    _Own("jump", USER, FETCH_PAGE, sepc=USER, before=_BEFORE + 1),
    # An instruction of which one half is there: the two before it retire
    _Own("jump", EDGE + 0xFFA, FETCH_PAGE, stval=EDGE + 0x1000, sepc=EDGE + 0xFFE, before=_BEFORE + 3),
)

_ASKED: Final = (
    _Asked("amo", WORDS + 2, STORE_MISALIGNED),
    _Asked("lr", WORDS + 4, LOAD_MISALIGNED),
    _Asked("cycle", 0, VIRTUAL_INSTRUCTION),
    _Asked("unknown", 0, ILLEGAL_INSTRUCTION),
    _Asked("machine", 0, ILLEGAL_INSTRUCTION),
    _Asked("illegal", 0, ILLEGAL_INSTRUCTION),
    _Asked("c_illegal", 0, ILLEGAL_INSTRUCTION),
    _Asked("load", NOWHERE + 0x10, LOAD_GUEST_PAGE, 0x1010),
    _Asked("c_load", NOWHERE, LOAD_GUEST_PAGE, 0x1000),
    _Asked("store", NOWHERE, STORE_GUEST_PAGE, 0x1000),
    _Asked("amo", NOWHERE, STORE_GUEST_PAGE, 0x1000),
)


def _differences(pairs: dict[str, tuple[int, int]]) -> Iterator[str]:
    for what, (found, right) in pairs.items():
        if found != right:
            yield f"{what} {found:#x}, not {right:#x}"


def _same(routine: str, pairs: dict[str, tuple[int, int]]) -> None:
    if wrong := ", ".join(_differences(pairs)):
        raise LitmusError(f"at {routine}: {wrong}")


def _go(side: RiscvSide, routine: str, address: int = 0) -> tuple[int, int]:
    """Returns why the guest was left, and how many instructions have retired."""
    core = side.core
    side.enter(routine, 0, 1, x13=address)
    before = side.retired()
    why = core.run(FOR_EVER)
    return why, side.retired() - before


def exceptions(side: RiscvSide, block: int) -> None:
    if not side.number:
        return
    core = side.core
    for own in _OWN:
        why, count = _go(side, f"trap_{own.routine}", own.address)
        at = _at(own.routine) if own.sepc is None else own.sepc
        _same(
            own.routine,
            {
                "the exit was": (why, RiscvExit.ECALL),
                "scause was": (core.x[18], own.cause),
                "sepc was": (core.x[19], at),
                "stval was": (core.x[20], own.address if own.stval is None else own.stval),
                "instructions counted:": (count, own.before + _HANDLER),
            },
        )
    for asked in _ASKED:
        why, count = _go(side, f"trap_{asked.routine}", asked.address)
        _same(
            asked.routine,
            {
                "the exit was": (why, RiscvExit.TRAP),
                "the cause was": (core.exit[EXIT_CAUSE], asked.cause),
                "the PC was": (core.pc, _at(asked.routine)),
                "the guest-physical address was": (core.exit[EXIT_IPA], asked.ipa or core.exit[EXIT_IPA]),
                "instructions counted:": (count, _BEFORE),
            },
        )
    call = USER + (ENTRY["user_ecall"] & 0xFFF)
    why, count = _go(side, "user", call)
    _same(
        "a call from U mode",
        {
            "the exit was": (why, RiscvExit.ECALL),
            "scause was": (core.x[18], ECALL_FROM_U),
            "sepc was": (core.x[19], call + 2),
            "instructions counted:": (count, 5 + 1 + _HANDLER),
        },
    )


def interrupts(side: RiscvSide, block: int) -> None:
    """The software interrupt comes before the timer's, at the instruction behind that which lets it come."""
    if not side.number:
        return
    why, _ = _go(side, "interrupts")
    _same(
        "two interrupts",
        {
            "the exit was": (why, RiscvExit.ECALL),
            "scause was": (side.core.x[18], 1 << 63 | SOFTWARE),
            "sepc was": (side.core.x[19], RAM + ENTRY["interrupts_enable"] + 4),
        },
    )


def wait(side: RiscvSide, block: int) -> None:
    """It retires where it waits, and the guest goes on behind it."""
    if not side.number:
        return
    why, count = _go(side, "trap_wfi")
    _same(
        "WFI",
        {
            "the exit was": (why, RiscvExit.WFI),
            "the PC was": (side.core.pc, _at("wfi") + 4),
            "instructions counted:": (count, _BEFORE + 1),
        },
    )
