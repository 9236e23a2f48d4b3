"""The ID registers: every field of both models, and that what it promises is there, and nothing else is."""

from __future__ import annotations

import pytest

from tests.core.bench import RAM
from tests.core.probe import (
    BLOCK,
    CORTEX_A53,
    CPACR_FP,
    DATA,
    HANDLER,
    IL,
    MAX,
    NORMAL,
    SAME_EL,
    TABLES,
    Probe,
    address,
)
from tests.core.virtual import HVC, read, write

MODELS = {"cortex-a53": CORTEX_A53, "max": MAX}
Register = tuple[int, int, int, int, int]

# Fields as (shift, value on Cortex-A53, value of max, routines that must run where the value is as large, each with it)
Field = tuple[int, int, int, dict[str, int]]
FIELDS: dict[str, tuple[Register, dict[str, Field]]] = {
    "ID_AA64PFR0_EL1": (
        (3, 0, 0, 4, 0),
        {
            "EL0": (0, 2, 2, {}),  # AArch32 at EL0: test_aarch32.py
            "EL1": (4, 2, 2, {}),
            "EL2": (8, 2, 2, {}),  # the hypervisor's; the reference says so too
            "FP": (16, 0, 0, {"fp": 0}),
            "AdvSIMD": (20, 0, 0, {"simd": 0}),
            "GIC": (24, 1, 1, {}),  # test_interface.py
            "RAS": (28, 0, 0, {"ras": 1}),
            "SVE": (32, 0, 0, {"sve": 1, "zcr": 1}),
            "DIT": (48, 0, 0, {"dit": 1}),
        },
    ),
    "ID_AA64PFR1_EL1": (
        (3, 0, 0, 4, 1),
        {"BT": (0, 0, 1, {}), "SSBS": (4, 0, 0, {"ssbs": 1}), "MTE": (8, 0, 0, {"mte": 1})},  # BT: below
    ),
    "ID_AA64ZFR0_EL1": ((3, 0, 0, 4, 4), {}),
    "ID_AA64DFR0_EL1": (
        (3, 0, 0, 5, 0),
        {
            "DebugVer": (0, 6, 6, {}),  # test_debug.py, with the three numbers below
            "PMUVer": (8, 1, 1, {"pmu": 1}),
            "BRPs": (12, 5, 5, {}),
            "WRPs": (20, 3, 3, {}),
            "CTX_CMPs": (28, 1, 1, {}),
        },
    ),
    "ID_AA64DFR1_EL1": ((3, 0, 0, 5, 1), {}),
    "ID_AA64AFR0_EL1": ((3, 0, 0, 5, 4), {}),
    "ID_AA64AFR1_EL1": ((3, 0, 0, 5, 5), {}),
    "ID_AA64ISAR0_EL1": (
        (3, 0, 0, 6, 0),
        {
            "AES": (4, 2, 2, {"aes": 1, "pmull": 2}),
            "SHA1": (8, 1, 1, {"sha1": 1}),
            "SHA2": (12, 1, 2, {"sha256": 1, "sha512": 2}),
            "CRC32": (16, 1, 1, {"crc32": 1}),
            "Atomic": (20, 0, 2, {"lse": 2}),
            "RDM": (28, 0, 1, {"rdm": 1}),
            "SHA3": (32, 0, 1, {"sha3": 1}),
            "SM3": (36, 0, 1, {"sm3": 1}),
            "SM4": (40, 0, 1, {"sm4": 1}),
            "DP": (44, 0, 1, {"dotprod": 1}),
            "FHM": (48, 0, 1, {"fhm": 1}),
            "TS": (52, 0, 2, {"flagm": 1, "flagm2": 2}),
            "RNDR": (60, 0, 1, {"rng": 1}),
        },
    ),
    "ID_AA64ISAR1_EL1": (
        (3, 0, 0, 6, 1),
        {
            "DPB": (0, 0, 2, {"dpb": 1, "dpb2": 2}),
            "APA": (4, 0, 1, {"pauth": 1}),
            "JSCVT": (12, 0, 1, {"jscvt": 1}),
            "FCMA": (16, 0, 1, {"fcma": 1}),
            "LRCPC": (20, 0, 2, {"lrcpc": 1, "lrcpc2": 2}),
            "GPA": (24, 0, 1, {"pauth_generic": 1}),
            "FRINTTS": (32, 0, 1, {"frintts": 1}),
            "SB": (36, 0, 1, {"sb": 1}),
            "SPECRES": (40, 0, 1, {"specres": 1}),
        },
    ),
    "ID_AA64MMFR0_EL1": (
        (3, 0, 0, 7, 0),
        {
            "PARange": (0, 2, 4, {}),  # test_alignment.py
            "ASIDBits": (4, 2, 2, {}),
            "BigEnd": (8, 1, 1, {}),  # below
            "SNSMem": (12, 1, 1, {}),  # EL1 sees one of the two
        },
    ),
    "ID_AA64MMFR1_EL1": (
        (3, 0, 0, 7, 1),
        {
            "VMIDBits": (4, 0, 2, {}),  # with VH the hypervisor's
            "VH": (8, 0, 1, {}),
            "HPDS": (12, 0, 1, {}),  # below
            "LO": (16, 0, 1, {"lor": 1}),
            "PAN": (20, 0, 2, {"pan": 1, "pan2": 2}),  # and below
        },
    ),
    "ID_AA64MMFR2_EL1": ((3, 0, 0, 7, 2), {"CnP": (0, 0, 1, {}), "UAO": (4, 0, 1, {"uao": 1})}),  # below
    "ID_PFR1_EL1": (
        (3, 0, 0, 1, 1),
        {"ProgMod": (0, 1, 1, {}), "Virtualization": (12, 1, 1, {}), "GenTimer": (16, 1, 1, {}), "GIC": (28, 1, 1, {})},
    ),
    "ID_DFR0_EL1": (
        (3, 0, 0, 1, 2),
        {"CopDbg": (0, 6, 6, {}), "MMapTrc": (16, 1, 1, {}), "PerfMon": (24, 3, 3, {})},
    ),
}
FEATURES = [
    (register, field, routine, at_least)
    for register, (_, fields) in FIELDS.items()
    for field, (_, _, _, routines) in fields.items()
    for routine, at_least in routines.items()
]

