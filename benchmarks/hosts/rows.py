"""The table of rows, with their goals."""

from __future__ import annotations

from typing import Final

from benchmarks.goals import Goal
from benchmarks.hosts.memory import CLEAR, TLS, ahead, ipc, pages, raw
from benchmarks.hosts.setting import MIB, Ratio, Row
from benchmarks.hosts.size import many, most
from benchmarks.hosts.windows import windows
from benchmarks.hosts.work import BOOTS, ONE, TWO, boots, compute, island


def _most(bound: float, text: str) -> Goal:
    return Goal(f"<= {text}", bound, most=True, absolute=True)


def _least(bound: float, text: str) -> Goal:
    return Goal(f">= {text}", bound, absolute=True)


def _times(bound: float, *, most: bool = False) -> Goal:
    return Goal(f"{'<=' if most else '>='} {bound:g}", bound, most=most)


_CLEAR, _TLS, _TAIL = _most(40e-6, "40 us"), _most(100e-6, "100 us"), _most(300e-6, "300 us")

ROWS: Final = (
    Row(
        "frames",
        "a page of another node, asked for without a guest",
        raw,
        {"median": "s", "p99": "s"},
        {(CLEAR, "median"): _CLEAR, (TLS, "median"): _TLS, (TLS, "p99"): _TAIL},
    ),
    Row(
        "pages",
        "a guest reads a page that another node has written, host's clock (home's: at home of the island)",
        pages,
        {"median": "s", "p99": "s", "home's median": "s", "home's p99": "s"},
        {
            **{(CLEAR, f"{who}median"): _CLEAR for who in ("", "home's ")},
            **{(TLS, f"{who}median"): _TLS for who in ("", "home's ")},
            **{(TLS, f"{who}p99"): _TAIL for who in ("", "home's ")},
        },
    ),
    Row(
        "ahead",
        "a guest reads 4 MiB (16 in virtual time) in order that another node has written",
        ahead,
        {"rate": "B/s", "home's rate": "B/s"},
        {
            (clock, rate): _least(250e6, "250 MB/s")
            for clock in ("host's clock", "virtual time")
            for rate in ("rate", "home's rate")
        },
    ),
    Row(
        "ipc",
        "IPC ping-pong between two nodes, host's clock",
        ipc,
        {"round trips": "/s"},
        {(CLEAR, "round trips"): _least(8000, "8 k/s")},
    ),
    Row(
        "compute",
        "two VMs that compute: on one core, and on two nodes of one core each, with the lead",
        compute,
        {"time": "s", "CPU of a core": "s"},
        {},
        (
            Ratio(f"host's clock, {ONE}", f"host's clock, {TWO}", "time", _times(1.8)),
            Ratio(f"virtual time, {ONE}", f"virtual time, {TWO}", "time", _times(1.8)),
            Ratio(f"virtual time, {ONE}", f"virtual time, {TWO}", "CPU of a core"),
        ),
    ),
    Row(
        "island",
        "4 VMs of one island in virtual time, windows of 1 ms: on the same",
        island,
        {"time": "s", "CPU of a core": "s"},
        {},
        (Ratio(ONE, TWO, "time", _times(1.6)), Ratio(ONE, TWO, "CPU of a core")),
    ),
    Row(
        "windows",
        "a window of 10 us, by the number of nodes (processes of this host); a VM on each counts",
        windows,
        {"time": "s", "CPU of home": "s", "CPU of another": "s"},
        {},
    ),
    Row(
        "many",
        "256 VMs on this host, to the first output of all",
        many,
        {"first output": "s", "memory": "B"},
        {
            (way, figure): goal
            for way in ("host's clock", "virtual time", "one process")
            for figure, goal in (("first output", _most(10, "10 s")), ("memory", _most(4096 * MIB, "4 GiB")))
        },
        named=True,
    ),
    Row(
        "debian",
        "Debian with 2 vCPUs to its shell: on one node of two cores, and on two of one",
        boots,
        {"time": "s"},
        {},
        tuple(Ratio(f"{clock}, two", f"{clock}, one node", "time", _times(3, most=True)) for clock in BOOTS),
        named=True,
    ),
    Row(
        "size",
        "250 VMs of 4 vCPUs on 4 nodes of this host, to the first output of all",
        most,
        {"first output": "s", "memory": "B"},
        {},
        named=True,
    ),
)
