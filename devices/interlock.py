"""Interlocks: conditions over a bench's readings, such as ``plate.temperature > 80 or not psu.output``. Pure.

The language is a small part of Python's expressions: ``device.property`` compared (``< <= > >= == !=``, chains too)
with numbers, texts, ``true`` and ``false``; a bare ``device.property`` for a reading that is true or false; ``and``,
``or``, ``not``, parentheses. A reading that is absent, or of the wrong type, makes a condition *undecidable*, unless
the rest of it decides already (Kleene's logic); undecidable counts as blocking.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from devices.model import Interlock
from signaling.wire import Value

MAX_CHARS = 500
MAX_DEPTH = 16

_Literal: TypeAlias = bool | int | float | str
_Evaluator: TypeAlias = Callable[[Mapping[str, Value]], bool | None]

_COMPARISONS: dict[type[ast.cmpop], Callable[[_Literal, _Literal], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class ConditionError(ValueError):
    """A condition cannot be understood; the text says why, in words for the technician."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition. ``names`` are the readings it looks at, as ``device.property``."""

    when: str
    names: frozenset[str]
    _evaluate: _Evaluator

    def evaluate(self, readings: Mapping[str, Value]) -> bool | None:
        """Whether it is true for these readings (by ``device.property``); None when they do not decide it.

        Leave out readings that are too old: what is not known must not open a lock.
        """
        return self._evaluate(readings)

    def blocks(self, readings: Mapping[str, Value]) -> bool:
        """Whether it blocks: it is true, or nobody can tell."""
        return self._evaluate(readings) is not False


def parse(when: str) -> Condition:
    """The condition that a text states. Raises :class:`ConditionError`."""
    if len(when) > MAX_CHARS:
        raise ConditionError(f"a condition of {len(when)} characters; at most {MAX_CHARS} are read")
    names: set[str] = set()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = ast.parse(when.strip(), mode="eval")
        evaluate = _logical(tree.body, names, MAX_DEPTH)
    except ConditionError:
        raise
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ConditionError(f"{when!r} is not a condition such as plate.temperature > 80") from error
    return Condition(when, frozenset(names), evaluate)


def blocks(interlock: Interlock, device: str, action: str) -> bool:
    """Whether an interlock, while its condition holds, forbids this action of this device."""
    return f"{device}.{action}" in interlock.blocks or f"{device}.*" in interlock.blocks


def _logical(node: ast.expr, names: set[str], depth: int) -> _Evaluator:
    if depth == 0:
        raise ConditionError(f"the condition nests deeper than {MAX_DEPTH}")
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return _all([_logical(value, names, depth - 1) for value in values])
        case ast.BoolOp(op=ast.Or(), values=values):
            return _any([_logical(value, names, depth - 1) for value in values])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _not(_logical(operand, names, depth - 1))
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            operands = [left, *comparators]
            pairs = zip(operands, ops, operands[1:], strict=False)
            return _all([_comparison(one, op, other, names) for one, op, other in pairs])
        case ast.Attribute():
            return _truth(_name(node, names))
    raise ConditionError(f"{_source(node)} is neither a comparison nor a reading")


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr, names: set[str]) -> _Evaluator:
    compare = _COMPARISONS.get(type(op))
    if compare is None:
        raise ConditionError("only < <= > >= == != compare")
    if isinstance(left, ast.Attribute) and not isinstance(right, ast.Attribute):
        return _compare_reading(_name(left, names), compare, _literal(right))
    if isinstance(right, ast.Attribute) and not isinstance(left, ast.Attribute):
        return _compare_reading(_name(right, names), _swapped(compare), _literal(left))
    raise ConditionError(f"{_source(left)} and {_source(right)}: a reading is compared with a number or a text")


def _name(node: ast.Attribute, names: set[str]) -> str:
    if not isinstance(node.value, ast.Name):
        raise ConditionError(f"{_source(node)}: a reading is written device.property")
    name = f"{node.value.id}.{node.attr}"
    names.add(name)
    return name


def _literal(node: ast.expr) -> _Literal:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return _sane(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if (
            type(value) is not bool
        ):
            return _sane(-value)
        case ast.Name(id="true"):
            return True
        case ast.Name(id="false"):
            return False
    raise ConditionError(f"{_source(node)} is neither a number, a text, true nor false")


def _sane(value: _Literal) -> _Literal:
    if isinstance(value, float) and not math.isfinite(value):
        raise ConditionError("a number in a condition must be finite")
    return value


def _source(node: ast.expr) -> str:
    return re.sub(r"\s+", " ", ast.unparse(node))[:60]


def _kind(value: Value) -> type | None:
    """Numbers are comparable with numbers, texts with texts, truths with truths; nothing else is."""
    if isinstance(value, bool):
        return bool
    if isinstance(value, int | float):
        return None if isinstance(value, float) and not math.isfinite(value) else float
    return str if isinstance(value, str) else None


def _compare_reading(name: str, compare: Callable[[_Literal, _Literal], bool], literal: _Literal) -> _Evaluator:
    kind = _kind(literal)

    def evaluate(readings: Mapping[str, Value]) -> bool | None:
        reading = readings.get(name)
        return compare(reading, literal) if _kind(reading) is kind else None  # type: ignore[arg-type]  # same kind

    return evaluate


def _swapped(compare: Callable[[_Literal, _Literal], bool]) -> Callable[[_Literal, _Literal], bool]:
    return lambda reading, literal: compare(literal, reading)


def _truth(name: str) -> _Evaluator:
    def evaluate(readings: Mapping[str, Value]) -> bool | None:
        reading = readings.get(name)
        return reading if isinstance(reading, bool) else None

    return evaluate


def _not(evaluator: _Evaluator) -> _Evaluator:
    def evaluate(readings: Mapping[str, Value]) -> bool | None:
        value = evaluator(readings)
        return None if value is None else not value

    return evaluate


def _all(evaluators: list[_Evaluator]) -> _Evaluator:
    def evaluate(readings: Mapping[str, Value]) -> bool | None:
        values = [evaluator(readings) for evaluator in evaluators]
        return False if False in values else None if None in values else True

    return evaluate


def _any(evaluators: list[_Evaluator]) -> _Evaluator:
    def evaluate(readings: Mapping[str, Value]) -> bool | None:
        values = [evaluator(readings) for evaluator in evaluators]
        return True if True in values else None if None in values else False

    return evaluate
