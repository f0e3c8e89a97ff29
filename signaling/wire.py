"""The wire: frozen dataclasses in and out of msgpack frames, checked in both directions.

One WebSocket binary message is one *frame*: the msgpack array ``[seq, {"type": NAME, field: value, …}]``. ``NAME``
is the word's class name. ``seq`` numbers the events that are replayed when a session resumes and is 0 on every
other frame.

A :class:`Vocabulary` is built from dataclasses once; reading one of their frames then costs one pass over its
fields. Readers refuse unknown words, missing, extra or wrongly typed fields, non-finite numbers in typed fields,
extension types, and anything larger or deeper than the limits.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias, TypeVar

import msgpack  # type: ignore[import-untyped]  # the package ships no types

from signaling.errors import Code, PeerError

Value: TypeAlias = object
"""An open value: none, bool, int, float, str, bytes, or lists and maps of these. Whoever uses it checks its meaning."""

MAX_OPEN_DEPTH = 6
"""How deep lists and maps may nest inside an open value."""

_T = TypeVar("_T")

Reader: TypeAlias = Callable[[Any], Any]
Writer: TypeAlias = Callable[[Any], Any]


@typing.dataclass_transform(frozen_default=True, kw_only_default=False)
def word(cls: type[_T]) -> type[_T]:
    """A frozen dataclass with slots whose immutability the type checker guards, not every assignment.

    Building one costs a quarter of what ``dataclass(frozen=True)`` costs; a command builds a dozen of them.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


class FrameError(PeerError):
    """A frame could not be read. ``request`` is the id it bore, when that much of it was legible."""

    def __init__(self, code: Code, text: str, request: str | None = None) -> None:
        super().__init__(code, text)
        self.request = request


_ABSENT = object()


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    plain: type | None
    """A value of exactly this type needs no reading."""
    read: Reader
    write: Writer | None
    default: Any
    may_be_absent: bool


class Vocabulary:
    """The words that one direction of a connection may carry."""

    def __init__(self, *words: type, max_bytes: int = 262_144) -> None:
        self.max_bytes = max_bytes
        self.words = {word.__name__: word for word in words}
        self._fields: dict[type, tuple[_Field, ...]] = {word: _fields_of(word) for word in words}
        self._packer = msgpack.Packer()

    def __add__(self, other: Vocabulary) -> Vocabulary:
        """Both sets of words, with the larger of the two size limits."""
        words = dict.fromkeys([*self.words.values(), *other.words.values()])
        return Vocabulary(*words, max_bytes=max(self.max_bytes, other.max_bytes))

    def body(self, message: object) -> bytes:
        """The msgpack map of a message, without its sequence number: encode once, send to many."""
        fields = self._fields.get(type(message))
        if fields is None:
            raise TypeError(f"{type(message).__name__} is not a word of this vocabulary")
        content: dict[str, Any] = {"type": type(message).__name__}
        for field in fields:
            value = getattr(message, field.name)
            if value is None and field.may_be_absent:
                continue
            content[field.name] = value if field.write is None else field.write(value)
        try:
            return typing.cast(bytes, self._packer.pack(content))
        except BaseException:
            self._packer.reset()
            raise

    def encode(self, message: object, seq: int = 0) -> bytes:
        """The whole frame of a message."""
        return frame(self.body(message), seq)

    def decode(self, data: bytes) -> tuple[int, Any]:
        """The sequence number and the message of a frame.

        Raises :class:`FrameError` with the code ``too_large``, ``too_deep``, ``malformed`` or ``unknown_type``.
        """
        if len(data) > self.max_bytes:
            raise FrameError(Code.TOO_LARGE, f"A frame of {len(data)} bytes; at most {self.max_bytes} are taken.")
        seq, content = _unpack(data)
        request = content.get("id")
        if not isinstance(request, str):
            request = None
        name = content.pop("type", None)
        word = self.words.get(name) if isinstance(name, str) else None
        if word is None:
            raise FrameError(Code.UNKNOWN_TYPE, f"{_shown(name)} is not a word that is understood here.", request)
        try:
            return seq, _build(word, self._fields[word], content)
        except _TooDeep:
            raise FrameError(Code.TOO_DEEP, f"{name}: values nest deeper than {MAX_OPEN_DEPTH}.", request) from None
        except _Mismatch as mismatch:
            raise FrameError(Code.MALFORMED, f"{name}{mismatch}", request) from None


def frame(body: bytes, seq: int = 0) -> bytes:
    """A frame from an already encoded body: a two-element array header, the number, the body."""
    if seq < 0x80:
        return b"\x92" + bytes((seq,)) + body
    return b"\x92\xcf" + seq.to_bytes(8, "big") + body


class _Mismatch(Exception):
    """A value is not of the declared type; the text grows a path on its way up."""


class _TooDeep(_Mismatch):
    """An open value nests too deep."""


def _unpack(data: bytes) -> tuple[int, dict[str, Any]]:
    try:
        content = msgpack.unpackb(data, raw=False, strict_map_key=True, ext_hook=_no_extension)
    except (ValueError, msgpack.exceptions.UnpackException, RecursionError) as error:
        raise FrameError(Code.MALFORMED, "The frame is not valid msgpack.") from error
    if (
        not isinstance(content, list)
        or len(content) != 2
        or type(content[0]) is not int
        or content[0] < 0
        or not isinstance(content[1], dict)
    ):
        raise FrameError(Code.MALFORMED, "A frame is an array of a sequence number and a map.")
    return content[0], content[1]


