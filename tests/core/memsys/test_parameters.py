"""What is no memory system says so by the field's name, and why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from baonet.core import _memsys


def test_a_cortex_a53_is_one() -> None:
    assert _memsys.check(_memsys.CORTEX_A53) is None
    assert _memsys.check({}) is None


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("l1d_size", 24 << 10, "must be its ways times a power of two"),
        ("l1d_size", 8 << 10, "must be at least 4 KiB a way"),
        ("l1i_size", 128 << 10, "must be at most 32 KiB a way"),
        ("l1i_ways", 0, "must be from 1 to 16"),
        ("l1d_ways", 17, "must be from 1 to 16"),
        ("l2_size", 3 << 20, "must be its ways times a power of two"),
        ("l2_size", 32 << 10, "must be at least 4 KiB a way"),
        ("l2_size", 128 << 20, "must be at most 64 MiB"),
        ("l2_ways", 32, "must be from 1 to 16"),
        ("l2_on_eviction", 2, "must be 0 or 1"),
        ("l2_path", 10001, "must be at most 10000 cycles"),
        ("utlb_data", 0, "must be from 1 to 64"),
        ("utlb_instruction", 65, "must be from 1 to 64"),
        ("tlb_entries", 500, "must be its ways times a power of two"),
        ("tlb_entries", 2048, "must be at most 1024"),
        ("walk_cache_entries", 512, "must be at most 256"),
        ("ipa_cache_ways", 3, None),
        ("ipa_cache_entries", 0, "must be its ways times a power of two"),
        ("dram_latency", 10001, "must be at most 10000 cycles"),
        ("dram_queue", 1025, "must be at most 1024 lines"),
        ("prefetch_streams", 9, "must be at most 8"),
        ("prefetch_strides", 0, "must be from 1 to 16"),
        ("prefetch_lines", 15, "must be at most 28 over all streams"),
        ("prefetch_reach", 64, "must be from 1 to 63 lines"),
    ],
)
def test_what_is_wrong_says_so(field: str, value: int, why: str | None) -> None:
    found = _memsys.check({field: value})
    assert found is not None
    assert found == (field, why) if why else found[0] == "ipa_cache_entries"
    with pytest.raises(ValueError, match=f"the memory system's {found[0]} "):
        _memsys.Pcpu({field: value})
    with pytest.raises(ValueError, match=f"the memory system's {found[0]} "):
        _memsys.Cluster({field: value}, [(0, 1 << 20)])


@pytest.mark.parametrize("made", [_memsys.check, _memsys.Pcpu, lambda fields: _memsys.Cluster(fields, [(0, 1 << 20)])])
def test_a_field_that_is_none_is_told(made: Callable[[dict[str, int]], object]) -> None:
    with pytest.raises(ValueError, match="a memory system has no parameter 'l4_size'; it has l1i_size"):
        made({"l4_size": 1})
    with pytest.raises(ValueError, match=r"the memory system's l2_latency must be from 0 to 4294967295"):
        made({"l2_latency": -1})