models = pytest.mark.parametrize("model", MODELS)


def run(probe: Probe, *words: int) -> int | None:
    """X3 at the end of these instructions; None if they end with an exception."""
    probe.memory.load(RAM + DATA + 0x4000, b"".join(word.to_bytes(4, "little") for word in (*words, HVC)))
    return probe.core.x[3] if probe.go(RAM + DATA + 0x4000) is None else None


def promise(field: Field, model: str) -> int:
    """What the field has in this model."""
    _, *values = field[:3]
    return values[list(MODELS).index(model)]


@models
@pytest.mark.parametrize("register", FIELDS)
def test_a_register_promises_what_the_table_has(model: str, register: str) -> None:
    encoding, fields = FIELDS[register]
    value = run(Probe(model=MODELS[model]), read(encoding, 3))
    expected = sum(promise(field, model) << field[0] for field in fields.values())
    assert hex(value or 0) == hex(expected)


@models
@pytest.mark.parametrize(("register", "field", "routine", "at_least"), FEATURES)
def test_what_is_promised_is_there_and_else_undefined(
    model: str, register: str, field: str, routine: str, at_least: int
) -> None:
    probe = Probe(model=MODELS[model])
    probe.set_up(cpacr=CPACR_FP)
    promised = promise(FIELDS[register][1][field], model)
    taken = probe.go(f"feature_{routine}", RAM + DATA)
    if promised >= at_least:
        assert taken is None
    else:
        assert taken is not None
        assert (hex(taken.esr), taken.elr) == (hex(IL), address(f"feature_{routine}"))


@models
def test_there_are_as_many_breakpoints_and_watchpoints(model: str) -> None:
    for n in range(16):
        for op2, count in ((4, 6), (5, 6), (6, 4), (7, 4)):
            there = run(Probe(model=MODELS[model]), read((2, 0, 0, n, op2), 3)) is not None
            assert there == (n < count)


@models
def test_data_may_be_big_endian(model: str) -> None:
    probe = Probe(model=MODELS[model])
    probe.store(0, 0x1122_3344_5566_7788)
    probe.set_up(sctlr=1 << 25)  # EE
    assert probe.go("ldr_x", RAM + DATA) is None
    assert probe.core.x[3] == 0x8877_6655_4433_2211


