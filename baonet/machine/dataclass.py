"""``dataclass``, as that of ``dataclasses``, which takes a fifteenth of the time to make a class.

That one compiles up to seven functions for each class while its module is loaded, and a run has two hundred classes:
they were a third of what the start of a small machine takes. This one compiles ``__init__`` alone, when more than a few
instances are made; the rest are functions that look at a class's fields. To a type checker, to the library's functions,
to pickle and to ``match`` it is a data class, and to mypyc too; it can have one as its base and be the base of one.

Here are ``field``, ``fields``, ``replace`` and ``is_dataclass`` too: to load the library's, and with them ``inspect``,
``ast`` and ``dis``, takes as long as a hundred classes. What the library looks for in a class is made when it does.

Not here is what nobody asks for: ``init=False``, ``unsafe_hash``, InitVar, fields with a ``hash`` or
``init`` of their own, and a docstring with the signature. The ``repr`` of what contains itself does not end.
"""

from __future__ import annotations

import operator
from functools import cache
from types import MappingProxyType, MemberDescriptorType, SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import MISSING as MISSING  # noqa: PLC0414 - for whoever imports it from here, as all of these
    from dataclasses import Field as Field  # noqa: PLC0414
    from dataclasses import dataclass as dataclass  # noqa: PLC0414
    from dataclasses import field as field  # noqa: PLC0414
    from dataclasses import fields as fields  # noqa: PLC0414
    from dataclasses import is_dataclass as is_dataclass  # noqa: PLC0414
    from dataclasses import replace as replace  # noqa: PLC0414
else:
    MISSING = object()
    _NONE = MappingProxyType({})

    def dataclass(cls=None, /, **given):
        """As ``dataclasses.dataclass``, of ``frozen``, ``slots``, ``kw_only``, ``eq``, ``order`` and ``repr``."""
        return (lambda each: _dataclass(each, **given)) if cls is None else _dataclass(cls, **given)

    class Field:
        """As ``dataclasses.Field``."""

        __slots__ = ("compare", "default", "default_factory", "kw_only", "metadata", "name", "repr", "type")

        def __init__(
            self, *, default=MISSING, default_factory=MISSING, repr=True, compare=True, kw_only=MISSING, metadata=_NONE
        ):
            self.default, self.default_factory = default, default_factory
            self.repr, self.compare, self.kw_only, self.metadata = repr, compare, kw_only, metadata

    field = Field

    def fields(each):
        """As ``dataclasses.fields``, of a class that is made here or has one as its base, or an instance of one."""
        return tuple(_all_of(each if isinstance(each, type) else each.__class__).values())

    def is_dataclass(each):
        """As ``dataclasses.is_dataclass``, of what is made here."""
        return hasattr(each, "__fields__")

    def replace(each, /, **changes):
        """As ``dataclasses.replace``, of an instance of a class that is made here."""
        return each.__class__(**{name: getattr(each, name) for name in _all_of(each.__class__)} | changes)


_FEW = 3
"""So many instances of a class are made without its ``__init__``: to compile one takes as long as a dozen of them."""
_FACTORY: Any = object()
"""Stands for the value that a default factory makes."""


def _dataclass(
    cls: Any,
    *,
    frozen: bool = False,
    slots: bool = False,
    kw_only: bool = False,
    eq: bool = True,
    order: bool = False,
    repr: bool = True,
) -> type:
    fields = _fields(cls, kw_only=kw_only)
    own = cls.__dict__
    added: dict[str, object] = {
        "__fields__": fields,
        "__dataclass_fields__": _LibraryFields(fields),
        "__dataclass_params__": _params(frozen=frozen, slots=slots, kw_only=kw_only, eq=eq, order=order, repr=repr),
    }
    if "__match_args__" not in own:
        added["__match_args__"] = tuple(name for name, each in fields.items() if not each.kw_only)
    if "__init__" not in own:
        added["__init__"] = _init_when_needed(cls, fields, frozen=frozen)
    if repr and "__repr__" not in own:
        added["__repr__"] = _repr
    # A class with an __eq__ of its own has a __hash__ of None, unless it says otherwise.
    hashed = own.get("__hash__") is not None
    if eq:
        values = _values([name for name, each in fields.items() if each.compare])
        if "__eq__" not in own:
            added["__eq__"] = _comparison(operator.eq, values)
        if not hashed:
            added["__hash__"] = _hash(values) if frozen else None
        for each in (operator.lt, operator.le, operator.gt, operator.ge) if order else ():
            added[f"__{each.__name__}__"] = _comparison(each, values)
    if frozen:
        added |= {"__setattr__": _no_assignment, "__delattr__": _no_deletion}
        if slots and "__getstate__" not in own:
            added |= {"__getstate__": _getstate, "__setstate__": _setstate}
    if not slots or "__mypyc_attrs__" in own:  # mypyc keeps the class that it made, and has slots in it anyway
        for name, value in added.items():
            setattr(cls, name, value)
    return _with_slots(cls, fields, added) if slots else cls  # type: ignore[no-any-return]


