"""``memory_system``: presets and what changes them, what a file then means, and what is wrong with one."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.config.loader import load
from baonet.config.memory_models import MemorySystemModel
from baonet.config.memory_told import parameters, told_memory
from baonet.config.platforms import builtin
from baonet.config.wings import ARCHITECTURES
from baonet.document.document import Form, Source, read
from baonet.document.errors import Problem
from baonet.document.kinds import Reader, UnreadableError
from baonet.document.models import MappingOf, described
from baonet.document.overrides import Overrides
from baonet.document.values import Decimal
from baonet.machine import Cache, Costs, ExitFootprint, Machine, MemorySystem, Platform, Rate
from baonet.machine.memory_system import IN_NANOSECONDS
from tests.config.machines import BASE, marked, problems, write

A53 = ARCHITECTURES["armv8"].memory_presets()["cortex-a53"].system
CPIS = Decimal(Fraction(1, 10), Fraction(100))


def with_platform(text: str) -> str:
    return BASE.replace("platform: qemu-aarch64-virt", f"platform: {text}")


def with_system(text: str, platform: str = "qemu-aarch64-virt") -> str:
    made = with_platform(f"{{extends: {platform}, memory_system: {text}}}")
    return made.replace("0x09000000", "0xFF000000").replace("[33]", "[53]") if platform == "zcu104" else made


def platform_of(directory: Path, text: str) -> Platform:
    return load(write(directory, text)).platform


def system_of(directory: Path, text: str, platform: str = "qemu-aarch64-virt") -> MemorySystem:
    found = platform_of(directory, with_system(text, platform)).memory_system
    assert found is not None
    return found


def test_no_platform_has_one_by_itself() -> None:
    assert all(platform.memory_system is None for platform in builtin().values())


@pytest.mark.parametrize("platform", ["qemu-aarch64-virt", "zcu104", "qemu-aarch64-virt-gicv2"])
def test_a_preset_by_its_name(tmp_path: Path, platform: str) -> None:
    assert system_of(tmp_path, "cortex-a53", platform) == A53
    assert system_of(tmp_path, "{preset: cortex-a53}", platform) == A53


def test_a_part_of_a_preset_is_changed(tmp_path: Path) -> None:
    text = (
        "{preset: cortex-a53, cpi: 1.25, l2: {size: 2MiB, on_eviction: false}, dram: {line: 30ns}, utlb: {data: 16}, "
        "prefetch: {streams: 0}, hypervisor: {access: {text: 70}}}"
    )
    assert A53.hypervisor is not None
    access = replace(A53.hypervisor.access, text=70)
    assert system_of(tmp_path, text) == replace(
        A53,
        cycles=5,
        instructions=4,
        l2_size=2 << 20,
        l2_on_eviction=0,
        dram_line=30,
        utlb_data=16,
        prefetch_streams=0,
        hypervisor=replace(A53.hypervisor, access=access),
    )


def test_what_a_platform_file_has_is_changed_or_switched_off(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("{extends: qemu-aarch64-virt, memory_system: {preset: cortex-a53, cpi: 0.8}}")
    assert system_of(tmp_path, "{l2: {latency: 15}}", "own.yaml") == replace(
        A53, cycles=4, instructions=5, l2_latency=15
    )
    for text in ("off", "{preset: off}"):
        assert platform_of(tmp_path, with_system(text, "own.yaml")).memory_system is None


def test_an_override_gives_one_or_a_part_of_it(tmp_path: Path) -> None:
    def found(*overrides: str) -> MemorySystem | None:
        given: Overrides = overrides
        return load(write(tmp_path), given).platform.memory_system

    assert found("platform.memory_system=cortex-a53") == A53
    both = ("platform.memory_system=cortex-a53", "platform.memory_system.l2.latency=20")
    assert found(*both) == replace(A53, l2_latency=20)
    assert found(*both, "platform.memory_system=off") is None


def test_one_for_each_architecture(tmp_path: Path) -> None:
    assert system_of(tmp_path, "{armv8: cortex-a53, riscv: sifive-u74}") == A53


def test_colours_are_those_of_its_caches(tmp_path: Path) -> None:
    found = platform_of(tmp_path, with_system("{preset: cortex-a53, l2: {size: 512KiB}, l1d: {size: 16KiB}}"))
    assert found.cache == Cache(512 << 10, 16, 16 << 10, 4)
    text = with_system("{preset: cortex-a53, l2: {size: 512KiB}}")
    text, places = marked(text.replace("cpus: 1\n", "cpus: 1\n    colors: §[3, 4]\n", 1))
    (wrong,) = problems(write(tmp_path, text))
    assert [(wrong.line, wrong.column)] == places
    assert (wrong.message, wrong.hint) == ("the platform has no colour 4", "its colours are 0 to 3")


def test_with_a_footprint_exits_have_no_costs(tmp_path: Path) -> None:
    """What comes of it is counted line by line instead."""
    plain = builtin()["qemu-aarch64-virt"]
    assert plain.charged == plain.costs != Costs()
    found = platform_of(tmp_path, with_system("cortex-a53"))
    assert found.costs == plain.costs
    assert found.charged == Costs()
    assert replace(found, memory_system=replace(A53, hypervisor=None)).charged == plain.costs


def doubts(directory: Path, text: str) -> list[Problem]:
    found: list[Problem] = []
    load(write(directory, text), (), found)
    return [each for each in found if "costs" in each.field]


@pytest.mark.parametrize("costs", ["{interrupt: 1us}", "xen"])
def test_costs_that_are_not_charged_are_doubtful(tmp_path: Path, costs: str) -> None:
    text = with_platform(f"{{extends: qemu-aarch64-virt, memory_system: cortex-a53, §costs: {costs}}}")
    text, places = marked(text)
    (found,) = doubts(tmp_path, text)
    assert [(found.line, found.column)] == places
    assert found.field == "platform.costs"
    assert found.message == "exits take what they touch in the memory system, and none of these costs"
    assert "remove 'costs'" in found.hint
    assert doubts(tmp_path, text.replace("cortex-a53", "'off'")) == []
    assert doubts(tmp_path, text.replace("cortex-a53", "{preset: cortex-a53, hypervisor: xen}")) != []


def test_costs_of_a_platform_file_are_doubtful_where_it_has_a_memory_system_that_stays(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    for system, doubtful in (("memory_system: cortex-a53, ", True), ("", False)):
        own.write_text(f"{{extends: qemu-aarch64-virt, {system}costs: {{interrupt: 1us}}}}")
        found = doubts(tmp_path, with_platform("own.yaml"))
        assert [(each.path, each.field) for each in found] == [(str(own), "costs")] * doubtful
        assert doubts(tmp_path, with_system("cortex-a53", "own.yaml")) == found
        assert doubts(tmp_path, with_system("off", "own.yaml")) == []


def test_an_interrupt_and_an_access_take_what_was_measured_when_nothing_of_them_is_in_the_first_level() -> None:
    """On the ZCU104 at 1.2 GHz, where the guest of that measurement walks the whole cache."""
    assert A53.hypervisor is not None
    costs = builtin()["zcu104"].costs

    def cold(exit_: ExitFootprint) -> float:
        lines = exit_.text + exit_.private + exit_.shared
        return (exit_.instructions * A53.cycles / A53.instructions + exit_.cycles + lines * A53.l2_latency) / 1.2

    assert cold(A53.hypervisor.interrupt) == pytest.approx(costs.interrupt, rel=0.01)
    assert cold(A53.hypervisor.access) == pytest.approx(costs.access, rel=0.01)
    assert cold(A53.hypervisor.hypercall) == pytest.approx(costs.hypercall, rel=0.02)
    assert cold(A53.hypervisor.direct) == costs.direct == 0


@pytest.mark.parametrize(
    ("text", "field", "message", "hint"),
    [
        ("§cortex-a5", "", "'cortex-a5' is not known here", "it can be cortex-a53"),
        ("§sifive-u74", "", "sifive-u74 is of riscv, and the platform is armv8", "it can be cortex-a53 or off"),
        ("{preset: §sifive-u74}", ".preset", "sifive-u74 is of riscv", "cortex-a53 or off"),
        ("§{cpi: 1}", "", "'preset' is missing", "preset: cortex-a53"),
        ("{preset: off, §l2: {latency: 3}}", ".l2", "no memory system that it would be of", "remove it"),
        ("{preset: cortex-a53, §l3: {size: 3}}", ".l3", "unknown key 'l3'", "the keys here are"),
        ("{preset: cortex-a53, cpi: §fast}", ".cpi", "'fast' is not a decimal number", "such as 0.7"),
        ("{preset: cortex-a53, cpi: §0}", ".cpi", "0 is out of range", "from 0.5 to 100"),
        ("{preset: cortex-a53, cpi: §0.49}", ".cpi", "0.49 is out of range", "from 0.5 to 100"),
        ("{preset: cortex-a53, cpi: §0.7.1}", ".cpi", "is not a decimal number", "such as 0.7"),
        ("{preset: cortex-a53, cpi: §0.1234567}", ".cpi", "is not a decimal number", "up to 6 decimals"),
        ("{preset: cortex-a53, cpi: §0.666667}", ".cpi", "0.666667 are 666667 cycles for 1000000", "use 0.667"),
        ("{preset: cortex-a53, cpi: §33.333}", ".cpi", "33.333 are 33333 cycles for 1000 instructions", "use 33.3"),
        ("{preset: cortex-a53, cpi: §99.99}", ".cpi", "99.99 are 9999 cycles for 100", "use 100: each can"),
        ("§[cortex-a53]", "", "a list is not a mapping", "a text, its 'preset': cortex-a53 (of"),
        ("{preset: cortex-a53, l2: {size: §48KiB}}", ".l2.size",
         "48KiB in 16 ways of 64 bytes a line are no power of two of sets", "64KiB or 128KiB"),
        ("{preset: cortex-a53, l2: {ways: §12}}", ".l2.ways",
         "1MiB in 12 ways of 64 bytes a line are no power of two of sets", "768KiB or 1536KiB"),
        ("{preset: cortex-a53, l1i: {size: §48KiB}}", ".l1i.size",
         "48KiB in 2 ways of 64 bytes a line are no power of two of sets", "32KiB or 64KiB"),
        ("{preset: cortex-a53, l1d: {size: §8KiB}}", ".l1d.size", "8KiB in 4 ways are 2KiB a way", "4KiB to 32KiB"),
        ("{preset: cortex-a53, l1d: {size: §128KiB}}", ".l1d.size", "128KiB are too much", "use 64KiB or less"),
        ("{preset: cortex-a53, l2: {size: §32KiB}}", ".l2.size", "32KiB in 16 ways are 2KiB a way", "64KiB or more"),
        ("{preset: cortex-a53, l2: {size: §128MiB}}", ".l2.size", "128MiB are too much", "8MiB or less"),
        ("{preset: cortex-a53, l2: {size: §16MiB}}", ".l2.size", "these caches make 128 colours", "use 8MiB or less"),
        ("{preset: cortex-a53, l2: {size: §8MiB, ways: 1}}", ".l2.size", "make 1024 colours", "use 512KiB or less"),
        ("{preset: cortex-a53, l2: {ways: §17}}", ".l2.ways", "17 is out of range", "from 1 to 16"),
        ("{preset: cortex-a53, l2: {latency: §10001}}", ".l2.latency", "10001 is out of range", "from 0 to 10000"),
        ("{preset: cortex-a53, l2: {latency: §-1}}", ".l2.latency", "'-1' is not a whole number", "be negative"),
        ("{preset: cortex-a53, l2: {latency: §13ns}}", ".l2.latency", "'13ns' is not", ""),
        ("{preset: cortex-a53, l2: {on_eviction: §1}}", ".l2.on_eviction", "neither true nor false", "true or false"),
        ("{preset: cortex-a53, tlb: {entries: §500}}", ".tlb.entries",
         "500 entries in 4 ways are no power of two of sets", "256 or 512"),
        ("{preset: cortex-a53, tlb: {ways: §3}}", ".tlb.ways", "512 entries in 3 ways are no power", "384 or 768"),
        ("{preset: cortex-a53, tlb: {entries: §2048}}", ".tlb.entries", "2048 is out of range", "from 1 to 1024"),
        ("{preset: cortex-a53, walk_cache: {entries: §48}}", ".walk_cache.entries",
         "48 entries in 4 ways are no power of two of sets", "32 or 64"),
        ("{preset: cortex-a53, ipa_cache: {entries: §512}}", ".ipa_cache.entries", "512 is out of range", "to 256"),
        ("{preset: cortex-a53, utlb: {data: §0}}", ".utlb.data", "0 is out of range", "from 1 to 64"),
        ("{preset: cortex-a53, dram: {latency: §83}}", ".dram.latency", "83 has no unit", "83ns"),
        ("{preset: cortex-a53, dram: {latency: §20us}}", ".dram.latency", "20us is out of range", "to 10us"),
        ("{preset: cortex-a53, prefetch: {streams: 8, lines: §4}}", ".prefetch.lines",
         "8 streams that are 4 lines ahead are 32 lines", "at most 28 together"),
        ("{preset: cortex-a53, streaming: {l1: §129}}", ".streaming.l1",
         "129 lines in a row before the first level is passed by, and 128 before the second", "as many or more"),
        ("{preset: cortex-a53, streaming: {l2: §3}}", ".streaming.l2", "4 lines in a row before the first", "or 0"),
        ("{preset: cortex-a53, streaming: {l2: 8, l1: §9}}", ".streaming.l1", "9 lines in a row before the first", ""),
        ("{preset: cortex-a53, hypervisor: {interrupt: {text: §801}}}", ".hypervisor.interrupt.text",
         "801 is out of range", "to 800"),
        ("{preset: cortex-a53, hypervisor: {§ipi: {text: 1}}}", ".hypervisor.ipi", "unknown key 'ipi'", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_with_one(tmp_path: Path, text: str, field: str, message: str, hint: str) -> None:
    text, places = marked(with_system(text))
    found = problems(write(tmp_path, text))
    assert [(each.line, each.column, each.field) for each in found] == [(*places[0], f"platform.memory_system{field}")]
    assert message in found[0].message
    assert hint in found[0].hint


@pytest.mark.parametrize(
    ("written", "field", "message", "hint"),
    [
        (("memory_system: cortex-a53", "{mode: §host}"), "clock.mode", "the host's clock goes on", "'mode: virtual'"),
        (("memory_system: cortex-a53", "{window: §101us}"), "clock.window", "101us is too long", "use 100us or less"),
        (("memory_system: cortex-a53", "{window: §100us, mhz: 100000}"), "clock.window",
         "at 100000 MHz 100us are 10000000 cycles", "at most 8388607 cycles"),
        (("memory_system: {preset: cortex-a53, cpi: 12.5}", "{window: §100ns, mhz: 120}"), "clock.window",
         "at 120 MHz and 12.5 cycles each 100ns is less than one instruction", "use 109ns or more"),
        (("memory_system: {preset: cortex-a53, dram: {latency: 9us}}", "{mhz: §1200}"), "clock.mhz",
         "at 1200 MHz 9us of 'dram: {latency}' of the memory system are 10800 cycles", "a slower clock"),
        (("memory_system: cortex-a53, §cache: {llc_size: 2MiB, llc_ways: 16, l1_size: 32KiB, l1_ways: 4}", "{}"),
         "platform.cache", "has 1MiB of L2 in 16 ways", "remove 'cache'"),
        (("clusters: §[2]", "{}"), "platform.clusters", "these clusters have 2 CPUs, and the platform has 4", "[4]"),
        (("cpus: 6, clusters: §[4, 4]", "{}"), "platform.clusters", "8 CPUs, and the platform has 6", "[4, 2]"),
        (("clusters: [§33]", "{}"), "platform.clusters[0]", "33 is out of range", "from 1 to 32"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(
    tmp_path: Path, written: tuple[str, str], field: str, message: str, hint: str
) -> None:
    """``written``: beside the platform's name, and under ``clock``."""
    platform, clock = written
    text = with_platform(f"{{extends: qemu-aarch64-virt, {platform}}}").replace("vms:\n", f"clock: {clock}\nvms:\n", 1)
    text, places = marked(text)
    (found,) = problems(write(tmp_path, text))
    assert [(found.line, found.column)] == places
    assert found.field == field
    assert message in found.message
    assert hint in found.hint


