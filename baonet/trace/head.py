"""What the first and the last value of a trace file tell: what was run, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from baonet.hyp import wings
from baonet.hyp.architecture import Architecture
from baonet.machine import Rate
from baonet.machine.dataclass import dataclass
from baonet.machine.memory_system import ToldMemory
from baonet.trace.memory import CacheCounts

VERSION = 3
"""The version of the format that is written and read here: who changes it, or what the digest covers, counts it up."""


class TraceError(Exception):
    """The file is no trace, or one that cannot be read, and why: one line without the file's name."""


@final
@dataclass(frozen=True, slots=True)
class TracedRegion:
    """What a VM sees at an IPA. ``kind`` is "ram", "device" or "shared_memory"; ``name`` is that of what is behind."""

    base: int
    size: int
    kind: str
    name: str


@final
@dataclass(frozen=True, slots=True)
class TracedVm:
    """``arch`` is the architecture's part, numbers by names; nothing in a trace that is older."""

    name: str
    pcpus: tuple[int, ...]
    arch: Mapping[str, int]
    regions: tuple[TracedRegion, ...]


@final
@dataclass(frozen=True, slots=True)
class Header:
    """``hz`` is ticks of a record's time per second; ``window``, ``slice`` and ``latency`` are ticks, ``costs`` ns.

    ``mode`` is "virtual" or "host"; ``config`` the SHA-256 of the machine file, empty when there was no file to read.
    ``chains``: of a run that goes on from a saved one, with what the digest's chain of each pcpu begins: the last link
    and the records of the open one. ``memory_system`` is None where memory takes no time.
    """

    hz: int
    mode: str
    machine: str
    platform: str
    mhz: int
    window: int
    slice: int
    latency: Mapping[str, int]
    costs: Mapping[str, int]
    config: str
    vms: tuple[TracedVm, ...]
    architecture: Architecture
    chains: Mapping[int, tuple[bytes, bytes]]
    memory_system: ToldMemory | None

    @property
    def rate(self) -> Rate:
        return Rate(self.hz)

    def ns(self, ticks: int) -> int:
        """Ticks as nanoseconds, rounded down."""
        return self.rate.ns(ticks)

    def by_pcpu(self) -> dict[int, TracedVm]:
        """The VM of each pcpu that has one."""
        return {pcpu: vm for vm in self.vms for pcpu in vm.pcpus}

    def names(self) -> dict[int, str]:
        """The name of each pcpu's VM."""
        return {pcpu: vm.name for pcpu, vm in self.by_pcpu().items()}


@final
@dataclass(frozen=True, slots=True)
class Footer:
    """``time`` is when the run ended, in ticks. No ``digest``: under the host's clock, or when a pcpu was lost.

    ``caches``: of each cluster whose memory takes time, by its number.
    """

    ending: str
    time: int
    digest: str | None
    digests: Mapping[int, str]
    statistics: Mapping[int, Mapping[str, int]]
    deliveries: Mapping[str, int]
    caches: Mapping[int, CacheCounts]


def _integer(value: object, what: str) -> int:
    if type(value) is not int or value < 0:
        raise TraceError(f"damaged: its {what} is {value!r:.40}")
    return value


def _positive(header: Mapping[object, object], what: str) -> int:
    number = _integer(header.get(what), what)
    if not number:
        raise TraceError(f"damaged: its {what} is 0")
    return number


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise TraceError(f"damaged: its {what} is {value!r:.40}")
    return value


def _path(value: object) -> str:
    if not isinstance(value, str):
        raise TraceError(f"damaged: its machine is {value!r:.40}")
    return value


def _map(value: object, what: str) -> Mapping[object, object]:
    if not isinstance(value, Mapping):
        raise TraceError(f"damaged: its {what} is {value!r:.40}")
    return value


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise TraceError(f"damaged: its {what} is {value!r:.40}")
    return value


def _chain(value: object) -> tuple[bytes, bytes]:
    match value:
        case [bytes(link), bytes(records)]:
            return link, records
    raise TraceError(f"damaged: its chain is {value!r:.40}")


def _counters(value: object, what: str) -> dict[str, int]:
    return {_text(name, what): _integer(number, what) for name, number in _map(value, what).items()}


def _vm(value: object, part: str) -> TracedVm:
    vm = _map(value, "VM")
    pcpus = tuple(_integer(pcpu, "VM's pcpu") for pcpu in _list(vm.get("pcpus"), "VM's pcpus"))
    return TracedVm(
        _text(vm.get("name"), "VM's name"),
        pcpus,
        _counters(vm.get(part, {}), f"VM's {part.upper()}"),
        tuple(_region(region) for region in _list(vm.get("regions", []), "VM's regions")),
    )