def _no_extension(code: int, _data: bytes) -> Any:
    raise ValueError(f"extension type {code}")


def _shown(name: object) -> str:
    return repr(name[:40]) if isinstance(name, str) else "A frame without a type"


def _build(word: type, fields: tuple[_Field, ...], content: Any) -> Any:
    if not isinstance(content, dict):
        raise _Mismatch(": a map is wanted")
    values = []
    take = content.pop
    for field in fields:
        value = take(field.name, _ABSENT)
        if type(value) is field.plain:
            values.append(value)
        elif value is _ABSENT:
            if field.default is dataclasses.MISSING:
                raise _Mismatch(f".{field.name} is missing")
            values.append(field.default)
        else:
            try:
                values.append(field.read(value))
            except _Mismatch as mismatch:
                mismatch.args = (f".{field.name}{mismatch}",)
                raise
    if content:
        raise _Mismatch(f" has no field {_shown(next(iter(content)))}")
    return word(*values)


def _fields_of(word: type) -> tuple[_Field, ...]:
    if not dataclasses.is_dataclass(word):
        raise TypeError(f"{word!r} is not a dataclass")
    hints = typing.get_type_hints(word)
    fields = []
    for field in dataclasses.fields(word):
        read, write = _codec(hints[field.name])
        plain = hints[field.name] if hints[field.name] in (bool, int, str, bytes) else None
        fields.append(_Field(field.name, plain, read, write, field.default, field.default is None))
    return tuple(fields)


def _codec(hint: Any) -> tuple[Reader, Writer | None]:
    """How a declared type is read from and written to plain msgpack values."""
    if hint is object:
        return _read_open, None
    if hint in _PLAIN:
        return _PLAIN[hint], None
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union) and len(arguments) == 2 and types.NoneType in arguments:
        return _optional(*_codec(next(a for a in arguments if a is not types.NoneType)))
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _sequence(*_codec(arguments[0]))
    if origin is Mapping and arguments[0] is str:
        return _mapping(*_codec(arguments[1]))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint), None
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _record(hint)
    raise TypeError(f"{hint!r} cannot stand on the wire")


def _read_bool(value: Any) -> bool:
    if value is True or value is False:
        return value
    raise _Mismatch(": true or false is wanted")


def _read_int(value: Any) -> int:
    if type(value) is int:
        return value
    raise _Mismatch(": an integer is wanted")


def _read_float(value: Any) -> float:
    if type(value) is float or type(value) is int:
        number = float(value)
        if math.isfinite(number):
            return number
    raise _Mismatch(": a finite number is wanted")


def _read_str(value: Any) -> str:
    if type(value) is str:
        return value
    raise _Mismatch(": a string is wanted")


def _read_bytes(value: Any) -> bytes:
    if type(value) is bytes:
        return value
    raise _Mismatch(": bytes are wanted")


_PLAIN: dict[Any, Reader] = {bool: _read_bool, int: _read_int, float: _read_float, str: _read_str, bytes: _read_bytes}


def _read_open(value: Any, depth: int = MAX_OPEN_DEPTH) -> Any:
    if isinstance(value, list | dict):
        if depth == 0:
            raise _TooDeep
        if isinstance(value, dict):
            for key in value:
                _read_str(key)
        for item in value.values() if isinstance(value, dict) else value:
            _read_open(item, depth - 1)
    return value


def _optional(read: Reader, write: Writer | None) -> tuple[Reader, Writer | None]:
    def read_optional(value: Any) -> Any:
        return None if value is None else read(value)

    def write_optional(value: Any) -> Any:
        return None if value is None else typing.cast(Writer, write)(value)

    return read_optional, None if write is None else write_optional


def _sequence(read: Reader, write: Writer | None) -> tuple[Reader, Writer | None]:
    def read_sequence(value: Any) -> Any:
        if not isinstance(value, list):
            raise _Mismatch(": a list is wanted")
        return tuple([read(item) for item in value])

    def write_sequence(value: Any) -> Any:
        return [typing.cast(Writer, write)(item) for item in value]

    return read_sequence, None if write is None else write_sequence


def _mapping(read: Reader, write: Writer | None) -> tuple[Reader, Writer | None]:
    def read_mapping(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Mismatch(": a map is wanted")
        return {_read_str(key): read(item) for key, item in value.items()}

    def write_mapping(value: Any) -> Any:
        return {key: typing.cast(Writer, write)(item) for key, item in value.items()}

    return read_mapping, None if write is None else write_mapping


def _enum(kind: type[Enum]) -> Reader:
    members = {member.value: member for member in kind}

    def read_enum(value: Any) -> Any:
        member = members.get(value) if type(value) is str else None
        if member is None:
            raise _Mismatch(f": one of {', '.join(members)} is wanted")
        return member

    return read_enum


def _record(kind: type) -> tuple[Reader, Writer]:
    fields = _fields_of(kind)

    def read_record(value: Any) -> Any:
        return _build(kind, fields, value)

    def write_record(value: Any) -> Any:
        content = {}
        for field in fields:
            item = getattr(value, field.name)
            if item is None and field.may_be_absent:
                continue
            content[field.name] = item if field.write is None else field.write(item)
        return content

    return read_record, write_record
