"""Who is lost does not hide that others are: what goes to him, or has come for him, nobody waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from baonet.core import _node
from tests.core.joined_nodes import JoinedNode, joined
from tests.core.test_ringing import SPREAD, until

Nodes = Mapping[int, JoinedNode]


def fill(speaks: _node.Rings, hearer: int, node: JoinedNode) -> None:
    """The ring there, what may be on the way, and the ring here; nobody takes any of it."""
    until(lambda: not speaks.put(hearer, bytes(900)) and node.held() > 0)


def end_node(nodes: Nodes) -> None:
    nodes[1].courier.close(nodes[1].caller.fileno())


def end_process(nodes: Nodes) -> None:
    nodes[1].lose(2)


def do(order: int, *acts: Callable[[], None]) -> None:
    """All of them, from the first on or, -1, from the last."""
    for act in acts[::order]:
        act()


lost_how = pytest.mark.parametrize("lose", [end_node, end_process], ids=["with its node", "its process"])
in_order = pytest.mark.parametrize("order", [1, -1], ids=["the hearer first", "the speaker first"])


@lost_how
@in_order
def test_words_for_one_that_is_lost_do_not_hide_that_their_speaker_is(
    lose: Callable[[Nodes], None], order: int
) -> None:
    with joined(SPREAD) as nodes:
        fill(nodes[0].rings(0), 2, nodes[1])
        stays = nodes[2].rings(3)
        do(order, lambda: lose(nodes), lambda: nodes[0].lose(0))
        until(lambda: stays.lost() == [0, 2])


@lost_how
@in_order
def test_words_that_one_who_is_lost_has_not_taken_do_not_hide_that_their_speaker_is(
    lose: Callable[[Nodes], None], order: int
) -> None:
    with joined(SPREAD) as nodes:
        said, stays = nodes[1].rings(2), nodes[2].rings(4)
        fill(said, 3, nodes[2])
        do(order, lambda: nodes[2].lose(3), lambda: lose(nodes))
        until(lambda: stays.lost() == [2, 3])
        until(lambda: nodes[2].held() == 0)
