"""Hints that do not mislead: what people bring from elsewhere is told as what it is, and hides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from baonet.config.loader import load
from baonet.document.errors import ConfigError
from tests.config.machines import BASE, elf, problems, write

PING = "image: {path: ping.elf}"


def told(directory: Path, text: str) -> list[str]:
    return [f"{each.field}: {each.message}; {each.hint}" for each in problems(write(directory, text))]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (
            "{base: 0x0e000000}",
            "vms[0].gic.gicd: a mapping is not an address; write the value right here, without 'base'",
        ),
        ("{base: here}", "vms[0].gic.gicd: a mapping is not an address; write it as 0x40000000"),
        ("{base: 0x0e000000, size: 1}", "vms[0].gic.gicd: a mapping is not an address; write it as 0x40000000"),
    ],
)
def test_a_key_in_front_of_a_number(tmp_path: Path, given: str, wanted: str) -> None:
    (found,) = told(tmp_path, BASE.replace("cpus: 1\n", f"cpus: 1\n    gic: {{gicd: {given}}}\n", 1))
    assert found.startswith(wanted)


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("cpus: 1\n", "cpus: 1\n    entry: 0x40100000\n", "'image: {path: ..., entry: ...}'"),
        ("cpus: 1\n", "cpu_num: 1\n", "it is called 'cpus' here"),
        ("memory: [{base: 0x4", "regions: [{base: 0x4", "it is called 'memory' here"),
        ("devices: [{pa: 0x09000000, va", "devs: [{pa: 0x09000000, va", "it is called 'devices' here"),
        ("cpus: 1\n", "cpus: 1\n    dev_num: 1\n", "the list says how many there are"),
        ("cpus: 1\n", "cpus: 1\n    platform: {cpu_num: 1}\n", "stand right under the VM"),
        ("size: 64MiB}", "size: 64MiB, place_phys: true}", "'phys' alone places it"),
        ("size: 64KiB, shared_memory: mailbox", "size: 64KiB, shmem_id: 0", "'shared_memory', the name of the object"),
        ("{path: Image, base: 0x60200000}", "{path: Image, base_addr: 0x60200000}", "it is called 'base' here"),
        ("timer: [27]", "timer: [27]\n    gic: {gicd_addr: 0x08000000}", "it is called 'gicd' here"),
        ("shared_memory:\n", "shmemlist:\n", "it is called 'shared_memory' here"),
        ("vms:\n", "vmlist_size: 2\nvms:\n", "the list says how many there are"),
    ],
)
def test_the_names_of_config_c_are_told_as_ours(tmp_path: Path, old: str, new: str, wanted: str) -> None:
    """One problem each: what is meant is known, so nothing is missing."""
    assert old in BASE
    (found,) = told(tmp_path, BASE.replace(old, new, 1))
    assert "unknown key" in found
    assert wanted in found


@pytest.mark.parametrize(
    ("given", "cpus"), [("0b0011", (0, 1)), ("8", (3,)), ("0", ()), ("[3, 1]", (3, 1)), ("0x4", (2,))]
)
def test_an_affinity_is_a_list_or_a_bitmap(tmp_path: Path, given: str, cpus: tuple[int, ...]) -> None:
    machine = load(write(tmp_path, BASE.replace("cpu_affinity: [0]", f"cpu_affinity: {given}")))
    assert machine.vms[0].cpu_affinity == cpus


def test_a_cpu_of_a_bitmap_that_is_not_there(tmp_path: Path) -> None:
    (found,) = told(tmp_path, BASE.replace("cpu_affinity: [0]", "cpu_affinity: 0b10000"))
    assert found == "vms[0].cpu_affinity: the platform has no CPU 4; its CPUs are 0 to 3"


@pytest.mark.parametrize(
    ("given", "told_of"),
    [("0xff", None), ("0xffffffffffffffff", None), ("0xf0", "4 to 7"), ("0b1010010010", "4, 7 and 9")],
)
def test_an_affinity_bitmap_with_bits_beyond_the_cpus(tmp_path: Path, given: str, told_of: str | None) -> None:
    """All the bits that count, and more, mean any, as for colours; else one problem for all that are not there."""
    found = told(tmp_path, BASE.replace("cpu_affinity: [0]", f"cpu_affinity: {given}"))
    assert found == [
        f"vms[0].cpu_affinity: the platform has no CPU {each}; its CPUs are 0 to 3" for each in [told_of] if each
    ]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("cpus: 1\n", "cpus: all\n", "it can be from 1 to 1024"),
        ("version: 1\n", "version: 1\nclock: {mhz: 1GHz}\n", "it can be from 1 to 100000"),
        ("size: 64MiB}", "size: 0x4000000UL}", "write 0x4000000"),
        ("base: 0x40000000", "base: 0x40000000ull", "write 0x40000000"),
        ("cpus: 1\n", "cpus: 1U\n", "write 1"),
        ("version: 1\n", 'version: "1"\n', "write it without quotes"),
        ("memory: [{base: 0x40000000, size: 64MiB}]", "memory: {base: 0x40000000, size: 64MiB}", "write [ ] around it"),
        ("image: {path: ping.elf}", "image: ping.elf", "write {path: ping.elf}"),
        ("device_tree: auto", "device_tree: yes", "'auto' makes one; for none, leave the key out"),
        ("{path: ping.elf}", "{path: ~/ping.elf}", "'~' and '$' mean nothing here"),
        ("{path: ping.elf}", '{path: "$HOME/ping.elf"}', "'~' and '$' mean nothing here"),
        (
            "platform: qemu-aarch64-virt",
            "platform: none-like-it",
            "and qemu-riscv64-virt-plic; the name of a platform file ends in .yaml",
        ),
        ("console=ttyAMA0", "console=\\0ttyAMA0", "a NUL character ends a command line"),
        ("cpus: 1\n", "cpus:\u00a01\n", "a no-break space, which YAML takes for a letter; write a space"),
    ],
)
def test_habits_are_met_with_what_to_write(tmp_path: Path, old: str, new: str, wanted: str) -> None:
    assert old in BASE
    (found,) = told(tmp_path, BASE.replace(old, new, 1))
    assert wanted in found


def test_a_part_of_a_device(tmp_path: Path) -> None:
    uart = "{name: uart0, kind: pl011, pa: 0x09000000, size: 64KiB, interrupt: 33}"
    text = BASE.replace("platform: qemu-aarch64-virt", f"platform: {{extends: qemu-aarch64-virt, devices: [{uart}]}}")
    found, _ = told(tmp_path, text)
    assert "0x9000000..0x9000fff has only a part of 'uart0', which is at 0x9000000..0x900ffff" in found
    assert "use pa 0x9000000 and size 64KiB, or more" in found


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        (
            "version: 1\nmachine: m.yaml\nmetrics: [ipc-latency]\nsweep: {}\n",
            "is a study, and no machine file",
            "'baonet study'",
        ),
        ("extends: qemu-aarch64-virt\ncpus: 8\n", "is a platform, and no machine file", "'platform' of a machine file"),
    ],
)
def test_a_file_of_ours_of_another_kind_is_one_error(tmp_path: Path, text: str, what: str, remedy: str) -> None:
    (found,) = told(tmp_path, text)
    assert what in found
    assert remedy in found


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("config.c", b"#include <config.h>\n\nstruct config config = {\n", "is C source, and a machine file is YAML"),
        ("config", b"/* Bao */\n#include <config.h>\n", "is C source"),
        ("other.c", b"VM_IMAGE(vm1, vm1.bin)\n", "is C source"),
        ("guest.elf", b"\x7fELF\2\1\1" + bytes(99), "is an ELF program"),
        ("tree.dts", b"/dts-v1/;\n/ { };\n", "is a device tree"),
    ],
)
def test_files_of_another_language(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path)
    (found,) = caught.value.problems
    assert what in found.message
    assert "let 'baonet init' write one" in found.hint


@pytest.mark.parametrize("comment", ["# include the guests first\n", "#include is a word of C\n"])
def test_a_comment_of_yaml_is_no_c(tmp_path: Path, comment: str) -> None:
    assert problems(write(tmp_path, comment + BASE)) == ()


def test_a_tab_is_called_one(tmp_path: Path) -> None:
    (found,) = problems(write(tmp_path, BASE.replace("    cpus: 1", "\tcpus: 1")))
    assert found.message == "a tab: YAML has none where a value or an indent can be"
    assert (found.line, found.hint) == (8, "use spaces")


def test_a_device_smaller_than_a_page_is_told_once(tmp_path: Path) -> None:
    found = told(tmp_path, BASE.replace("size: 4KiB, interrupts", "size: 0x100, interrupts"))
    assert found == ["vms[0].devices[0].size: 0x100 is not a multiple of 4KiB; use 0x1000"]


def test_segments_of_an_elf_that_overlap_are_to_be_linked_again(tmp_path: Path) -> None:
    path = write(tmp_path, BASE)
    pair = (0x40100000, 0x40100000, bytes(64), 0x2000), (0x40101000, 0x40101000, bytes(64), 64)
    (tmp_path / "ping.elf").write_bytes(elf(*pair))
    (found,) = problems(path)
    assert "overlap" in found.message
    assert found.hint == "link the guest to other addresses"


def test_what_has_no_room_is_told_beside_the_mistakes_of_other_vms(tmp_path: Path) -> None:
    text = BASE.replace("cpus: 1\n", "cpus: one\n").replace(
        "{base: 0x60000000, size: 512MiB}", "{base: 0x60200000, size: 3MiB}"
    )
    first, second, third = told(tmp_path, text)
    assert "'one' is not a whole number" in first
    assert second.startswith("vms[1].initrd.path: the initrd (10000 bytes) does not fit beside the image")
    assert third.startswith("vms[1].device_tree: the device tree (")


def test_nothing_hides_behind_misspelt_keys(tmp_path: Path) -> None:
    text = """\
