"""Reads one JSON object field by field, refuses what it does not know. Called by the parsers of bundles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from .canonical import BundleError

_REQUIRED: Any = object()


class Fields:
    """One object of a bundle. Take the fields, then call `done`: what was not taken is refused."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise BundleError(path, "this must be an object")
        self.path = path
        self._rest = dict(value)

    def __contains__(self, name: str) -> bool:
        return name in self._rest

    def at(self, name: str) -> str:
        return f"{self.path}.{name}"

    def take(self, name: str, default: Any = _REQUIRED) -> Any:
        if name in self._rest:
            return self._rest.pop(name)
        if default is _REQUIRED:
            raise BundleError(self.at(name), "this field is missing")
        return default

    def integer(self, name: str, *, least: int = 0, default: Any = _REQUIRED) -> int:
        return whole(self.take(name, default), self.at(name), least=least)

    def text(self, name: str, default: Any = _REQUIRED) -> str:
        return text(self.take(name, default), self.at(name))

    def name(self, name: str) -> str:
        """A text that says which one: it can not be empty."""
        value = self.text(name)
        if not value:
            raise BundleError(self.at(name), "this can not be empty")
        return value

    def boolean(self, name: str, default: Any = _REQUIRED) -> bool:
        value = self.take(name, default)
        if not isinstance(value, bool):
            raise BundleError(self.at(name), "this must be true or false")
        return value

    def items(self, name: str, default: Any = _REQUIRED) -> Iterator[tuple[Any, str]]:
        """Each item of a list with its path."""
        values = self.take(name, default)
        if not isinstance(values, (list, tuple)):
            raise BundleError(self.at(name), "this must be a list")
        for index, value in enumerate(values):
            yield value, f"{self.at(name)}[{index}]"

    def objects(self, name: str, default: Any = _REQUIRED) -> Iterator[Fields]:
        for value, path in self.items(name, default):
            yield Fields(value, path)

    def fraction(self, name: str) -> Fraction:
        return fraction(self.take(name), self.at(name))

    def done(self) -> None:
        for name in sorted(self._rest):
            raise BundleError(self.at(name), "this field is not known")


def whole(value: Any, path: str, *, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BundleError(path, f"{value!r} is not an integer")
    if value < 0:
        raise BundleError(path, f"negative number {value}")
    if value < least:
        raise BundleError(path, f"{value} is too small; the least is {least}")
    return value


def text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise BundleError(path, "this must be a text")
    return value


def fraction(value: Any, path: str) -> Fraction:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise BundleError(path, "this must be [numerator, denominator]")
    return Fraction(whole(value[0], f"{path}[0]"), whole(value[1], f"{path}[1]", least=1))


def refuse_twins(names: Iterable[tuple[str, str]]) -> None:
    """Raises BundleError at the second of two equal names; each comes with its path."""
    seen: dict[str, str] = {}
    for name, path in names:
        if name in seen:
            raise BundleError(path, f"{name!r} is there twice; the first is {seen[name]}")
        seen[name] = path
