"""Our ``dataclass`` beside that of ``dataclasses``: what anybody can see of a class and its instances is the same."""

from __future__ import annotations

import copy
import dataclasses
import operator
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.machine import dataclass as ours

DEFAULTS: dict[str, Callable[[], dict[str, Any]]] = {
    "none": dict,
    "value": lambda: {"default": 7},
    "factory": lambda: {"default_factory": list},
    "silent": lambda: {"default": 1, "repr": False},
    "no part of it": lambda: {"default": 2, "compare": False},
    "always by name": lambda: {"default": 3, "kw_only": True},
}

BOTH = (ours.dataclass, dataclasses.dataclass)
ORDERS: tuple[Callable[[Any, Any], Any], ...] = (operator.lt, operator.le, operator.gt, operator.ge)


@st.composite
def shapes(draw: st.DrawFn) -> tuple[list[tuple[str, str]], dict[str, bool]]:
    """Fields in an order that both take, by their names, and options."""
    kinds = draw(st.lists(st.sampled_from(sorted(DEFAULTS)), max_size=5))
    kinds.sort(key=lambda kind: kind != "none")
    options = {name: draw(st.booleans()) for name in ("frozen", "slots", "kw_only", "eq", "repr")}
    options["order"] = options["eq"] and draw(st.booleans())  # refused without eq
    return [(f"f{at}", kind) for at, kind in enumerate(kinds)], options


def made(
    decorate: Any, fields: list[tuple[str, str]], options: dict[str, bool], base: type = object, field: Any = None
) -> Any:
    """A class of these fields, each of its decorator's kind."""
    field = field or (ours.field if decorate is ours.dataclass else dataclasses.field)
    space: dict[str, Any] = {"__annotations__": {}, "__module__": __name__, "__qualname__": "Made", "double": double}
    for name, kind in fields:
        space["__annotations__"][name] = "int"
        if kind == "value":
            space[name] = 7
        elif kind != "none":
            space[name] = field(**DEFAULTS[kind]())
    return decorate(**options)(type("Made", (base,), space))


def double(self: Any) -> Any:
    return self.f0 * 2


def outcome(call: Callable[[], Any]) -> Any:
    """What it gives, or the kind of error."""
    try:
        return call()
    except Exception as error:
        return type(error)


def seen(cls: Any, arguments: list[int], named: dict[str, int]) -> list[Any]:
    """What can be told of the class and of an instance that is made of these."""
    told = [
        [(each.name, each.type, each.kw_only, each.compare) for each in dataclasses.fields(cls)],
        cls.__match_args__,
        cls.__dict__.get("__slots__"),
        cls.__hash__ is None,
    ]
    one, other = outcome(lambda: cls(*arguments, **named)), outcome(lambda: cls(*arguments, **named))
    if isinstance(one, type):
        return [*told, one]
    values = {each.name: getattr(one, each.name) for each in dataclasses.fields(cls)}
    first = next(iter(values), "f0")
    return [
        *told,
        values,
        one == other,
        one == values,
        [outcome(lambda: compare(one, other)) for compare in ORDERS],  # noqa: B023 - called at once
        [outcome(lambda: compare(one, dataclasses.replace(one, **{first: 5}))) for compare in ORDERS],  # noqa: B023
        [outcome(lambda: compare(one, values)) for compare in ORDERS],  # noqa: B023
        outcome(lambda: hash(one) == hash(other)) if one == other else "by identity",
        repr(one) if "__repr__" in cls.__dict__ else "as any object",
        dataclasses.asdict(one),
        outcome(lambda: dataclasses.asdict(dataclasses.replace(one, **{first: 99}))),
        outcome(lambda: dataclasses.asdict(copy.copy(one))),
        outcome(one.double),
        # Of what is no field the other raises TypeError with both options, as it is another class by then.
        *(outcome(change) for change in (lambda: setattr(one, first, 5), lambda: delattr(one, first)) if values),
        isinstance(outcome(lambda: setattr(one, "another", 5)), type),
    ]