def test_what_goes_together(tmp_path: Path) -> None:
    """A window of just so long, a clock of the host without one, the caches that it has itself, streams that pass by
    one level or none.
    """
    cache = "cache: {llc_size: 1MiB, llc_ways: 16, l1_size: 32KiB, l1_ways: 4}"
    for text in (
        with_system("cortex-a53").replace("vms:\n", "clock: {window: 100us, mhz: 1200}\nvms:\n", 1),
        with_system("off").replace("vms:\n", "clock: {mode: host}\nvms:\n", 1),
        with_platform(f"{{extends: qemu-aarch64-virt, memory_system: cortex-a53, {cache}}}"),
        with_system("{preset: cortex-a53, streaming: {l1: 200, l2: 0}}"),
        with_system("{preset: cortex-a53, streaming: {l1: 0}}"),
        with_system("{preset: cortex-a53, streaming: {l1: 128}}"),
    ):
        assert problems(write(tmp_path, text)) == ()


def test_colours_go_with_a_memory_system_whose_caches_make_them(tmp_path: Path) -> None:
    """Where the platform has no cache of its own; but with the same one beside it they stay when it is off."""
    cache = "cache: {llc_size: 2MiB, llc_ways: 16, l1_size: 32KiB, l1_ways: 8}"

    def wrong(platform: str) -> list[Problem]:
        extended = f"platform: {{extends: qemu-riscv64-virt, {platform}}}\nvms:\n  - name: only"
        image, memory = "image: {path: Image, base: 0x80200000}", "memory: [{base: 0x80000000, size: 64MiB}]"
        text = f"version: 1\n{extended}\n    {image}\n    cpus: 1\n    colors: 0x3\n    {memory}\n"
        return [each for each in problems(write(tmp_path, text)) if each.field == "vms[0].colors"]

    assert wrong("memory_system: sifive-u74") == []
    (found,) = wrong("memory_system: off")
    assert "no page colours" in found.message
    assert "the platform's 'cache'" in found.hint
    for system in ("sifive-u74", "off"):
        assert wrong(f"memory_system: {system}, {cache}") == []


