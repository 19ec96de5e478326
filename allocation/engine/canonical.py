"""Canonical JSON: one value, one sequence of bytes; and strict reading of it.

Called by the engine's entry functions, its command line and everything that digests or replays a bundle.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any


class BundleError(ValueError):
    """The bundle can not be used. `path` says where ($.candidates[3].score), `message` says what is wrong."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


class _Repeated(dict[str, Any]):
    """An object in which a field was written twice; kept until its path is known."""

    field: str = ""


class _NotWhole:
    """A number that is not an integer, as it was written; kept until its path is known."""

    def __init__(self, written: str) -> None:
        self.written = written


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            repeated = _Repeated(found)
            repeated.field = name
            return repeated
        found[name] = value
    return found


def read(data: bytes) -> Any:
    """The value in `data`. Fields written twice, floats and negative numbers are refused with their path."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_NotWhole,
            parse_constant=_NotWhole,
        )
        refuse_what_is_not_canonical(value)
    except UnicodeDecodeError as error:
        raise BundleError("$", f"this is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise BundleError("$", f"this is not JSON (line {error.lineno}, column {error.colno})") from error
    except RecursionError as error:
        raise BundleError("$", "this is nested too deeply") from error
    except BundleError:
        raise
    except ValueError as error:  # Python refuses integers of thousands of digits
        raise BundleError("$", "a number has too many digits") from error
    return value


def refuse_what_is_not_canonical(value: Any, path: str = "$") -> None:
    """Raises BundleError where `value` holds anything but objects, lists, texts, yes/no, null and integers
    >= 0.
    """
    if value is None:
        return
    if isinstance(value, str):
        _refuse_broken_text(value, path)
    elif isinstance(value, int):  # true and false too
        if value < 0:
            raise BundleError(path, f"negative number {value}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            refuse_what_is_not_canonical(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        _refuse_in_object(value, path)
    else:
        written = value.written if isinstance(value, _NotWhole) else repr(value)
        raise BundleError(path, f"{written} is not an integer")


def _refuse_in_object(value: dict[Any, Any], path: str) -> None:
    if isinstance(value, _Repeated):
        raise BundleError(f"{path}.{value.field}", "this field is written twice")
    for name, item in value.items():
        if not isinstance(name, str):
            raise BundleError(path, f"the field name {name!r} is not a text")
        _refuse_broken_text(name, path)
        refuse_what_is_not_canonical(item, f"{path}.{name}")


def _refuse_broken_text(text: str, path: str) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BundleError(path, "this text holds half a character") from error


def canonical_bytes(value: Any) -> bytes:
    """Keys sorted, no spaces, UTF-8 as it is; the same value gives the same bytes everywhere."""
    refuse_what_is_not_canonical(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()
