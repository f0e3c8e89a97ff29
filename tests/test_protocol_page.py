"""The protocol page describes every word truly, and the golden files are what it shows."""

from __future__ import annotations

import dataclasses
import typing
from enum import Enum
from typing import Any

import pytest

import devices.messages
import remotelab.messages
from signaling.errors import Code
from signaling.wire import Vocabulary
from tests.protocol_page import PAGE, Example, examples, fields_line

VOCABULARIES = (
    remotelab.messages.FROM_CLIENT,
    remotelab.messages.TO_CLIENT,
    devices.messages.FROM_AGENT,
    devices.messages.TO_AGENT,
)
EXAMPLES = {example.word: example for example in examples()}
TWO_SIDED = {"DeviceChanged", "InterlockChanged", "TelemetrySampled"}
"""Words that mean nearly the same towards the client and from the agent; the page shows the agent's as ``Agent…``."""


def _words() -> list[tuple[str, Vocabulary, type]]:
    words = {}
    for vocabulary in VOCABULARIES:
        from_agent = vocabulary in VOCABULARIES[2:]
        for name, word in vocabulary.words.items():
            words[f"Agent{name}" if from_agent and name in TWO_SIDED else name] = (vocabulary, word)
    return [(name, vocabulary, word) for name, (vocabulary, word) in words.items()]


@pytest.mark.parametrize(
    ("name", "vocabulary", "word"), _words(), ids=lambda value: value if type(value) is str else ""
)
def test_every_word_has_an_example_that_reads_and_writes(name: str, vocabulary: Vocabulary, word: type) -> None:
    example = EXAMPLES[name]
    assert example.fields == fields_line(word)
    seq, message = vocabulary.decode(example.data)
    assert type(message) is word
    assert seq == example.seq
    assert vocabulary.decode(vocabulary.encode(message, seq)) == (seq, message)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=lambda example: example.word)
def test_golden_files_hold_what_the_page_shows(example: Example) -> None:
    assert example.golden.read_bytes() == example.data, "run: python -m tests.protocol_page"


def test_no_example_is_of_a_word_that_is_gone() -> None:
    assert set(EXAMPLES) == {name for name, _, _ in _words()}


def _records() -> dict[str, type]:
    found: dict[str, type] = {}

    def visit(hint: Any) -> None:
        for argument in typing.get_args(hint):
            visit(argument)
        if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, Enum)):
            if hint.__name__ in found:
                return
            found[hint.__name__] = hint
            if dataclasses.is_dataclass(hint):
                for inner in typing.get_type_hints(hint).values():
                    visit(inner)

    words = {word for _, _, word in _words()}
    for word in sorted(words, key=lambda word: word.__name__):
        for hint in typing.get_type_hints(word).values():
            visit(hint)
    return {name: kind for name, kind in found.items() if kind not in words}


@pytest.mark.parametrize("kind", _records().values(), ids=lambda kind: kind.__name__)
def test_every_record_and_choice_inside_words_is_described(kind: type) -> None:
    page = PAGE.read_text("utf-8")
    assert f"\n### {kind.__name__}\n" in page
    section = page.split(f"\n### {kind.__name__}\n")[1].split("\n#")[0]
    if issubclass(kind, Enum):
        missing = [member.value for member in kind if f"`{member.value}`" not in section]
        assert not missing
    else:
        assert f"Fields: {fields_line(kind)}" in section


def test_every_error_code_is_explained() -> None:
    page = PAGE.read_text("utf-8")
    assert [code.value for code in Code if f"| `{code.value}` |" not in page] == []