def test_clusters_are_those_that_are_given_for_just_these_cpus(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("{extends: qemu-aarch64-virt, cpus: 6, clusters: [2, 4]}")

    def sizes(text: str) -> list[int]:
        return [len(cluster) for cluster in platform_of(tmp_path, with_platform(text)).clustered]

    assert sizes("qemu-aarch64-virt") == [4]
    assert sizes("own.yaml") == [2, 4]
    assert sizes("{extends: own.yaml, standby: false}") == [2, 4]
    assert sizes("{extends: own.yaml, cpus: 9}") == [4, 4, 1]
    assert sizes("{extends: own.yaml, cpus: 9, clusters: [8, 1]}") == [8, 1]


def test_caches_of_a_platform_that_has_a_memory_system_are_changed_there(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("{extends: qemu-aarch64-virt, memory_system: cortex-a53}")
    cache = "cache: {llc_size: 2MiB, llc_ways: 16, l1_size: 32KiB, l1_ways: 4}"
    (found,) = problems(write(tmp_path, with_platform(f"{{extends: own.yaml, {cache}}}")))
    assert found.field == "platform.cache"
    assert "has a memory system" in found.message


def machine(directory: Path, text: str) -> Machine:
    return load(write(directory, BASE.replace("vms:\n", f"{text}\nvms:\n", 1)))


def test_colours_of_the_hypervisor(tmp_path: Path) -> None:
    assert machine(tmp_path, "").hypervisor_colors == 0
    assert machine(tmp_path, "hypervisor: {colors: [7]}").hypervisor_colors == 0x80
    text, places = marked(BASE.replace("vms:\n", "hypervisor: {colors: §[8]}\nvms:\n", 1))
    (found,) = problems(write(tmp_path, text))
    assert [(found.line, found.column)] == places
    assert found.message == "the platform has no colour 8"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("hyp: {colors: 1}", "it is called 'hypervisor' here"),
        ("hypervisor: {base_addr: 1}", "platforms without an MMU"),
    ],
)
def test_names_of_config_c(tmp_path: Path, text: str, hint: str) -> None:
    (found,) = problems(write(tmp_path, BASE.replace("vms:\n", f"{text}\nvms:\n", 1)))
    assert hint in found.hint


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_each_value_of_a_preset_has_its_source(architecture: Any) -> None:
    for preset in architecture.memory_presets().values():
        names = [name for _, name in parameters()]
        assert sorted(preset.sources) == sorted(names)
        assert sorted(preset.hypervisor) == ["access", "direct", "hypercall", "interrupt", "relayed"]
        assert all(preset.sources.values())