def test_branch_targets_are_guarded() -> None:
    """BTI: in a guarded page an indirect branch to anything else is an exception."""
    probe = Probe(model=MAX, mmu=True)
    guarded = 4 << 30
    probe.memory.write(TABLES + 8 * 4, RAM | BLOCK | 1 << 50)
    at = guarded + address("nothing") - RAM
    taken = probe.go("branch", at)
    assert taken is not None
    assert (taken.vector, hex(taken.esr), taken.elr) == (SAME_EL, hex(0x0D << 26 | IL | 1), at)
    assert probe.retired == 1 + HANDLER
    assert probe.go("branch", guarded + address("branch_target") - RAM) is None


def test_el1_may_be_kept_from_what_el0_may_access() -> None:
    """PAN, and UAO, with which LDTR is as LDR."""
    probe = Probe(model=MAX, mmu=True)
    probe.set_up()
    user = 0xC000_0000 + DATA
    assert probe.go("ldr_x", user, spsr=0x3C5) is None
    taken = probe.go("ldr_x", user, spsr=0x3C5 | 1 << 22)
    assert taken is not None
    assert (hex(taken.esr), taken.far) == (hex(0x25 << 26 | IL | 0x0D), user)
    assert probe.go("ldtr", user, spsr=0x3C5 | 1 << 22) is None
    assert probe.go("ldtr", NORMAL + DATA) is not None
    assert probe.go("ldtr", NORMAL + DATA, spsr=0x3C5 | 1 << 23) is None


def test_attributes_of_tables_may_be_ignored() -> None:
    """HPDS: TCR_EL1.HPD0."""
    probe = Probe(model=MAX, mmu=True)
    second = TABLES + 0x1000
    probe.memory.write(second, RAM | BLOCK)
    probe.memory.write(TABLES + 8 * 4, second | 3 | 2 << 61)  # APTable: read-only
    tcr = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2 << 32
    probe.set_up(tcr=tcr)
    assert probe.go("str_x", (4 << 30) + 0x1F_0000, 1) is not None
    probe.set_up(tcr=tcr | 1 << 41)
    assert probe.go("str_x", (4 << 30) + 0x1F_0000, 1) is None


def test_a_translation_table_base_may_be_common() -> None:
    """CnP."""
    probe = Probe(model=MAX, mmu=True)
    ttbr0 = (3, 0, 2, 0, 0)
    assert run(probe, read(ttbr0, 1), 0xB2400021, write(ttbr0, 1), read(ttbr0, 3)) == TABLES | 1  # orr x1, x1, #1


# Registers that are not of the ID space


@models
def test_the_debug_communications_channel_is_empty(model: str) -> None:
    for encoding in ((2, 3, 0, 1, 0), (2, 0, 0, 2, 0)):  # MDCCSR_EL0, MDCCINT_EL1
        assert run(Probe(model=MODELS[model]), 0xB2400003, read(encoding, 3)) == 0
    assert run(Probe(model=MODELS[model]), read((2, 0, 0, 1, 0), 3)) is None, "which is no register"


@models
def test_the_os_double_lock_has_one_bit(model: str) -> None:
    lock = (2, 0, 1, 3, 4)
    probe = Probe(model=MODELS[model])
    assert run(probe, read(lock, 3)) == 0
    probe = Probe(model=MODELS[model])
    assert run(probe, 0x92800001, write(lock, 1), read(lock, 3)) == 1  # mov x1, #-1


IMPLEMENTATION_DEFINED = {
    "L2CTLR_EL1": (3, 1, 11, 0, 2),
    "L2ECTLR_EL1": (3, 1, 11, 0, 3),
    "L2ACTLR_EL1": (3, 1, 15, 0, 0),
    "CPUACTLR_EL1": (3, 1, 15, 2, 0),
    "CPUECTLR_EL1": (3, 1, 15, 2, 1),
    "CPUMERRSR_EL1": (3, 1, 15, 2, 2),
    "L2MERRSR_EL1": (3, 1, 15, 2, 3),
}


@pytest.mark.parametrize("register", IMPLEMENTATION_DEFINED)
def test_registers_that_a_cortex_a53_defines_for_itself(register: str) -> None:
    encoding = IMPLEMENTATION_DEFINED[register]
    assert run(Probe(model=CORTEX_A53), 0x92800001, write(encoding, 1), read(encoding, 3)) == 0  # a cluster of one
    assert run(Probe(model=MAX), read(encoding, 3)) is None