@given(shape=shapes(), arguments=st.lists(st.integers(0, 9), max_size=5), data=st.data())
def test_it_is_what_the_other_is(
    shape: tuple[list[tuple[str, str]], dict[str, bool]], arguments: list[int], data: st.DataObject
) -> None:
    fields, options = shape
    given = data.draw(st.dictionaries(st.sampled_from([name for name, _ in fields] or ["f0"]), st.integers(0, 9)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours, "_FEW", data.draw(st.sampled_from([0, 1, 100])))  # made by a loop, or by what is compiled
        found = [seen(made(each, fields, options), arguments, given) for each in BOTH]
    assert found[0] == found[1]


@pytest.mark.parametrize("options", [{}, {"frozen": True}, {"slots": True}, {"frozen": True, "slots": True}])
@pytest.mark.parametrize("below", [ours.dataclass, dataclasses.dataclass])
@pytest.mark.parametrize("above", [ours.dataclass, dataclasses.dataclass])
def test_one_is_the_base_of_another(above: Any, below: Any, options: dict[str, bool]) -> None:
    base = made(below, [("f0", "none"), ("f1", "value")], options)
    cls = made(above, [("f1", "value"), ("f2", "factory")], options, base)
    right = made(
        dataclasses.dataclass,
        [("f1", "value"), ("f2", "factory")],
        options,
        made(dataclasses.dataclass, [("f0", "none"), ("f1", "value")], options),
    )
    assert seen(cls, [1], {"f2": 3}) == seen(right, [1], {"f2": 3})
    assert base(1) != cls(1)


@pytest.mark.parametrize("options", [{}, {"frozen": True, "slots": True}])
def test_a_field_of_the_others(options: dict[str, bool]) -> None:
    shape = [(kind, kind) for kind in sorted(DEFAULTS, key=lambda kind: kind != "none") if kind.isidentifier()]
    found = [made(each, shape, options, field=dataclasses.field) for each in BOTH]
    assert seen(found[0], [1], {}) == seen(found[1], [1], {})


@given(shape=shapes())
def test_what_is_here_beside_it_is_as_there(shape: tuple[list[tuple[str, str]], dict[str, bool]]) -> None:
    fields, options = shape
    cls = made(ours.dataclass, fields, options)
    one = cls(**{name: 6 for name, _ in fields})
    assert [ours.is_dataclass(each) for each in (cls, one, int)] == [True, True, False]
    for here, there in zip(ours.fields(one), dataclasses.fields(one), strict=True):
        assert (here.name, here.type, here.metadata, here.repr) == (there.name, there.type, there.metadata, there.repr)
        assert (here.default is ours.MISSING) == (there.default is dataclasses.MISSING)
    for name, _ in fields:
        assert (
            repr(ours.replace(one, **{name: 5})) == repr(dataclasses.replace(one, **{name: 5})) or not options["repr"]
        )
    with pytest.raises(TypeError, match="unexpected keyword argument 'another'"):
        ours.replace(one, another=5)


@ours.dataclass(frozen=True, slots=True)
class Kept:
    """For pickle, which looks for it here."""

    count: ClassVar[int] = 4
    name: str
    sizes: list[int] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("no name")


@dataclasses.dataclass(frozen=True)
class Derived(Kept):
    """The library's, of one of ours."""

    more: int = 5


@pytest.mark.parametrize("again", [ours.replace, copy.copy, lambda each: pickle.loads(pickle.dumps(each))])
def test_one_of_the_others_that_is_derived_keeps_what_it_adds(again: Callable[[Derived], Derived]) -> None:
    one = Derived("a", [1], 6)
    assert again(one) == one
    assert [each.name for each in ours.fields(one)] == ["name", "sizes", "more"]
    assert [each.name for each in ours.fields(Derived)] == ["name", "sizes", "more"]
    assert repr(Kept("a")) == "Kept(name='a', sizes=[])"


@pytest.mark.parametrize("wrong", [ours.replace, ours.fields])
def test_what_is_no_data_class(wrong: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="int is no data class"):
        wrong(3)


def test_a_class_of_a_module() -> None:
    one = Kept("a", [1])
    assert pickle.loads(pickle.dumps(one)) == one
    assert Kept.count == 4
    with pytest.raises(ValueError, match="no name"):
        Kept("")
    match one:
        case Kept(name, sizes):
            assert (name, sizes) == ("a", [1])
    assert Kept("b").sizes is not Kept("b").sizes


def test_mistakes_are_told_as_a_function_would() -> None:
    with pytest.raises(TypeError, match=r"Kept.__init__\(\) missing 1 required positional argument: 'name'"):
        Kept()  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="mutable default <class 'list'> for field wrong"):
        ours.dataclass(type("Wrong", (), {"__annotations__": {"wrong": "list[int]"}, "wrong": []}))