@cache
def _params(**given: bool) -> SimpleNamespace:
    """Classes are of few kinds."""
    return SimpleNamespace(**given)


def _fields(cls: Any, *, kw_only: bool) -> dict[str, Field[Any]]:
    """Those of its bases, and then its own, whose defaults it has as attributes."""
    found: dict[str, Field[Any]] = {}
    for base in cls.__mro__[-1:0:-1]:
        found |= _found_in(base) or {}
    for name, annotation in cls.__annotations__.items():  # its own: those of its bases it does not have
        if isinstance(annotation, str) and annotation.startswith(("ClassVar", "typing.ClassVar")):
            continue
        given = cls.__dict__.get(name, MISSING)
        if isinstance(given, MemberDescriptorType):
            given = MISSING
        declared = _is_field(given)
        each: Any = _ours(given) if declared else field(default=given)
        each.name, each.type = name, annotation
        if each.kw_only is MISSING:
            each.kw_only = kw_only
        if each.default.__class__.__hash__ is None:
            raise ValueError(f"mutable default {type(each.default)} for field {name} is not allowed")
        if declared:
            if each.default is MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, each.default)
        found[name] = each
    return found


def _found_in(cls: Any) -> dict[str, Field[Any]] | None:
    """None for what is no data class by itself."""
    own = cls.__dict__
    if "__fields__" in own:
        return own["__fields__"]  # type: ignore[no-any-return]
    if "__dataclass_fields__" in own:
        return {name: _ours(each) for name, each in own["__dataclass_fields__"].items()}
    return None


def _all_of(cls: Any) -> dict[str, Field[Any]]:
    """Of a data class: those of its bases among them, whoever made it of one that is made here."""
    found = next((found for base in cls.__mro__ if (found := _found_in(base)) is not None), None)
    if found is None:
        raise TypeError(f"{cls.__name__} is no data class")
    return found


def _is_field(given: Any) -> bool:
    kind = given.__class__
    return kind is Field or (kind.__module__ == "dataclasses" and kind.__name__ == "Field")


def _ours(given: Any) -> Any:
    """A field of the library's as one of ours."""
    if given.__class__ is Field:
        return given
    import dataclasses  # noqa: PLC0415 - who gives this has loaded it

    return _like(given, field, dataclasses.MISSING, MISSING)


def _like(given: Any, make: Any, missing: object, instead: object) -> Any:
    names = ("default", "default_factory", "repr", "compare", "kw_only", "metadata")
    values = {name: getattr(given, name) for name in names}
    made = make(**{name: instead if value is missing else value for name, value in values.items()})
    made.name, made.type = given.name, given.type
    return made


class _LibraryFields:
    """What the library looks for in a class, its fields as it has them: made when it does."""

    def __init__(self, fields: dict[str, Field[Any]]) -> None:
        self._fields = fields
        self._made: dict[str, Field[Any]] | None = None

    def __get__(self, instance: object, cls: type) -> dict[str, Field[Any]]:
        if self._made is None:
            self._made = {name: self._theirs(each) for name, each in self._fields.items()}
        return self._made

    @staticmethod
    def _theirs(each: Any) -> Any:
        import dataclasses  # noqa: PLC0415 - few need it

        made = _like(each, dataclasses.field, MISSING, dataclasses.MISSING)
        made._field_type = dataclasses._FIELD  # type: ignore[attr-defined]
        return made