version: 1
platfrom: qemu-aarch64-virt
vms:
  - name: a
    imag: {path: nofile.elf}
    cpus: 9
    memroy: [{base: 0x40000800, size: 64MiB}]
    devises: [{pa: 0x0a000000}]
  - name: a
    cpus: 1
    memory: [{base: foo, size: 64MiB}, {base: 0x41, sise: 64MiB}]
    device_tree: none.dtb
"""
    found = told(tmp_path, text)
    wanted = [
        "platfrom: unknown key", "vms[0].imag: unknown key", "nofile.elf cannot be read",
        "vms[0].cpus: 9 vCPUs, and the platform has 4", "vms[0].memroy: unknown key",
        "vms[0].memroy[0].base: 0x40000800 is not a multiple", "vms[0].devises: unknown key",
        "vms[0].devises[0].pa: the platform has no device at 0xa000000", "vms[1]: 'image' is missing",
        "vms[1].name: two VMs are named 'a'", "vms[1].memory[0].base: 'foo' is not an address",
        "vms[1].memory[1].base: 0x41 is not a multiple", "vms[1].memory[1].sise: unknown key",
        "none.dtb cannot be read",
    ]  # fmt: skip
    assert len(found) == len(wanted)
    for each, words in zip(found, wanted, strict=True):
        assert words in each


@pytest.mark.parametrize(
    ("program", "hint"),
    [
        (elf((0, 0, bytes(64), 64), entry=0, kind=3), "it is position independent: give 'base', an address in 0x4"),
        (elf((1 << 63, 1 << 63, bytes(64), 64), entry=1 << 63), "of Linux take arch/arm64/boot/Image, not vmlinux"),
        (elf((0x400000, 0x400000, bytes(64), 64), entry=0x400000), "its memory is 0x40000000..0x43ffffff"),
    ],
)
def test_an_elf_that_is_linked_elsewhere_is_told_what_helps_it(tmp_path: Path, program: bytes, hint: str) -> None:
    path = write(tmp_path)
    (tmp_path / "ping.elf").write_bytes(program)
    (found,) = problems(path)
    assert "is not inside one region of the VM's memory" in found.message
    assert hint in found.hint
