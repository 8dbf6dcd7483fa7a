"""Wrong types at a public door: one rule, read from the annotations that are there anyway.

`typed` stands over a function or a class whose arguments may be anything. What is asked hundreds of
times a second looks itself, and calls `require_types` only if something may be wrong. The error
says the type of what came, never the value: that may be a secret in the wrong place.
"""

from __future__ import annotations

import collections.abc as abc
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache, wraps
from inspect import CO_VARARGS, CO_VARKEYWORDS
from itertools import chain, repeat, takewhile
from os import PathLike
from pathlib import Path
from types import FunctionType, NoneType, SimpleNamespace, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    Unpack,
    cast,
    get_args,
    get_origin,
)
from typing import get_type_hints as resolved

from msgspec import Struct, UnsetType

from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput

Door = TypeVar("Door")

_WORDS: dict[object, str] = {
    str: "a string",
    bytes: "bytes",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    datetime: "an aware datetime",
    Path: "a path",
    PathLike: "a path",
    NoneType: "None",
    Callable: "a callable",
    abc.Callable: "a callable",
}
_ITEMS_ARE_LOOKED_AT = (list, tuple, set, frozenset)


def typed(door: Door) -> Door:
    """Refuse arguments of wrong types: of a function, or of every public method of a class.

    Raises `InvalidInput`, which names the parameter, what came and what is allowed.
    """
    if isinstance(door, type):
        for name, member in list(vars(door).items()):
            if name in ("__init__", "__call__") or not name.startswith("_"):
                setattr(door, name, _typed(member))
        return door
    return cast("Door", _typed(door))


def require_types(function: Callable[..., Any], named: Mapping[str, object]) -> None:
    """Raise `InvalidInput` for the first argument, by its name, that a function does not take."""
    require_arguments(function, (), named)


def require_arguments(
    function: Callable[..., Any], args: Iterable[object], named: Mapping[str, object]
) -> None:
    """The same for arguments as they were given: in order, and by name."""
    takes = _takes(function)
    for (name, hint), value in zip(takes.in_order(), args, strict=False):
        require_type(name, value, hint)
    for name, value in named.items():
        if name in takes.hints:
            require_type(name, value, takes.hints[name])


def require_members(struct: Struct) -> None:
    """Raise `InvalidInput` for the first member of a struct that is not of its type."""
    for name, hint in _hints(type(struct)).items():
        require_type(name, getattr(struct, name), hint)


def require_type(field: str, value: object, hint: Any) -> None:
    """Raise `InvalidInput` unless a value, and what is in it, is of a type."""
    for wrong, allowed in _wrong(value, hint):
        came = shown(wrong) if _is_a_word(wrong, allowed) else _kind(wrong)
        raise InvalidInput(field, f"{came} came, {_words(allowed)} is allowed")


def _typed(member: Any) -> Any:
    if isinstance(member, classmethod):
        return classmethod(_typed(member.__func__))
    if isinstance(member, property) and member.fset is not None:
        return member.setter(_typed(member.fset))
    return _checking(member) if isinstance(member, FunctionType) and _asks(member) else member


def _asks(function: FunctionType) -> bool:
    code = function.__code__
    named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return named != ("self",) or bool(code.co_flags & (CO_VARARGS | CO_VARKEYWORDS))


def _checking(function: FunctionType) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: Any, **named: Any) -> Any:
            __tracebackhide__ = True
            require_arguments(function, args, named)
            return await function(*args, **named)

        return awaited

    @wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        require_arguments(function, args, named)
        return function(*args, **named)

    return call


class _Takes(NamedTuple):
    """The types that a function takes, by name; all of ``rest``'s name are of that one type."""

    hints: dict[str, Any]
    rest: str | None

    def in_order(self) -> Iterable[tuple[str, Any]]:
        if self.rest is None:
            return self.hints.items()
        before = takewhile(lambda one: one[0] != self.rest, self.hints.items())
        return chain(before, repeat((self.rest, self.hints[self.rest])))


