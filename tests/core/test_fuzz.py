"""No instruction word ends the process, keeps it for ever, or makes the count wrong: at any level of any model."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import capstone
import pytest

from tests.core.fuzz import VECTORS, WORD, State, Victim, findings, words

MODELS = {"cortex-a57": 0, "cortex-a53": 1, "cortex-a72": 2, "max": 3}  # UC_CPU_ARM64_*
SHORT, LONG = 1500, 1_000_000
EACH_MODEL = pytest.mark.parametrize("model", MODELS)
EACH_STATE = pytest.mark.parametrize("state", State, ids=lambda state: state.name)


@EACH_MODEL
@EACH_STATE
def test_random_words(model: str, state: State) -> None:
    found = findings(MODELS[model], state, list(words(state, SHORT, 0)))
    assert not found, "\n".join(map(str, found))


@EACH_STATE
def test_random_words_in_virtual_time(state: State) -> None:
    found = findings(MODELS["max"], state, list(words(state, SHORT, 3)), hz=1_000_000_000)
    assert not found, "\n".join(map(str, found))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2])
@EACH_MODEL
@EACH_STATE
def test_millions_of_random_words(model: str, state: State, seed: int) -> None:
    found = findings(MODELS[model], state, list(words(state, LONG, seed)), seed=seed)
    assert not found, "\n".join(map(str, found))


def every_operation(seed: int) -> Iterator[int]:
    """A64 words: all values of what is not the first source's or the destination's number."""
    random = Random(seed)
    return (upper << 10 | random.getrandbits(10) for upper in range(1 << 22))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_operation_of_a64() -> None:
    found = findings(MODELS["max"], State.A64_EL1, list(every_operation(0)))
    assert not found, "\n".join(map(str, found))


def half_precision() -> Iterator[int]:
    """Arm ARM C4.1.95: "Advanced SIMD [scalar] three same (FP16)" and "two-register miscellaneous (FP16)"."""
    for q, u, a in ((q, u, a) for q in (0, 1) for u in (0, 1) for a in (0, 1)):
        for opcode in range(8):
            yield 0x0E40_0400 | q << 30 | u << 29 | a << 23 | opcode << 11 | 3 << 16 | 2 << 5 | 1
        for opcode in range(32):
            yield 0x0E78_0800 | q << 30 | u << 29 | a << 23 | opcode << 12 | 2 << 5 | 1
            if q:
                yield 0x5E78_0800 | u << 29 | a << 23 | opcode << 12 | 2 << 5 | 1


def test_half_precision_runs_where_it_is_allocated_and_is_undefined_elsewhere() -> None:
    """The library's decoder aborts at what is not allocated; Capstone's knows it too."""
    assert not findings(MODELS["max"], State.A64_EL1, list(half_precision()))
    victim, decoder, random = Victim(MODELS["max"], State.A64_EL1), capstone.Cs(capstone.CS_ARCH_ARM64, 0), Random(0)
    victim.tidy()
    for word in half_precision():
        assert victim.run([word], random) is None, hex(word)
        core = victim.core
        if list(decoder.disasm(word.to_bytes(4, "little"), 0)):
            assert core.pc == WORD + 8, hex(word)
        else:
            assert (core.pc, core.state()["elr_el1"]) == (VECTORS + 0x204, WORD), hex(word)
            assert core.state()["esr_el1"] == 0x0200_0000, hex(word)