def test_a_file_can_give_every_parameter() -> None:
    given = {name for _, name in parameters()} - {"cpi"} | {"cycles", "instructions", "hypervisor"}
    assert given == set(MemorySystem.__slots__)
    assert {"cpi", "preset", "hypervisor"} <= {each.name for each in described(MemorySystemModel)}


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("cortex-a53", {}),
        ("{preset: cortex-a53, l2: {size: 1024KiB}, cpi: 0.70, hypervisor: bao}", {}),
        ("{preset: cortex-a53, hypervisor: xen}", {"hypervisor": "xen"}),
        (
            "{preset: cortex-a53, cpi: 1.25, l2: {size: 2MiB, on_eviction: false}, dram: {line: 30ns}, tlb: {miss: 9}, "
            "hypervisor: {access: {text: 70}}}",
            {"cpi": "1.25", "l2.size": "2MiB", "l2.on_eviction": "false", "tlb.miss": "9", "dram.line": "30ns"}
            | {"hypervisor.access.text": "70"},
        ),
    ],
)
def test_one_is_told_as_a_preset_and_what_is_changed(tmp_path: Path, text: str, changes: dict[str, str]) -> None:
    found = told_memory(system_of(tmp_path, text), ARCHITECTURES["armv8"])
    assert (found.preset, found.changes) == ("cortex-a53", changes)


