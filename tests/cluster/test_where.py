"""What ``--on`` can say, and one line for what it cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.cluster.route import numeric, seen_from
from baonet.cluster.where import Where, WhereError, WhereKind, parse


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("local:2", Where(WhereKind.LOCAL, ("local-0", "local-1"), 2)),
        ("a:7000,b.example:7001", Where(WhereKind.LISTEN, ("a:7000", "b.example:7001"), 2)),
        ("[fd00::1]:7000", Where(WhereKind.LISTEN, ("[fd00::1]:7000",), 1)),
        ("[fe80::1%eth0.7]:7000", Where(WhereKind.LISTEN, ("[fe80::1%eth0.7]:7000",), 1)),
        ("ssh:me@[fe80::1%eth0]", Where(WhereKind.SSH, ("me@[fe80::1%eth0]",), 1)),
        ("a:7000,a:7001", Where(WhereKind.LISTEN, ("a:7000", "a:7001"), 2)),
        ("ssh:a,user@b,c:2222", Where(WhereKind.SSH, ("a", "user@b", "c:2222"), 3)),
        ("slurm", Where(WhereKind.SLURM)),
        ("slurm:16", Where(WhereKind.SLURM, count=16)),
        ("ray", Where(WhereKind.RAY)),
        ("ray:10.0.0.1:6379", Where(WhereKind.RAY, address="10.0.0.1:6379")),
        ("ray:ray://head:10001", Where(WhereKind.RAY, address="ray://head:10001")),
    ],
)
def test_what_can_be_said(text: str, where: Where) -> None:
    assert parse(text) == where


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' names no host: write local:N, HOST:PORT,..., ssh:HOST,..., slurm[:N] or ray[:ADDRESS]"),
        ("ssh", "'ssh' names no host: write local:N"),
        ("ssh:", "'ssh:' names no host"),
        ("local", "'local' does not say how many nodes: write local:N with N from 1 to 1024"),
        ("local:0", "write local:N"),
        ("local:1025", "write local:N"),
        ("slurm:", "write slurm:N"),
        ("host", "'host' has no port: write host:PORT for a node that listens there, or ssh:host"),
        ("host:0", "'host:0' has no port that can be: it is from 1 to 65535"),
        ("host:65536", "it is from 1 to 65535"),
        ("shh:a,b", "'shh:a' is no HOST:PORT; WHERE is local:N, HOST:PORT,..., ssh:HOST"),
        (
            "::1:7000",
            "'::1:7000' is no HOST:PORT: write an address of IPv6 in brackets, as in [::1]:7470; WHERE is local",
        ),
        (
            "[fe80::1]:7000",
            "'[fe80::1]:7000' is the same on each link: write the interface that leads there, as in [fe80::1%eth",
        ),
        ("[fe80::1%]:7000", "'[fe80::1%]:7000' is no HOST:PORT"),
        ("ssh:::1", "'::1' is no host that ssh can call: write HOST or USER@HOST, an address of IPv6 in brackets"),
        ("user@host:7000", "'user@host:7000' is no HOST:PORT"),
        ("a:1,,b:1", "'a:1,,b:1' has an empty name"),
        ("a:1,", "none at the end"),
        ("a:1,b:1,a:1", "'a:1' is given twice: name each node once"),
        ("ssh:a,a", "'a' is given twice"),
        ("ssh:-oProxyCommand=id", "is no host that ssh can call: write HOST or USER@HOST"),
        ("ssh:-oX@host", "is no host that ssh can call"),
        ("ray:", "'ray:' has no address of a Ray cluster: write ray, or ray:HOST:PORT"),
        ("a\n:1", r"'a\n:1' is no HOST:PORT"),
    ],
)
def test_what_cannot_be_said_is_one_line(text: str, said: str) -> None:
    with pytest.raises(WhereError) as raised:
        parse(text)
    assert said in str(raised.value)


@given(st.from_regex(r"((local|ssh|slurm|ray):)?[a-z0-9.:,@\[\]-]{0,12}", fullmatch=True) | st.text(max_size=12))
def test_any_text_is_nodes_or_one_line(text: str) -> None:
    try:
        where = parse(text)
    except WhereError as error:
        assert "\n" not in str(error)  # noqa: PT017 - whether it comes is open
    else:
        assert len(where.names) in (0, where.count)
        assert len(set(where.names)) == len(where.names)
        assert not any(name.startswith("-") for name in where.names)


def test_an_address_of_a_link_alone_has_the_interface_of_who_calls() -> None:
    assert seen_from("fe80::2%lan0", "fe80::1%eth0") == "fe80::1%lan0"
    assert seen_from("10.0.0.2", "fe80::1%eth0") == "fe80::1%eth0"
    assert seen_from("fe80::2%lan0", "fd00::1") == "fd00::1"
    assert numeric(("fe80::1", 7470, 0, 1)) == "fe80::1%lo"
    assert numeric(("fd00::1", 7470, 0, 0)) == "fd00::1"
    assert numeric(("10.0.0.1", 7470)) == "10.0.0.1"
