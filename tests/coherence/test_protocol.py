"""The protocol in any order of what happens, with nodes that are lost; and that a wrong one would be found."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from baonet.coherence.directory import Directory
from baonet.coherence.messages import YOUNGEST, Ask, CoherenceError, Grant, Recall, Returned, Right
from baonet.coherence.residency import Residency, Revoke
from tests.coherence.several_nodes import CORES, PAGES, SeveralNodes

needed = st.dictionaries(
    st.integers(0, PAGES - 1), st.sampled_from([Right.READ, Right.WRITE]), min_size=1, max_size=PAGES
)


class Histories(RuleBasedStateMachine):
    directory: type[Directory] = Directory
    residency: type[Residency] = Residency
    lossy = True

    @initialize(count=st.integers(2, 4))
    def begin(self, count: int) -> None:
        self.world = SeveralNodes(count, self.directory, self.residency)

    def pick(self, data: Any, among: Any) -> Any:
        found = sorted(among)
        return data.draw(st.sampled_from(found)) if found else None

    @rule(data=st.data(), needs=needed)
    def start(self, data: Any, needs: dict[int, Right]) -> None:
        if (chosen := self.pick(data, self.world.idle())) is not None:
            node, core = chosen
            self.world.start(node, core, needs)

    @rule(data=st.data())
    def attempt(self, data: Any) -> None:
        if (chosen := self.pick(data, self.world.trying())) is not None:
            self.world.attempt(*chosen)

    @rule(data=st.data())
    def deliver(self, data: Any) -> None:
        if (chosen := self.pick(data, self.world.full())) is not None:
            self.world.deliver(*chosen)

    @rule(data=st.data())
    def revoke(self, data: Any) -> None:
        if (chosen := self.pick(data, self.world.revoking())) is not None:
            self.world.revoke(*chosen)

    @rule(data=st.data(), page=st.integers(0, PAGES - 1), ahead=st.booleans())
    def move(self, data: Any, page: int, ahead: bool) -> None:
        node = self.pick(data, self.world.nodes)
        (self.world.ahead if ahead else self.world.give_back)(node, page)

    @rule(data=st.data(), core=st.integers(0, CORES - 1))
    def reset(self, data: Any, core: int) -> None:
        self.world.reset(self.pick(data, self.world.nodes), core)

    @precondition(lambda self: self.lossy and len(self.world.nodes) > 1)
    @rule(data=st.data(), whether=st.integers(0, 3))
    def lose(self, data: Any, whether: int) -> None:
        if not whether:
            self.world.lose(self.pick(data, self.world.nodes))

    @rule(data=st.data())
    def tell_lost(self, data: Any) -> None:
        if (chosen := self.pick(data, self.world.tellable())) is not None:
            self.world.tell_lost(*chosen)

    @invariant()
    def one_writer_or_many_readers(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.finish()
            self.world.read_all()


class Lossless(Histories):
    """Nobody is lost: then every instruction is done."""

    lossy = False

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "world"):
            assert not any(node.failed for node in self.world.nodes.values())


def histories(machine: type[Histories], examples: int, **more: Any) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=60,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )


@pytest.mark.parametrize("machine", [Histories, Lossless])
def test_memory_is_one(machine: type[Histories]) -> None:
    histories(machine, 100)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("machine", [Histories, Lossless])
def test_memory_is_one_in_many_histories(machine: type[Histories]) -> None:
    histories(machine, 2_000)


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize("machine", [Histories, Lossless])
def test_memory_is_one_in_100_000_histories(machine: type[Histories]) -> None:
    histories(machine, 100_000)


class GrantsEarly(Directory):
    """Does not wait for those whom it has recalled."""

    def _recall(self, *request: Any) -> bool:
        super()._recall(*request)
        return True


class SkipsARecall(Directory):
    """Forgets the last of those who have the page."""

    def _recall(self, page: int, entry: Any, served: int) -> bool:
        before = len(self.sends)
        done = super()._recall(page, entry, served)
        if len(self.sends) > before + 1:
            target, _ = self.sends.pop()
            entry.writer = None if entry.writer == target else entry.writer
            entry.readers.discard(target)
        return done


class ServesTheFirst(Directory):
    """Never tells again when somebody older waits."""

    def _recall(self, page: int, entry: Any, served: int) -> bool:
        known = dict(entry.recalled)
        before = len(self.sends)
        done = super()._recall(page, entry, served)
        self.sends[before:] = [each for each in self.sends[before:] if each[0] not in known]
        return done


class AnswersEarly(Residency):
    """Says that it has returned a page while its cores still have it."""

    def right(self, page: int) -> Right:
        return self._page(page).right

    def _yield(self, page: int) -> None:
        super()._yield(page)
        for action in [each for each in self.actions if isinstance(each, Revoke)]:
            self.actions.remove(action)
            had = self._page(page).right
            self.revoked(page)
            self._page(page).right = had


class HoldsForEver(Residency):
    """Lets no older instruction have what it holds."""

    def _recalled(self, recall: Recall) -> None:
        super()._recalled(Recall(recall.page, recall.right, max(recall.age, (1 << 62, 0))))  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [GrantsEarly, SkipsARecall, ServesTheFirst, AnswersEarly, HoldsForEver])
def test_a_wrong_protocol_is_found(wrong: type[Any]) -> None:
    class Wrong(Histories):
        directory = wrong if issubclass(wrong, Directory) else Directory
        residency = wrong if issubclass(wrong, Residency) else Residency

    with pytest.raises((AssertionError, ExceptionGroup, CoherenceError)):
        histories(Wrong, 5_000, derandomize=True, database=None, phases=[Phase.generate])


def test_what_a_lost_node_might_have_written_is_gone() -> None:
    """It is not what it was before that."""
    world = SeveralNodes(3)
    world.start(1, 0, {0: Right.WRITE, 2: Right.READ})
    world.finish()
    world.lose(1)
    world.read_all()
    assert world.nodes[0].failed == world.nodes[2].failed == 2  # page 0, which it wrote, and page 1, whose home it was


def test_what_a_node_cannot_say_is_told() -> None:
    def home_of(page: int) -> int:
        return page % 2

    directory, residency = Directory(0, home_of), Residency(0, home_of)
    with pytest.raises(CoherenceError, match="home of page 0x1 is another than node 0"):
        directory.ask(1, Ask(1, Right.READ, YOUNGEST))
    with pytest.raises(CoherenceError, match="node 1 asks for no right to page 0x2"):
        directory.ask(1, Ask(2, Right.NONE, YOUNGEST))
    with pytest.raises(CoherenceError, match="node 1 returns page 0x2, to which it has the right NONE"):
        directory.returned(1, Returned(2, Right.NONE, carries=True))
    with pytest.raises(CoherenceError, match="node 1 is not the home of page 0x2"):
        residency.hear(1, Grant(2, Right.WRITE, carries=True))