def test_times_become_cycles_of_the_clock() -> None:
    found = A53.parameters(Rate(1_200_000_000))
    assert found["dram_latency"] == 100  # 99.6: nothing takes less than it says
    assert found["dram_line"] == 22
    assert found["l2_latency"] == A53.l2_latency
    slow = A53.parameters(Rate(1_000_000))
    assert all(slow[name] == 1 for name in IN_NANOSECONDS)
    assert not {"cycles", "instructions", "hypervisor"} & found.keys()


@given(st.integers(0, 10**9), st.integers(0, 6))
def test_a_decimal_number_is_exact(digits: int, places: int) -> None:
    whole, rest = divmod(digits, 10**places)
    text = f"{whole}.{rest:0{places}}" if places else str(whole)
    root, _ = read(f"cpi: {text}", Source("f", []), Form())
    reader = Reader()
    exact = Fraction(digits, 10**places)
    if Fraction(1, 10) <= exact <= 100:
        assert CPIS.read(root.at("cpi"), reader) == exact
    else:
        with pytest.raises(UnreadableError):
            CPIS.read(root.at("cpi"), reader)
        assert len(reader.problems) == 1


def test_a_model_is_loaded_when_a_mapping_is_there() -> None:
    asked: list[int] = []

    def late() -> type[MemorySystemModel]:
        asked.append(1)
        return MemorySystemModel

    kind = MappingOf(late, shorthand="preset")
    assert not asked
    assert kind.model is MemorySystemModel