def _region(value: object) -> TracedRegion:
    region = _map(value, "region")
    return TracedRegion(
        _integer(region.get("base"), "region's base"),
        _integer(region.get("size"), "region's size"),
        _text(region.get("kind"), "region's kind"),
        _text(region.get("name"), "region's name"),
    )


def _architecture(header: Mapping[object, object]) -> Architecture:
    name = _text(header.get("architecture", wings.FIRST), "architecture")
    if name not in wings.ARCHITECTURES:
        known = ", ".join(wings.ARCHITECTURES)
        raise TraceError(f"of a machine of {name}, and this baonet knows {known}: read it with the one that wrote it")
    return wings.ARCHITECTURES[name]


def _memory(value: object) -> ToldMemory:
    system, what = _map(value, "memory system"), "memory system's change"
    changes = _map(system.get("changes", {}), what)
    return ToldMemory(
        _text(system.get("preset"), "memory system's preset"),
        {_text(key, what): _text(each, what) for key, each in changes.items()},
    )


def header(value: object) -> Header:
    """Of the first value in a file. Raises TraceError."""
    if not isinstance(value, Mapping):
        raise TraceError("damaged: it begins without a header")
    version = _integer(value.get("version"), "version")
    if version != VERSION:
        age = "a newer" if version > VERSION else "an older"
        raise TraceError(
            f"written by {age} baonet: its version is {version}, and this one reads version {VERSION}: "
            "read it with the one that wrote it"
        )
    architecture = _architecture(value)
    return Header(
        hz=_positive(value, "hz"),
        mode=_text(value.get("mode"), "mode"),
        machine=_path(value.get("machine", "")),
        platform=_text(value.get("platform", ""), "platform"),
        mhz=_integer(value.get("mhz", 0), "mhz"),
        window=_positive(value, "window"),
        slice=_positive(value, "slice"),
        latency=_counters(value.get("latency", {}), "latency"),
        costs=_counters(value.get("costs", {}), "costs"),
        config=_text(value.get("config", ""), "config"),
        vms=tuple(_vm(vm, architecture.names.vm_part) for vm in _list(value.get("vms"), "list of VMs")),
        architecture=architecture,
        chains={
            _integer(pcpu, "chain's pcpu"): _chain(chain)
            for pcpu, chain in _map(value.get("chains", {}), "chains").items()
        },
        memory_system=_memory(value["memory_system"]) if "memory_system" in value else None,
    )


def _integers(value: object, what: str) -> tuple[int, ...]:
    return tuple(_integer(each, what) for each in _list(value, what))


def _cache(value: object) -> CacheCounts:
    cache = _map(value, "cache")
    vms = tuple(_text(name, "cache's VM") for name in _list(cache.get("vms"), "cache's VMs"))
    counts = tuple(_counters(each, "cache's counts") for each in _list(cache.get("counts"), "cache's counts"))
    missed = tuple(_integers(row, "cache's misses") for row in _list(cache.get("missed"), "cache's misses"))
    pages = tuple(_integers(each, "cache's pages") for each in _list(cache.get("pages"), "cache's pages"))
    owners = len(vms) + 1
    if (
        len(counts) != owners
        or [len(row) for row in missed] != [owners + 1] * owners
        or {len(each) for each in pages} - {2}
    ):
        raise TraceError(f"damaged: the cache of {', '.join(vms)} is not of so many VMs")
    channel = _counters(cache.get("channel", {}), "cache's channel")
    return CacheCounts(vms, counts, missed, channel, tuple((address, misses) for address, misses in pages))


def footer(value: object) -> Footer:
    """Of the last value in a file. Raises TraceError."""
    end = _map(value, "end")
    digest = end.get("digest")
    digests = _map(end.get("digests", {}), "digests")
    statistics = _map(end.get("statistics", {}), "statistics")
    return Footer(
        ending=_text(end.get("ending"), "ending"),
        time=_integer(end.get("time"), "end"),
        digest=None if not digest else _text(digest, "digest"),
        digests={_integer(pcpu, "pcpu"): _text(each, "digest") for pcpu, each in digests.items()},
        statistics={_integer(pcpu, "pcpu"): _counters(each, "statistics") for pcpu, each in statistics.items()},
        deliveries=_counters(end.get("deliveries", {}), "deliveries"),
        caches={
            _integer(number, "cluster"): _cache(cache)
            for number, cache in _map(end.get("caches", {}), "caches").items()
        },
    )