def _with_slots(cls: Any, fields: dict[str, Field[Any]], added: dict[str, object]) -> Any:
    """The same class anew: slots are given to a class when it is made, and what is in it then costs least."""
    namespace = {**cls.__dict__, **added}
    taken = {name for base in cls.__mro__[1:] for name in base.__dict__.get("__slots__", ())}
    for name in (*fields, "__dict__", "__weakref__"):
        namespace.pop(name, None)
    namespace["__slots__"] = tuple(name for name in fields if name not in taken)
    made = type(cls)(cls.__name__, cls.__bases__, namespace)
    made.__qualname__ = cls.__qualname__
    return made


def _init_when_needed(cls: Any, fields: dict[str, Field[Any]], *, frozen: bool) -> Callable[..., None]:
    left = _FEW

    def __init__(self: object, *args: object, **named: object) -> None:  # noqa: N807 - it becomes one
        nonlocal left
        left -= 1
        if left >= 0 and _filled(self, fields, args, named, frozen=frozen):
            return
        made = _init(cls, fields, frozen=frozen)
        for each in type(self).__mro__:
            if each.__dict__.get("__init__") is __init__:
                each.__init__ = made  # type: ignore[misc]
        made(self, *args, **named)

    return __init__


def _filled(
    made: Any, fields: dict[str, Field[Any]], args: tuple[object, ...], named: dict[str, object], *, frozen: bool
) -> bool:
    """Do what ``__init__`` does. False, and nothing is done, if the call is wrong: a function says best in what."""
    values = dict(zip([name for name, each in fields.items() if not each.kw_only], args, strict=False))
    if len(values) != len(args) or not named.keys() <= fields.keys() - values.keys():
        return False
    values |= named
    missing = [name for name in fields if name not in values]
    if any(fields[name].default is fields[name].default_factory is MISSING for name in missing):
        return False
    for name in missing:
        field: Any = fields[name]
        values[name] = field.default_factory() if field.default is MISSING else field.default
    put = object.__setattr__ if frozen else setattr
    for name in fields:
        put(made, name, values[name])
    if hasattr(made, "__post_init__"):
        made.__post_init__()
    return True


def _init(cls: Any, fields: dict[str, Field[Any]], *, frozen: bool) -> Any:
    """What mistakes in a call say is what a function says that was written by hand."""
    scope: dict[str, Any] = {"_set": object.__setattr__, "_FACTORY": _FACTORY}
    parameters: list[str] = []
    named: list[str] = []
    body: list[str] = []
    for name, field in fields.items():
        default, value = "", name
        if field.default is not MISSING:
            scope[f"_default_{name}"] = field.default
            default = f"=_default_{name}"
        elif field.default_factory is not MISSING:
            scope[f"_make_{name}"] = field.default_factory
            default = "=_FACTORY"
            value = f"_make_{name}() if {name} is _FACTORY else {name}"
        (named if field.kw_only else parameters).append(name + default)
        body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    signature = ", ".join(["self", *parameters, *(["*", *named] if named else [])])
    exec(f"def __init__({signature}):\n " + "\n ".join(body or ["pass"]), scope)
    made = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _values(names: list[str]) -> Callable[[object], object]:
    """What of an instance is compared."""
    return operator.attrgetter(*names) if names else _nothing


def _nothing(_: object) -> object:
    return ()


def _comparison(
    compare: Callable[[Any, Any], bool], values: Callable[[object], object]
) -> Callable[[object, object], object]:
    def compared(self: object, other: object) -> object:
        return compare(values(self), values(other)) if other.__class__ is self.__class__ else NotImplemented

    return compared


def _hash(values: Callable[[object], object]) -> Callable[[object], int]:
    def __hash__(self: object) -> int:  # noqa: N807 - it becomes one
        return hash(values(self))

    return __hash__


def _repr(self: Any) -> str:
    shown = [f"{name}={getattr(self, name)!r}" for name, each in _all_of(self.__class__).items() if each.repr]
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _no_assignment(self: object, name: str, value: object) -> None:
    _frozen(f"cannot assign to field {name!r}")


def _no_deletion(self: object, name: str) -> None:
    _frozen(f"cannot delete field {name!r}")


def _frozen(why: str) -> NoReturn:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - it is not to happen

    raise FrozenInstanceError(why)


def _getstate(self: Any) -> list[object]:
    return [getattr(self, name) for name in _all_of(self.__class__)]


def _setstate(self: Any, state: list[object]) -> None:
    for name, value in zip(_all_of(self.__class__), state, strict=True):
        object.__setattr__(self, name, value)
