"""Reads ``docs/protocol.md``: its examples and field lists are the source of the golden files, and are checked.

``python -m tests.protocol_page`` writes the golden files anew after the page was changed.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]  # the package ships no types

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "protocol.md"
GOLDEN = Path(__file__).parent / "golden"

_SECTION = re.compile(r"^### (\w+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_EXAMPLE = re.compile(r"```json\n(.*?)```", re.DOTALL)
_FIELDS = re.compile(r"^Fields: (.*)$", re.MULTILINE)
_PLAIN = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    bytes: "bytes",
    object: "any",
    types.NoneType: "nil",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """One word's section: the frame that it shows and the fields that it lists."""

    word: str
    seq: int
    content: dict[str, Any]
    fields: str

    @property
    def golden(self) -> Path:
        """Where the frame's bytes are kept."""
        return GOLDEN / f"{self.word}.msgpack"

    @property
    def data(self) -> bytes:
        """The frame's bytes."""
        return bytes(msgpack.packb([self.seq, self.content]))


def examples() -> list[Example]:
    """Every word of the page, in its order."""
    found = []
    for word, text in _SECTION.findall(PAGE.read_text("utf-8")):
        example = _EXAMPLE.search(text)
        fields = _FIELDS.search(text)
        if example and fields:
            seq, content = json.loads(example.group(1), object_hook=_bytes_from)
            found.append(Example(word, seq, content, fields.group(1)))
    return found


def fields_line(word: type) -> str:
    """The field list that the page must show for a word: names, types, ``?`` for those that may be absent."""
    hints = typing.get_type_hints(word)
    parts = []
    for field in dataclasses.fields(word):
        absent = "" if field.default is dataclasses.MISSING else "?"
        parts.append(f"`{field.name}{absent}` {_type(hints[field.name])}")
    return " · ".join(parts) or "none"


def _type(hint: Any) -> str:
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_type(argument) for argument in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is Mapping:
        return f"map of {_type(arguments[1])}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return f"[{hint.__name__}](#{hint.__name__.lower()})"


def _bytes_from(content: dict[str, Any]) -> Any:
    if set(content) == {"$bytes"}:
        return base64.b16decode(content["$bytes"], casefold=True)
    return content


def write_golden_files() -> None:
    """One binary file a word, and an index for readers that cannot parse the page."""
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.msgpack"):
        old.unlink()
    index = []
    for example in examples():
        example.golden.write_bytes(example.data)
        index.append({"file": example.golden.name, "type": example.word, "seq": example.seq})
    (GOLDEN / "index.json").write_text(json.dumps(index, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    write_golden_files()