@cache
def _takes(function: Callable[..., Any]) -> _Takes:
    takes = _Takes({}, None)
    for parameter in inspect.signature(function).parameters.values():
        hint: Any = parameter.annotation
        if hint is parameter.empty:
            hint = Any  # It is `self`, or a class.
        else:
            one = SimpleNamespace(__annotations__={parameter.name: hint})
            # A decorator's own module does not know the names in what it wraps.
            known = getattr(inspect.unwrap(function), "__globals__", {})
            hint = resolved(one, known)[parameter.name]
        named = get_origin(hint) is Unpack
        takes.hints.update(_hints(get_args(hint)[0]) if named else {parameter.name: hint})
        if parameter.kind is parameter.VAR_POSITIONAL:
            takes = takes._replace(rest=parameter.name)
    return takes


@cache
def _hints(owner: type) -> dict[str, Any]:
    return resolved(owner)


def _wrong(value: object, hint: Any) -> Iterator[tuple[object, Any]]:
    """What of a value is not of a type, and the types that it might be of."""
    for one in _alternatives(hint):
        if _is_a(value, one):
            yield from _wrong_items(value, one)
            return
    yield value, hint


def _wrong_items(value: object, hint: Any) -> Iterator[tuple[object, Any]]:
    of = [one for one in get_args(hint) if one is not ...]
    if isinstance(value, Mapping) and len(of) == 2:
        for key, item in value.items():
            yield from _wrong(key, of[0])
            yield from _wrong(item, of[1])
    elif isinstance(value, _ITEMS_ARE_LOOKED_AT) and of:
        fixed = isinstance(value, tuple) and len(of) == len(value)
        for place, item in enumerate(value):
            yield from _wrong(item, of[place] if fixed else of[0])


def _alternatives(hint: Any) -> Iterator[Any]:
    origin = get_origin(hint)
    if origin is Annotated:
        yield from _alternatives(get_args(hint)[0])
    elif origin in (Union, UnionType):
        for one in get_args(hint):
            yield from _alternatives(one)
    else:
        yield hint


def _is_a(value: object, hint: Any) -> bool:
    kind = get_origin(hint) or hint
    if kind is Literal:
        return any(type(value) is type(word) and value == word for word in get_args(hint))
    if kind is abc.Callable:
        return callable(value)
    if not isinstance(kind, type) or kind in (Any, object):
        return True
    if kind in (int, float) and isinstance(value, int | float):
        return not isinstance(value, bool) and (kind is float or isinstance(value, int))
    if getattr(kind, "_is_protocol", False):
        return all(hasattr(value, name) for name in _members_of(kind))
    if isinstance(value, str | bytes) and kind not in (str, bytes):
        return False  # Text is a sequence of characters, which nobody means by one.
    return isinstance(value, kind)


def _members_of(protocol: type) -> Iterator[str]:
    for name in (*vars(protocol), *vars(protocol).get("__annotations__", {})):
        if name == "__call__" or not name.startswith("_"):
            yield name


def _is_a_word(value: object, hint: Any) -> bool:
    return isinstance(value, str) and any(get_origin(one) is Literal for one in _alternatives(hint))


def _kind(value: object) -> str:
    return "None" if value is None else _article(type(value).__name__)


def _words(hint: Any) -> str:
    words: list[str] = []
    alternatives = [one for one in _alternatives(hint) if one is not UnsetType]
    for one in alternatives:
        if get_origin(one) is Literal:
            words += map(repr, get_args(one))
        elif one is not NoneType or len(alternatives) == 1:
            kind = get_origin(one) or one
            name = kind.__name__
            if kind.__module__ == "collections.abc":
                name = name.lower()
            words.append(_WORDS.get(kind) or _article(name))
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOaeiou' else 'a'} {name}"
